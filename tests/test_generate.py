"""The seeded generator of bench: the same events for the same seed, and every lead as the hub itself would have made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from bench.generate import SHARES, UNTIL, AnotherHistory, History, fill, index_key
from bench.lives import HOURS, ROLES
from hub.bootstrap import House, open_house
from hub.config import load
from hub.domain import events as e
from hub.domain.aggregate import Actor
from hub.domain.delivery import Address, Delivery
from hub.domain.event import Event
from hub.domain.index import ContactTied, DeliveryAccepted, DeliveryDismissed
from hub.domain.lead import Lead
from hub.domain.state import LeadState
from hub.projections import Projection
from hub.store.keys import derive

SECRET = "the secret of the tests, 32 characters"
KEY = derive(SECRET.encode(), "contact index")
LEADS, OPEN = 140, 24


def settings_of(folder: Path) -> dict[str, str]:
    return {"HUB_DATA_DIR": str(folder), "HUB_SECRET_KEY": SECRET}


def all_events(history: History) -> list[Event]:
    return [event for batch in history.batches() for event in batch]


@pytest.fixture(scope="module")
def history() -> History:
    return History(LEADS, OPEN, 1, key=KEY)


@pytest.fixture(scope="module")
def log(history: History) -> list[Event]:
    return all_events(history)


@pytest.fixture(scope="module")
def leads(log: list[Event]) -> list[LeadState]:
    streams: dict[object, list[Event]] = {}
    for event in log:
        if event.TOPIC.startswith("lead."):
            streams.setdefault(event.originator_id, []).append(event)
    return [Lead.fold(events) for events in streams.values()]


@pytest.fixture(scope="module")
def house(history: History, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hub that was filled in two goes, the first of which was cut off, and followed its log meanwhile."""
    folder = tmp_path_factory.mktemp("generated")
    with closing(open_house(load(settings_of(folder)))) as house:
        assert index_key(house) == KEY
        for batch, _ in zip(history.batches(size=700), range(3), strict=False):
            house.store.append(batch)
        house.runner.catch_up()
        assert fill(history, house, 900, say=False) > 0
        assert fill(history, house, say=False) == 0
        house.runner.catch_up()
        yield house


def rows(house: House, projection: Projection) -> dict[str, list[str]]:
    with house.store.views.reading() as c:
        found: dict[str, list[str]] = {}
        for table in projection.table_names:
            c.execute(f"SELECT * FROM {table}")
            found[table] = sorted(repr(tuple(row)) for row in c.fetchall())
        return found


# ── the same seed ────────────────────────────────────────────────────────────────


def test_the_same_seed_makes_the_same_bytes(history: History, log: list[Event]) -> None:
    again = History(LEADS, OPEN, 1, key=KEY)
    assert msgspec.json.encode(all_events(again)) == msgspec.json.encode(log)
    assert history.events == len(log)


def test_another_seed_is_another_history_and_does_not_go_on_with_this_one(log: list[Event], house: House) -> None:
    other = History(12, 11, 2, key=KEY)
    assert not {x.event_id for x in all_events(other)} & {x.event_id for x in log}
    with pytest.raises(AnotherHistory, match="empty folder"):
        fill(other, house, say=False)


def test_a_history_goes_on_after_any_of_its_commands(history: History, log: list[Event]) -> None:
    ends = [done for done, _ in history.commands()]
    for done in (ends[0], ends[len(ends) // 2], ends[-2]):
        assert [x.event_id for batch in history.batches(done) for x in batch] == [x.event_id for x in log[done:]]
    inside = next(end - 1 for begin, end in zip(ends, ends[1:], strict=False) if end - begin > 1)
    with pytest.raises(ValueError, match="do not end with a command"):
        list(history.batches(inside))


# ── valid ────────────────────────────────────────────────────────────────────────


def test_there_are_as_many_leads_as_asked_in_every_stage(leads: list[LeadState]) -> None:
    assert len(leads) == LEADS
    assert sum(s.open for s in leads) == OPEN
    assert {"asleep" if s.asleep_until else s.stage for s in leads if s.open} == set(SHARES)
    assert {s.ended for s in leads} >= {"", "won", "lost", "refused"}


def test_the_log_is_in_order_and_ends_at_the_present(log: list[Event]) -> None:
    recorded = [event.recorded_at or event.at for event in log]
    assert recorded == sorted(recorded)
    assert recorded[-1] <= UNTIL
    assert recorded[-1] - recorded[0] > timedelta(days=4 * 365)
    versions: Counter[object] = Counter()
    for event in log:
        versions[event.originator_id] += 1
        assert event.originator_version == versions[event.originator_id]
    assert len({event.event_id for event in log}) == len(log)


def test_no_two_leads_share_a_person_an_address_or_a_receipt(log: list[Event], leads: list[LeadState]) -> None:
    """But for a client who came again, and cards that were merged."""
    held = Counter((a.kind, a.value) for s in leads if not s.previous_lead and not s.merged_into
                   for p in s.people.values() for a in p.addresses)
    assert [address for address, n in held.items() if n > 1] == []
    accepted = [x for x in log if isinstance(x, DeliveryAccepted)]
    assert len({x.originator_id for x in accepted}) == len(accepted) == sum(isinstance(x, e.MessageReceived) for x in log)
    lived = [s for s in leads if any(p.name.startswith("‹") or "‹" in s.company for p in s.people.values())]
    assert lived == []


def test_nothing_of_a_template_is_left(log: list[Event]) -> None:
    text = msgspec.json.encode([x for x in log if x.TOPIC.startswith(("lead.", "receipt."))]).decode()
    for token in ("‹", "›", "@case", "https://case", "+7900"):
        assert token not in text


def test_the_read_models_are_those_of_a_rebuild(house: House) -> None:
    assert all(status.lag == 0 and status.parked_reason is None for status in house.runner.status())
    assert house.hub.views.leads.count() == OPEN
    before = {projection.name: rows(house, projection) for projection in house.hub.views.all}
    for projection in house.hub.views.all:
        house.runner.rebuild(projection.name)
        assert rows(house, projection) == before[projection.name]


def test_the_clocks_are_looked_at_up_to_the_present(house: House) -> None:
    """Copies differ by up to ten minutes: before them there is nothing that the worker would have done."""
    assert house.hub.views.deadlines.due(UNTIL - timedelta(minutes=10)) == []


def test_the_hub_works_on_with_them(history: History, house: House) -> None:
    """The contact index is the hub's own: a client who writes finds the open card, and its owner answers."""
    row = house.hub.views.leads.rows("is_open = 1 AND owner <> '' AND phones <> '' AND place <> 'asleep'", limit=1)[0]
    phone = row["phones"].split()[0]
    got = house.hub.receive(Delivery(channel="phone", source="office", delivery_id="again", addresses=(Address("phone", phone),)),
                            at=UNTIL)
    assert got.lead is not None
    assert not got.began
    assert got.lead.hex == row["id"]
    done = house.hub.do(got.lead, "note", {"text": "Перезвонили"}, actor=Actor(row["owner"], frozenset({ROLES[row["owner"]]})),
                        at=UNTIL)
    assert done.events
    assert fill(history, house, say=False) == 0, "what was added since is not taken for a part of the history"


# ── like a real department ───────────────────────────────────────────────────────


def test_its_statistics_are_those_of_a_department(history: History, log: list[Event], leads: list[LeadState]) -> None:
    assert 25 <= len(log) / LEADS <= 55
    channels = Counter(s.channel for s in leads)
    assert set(channels) == {"website", "email", "phone", "social"}
    assert max(channels.values()) < .7 * LEADS
    scores = [sheet for s in leads for sheet in s.sheets]
    for sheet in scores:
        assert sum(sheet.marks.values()) == sheet.total
        assert history.desk.process.segment_of(sheet.total).id == sheet.segment
    segments = Counter(sheet.segment for sheet in scores)
    assert segments["B"] > segments["C"] > 0
    kinds = Counter(type(x) for x in log)
    for kind in (e.DeadlineMissed, e.LeadSlept, e.MeetingHeld, e.NoticeRaised, e.ProposalSent,
                 e.NoteAdded, e.HandedOver, DeliveryDismissed, ContactTied):
        assert kinds[kind], kind
    assert kinds[e.DeadlineMet] > kinds[e.DeadlineMissed]
    assert all(loss.reason and loss.closeness for s in leads for loss in s.losses)
    assert len({loss.reason for s in leads for loss in s.losses}) >= 4
    owners = Counter(s.owner for s in leads if s.owner)
    assert {ROLES[owner] for owner in owners} <= {"manager", "trainee"}
    assert len(owners) >= 6


def test_requests_come_by_day_and_in_season(history: History) -> None:
    hours = Counter((begins.hour + 3) % 24 for begins, _, mould, _ in history.plan if mould.closed)
    by_day, at_night = sum(hours[h] for h in range(9, 18)), sum(hours[h] for h in range(6))
    assert by_day > 4 * at_night
    assert sum(HOURS[9:18]) > 4 * sum(HOURS[:6])
    weekdays = Counter((begins + timedelta(hours=3)).weekday() for begins, _, mould, _ in history.plan if mould.closed)
    assert sum(weekdays[d] for d in range(5)) > 3 * (weekdays[5] + weekdays[6])
