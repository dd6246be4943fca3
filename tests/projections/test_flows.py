"""Flows, medians, shares and arrivals of some leads only, against the events themselves; and the leads behind each number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from statistics import median
from uuid import UUID

import pytest
from msgspec.structs import replace as changed

from hub.domain import events as e
from hub.domain.event import Event
from hub.projections.flows import Behind, Flows, Kept, Passed, Slice
from hub.projections.intervals import ENDINGS, RETURNS, seconds_between
from hub.projections.lead_queries import Wanted
from hub.projections.leads import iso
from tests.house import MONDAY, Department, after, form, phone, user
from tests.projections.history import history

pytestmark = pytest.mark.usefixtures("both_stores")
NOW = after(days=400)
SLICES = [Slice(since, until, owner, segment, channel, source) for (since, until), (owner, segment, channel, source) in product(
    ((after(days=-1), None), (MONDAY, after(hours=4, minutes=30)), (after(hours=5), after(days=7)),
     (after(days=10), after(days=20))),
    (("", "", "", ""), (user("anna"), "", "", ""), ("none", "", "", ""), ("", "A", "", ""), ("", "none", "", ""),
     (user("anna"), "B", "website", ""), ("", "", "social", ""), ("", "", "", "main"), ("", "", "", "telegram/main")))]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house


@dataclass
class Told:
    """What happened, as the events tell it one by one: (lead, at, where, where to, seconds) with whose and which lead it was."""

    stays: list[tuple[str, datetime, str, str, int, tuple[str, ...]]]
    came: list[tuple[str, datetime, str, str, tuple[str, ...]]]
    ends: list[tuple[str, datetime, str, bool, tuple[str, ...]]]


def told(events: tuple[Event, ...]) -> Told:
    """The plainest reading of the log; moves that were taken back never were."""
    found = Told([], [], [])
    leads: dict[UUID, list[Event]] = {}
    for event in events:
        if event.TOPIC.startswith("lead."):
            leads.setdefault(event.originator_id, []).append(event)
    for id, of in leads.items():
        owner = segment = channel = source = stage = ended = ""
        test, since, before = False, MONDAY, MONDAY
        for ev in of:
            match ev:
                case e.LeadReceived():
                    channel, source, test = ev.channel, ev.source, ev.test
                case e.LeadTaken() | e.LeadReassigned():
                    owner = ev.owner
                case e.LeadScored():
                    segment = ev.segment
            whose = (owner, segment, channel, source)
            in_time = isinstance(ev, e.DeadlineMet) and not ev.late
            if isinstance(ev, e.DeadlineMet | e.DeadlineMissed) and (in_time or ev.TOPIC == "lead.deadline_missed") and not test \
                    and ev.key != "wake":
                found.ends.append((id.hex, ev.at, "" if ended else stage, in_time, whose))
            if isinstance(ev, (e.StageEntered, *ENDINGS)) and stage and not ended and not test:
                to = ev.stage if isinstance(ev, e.StageEntered) else ev.TOPIC.partition(".")[2]
                found.stays.append((id.hex, ev.at, stage, to, seconds_between(iso(since) or "", iso(ev.at) or ""), whose))
            if isinstance(ev, (e.StageEntered, *RETURNS)):
                if (not stage or ended) and not test:
                    came = ev.stage if isinstance(ev, e.StageEntered) else stage
                    found.came.append((id.hex, ev.at, ended, came, whose))
                stage, since, before, ended = ev.stage if isinstance(ev, e.StageEntered) else stage, ev.at, since, ""
            if isinstance(ev, e.MoveUndone):
                stage, since = ev.stage, before
                found.stays.pop()
                met = {due.key for due in ev.back if due.met}
                found.ends[:] = [end for end in found.ends if (end[0], end[1]) != (id.hex, ev.moved_at) or not met]
            if isinstance(ev, ENDINGS):
                ended = ev.TOPIC.partition(".")[2]
    return found


def wanted(slice: Slice, at: datetime, whose: tuple[str, ...]) -> bool:
    """Whether a thing is of the slice."""
    asked = (slice.owner, slice.segment, slice.channel, slice.source)
    return slice.since <= at < (slice.until or NOW) and all(
        not value or has == ("" if value == "none" else value) for value, has in zip(asked, whose, strict=True))


def every(flows: Flows, behind: Behind, slice: Slice) -> list[Passed]:
    """All that is behind a number, two at a time."""
    found: list[Passed] = []
    while True:
        last = found[-1] if found else None
        some = flows.behind(behind, slice, 2, (last.at, last.lead, last.version) if last else None)
        found += some
        if len(some) < 2:
            return found


def test_numbers_of_any_time_and_of_some_leads_are_those_that_the_events_tell(house: Department) -> None:
    house.store.append(history())
    house.runner.catch_up()
    flows, all_of = house.views.flows, told(history())
    for slice in SLICES:
        stays = [s for s in all_of.stays if wanted(slice, s[1], s[5])]
        moves = Counter((s[2], s[3]) for s in stays)
        left = flows.left(slice)
        assert left.moves == moves
        lengths = {stage: sorted(s[4] for s in stays if s[2] == stage) for stage in {s[2] for s in stays}}
        assert {stage: (m.n, m.median) for stage, m in left.stays.items()} == {k: (len(v), median(v)) for k, v in lengths.items()}
        for stage, m in left.stays.items():
            assert sum(x <= m.most for x in lengths[stage]) >= 0.9 * m.n
            assert sum(x < m.most for x in lengths[stage]) < 0.9 * m.n
        assert left.by_day == Counter((s[2], f"{s[1]:%Y-%m-%d}") for s in stays)
        kept: dict[str, list[int]] = {}
        for _, at, stage, met, whose in all_of.ends:
            if wanted(slice, at, whose):
                kept.setdefault(stage, [0, 0])[not met] += 1
        assert flows.kept(slice) == {stage: Kept(*both) for stage, both in kept.items()}
        for (stage, to), n in moves.items():
            behind = every(flows, Behind("left", stage, to), slice)
            expected = sorted((s[0], s[4]) for s in stays if s[2:4] == (stage, to))
            assert sorted((p.lead, p.seconds) for p in behind) == expected
            assert flows.count(Behind("left", stage, to), slice) == (n, len({p.lead for p in behind}))
        for stage, both in kept.items():
            assert [flows.count(Behind(kind, stage), slice)[0] for kind in ("met", "missed")] == both


def test_leads_that_come_and_return_are_counted_where_they_come_in(house: Department) -> None:
    """Whose they are is told by the end of the stay that begins then: here only time, channel and source are asked for."""
    house.store.append(history())
    house.runner.catch_up()
    flows, all_of = house.views.flows, told(history())
    for slice in (s for s in SLICES if not s.owner and not s.segment):
        came = Counter((c[2], c[3], c[4][2]) for c in all_of.came if wanted(slice, c[1], c[4]))
        assert flows.came(slice) == came
        for (before, stage, _channel), n in came.items():
            assert flows.count(Behind("came", stage, before), slice)[0] >= n
            assert {p.stage for p in every(flows, Behind("came", stage, before), slice)} == {stage}


def test_who_was_open_at_a_moment_is_what_the_board_had(house: Department) -> None:
    house.store.append(history())
    house.runner.catch_up()
    flows, views = house.views.flows, house.views
    for at in (MONDAY, after(hours=3), after(days=6), after(days=12, hours=1), NOW):
        for owner, channel in (("", ""), (user("anna"), ""), ("none", "website")):
            slice = Slice(MONDAY, at, owner, "", channel)
            numbers = flows.open(slice)
            assert numbers == views.moments.counts(at, Wanted(owner=owner, channel=channel)).places
            for place, n in numbers.items():
                assert len(every(flows, Behind("open", place), slice)) == flows.count(Behind("open", place), slice)[0] == n
    for until in (None, NOW):
        by_source = [Counter(flows.open(Slice(MONDAY, until, source=source))) for source in flows.sources()]
        assert len(by_source) >= 2
        assert sum(by_source, Counter()) == flows.open(Slice(MONDAY, until)) == views.leads.counts(Wanted()).places
        present = Slice(MONDAY, until, owner=user("anna"))
        assert flows.count(Behind("open"), present)[0] == len(every(flows, Behind("open"), present)) > 2


def test_leads_of_a_check_of_a_form_count_nowhere(house: Department) -> None:
    house.begin()
    lead = house.receive(changed(form(phone(1)), test=True)).lead
    assert lead is not None
    house.do(lead, "take")
    house.hub.pass_time(lead, at=after(days=2))
    house.runner.catch_up()
    flows = house.views.flows
    for slice in (Slice(after(days=-1)), Slice(after(days=-1), owner=user("anna"))):
        assert (*flows.left(slice), flows.kept(slice), flows.came(slice)) == ({}, {}, {}, {}, {})
    assert house.views.intervals.flows(after(days=-1)) == {}
    assert len(house.views.intervals.of(lead.hex)) == 2
