"""The figures of the reports against the leads' own events, on both stores; and every figure opens what it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import pytest

from hub.domain import events as e
from hub.domain.lead import Lead
from hub.domain.state import LeadState
from hub.projections.reports_lists import FIGURES, Figure
from hub.projections.reports_over import NONE, Over
from tests.house import MONDAY, Department, after, user
from tests.projections.history import history

pytestmark = pytest.mark.usefixtures("both_stores")
WHOLE = Over(since=MONDAY - timedelta(days=30), until=after(days=300))
ZONE = "Europe/Moscow"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        house.store.append(history())
        house.runner.catch_up()
        yield house


def leads(tests: bool = False) -> dict[UUID, LeadState]:
    """Every lead of the history that counts, folded from its events alone; with ``tests`` those that try a form as well."""
    found: dict[UUID, list[Any]] = {}
    for event in history():
        if event.TOPIC.startswith("lead."):
            found.setdefault(event.originator_id, []).append(event)
    states = {id: Lead.fold(events) for id, events in found.items()}
    return {id: s for id, s in states.items() if s.exists and (tests or not s.test) and s.merged_into is None}


def steps(house: Department) -> list[str]:
    return [stage for stage in house.hub.process.stages if stage != "refusal"]


def test_figures_are_what_the_leads_and_their_events_say(house: Department) -> None:
    reports, turns, states = house.views.reports, house.views.report_turns, leads()
    calendar = house.hub.process.calendar
    total, = reports.speeds(WHOLE, calendar)[""]
    firsts = [next(ev for ev in history() if isinstance(ev, e.LeadTaken) and ev.originator_id == id)
              for id, s in states.items() if s.taken_at]
    plain = [round((ev.at - states[ev.originator_id].received_at).total_seconds()) for ev in firsts]  # type: ignore[operator]
    assert total.plain.median == round(median(plain))
    worked = [60 * calendar.working_minutes_between(states[ev.originator_id].received_at, ev.at)  # type: ignore[arg-type]
              for ev in firsts]
    assert total.working.median is not None
    assert abs(total.working.median - median(worked)) < 60
    funnel = reports.funnel(WHOLE, steps(house))
    assert funnel[0].reached == len(states)
    visited = Counter(stage for s in states.values() for stage in set(s.visited))
    assert {s.id: s.were for s in funnel[:-1]} == {stage: visited[stage] for stage in steps(house)}
    assert funnel[-1].reached == sum(s.ended == "won" for s in states.values())
    assert sum(s.requests for s in reports.sources(WHOLE, ["A", "B"])) == len(states)
    assert sum(r.n for r in reports.segments(WHOLE)) == sum(bool(s.sheets) for s in states.values())
    assert sum(x.n for x in turns.ends("lost", WHOLE)) == sum(len(s.losses) for s in states.values())
    assert [(w.n, w.value) for w in turns.won(WHOLE, ZONE)[""]] == [(1, 150000000)]
    outcomes = Counter(ev.outcome for ev in history() if isinstance(ev, e.MeetingHeld | e.ContactLogged) and ev.outcome)
    talks, = turns.talks(WHOLE)[""]
    assert (talks.advances, talks.continuations) == (outcomes["advance"], outcomes["continuation"])
    met, = turns.kept(WHOLE)[""]
    assert (met.met, met.judged) == (sum(w.met for w in turns.kept_weeks(WHOLE, ZONE)),
                                     sum(w.judged for w in turns.kept_weeks(WHOLE, ZONE)))
    assert sum(k.n for k in turns.stays(WHOLE).values()) == sum(house.views.intervals.flows(WHOLE.since, WHOLE.until).values())


def test_every_figure_opens_what_it_counts_with_every_filter(house: Department) -> None:
    reports, turns = house.views.reports, house.views.report_turns
    calendar, every = house.hub.process.calendar, set()
    for narrowed in ({}, {"owner": user("anna")}, {"owner": NONE}, {"segment": "B"}, {"channel": "website"}):
        over = Over(since=WHOLE.since, until=WHOLE.until, **narrowed)

        def listed(name: str, over: Over = over, **more: Any) -> int:
            every.add(name)
            found = reports.listed(Figure(name=name, **more), over, steps(house), ["A", "B"], 3)
            assert len(found.rows) == min(3, found.leads)
            assert reports.listed(Figure(name=name, **more), over, steps(house), ["A", "B"], 3, 999).leads == found.leads
            return found.counted
        for total in reports.speeds(over, calendar)[""]:
            assert listed("taken") == total.working.n
            assert listed("in_time") == total.in_time
            assert listed("not_in_time") == total.judged - total.in_time
            assert listed("untaken") == total.untaken
        for kept in turns.kept(over)["kind"]:
            assert listed("kept", kind=kept.by) == kept.met
            assert listed("missed", kind=kept.by) == kept.judged - kept.met
        for step in reports.funnel(over, steps(house)):
            assert listed("reached", step=step.id) == step.reached
            assert listed("were", step=step.id) == step.were
            assert {how: listed("dropped", step=step.id, how=how) for how in step.dropped} == step.dropped
        for stage, stays in turns.stays(over).items():
            assert listed("stayed", stage=stage) == stays.n
        for how in ("lost", "refused"):
            for ended in turns.ends(how, over):
                assert listed(how, reason=ended.reason or "none", closeness=ended.closeness) == ended.n
                assert listed(how, reason=ended.reason or "none", closeness=ended.closeness, back=True) == ended.back
        for won in turns.won(over, ZONE)[""]:
            assert listed("won", currency=won.currency) == won.n
        for source in reports.sources(over, ["A", "B"]):
            names = (source.channel, source.source, source.source_title, source.utm_source, source.utm_medium,
                     source.utm_campaign)
            assert listed("requests", source=names) == source.requests
            assert listed("qualified", source=names) == source.qualified
            assert listed("sold", source=names) == source.won
        for rated in reports.segments(over):
            if not over.segment:
                inside = Over(since=over.since, until=over.until, owner=over.owner, segment=rated.now, channel=over.channel)
                assert listed("scored", inside, kind=rated.first) == rated.n
                assert listed("rescored", inside, kind=rated.first) == rated.again
        for talks in turns.talks(over)["stage"]:
            assert listed("talks", stage=talks.by, outcome="advance") == talks.advances
        if not over.segment and not over.channel:
            for row in reports.chances("won", over.owner):
                assert listed("chances_won", kind=row["kind"]) == row["n"]
            assert listed("chances_lost") == sum(row["n"] for row in reports.chances("lost", over.owner))
            at = after(days=20)
            ahead = Over(since=at, until=after(days=100), owner=over.owner)
            if over.owner != NONE:
                assert listed("returns", ahead) == reports.returns_count(ahead.since, ahead.until, over.owner)
                assert len(reports.returns(ahead.since, ahead.until, over.owner, 50)) == listed("returns", ahead)
        loads = reports.loads([], WHOLE.until, WHOLE.until)
        if not narrowed:
            assert listed("late") == sum(load.late for load in loads.values())
    assert every == set(FIGURES)


def test_what_is_looked_at_today_is_what_the_leads_are(house: Department) -> None:
    states, now = leads(tests=True), after(days=21)  # the board shows them too
    loads = house.views.reports.loads([user("tim")], now, after(days=22))
    everybody = [s for s in states.values() if s.open]
    for person, load in loads.items():
        mine = [s for s in everybody if s.owner == person]
        assert load.open == sum(s.asleep_until is None for s in mine)
        assert load.asleep == sum(s.asleep_until is not None for s in mine)
        assert load.late == sum(s.asleep_until is None and s.next_due is not None and s.next_due.due_at < now for s in mine)
    assert loads[user("tim")].open == 0
    assert house.views.reports.handing("", 10) == []
    waiting, = house.views.reports.open_chances(user("olga"), 10)
    assert (waiting["kind"], waiting["worth"]) == ("cross_sell", None)
    assert house.views.reports.open_chances(user("boris"), 10) == []
