"""Events of leads sent to other programs: signed, in order, at least once, and nothing of a person unless it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import WebhookVerificationError

from hub.domain.errors import Conflict, NotAllowed, NotFound, Refused
from hub.domain.event import TOPICS, personal_fields
from hub.domain.webhook import Webhook, lead_topics
from hub.webhooks.outbox import KEPT
from hub.webhooks.sender import FAILING_FOR, JITTER, LEASE, PARALLEL, RETRIES, WAIT_MOST, Sender, asked
from hub.worker import sender_of
from tests.house import MONDAY, Department, actor, form, phone
from tests.webhook_receiver import Came, Receiver, Reply

NOTES = ("lead.note_added",)


class Clock:
    """Begins now, because receivers refuse old signatures; stands until a test moves it."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at


class Bench:
    """A department, a receiver that it may send to, and a sender."""

    def __init__(self, house: Department, receiver: Receiver) -> None:
        self.house, self.receiver, self.clock = house, receiver, Clock()
        house.hub.outgoing.allow(("127.0.0.0/8",))
        house.hub.outgoing.outbox.prepare()
        self.outbox = house.hub.outgoing.outbox
        self.sender = self.another()

    def another(self) -> Sender:
        """A sender such as another process has, or the next one."""
        sender = sender_of(self.house.hub, self.clock)
        sender.chance = lambda: 0.5
        return sender

    def subscribe(self, *topics: str, personal: bool = True, after: int | None = None, url: str = "") -> tuple[UUID, str]:
        return self.house.hub.add_webhook("CRM", url or self.receiver.url, topics, personal=personal, after=after,
                                          actor=actor("adam"), at=self.clock())

    def note(self, lead: UUID, *texts: str) -> None:
        for text in texts:
            self.house.do(lead, "note", text=text)

    def send(self) -> None:
        """Send until nothing is due."""
        self.house.runner.catch_up()
        before = -1
        while len(self.receiver.came) != before:
            before = len(self.receiver.came)
            self.sender.turn()
            self.sender.settle()

    def later(self, wait: timedelta) -> None:
        self.clock.at += wait
        self.send()

    def state(self, id: UUID) -> Any:
        self.house.runner.catch_up()
        return self.house.hub.webhooks()[id]

    def rows(self, id: UUID, *states: str) -> list[tuple[str, int, str, int]]:
        """(state, attempts, fault, status) of deliveries, the oldest first."""
        found = self.outbox.listed(id, states or ("waiting", "sent", "dead", "dropped"), 100)
        return [(d.state, d.attempts, d.fault, d.status) for d in reversed(found)]


@contextmanager
def running(sender: Sender) -> Iterator[None]:
    """The sender's own loop in a thread, as the worker runs it, until the end of the block."""
    stop = Flag()
    loop = Thread(target=sender.run, args=(stop,))
    loop.start()
    try:
        yield
    finally:
        stop.set()
        loop.join(30)
    assert not loop.is_alive()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Department(tmp_path) as house, Receiver() as receiver:
        bench = Bench(house.begin("adam", "anna", "boris"), receiver)
        yield bench
        bench.sender.close()


# ── what is sent ─────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("both_stores")
def test_every_event_of_a_lead_arrives_once_in_order_signed_and_without_anything_personal(bench: Bench) -> None:
    _, secret = bench.subscribe(personal=False)
    lead = bench.house.new_lead(form(phone(1), text="Секретный завод"))
    bench.house.do(lead, "take")
    bench.note(lead, "Любит звонки по вечерам")
    bench.send()

    stored = bench.house.store.read(lead)
    assert [(c.data["lead"], c.data["version"], c.message["type"]) for c in bench.receiver.came] == [
        (str(lead), event.originator_version, event.TOPIC) for event in stored]
    for came, event in zip(bench.receiver.came, stored, strict=True):
        message = came.verified(secret)
        assert message["timestamp"] == message["data"]["at"] == event.at.isoformat().replace("+00:00", "Z")
        assert message["data"]["event"] == str(event.event_id)
        assert message["data"]["position"] == bench.house.store.position(lead, event.originator_version)
        assert (message["data"]["actor"], message["data"]["process_version"]) == (event.actor, event.process_version)
        assert message["data"]["number"] == 1
        assert not set(personal_fields(type(event))) & set(message["data"]["fields"])
        for words in ("Секретный завод", "вечерам", "Иван", "912000", "subject"):
            assert words not in came.body.decode()
    assert len({came.id for came in bench.receiver.came}) == len(stored)


def test_personal_data_is_sent_where_the_subscription_says_so(bench: Bench) -> None:
    bench.subscribe(personal=True)
    lead = bench.house.new_lead(form(phone(1), text="Секретный завод"))
    bench.note(lead, "Любит звонки по вечерам")
    bench.send()
    bodies = "".join(came.body.decode() for came in bench.receiver.came)
    assert all(words in bodies for words in ("Секретный завод", "Любит звонки по вечерам", "Иван"))


def test_only_what_was_asked_for_is_sent_and_nothing_of_other_streams(bench: Bench) -> None:
    bench.subscribe(*NOTES)
    bench.subscribe()
    lead = bench.house.new_lead()
    bench.note(lead, "a")
    bench.send()
    kinds = [came.message["type"] for came in bench.receiver.came]
    assert kinds.count("lead.note_added") == 2
    assert set(kinds) <= set(lead_topics())
    assert len(kinds) == 1 + len(bench.house.topics(lead))


def test_a_message_can_be_made_of_every_event_there_is() -> None:
    """Whatever fields an event has, they are JSON, and the personal ones can be left out."""
    import msgspec

    from hub.webhooks.outgoing import message
    from tests.golden.samples import CLASSES, sample

    for topic in lead_topics():
        event = sample(CLASSES[topic])
        for personal in (True, False):
            fields = msgspec.json.decode(msgspec.json.encode(message(event, 1, None, personal)))["data"]["fields"]
            assert bool(set(personal_fields(TOPICS[topic])) & set(fields)) is (personal and bool(personal_fields(TOPICS[topic])))


@pytest.mark.parametrize(("after", "texts"), [(None, ["new"]), (0, ["old 1", "old 2", "new"])])
def test_a_subscription_begins_now_or_where_it_was_asked_to(bench: Bench, after: int | None, texts: list[str]) -> None:
    lead = bench.house.new_lead()
    bench.note(lead, "old 1", "old 2")
    bench.subscribe(*NOTES, after=after)
    bench.note(lead, "new")
    bench.send()
    assert bench.receiver.texts() == texts


def test_nothing_of_a_person_is_kept_beside_the_log_and_what_was_erased_is_not_sent(bench: Bench) -> None:
    """The receiver was down until after the person was erased; it quoted what it got as well."""
    bench.subscribe(*NOTES, personal=True)
    lead = bench.house.new_lead()
    bench.note(lead, "Любит звонки по вечерам")
    bench.receiver.answer = lambda came: Reply(500, body=came.data["fields"]["text"].encode())
    bench.send()
    with bench.house.store.reading() as c:
        for table in ("webhook_deliveries", "webhook_progress", "webhook_secrets"):
            assert "вечерам" not in repr([tuple(row) for row in c.execute(f"SELECT * FROM {table}").fetchall()])
    event = bench.house.store.read(lead)[-1]
    assert event.subject is not None
    bench.house.keys.destroy(event.subject)
    bench.receiver.answer = lambda came: Reply()
    bench.later(RETRIES[0])
    assert bench.receiver.texts() == ["Любит звонки по вечерам", "[erased]"]


# ── order, and at least once ─────────────────────────────────────────────────────


@pytest.mark.usefixtures("both_stores")
def test_a_lead_waits_for_its_own_failed_event_and_other_leads_do_not(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    bad, good = bench.house.new_lead(), bench.house.new_lead()
    bench.receiver.answer = lambda came: Reply(500 if came.data["lead"] == str(bad) else 200)
    bench.note(bad, "b1", "b2")
    bench.note(good, "g1", "g2")
    bench.send()
    assert sorted(bench.receiver.texts()) == ["b1", "g1", "g2"], "b2 is not sent before b1 arrived"
    bench.receiver.answer = lambda came: Reply()
    bench.later(RETRIES[0])
    assert bench.receiver.texts()[3:] == ["b1", "b2"]
    first, again = (came for came in bench.receiver.came if came.data["fields"]["text"] == "b1")
    assert first.id == again.id, "a receiver can tell that it is the same message"
    assert bench.rows(id, "waiting", "dead") == []


@pytest.mark.usefixtures("both_stores")
def test_a_crash_between_sending_and_noting_it_repeats_the_message_under_its_id(bench: Bench) -> None:
    bench.subscribe(*NOTES)
    lead = bench.house.new_lead()
    bench.note(lead, "a", "b")
    bench.house.runner.catch_up()

    class Crash(BaseException):
        """Ends the thread as a kill does: nothing after it runs."""

    def killed(*_: Any) -> None:
        raise Crash
    noted, bench.outbox.sent = bench.outbox.sent, killed  # type: ignore[method-assign]
    bench.sender.turn()
    bench.sender.settle()
    assert bench.receiver.texts() == ["a"]
    bench.outbox.sent = noted  # type: ignore[method-assign]
    bench.sender.close()
    bench.sender = bench.another()
    bench.send()
    assert bench.receiver.texts() == ["a", "a", "b"]
    assert bench.receiver.came[0].id == bench.receiver.came[1].id != bench.receiver.came[2].id


@pytest.mark.usefixtures("both_stores")
def test_of_several_workers_one_sends_and_the_next_takes_over(bench: Bench) -> None:
    bench.subscribe(*NOTES)
    lead = bench.house.new_lead()
    bench.note(lead, "a")
    bench.house.runner.catch_up()
    other = bench.another()
    assert bench.sender.turn()
    assert other.turn() == []
    bench.sender.close()
    bench.note(lead, "b")
    assert other.turn()
    other.settle()
    other.close()
    assert bench.receiver.texts() == ["a", "b"]


def test_nothing_at_all_is_done_while_nobody_is_subscribed(bench: Bench) -> None:
    """No lease, no reading of the log, no table."""
    with bench.house.store.writing() as c:
        for table in ("webhook_deliveries", "webhook_progress", "webhook_secrets"):
            c.execute(f"DROP TABLE {table}")
    bench.house.new_lead()
    assert bench.sender.turn() == []
    assert LEASE not in bench.house.store.leases.holders()


def test_the_loop_sends_what_comes_while_it_runs_and_stops_when_it_is_told(bench: Bench) -> None:
    bench.subscribe(*NOTES)
    leads = [bench.house.new_lead() for _ in range(PARALLEL + 2)]
    bench.house.runner.catch_up()
    with running(bench.sender):
        for text in "abc":
            for lead in leads:
                bench.note(lead, text)
        assert bench.receiver.wait_for(3 * len(leads))
    for lead in leads:
        assert [c.data["fields"]["text"] for c in bench.receiver.came if c.data["lead"] == str(lead)] == ["a", "b", "c"]
    assert LEASE not in bench.house.store.leases.holders(), "the next worker need not wait"


def test_a_slow_receiver_does_not_hold_up_another(bench: Bench) -> None:
    slow, go_on = "/slow", Flag()
    bench.subscribe(*NOTES, url=bench.receiver.url.replace("/hooks", slow))
    bench.subscribe(*NOTES)
    bench.receiver.answer = lambda came: Reply(200 if came.path != slow or go_on.wait(30) else 500)
    leads = [bench.house.new_lead() for _ in range(PARALLEL + 1)]
    for lead in leads:
        bench.note(lead, "a")
    bench.house.runner.catch_up()
    with running(bench.sender):
        try:
            assert bench.receiver.wait_for(len(leads) + PARALLEL)
            assert sum(came.path == slow for came in bench.receiver.came) == PARALLEL, "no more at a time"
        finally:
            go_on.set()
        assert bench.receiver.wait_for(2 * len(leads))


# ── failures ─────────────────────────────────────────────────────────────────────


def test_it_is_tried_for_three_days_then_it_is_a_dead_letter_and_the_lead_goes_on(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    lead = bench.house.new_lead()
    bench.receiver.answer = lambda came: Reply(500 if came.data["fields"]["text"] == "poison" else 200)
    bench.note(lead, "poison", "next")
    bench.send()
    for n, wait in enumerate(RETRIES, 1):
        assert bench.rows(id, "waiting")[0] == ("waiting", n, "webhook_status", 500)
        bench.later(wait - timedelta(seconds=1))
        assert len(bench.receiver.came) == n, "not before its time"
        bench.later(timedelta(seconds=1))
    assert timedelta(days=2) < sum(RETRIES, timedelta()) <= FAILING_FOR
    assert bench.receiver.texts() == ["poison"] * (len(RETRIES) + 1) + ["next"]
    assert bench.rows(id) == [("dead", len(RETRIES) + 1, "webhook_status", 500), ("sent", 1, "", 200)]
    assert bench.state(id).sends, "one bad message does not end a subscription"


def test_what_failed_together_does_not_come_back_together(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    bench.receiver.answer = lambda came: Reply(500)
    chances = iter([0.0, 1.0])
    bench.sender.chance = lambda: next(chances)
    for _ in range(2):
        bench.note(bench.house.new_lead(), "a")
    bench.send()
    waits = sorted(d.due - bench.clock() for d in bench.outbox.listed(id, ["waiting"], 10))
    assert waits == [RETRIES[0] * (1 - JITTER), RETRIES[0] * (1 + JITTER)]


@pytest.mark.usefixtures("both_stores")
def test_a_dead_letter_is_sent_again_or_dropped_by_somebody_who_is_recorded(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    bench.receiver.answer = lambda came: Reply(500)
    for text in ("a", "b"):
        bench.note(bench.house.new_lead(), text)
    bench.send()
    for wait in RETRIES:
        bench.later(wait)
    bench.house.hub.resume_webhook(id, actor=actor("adam"), at=bench.clock())
    first, second = (d.position for d in reversed(bench.outbox.listed(id, ["dead"], 10)))
    head = bench.house.store.head()
    bench.house.hub.settle_dead(id, first, again=True, actor=actor("adam"), at=bench.clock())
    bench.house.hub.settle_dead(id, second, again=False, actor=actor("adam"), at=bench.clock())
    assert [(e.TOPIC, e.actor, e.position) for _, e in bench.house.store.log(head, 9)] == [  # type: ignore[attr-defined]
        ("webhook.sent_again", actor("adam").id, first), ("webhook.dropped", actor("adam").id, second)]
    bench.receiver.answer = lambda came: Reply()
    bench.receiver.came.clear()
    bench.send()
    assert bench.receiver.texts() == ["a"]
    assert [row[0] for row in bench.rows(id)] == ["sent", "dropped"]
    for position in (first, second, 10**6):
        with pytest.raises(Conflict):
            bench.house.hub.settle_dead(id, position, again=True, actor=actor("adam"), at=bench.clock())


@pytest.mark.usefixtures("both_stores")
def test_a_receiver_that_is_gone_pauses_its_subscription_until_somebody_resumes_it(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    lead = bench.house.new_lead()
    bench.receiver.answer = lambda came: Reply(410)
    bench.note(lead, "a")
    bench.send()
    assert bench.state(id).paused == "gone"
    bench.note(lead, "b")
    bench.send()
    assert bench.receiver.texts() == ["a"]
    bench.receiver.answer = lambda came: Reply()
    bench.house.hub.resume_webhook(id, actor=actor("adam"), at=bench.clock())
    bench.send()
    assert bench.receiver.texts() == ["a", "a", "b"], "nothing is lost by a pause"


def test_a_subscription_of_which_nothing_arrives_for_days_is_paused(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    bench.receiver.answer = lambda came: Reply(500)
    bench.note(bench.house.new_lead(), "a")
    bench.send()
    for wait in RETRIES:
        bench.later(wait)
    bench.note(bench.house.new_lead(), "b")
    bench.later(timedelta(hours=12))
    assert bench.state(id).paused == "failing"
    standing = bench.outbox.standing(id, 0)
    assert (standing.dead, standing.waiting, standing.last_success) == (1, 1, None)


@pytest.mark.parametrize(("status", "header", "wait"), [
    (429, "120", timedelta(seconds=120)), (503, "120", timedelta(seconds=120)), (500, "120", RETRIES[0]), (429, "", RETRIES[0]),
    (429, "1", RETRIES[0]), (503, "999999999", WAIT_MOST), (429, "soon", RETRIES[0]), (429, "-5", RETRIES[0])])
def test_a_receiver_that_asks_to_wait_is_waited_for_within_reason(bench: Bench, status: int, header: str,
                                                                  wait: timedelta) -> None:
    id, _ = bench.subscribe(*NOTES)
    bench.receiver.answer = lambda came: Reply(status, {"Retry-After": header} if header else {})
    bench.note(bench.house.new_lead(), "a")
    bench.send()
    (delivery,) = bench.outbox.listed(id, ["waiting"], 10)
    assert delivery.due - bench.clock() == wait


def test_retry_after_may_be_a_date() -> None:
    assert asked("Mon, 16 Nov 2026 07:10:00 GMT", MONDAY) == timedelta(minutes=10)
    assert asked("Mon, 16 Nov 2026 06:00:00 GMT", MONDAY) == timedelta(0)


def test_a_refusal_is_kept_in_short_where_it_can_hold_nothing_of_a_person(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES, personal=False)
    bench.receiver.answer = lambda came: Reply(400, body=b"bad\r\n\x1b[31m signature " + b"x" * 100_000)
    bench.note(bench.house.new_lead(), "a")
    bench.send()
    (delivery,) = bench.outbox.listed(id, ["waiting"], 10)
    assert delivery.said.startswith("bad [31m signature xxx")
    assert len(delivery.said) == 200


def test_an_event_that_cannot_be_read_is_a_dead_letter_at_once(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    lead = bench.house.new_lead()
    bench.note(lead, "a")
    with bench.house.store.writing() as c:
        c.execute("UPDATE stored_events SET state = '{}' WHERE topic = 'lead.note_added'")
    bench.send()
    assert bench.rows(id) == [("dead", 1, "webhook_unreadable", 0)]
    assert bench.receiver.came == []


# ── secrets ──────────────────────────────────────────────────────────────────────


def accepts(came: Came, secret: str) -> bool:
    try:
        came.verified(secret)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.parametrize("keep_old", [True, False])
def test_a_new_secret_signs_at_once_and_the_old_one_beside_it_for_a_day_if_asked(bench: Bench, keep_old: bool) -> None:
    id, old = bench.subscribe(*NOTES)
    lead = bench.house.new_lead()
    new = bench.house.hub.renew_webhook_secret(id, keep_old=keep_old, actor=actor("adam"), at=bench.clock())
    bench.note(lead, "a")
    bench.send()
    (came,) = bench.receiver.came
    assert (accepts(came, old), accepts(came, new)) == (keep_old, True)
    bench.note(lead, "b")
    bench.later(timedelta(hours=25))
    assert bench.receiver.came[1].headers["webhook-signature"].count("v1,") == 1


def test_secrets_are_nowhere_in_the_log_and_not_readable_beside_it(bench: Bench, tmp_path: Path) -> None:
    id, secret = bench.subscribe()
    other = bench.house.hub.renew_webhook_secret(id, keep_old=True, actor=actor("adam"), at=bench.clock())
    assert secret.startswith("whsec_")
    assert bench.outbox.secrets(id, bench.clock()) == [other, secret]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            for told in (secret, other):
                assert told.removeprefix("whsec_").encode() not in content, file


def test_with_another_secret_of_the_hub_nothing_is_sent_unsigned_and_the_reason_is_told(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    bench.outbox._key = b"x" * 32
    bench.note(bench.house.new_lead(), "a")
    bench.send()
    assert bench.receiver.came == []
    assert bench.rows(id) == [("waiting", 1, "webhook_no_secret", 0)]


# ── keeping subscriptions ────────────────────────────────────────────────────────


def test_only_an_administrator_keeps_subscriptions_and_the_try_of_another_is_recorded(bench: Bench) -> None:
    id, _ = bench.subscribe()
    hub, who, at = bench.house.hub, actor("anna"), bench.clock()
    head = bench.house.store.head()
    for act in (lambda: hub.add_webhook("x", bench.receiver.url, actor=who, at=at),
                lambda: hub.edit_webhook(id, "x", bench.receiver.url, (), True, actor=who, at=at),
                lambda: hub.renew_webhook_secret(id, keep_old=True, actor=who, at=at),
                lambda: hub.remove_webhook(id, actor=who, at=at), lambda: hub.resume_webhook(id, actor=who, at=at),
                lambda: hub.settle_dead(id, 1, again=True, actor=who, at=at), lambda: hub.test_webhook(id, actor=who, at=at)):
        with pytest.raises(NotAllowed):
            act()
    assert [e.TOPIC for _, e in bench.house.store.log(head, 99)] == ["attempt.refused"] * 7
    assert len(bench.outbox.secrets(id, at)) == 1


@pytest.mark.parametrize(("change", "code"), [
    ({"name": " "}, "webhook_name"), ({"name": "x" * 101}, "webhook_name"), ({"topics": ("lead.none",)}, "webhook_topic"),
    ({"topics": ("user.added",)}, "webhook_topic"), ({"url": "https://10.0.0.1/"}, "webhook_private"),
    ({"url": "http://example.com/"}, "webhook_https"), ({"after": -1}, "webhook_start"), ({"after": 10**9}, "webhook_start")])
def test_a_subscription_that_makes_no_sense_is_refused(bench: Bench, change: dict[str, Any], code: str) -> None:
    given = {"name": "CRM", "url": "https://example.com/", **change}
    with pytest.raises(Refused) as refusal:
        bench.house.hub.add_webhook(**given, actor=actor("adam"), at=bench.clock())
    assert refusal.value.code == code
    assert all(word not in refusal.value.say("ru") for word in "{}")


def test_what_is_sent_is_changed_from_the_next_event_on(bench: Bench) -> None:
    id, _ = bench.subscribe()
    bench.house.hub.edit_webhook(id, "Склад", bench.receiver.url + "/2", NOTES, False, actor=actor("adam"), at=bench.clock())
    bench.note(bench.house.new_lead(), "a")
    bench.send()
    assert [(c.path, c.message["type"], c.data["fields"]) for c in bench.receiver.came] == [("/hooks/2", "lead.note_added", {})]
    assert bench.state(id).name == "Склад"


def test_a_paused_subscription_goes_on_where_it_stopped(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    lead = bench.house.new_lead()
    bench.house.hub.change(Webhook, id, lambda w: w.pause(), actor=actor("adam"), at=bench.clock())
    bench.note(lead, "a")
    bench.send()
    assert bench.receiver.came == []
    bench.house.hub.resume_webhook(id, actor=actor("adam"), at=bench.clock())
    bench.send()
    assert bench.receiver.texts() == ["a"]


@pytest.mark.usefixtures("both_stores")
def test_a_removed_subscription_leaves_nothing_and_cannot_be_used(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    bench.receiver.answer = lambda came: Reply(500)
    bench.note(bench.house.new_lead(), "a")
    bench.send()
    hub, who, at = bench.house.hub, actor("adam"), bench.clock()
    bench.outbox.add_secret(id, "whsec_eA==", at)
    hub.change(Webhook, id, lambda w: w.remove(), actor=who, at=at)  # as if the process died before it deleted the rest
    bench.later(timedelta(hours=1))
    assert len(bench.receiver.came) == 1
    assert (bench.rows(id), bench.outbox.secrets(id, at)) == ([], [])
    for act in (lambda: hub.resume_webhook(id, actor=who, at=at), lambda: hub.remove_webhook(id, actor=who, at=at),
                lambda: hub.edit_webhook(id, "x", bench.receiver.url, (), True, actor=who, at=at),
                lambda: hub.renew_webhook_secret(id, keep_old=True, actor=who, at=at),
                lambda: hub.settle_dead(id, 1, again=True, actor=who, at=at), lambda: hub.test_webhook(id, actor=who, at=at)):
        with pytest.raises(NotFound):
            act()


def test_what_arrived_long_ago_is_forgotten_and_dead_letters_are_not(bench: Bench) -> None:
    id, _ = bench.subscribe(*NOTES)
    bench.receiver.answer = lambda came: Reply(500 if came.data["fields"]["text"] == "b" else 200)
    for text in ("a", "b"):
        bench.note(bench.house.new_lead(), text)
    bench.send()
    for wait in RETRIES:
        bench.later(wait)
    bench.later(KEPT + timedelta(hours=1))
    assert [row[0] for row in bench.rows(id)] == ["dead"]


def test_a_test_message_is_signed_and_goes_past_the_queue(bench: Bench) -> None:
    id, secret = bench.subscribe()
    answer = bench.house.hub.test_webhook(id, actor=actor("adam"), at=bench.clock())
    (came,) = bench.receiver.came
    assert (answer.status, answer.fault) == (204, "")
    assert came.verified(secret)["type"] == "webhook.test"
    assert bench.rows(id) == []
