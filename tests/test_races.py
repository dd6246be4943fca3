"""Many at once, in threads and in processes, on one database: every fact is stored once, and nothing is lost.

Each race counts what came out; the numbers are printed (``pytest -s``).
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from hub.domain.delivery import Address
from hub.domain.errors import Refused
from hub.intake import Received
from tests.house import MONDAY, Department, actor, after, form, fresh_id, phone, user

SPAWN = multiprocessing.get_context("spawn")
THREADS = 16
ROUNDS = 8
EMAIL = Address("email", "ivan@example.ru")


pytestmark = pytest.mark.usefixtures("both_stores")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house.begin()


@pytest.fixture
def other(house: Department, tmp_path: Path) -> Iterator[Department]:
    """The same folder with nothing of its own at hand, as another process has it."""
    with Department(tmp_path) as other:
        yield other


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """All of ``acts`` at the same moment, a thread each; a refusal is a result."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def topics(house: Department, *wanted: str) -> Counter[str]:
    """How many events of these topics the whole log has."""
    return Counter(row.topic for row in house.store.tail(0, 100_000) if row.topic in wanted)


def split(results: Sequence[Any]) -> tuple[list[Any], list[Refused]]:
    """What was done, and what was refused."""
    return [r for r in results if not isinstance(r, Refused)], [r for r in results if isinstance(r, Refused)]


# ── deliveries ───────────────────────────────────────────────────────────────────


def test_one_delivery_in_16_threads_is_one_lead(house: Department) -> None:
    for n in range(ROUNDS):
        sent = form(phone(n), id=f"same-{n}")
        got, refused = split(at_once(*[partial(house.receive, sent)] * THREADS))
        assert refused == []
        assert len({r.lead for r in got}) == 1
        assert [r.duplicate for r in got].count(False) == 1
    counted = topics(house, "lead.received", "receipt.accepted", "lead.message_received")
    print(f"\n{ROUNDS} deliveries, each sent by {THREADS} threads at once: {dict(counted)}")
    assert set(counted.values()) == {ROUNDS}
    assert len(house.leads()) == ROUNDS


def test_16_deliveries_of_one_phone_at_once_are_one_card_with_16_messages(house: Department) -> None:
    """R6: nobody knew the number before."""
    for n in range(ROUNDS):
        got, refused = split(at_once(*[partial(house.receive, form(phone(n))) for _ in range(THREADS)]))
        assert refused == []
        [card] = {r.lead for r in got}
        assert [r.began for r in got].count(True) == 1
        assert len(house.hub.lead(card).messages) == THREADS
    assert [len(house.views.receipts.of_lead(UUID(row["id"]))) for row in house.leads()] == [THREADS] * ROUNDS
    print(f"\n{ROUNDS} numbers, {THREADS} deliveries of each at once: {len(house.leads())} cards")


def test_a_person_known_by_two_addresses_meets_in_one_card(house: Department) -> None:
    """R6: deliveries that name both at once, then deliveries that name one of the two."""
    both = [form(phone(1), EMAIL) for _ in range(THREADS)]
    got, _ = split(at_once(*[partial(house.receive, sent) for sent in both]))
    assert len({r.lead for r in got}) == 1
    alone = [form(phone(1)) if n % 2 else form(EMAIL) for n in range(THREADS)]
    more, _ = split(at_once(*[partial(house.receive, sent) for sent in alone]))
    assert {r.lead for r in more} == {r.lead for r in got}


def test_the_same_key_with_two_payloads_at_once_stores_one_and_refuses_the_other(house: Department) -> None:
    """Neither payload may be taken for the other: who was answered with success is stored."""
    for n in range(ROUNDS * 2):
        a, b = form(phone(n), id=f"k{n}", text="первое"), form(phone(n), id=f"k{n}", text="второе")
        results = at_once(partial(house.receive, a), partial(house.receive, b))
        [received], refused = split(results)
        assert [r.code for r in refused] == ["same_key_other_payload"]
        assert house.message(received.lead).text == (b if isinstance(results[0], Refused) else a).text


def test_what_a_process_has_at_hand_is_what_is_stored(house: Department, other: Department) -> None:
    """Two openings take in the same delivery at once at different instants; both must show the stored one."""
    for n in range(ROUNDS):
        sent = form(phone(n), id=f"hand-{n}")
        done, _ = split(at_once(partial(house.receive, sent, after(minutes=1)), partial(other.receive, sent, after(minutes=2))))
        lead = done[0].lead
        assert house.hub.lead(lead) == other.hub.lead(lead)
        assert house.hub.lead(lead) == house.hub.lead(lead, version=house.hub.version(lead))


def deliver(folder: Path, name: str, ids: list[str], number: int) -> None:
    """In a process of its own: these deliveries, all from one phone number; the answers go into a file."""
    with Department(folder) as house:
        with ThreadPoolExecutor(4) as threads:
            got: list[Received] = list(threads.map(lambda id: house.receive(form(phone(number), id=id)), ids))
        (folder / f"answers-{name}").write_text("\n".join(f"{r.lead} {r.duplicate}" for r in got), encoding="utf-8")


def in_processes(folder: Path, *work: tuple[list[str], int]) -> list[tuple[str, str]]:
    """``deliver`` in as many processes at once; (lead, duplicate) of every answer."""
    processes = [SPAWN.Process(target=deliver, args=(folder, str(n), ids, number)) for n, (ids, number) in enumerate(work)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
        process.close()
    lines = [line for n in range(len(work)) for line in (folder / f"answers-{n}").read_text(encoding="utf-8").splitlines()]
    return [(line.split()[0], line.split()[1]) for line in lines]


def test_two_processes_with_the_same_deliveries_of_one_person(house: Department, tmp_path: Path) -> None:
    """The same 24 ids in both: 48 answers, 24 stored, one card."""
    ids = [f"p-{n}" for n in range(24)]
    answers = in_processes(tmp_path, (ids, 1), (ids[::-1], 1))
    assert len({lead for lead, _ in answers}) == 1
    assert Counter(duplicate for _, duplicate in answers) == {"False": 24, "True": 24}
    counted = topics(house, "lead.received", "receipt.accepted", "lead.message_received")
    print(f"\n2 processes, 24 deliveries each, the same ids: {dict(counted)}")
    assert counted == {"lead.received": 1, "receipt.accepted": 24, "lead.message_received": 24}


def test_two_processes_with_different_deliveries_of_one_person(house: Department, tmp_path: Path) -> None:
    """R6: 48 ids, one card with 48 messages."""
    answers = in_processes(tmp_path, ([f"a-{n}" for n in range(24)], 1), ([f"b-{n}" for n in range(24)], 1))
    [(card)] = {lead for lead, _ in answers}
    print(f"\n2 processes, 24 deliveries each, one person: 1 card, {len(house.hub.lead(UUID(card)).messages)} messages")
    assert len(house.hub.lead(UUID(card)).messages) == 48
    assert len(house.leads()) == 1


# ── people ───────────────────────────────────────────────────────────────────────


def test_two_managers_take_at_once_and_exactly_one_gets_it(house: Department, other: Department) -> None:
    """R2: through two openings of the database; the other one reads who was first."""
    winners: Counter[str] = Counter()
    for n in range(ROUNDS):
        lead = house.new_lead(form(phone(n)))
        other.hub.lead(lead)
        done, refused = split(at_once(partial(house.do, lead, "take", "anna"), partial(other.do, lead, "take", "boris")))
        assert len(done) == 1
        assert [r.code for r in refused] == ["taken_by_other"]
        owner = house.hub.lead(lead).owner
        assert done[0].events[0].actor == owner
        name = "Anna" if owner == user("anna") else "Boris"
        assert name in refused[0].say("ru")
        winners[name] += 1
    print(f"\n{ROUNDS} leads, two managers at once: {dict(winners)}; attempts kept: {topics(house, 'attempt.refused')}")
    assert topics(house, "lead.taken")["lead.taken"] == ROUNDS


def test_who_saw_an_older_version_is_told_so(house: Department) -> None:
    """Two people act on what they saw: one is first, the other looks again."""
    lead = house.new_lead()
    seen = house.hub.version(lead)
    note = partial(house.hub.do, lead, "note", {"text": "x"}, actor=actor("anna"), at=MONDAY, expected=seen)
    done, refused = split(at_once(*[note] * 4))
    assert len(done) == 1
    assert {r.code for r in refused} == {"conflict"}


def test_notes_of_16_threads_on_one_lead_are_all_stored(house: Department, other: Department) -> None:
    lead = house.new_lead()
    houses = [house, other] * (THREADS // 2)
    done, refused = split(at_once(*[partial(h.do, lead, "note", text=f"note {n}") for n, h in enumerate(houses)]))
    assert refused == []
    notes = [event.text for event in house.hub.history(lead) if event.TOPIC == "lead.note_added"]  # type: ignore[attr-defined]
    assert sorted(notes) == sorted(f"note {n}" for n in range(THREADS))
    assert len({d.position for d in done}) == THREADS


# ── time ─────────────────────────────────────────────────────────────────────────


def all_late(house: Department, leads: list[UUID]) -> None:
    """An hour passes for all of them."""
    for lead in leads:
        house.hub.pass_time(lead, at=after(hours=1))


def test_workers_at_once_record_each_fact_once(house: Department, other: Department) -> None:
    """R2, R34: reminder and lateness of every lead, four workers in two openings."""
    leads = [house.new_lead(form(phone(n))) for n in range(ROUNDS)]
    at_once(*[partial(all_late, h, leads) for h in (house, other) * 2])
    counted = topics(house, "lead.deadline_missed", "lead.offered")
    print(f"\n4 workers, {ROUNDS} leads late for two deadlines: {dict(counted)}")
    assert counted == {"lead.deadline_missed": 2 * ROUNDS, "lead.offered": 2 * ROUNDS}
    for lead in leads:
        missed = [(event.key, event.at) for event in house.hub.history(lead) if event.TOPIC == "lead.deadline_missed"]  # type: ignore[attr-defined]
        assert missed == [("take", after(minutes=15)), ("contact", after(minutes=30))]


@pytest.mark.parametrize("instant", [after(minutes=14), after(minutes=16)], ids=["in time", "late"])
def test_a_worker_and_a_command_at_once(house: Department, other: Department, instant: datetime) -> None:
    """R2: whoever is first, the take is met in time or missed once and then met late: never both in time and missed."""
    for n in range(ROUNDS):
        lead = house.new_lead(form(phone(n)))
        other.hub.lead(lead)
        pass_time = partial(other.hub.pass_time, lead, at=instant)
        done, refused = split(at_once(partial(house.do, lead, "take", at=instant), pass_time))
        assert refused == []
        assert len(done) == 2
        history = house.hub.history(lead)
        missed = [event for event in history if event.TOPIC == "lead.deadline_missed"]
        [met] = [event for event in history if event.TOPIC == "lead.deadline_met" and event.key == "take"]  # type: ignore[attr-defined]
        late = instant > after(minutes=15)
        assert (len(missed), met.late) == (int(late), late)  # type: ignore[attr-defined]


# ── merging ──────────────────────────────────────────────────────────────────────


def test_a_merge_and_deliveries_at_once_lose_no_message_and_leave_one_open_card(house: Department, other: Department) -> None:
    """R6: a delivery is on the other card from before the merge, or on the survivor from after it."""
    moved = 0
    for n in range(ROUNDS):
        survivor, merged = house.new_lead(form(phone(2 * n))), house.new_lead(form(phone(2 * n + 1)))
        other.hub.lead(merged)
        merge = partial(house.hub.merge, survivor, merged, "один", actor=actor("anna"), at=MONDAY)
        _, refused = split(at_once(merge, *[partial(other.receive, form(phone(2 * n + 1))) for _ in range(4)]))
        assert refused == []
        a, b = house.hub.lead(survivor), house.hub.lead(merged)
        assert b.merged_into == survivor
        assert len(a.messages) + len(b.messages) == 2 + 4
        history = [event.TOPIC for event in house.hub.history(merged)]
        assert "lead.message_received" not in history[history.index("lead.merged_into"):], "a message on a card that is gone"
        assert house.receive(form(phone(2 * n + 1))).lead == survivor
        moved += len(a.messages) - 1
    print(f"\n{ROUNDS} merges against {4 * ROUNDS} deliveries: {moved} on the survivor, none lost")


def test_a_loss_and_a_delivery_at_once(house: Department, other: Department) -> None:
    """R28, R29: the delivery is on the open card, or begins a new lead; never a message on a lost one."""
    for n in range(ROUNDS):
        lead = house.new_lead(form(phone(n)))
        house.do(lead, "take")
        other.hub.lead(lead)
        lose = partial(house.do, lead, "lose", reason="price", closeness="considered")
        done, refused = split(at_once(lose, partial(other.receive, form(phone(n)))))
        assert refused == []
        history = house.topics(lead)
        assert "lead.message_received" not in history[history.index("lead.lost"):]
        assert len(done) == 2


def test_a_release_and_a_dismissal_at_once(house: Department, other: Department) -> None:
    """One of the two; the other reads that it is not in the quarantine any more."""
    for n in range(ROUNDS):
        receipt = house.receive(replace(form(phone(n)), suspicion="links")).receipt
        other.hub.quarantined(receipt)
        done, refused = split(at_once(
            partial(house.hub.release, receipt, actor=actor("anna"), at=MONDAY),
            partial(other.hub.dismiss, receipt, "реклама", actor=actor("boris"), at=MONDAY)))
        assert (len(done), [r.code for r in refused]) == (1, ["not_in_quarantine"])
        status = house.hub.quarantined(receipt).status
        assert status == ("dismissed" if done[0] is None else "released")


FIRST_USES = """
import sys
sys.setswitchinterval(1e-6)
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from tests.house import Department, fresh_id, form, phone
barrier = Barrier(16)
with Department(Path(sys.argv[1])) as house, ThreadPoolExecutor(16) as threads:
    def first(n):
        barrier.wait()
        return house.receive(form(phone(n), id=fresh_id()))
    assert len(list(threads.map(first, range(16)))) == 16
"""


@pytest.mark.parametrize("attempt", range(3))
def test_the_first_requests_of_a_new_process_come_in_16_threads_at_once(house: Department, tmp_path: Path, attempt: int) -> None:
    """Everything that is worked out once at its first use is worked out by one thread: msgspec crashes otherwise."""
    for _ in range(20):
        house.receive(form(phone(1), id=fresh_id()))
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", FIRST_USES, str(tmp_path)], capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
