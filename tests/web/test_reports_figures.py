"""The figures of small made-up weeks, counted by hand; and the API gives the same as the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from hub.accounts import Accounts
from hub.domain.worktime import WorkCalendar
from hub.privacy.erasing import Eraser
from hub.projections.reports_over import Over, Worked, spread
from hub.web.reports.figures import steps
from tests.web.api_house import Program, person, program_token
from tests.web.house import MONDAY, House


@pytest.fixture
def head(house: House) -> Program:
    return person(house, "head")


def do(house: House, lead: UUID, command: str, who: str = "manager", **arguments: Any) -> None:
    house.hub.do(lead, command, arguments, actor=house.actor(who), at=house.clock())
    house.settle()


def screened(house: House, name: str, number: int, total: int = 3, who: str = "manager", **more: object) -> UUID:
    """A lead that was scored."""
    lead = house.receive(name, f"+7912000{number:04d}", **more)
    do(house, lead, "take", who)
    do(house, lead, "finish_screening", who, criteria_checked=True)
    do(house, lead, "score", who, marks={p: int(n < total) for n, p in enumerate(house.hub.process.parameters)})
    return lead


def around(house: House, **filters: str) -> Over:
    return Over(since=MONDAY - timedelta(days=10), until=house.clock() + timedelta(days=1), **filters)


def read(program: Program, path: str) -> Any:
    """What the API gives."""
    return program.get(path).json


# ── speed to lead (R2) ───────────────────────────────────────────────────────────


def test_speed_counts_working_time_and_those_who_wait_R2_R7(house: House) -> None:
    """Taken after 5 and after 20 minutes; one of Monday 17:50 Moscow on Tuesday 9:04, which is 14 working minutes; one waits."""
    quick, slow = house.receive("a", "+79120000001"), house.receive("b", "+79120000002")
    house.clock.advance(minutes=5)
    do(house, quick, "take")
    house.clock.advance(minutes=15)
    do(house, slow, "take", "second")
    house.clock.at = datetime(2026, 11, 23, 14, 50, tzinfo=UTC)
    evening = house.receive("c", "+79120000003", channel="email")
    house.clock.at = datetime(2026, 11, 24, 6, 4, tzinfo=UTC)
    do(house, evening, "take")
    house.receive("d", "+79120000004", test=True)
    house.receive("e", "+79120000005")
    house.clock.advance(minutes=16)
    house.hub.pass_time(slow, at=house.clock())
    house.settle()
    found = house.hub.views.reports.speeds(around(house), house.hub.process.calendar)
    total, = found[""]
    assert (total.working.n, total.working.median, total.working.p90) == (3, 14 * 60, 20 * 60)
    assert total.plain.p90 == 15 * 3600 + 14 * 60
    assert (total.in_time, total.judged, total.untaken) == (2, 3, 1)
    people = {s.by: s for s in found["taker"]}
    mine, theirs = (people[f"user:{house.users[login]}"] for login in ("manager", "second"))
    assert (mine.working.n, mine.working.median) == (2, 9.5 * 60)
    assert (theirs.working.median, theirs.in_time, theirs.judged) == (20 * 60, 0, 1)
    assert {s.by: s.working.n for s in found["channel"]} == {"email": 1, "website": 2}
    assert [s.by for s in found["week"]] == ["2026-11-23"]
    only = house.hub.views.reports.speeds(around(house, channel="email"), house.hub.process.calendar)[""][0]
    assert (only.working.n, only.working.median) == (1, 14 * 60)


def test_worked_time_is_that_of_the_calendar() -> None:
    """Against the calendar's own counting, over a weekend, at the edges and across a lunch."""
    calendar = WorkCalendar(lunch=(datetime(2026, 1, 1, 13).time(), datetime(2026, 1, 1, 14).time()))
    begin = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
    worked = Worked(calendar, begin, begin + timedelta(days=5))
    for a in range(0, 80, 7):
        for b in range(a, 100, 9):
            first, last = begin + timedelta(hours=a), begin + timedelta(hours=b, minutes=30)
            a_text, b_text = (at.isoformat(timespec="microseconds") for at in (first, last))
            length = int((last - first).total_seconds())
            assert worked.between(a_text, b_text, length) == 60 * calendar.working_minutes_between(first, last), (first, last)


@pytest.mark.parametrize(("lengths", "found"), [
    ([], (0, None, None)), ([7], (1, 7, 7)), ([1, 2], (2, 2, 2)), ([5, 1, 3], (3, 3, 5)),
    (list(range(1, 11)), (10, 6, 9)), (list(range(1, 12)), (11, 6, 10)),
])
def test_the_median_and_p90(lengths: list[int], found: tuple[Any, ...]) -> None:
    s = spread(lengths)
    assert (s.n, s.median, s.p90) == found


# ── the funnel ───────────────────────────────────────────────────────────────────


def test_a_stage_that_was_left_and_entered_again_counts_once(house: House) -> None:
    lead = screened(house, "Туда и обратно", 1)
    do(house, lead, "plan_meeting", purpose="interview", starts_at=house.clock() + timedelta(hours=2), goal="Понять")
    house.clock.advance(hours=3)
    do(house, lead, "move", to="interview")
    do(house, lead, "move", to="preparation", why="Не готовы")
    do(house, lead, "plan_meeting", purpose="interview", starts_at=house.clock() + timedelta(hours=2), goal="Снова")
    do(house, lead, "move", to="interview")
    lost = screened(house, "Проигран", 2)
    do(house, lost, "lose", reason="price", closeness="considered")
    merged = house.receive("Двойник", "+79120000009")
    house.hub.merge(lead, merged, "тот же человек", actor=house.actor("manager"), at=house.clock())
    house.settle()
    found = {s.id: s for s in house.hub.views.reports.funnel(around(house), steps(house.hub.process))}
    assert found["new"].reached == 2
    assert found["scoring"].reached == 2
    assert found["scoring"].dropped == {"lost": 1, "refused": 0, "asleep": 0, "open": 0}
    assert (found["interview"].reached, found["interview"].were, found["interview"].dropped["open"]) == (1, 1, 1)
    assert found["won"].reached == 0
    stays = house.hub.views.report_turns.stays(around(house))
    assert stays["preparation"].n == 2  # of stays each one counts


# ── ends, sources, talks ─────────────────────────────────────────────────────────


def test_every_loss_stays_and_says_whether_it_came_back_R28(house: House) -> None:
    lead = screened(house, "Дважды", 1)
    do(house, lead, "lose", reason="price", closeness="second")
    do(house, lead, "reopen", why="Передумали")
    do(house, lead, "lose", reason="no_budget", closeness="never_close")
    lost = house.hub.views.report_turns.ends("lost", around(house))
    assert {(e.reason, e.closeness, e.n, e.back) for e in lost} == {("price", "second", 1, 1), ("no_budget", "never_close", 1, 0)}


def test_contracts_by_person_month_and_currency_R33(house: House) -> None:
    for number, (amount, who) in enumerate((("1000000", "manager"), ("2000000.50", "manager"), ("500000", "second")), 1):
        lead = screened(house, f"Клиент {number}", number, who=who)
        today = house.hub.process.date_of(house.clock())
        do(house, lead, "win", who, contract_number=str(number), amount=amount, signed_on=today)
        house.clock.advance(days=4)
    found = house.hub.views.report_turns.won(around(house), "Europe/Moscow")
    total, = found[""]
    assert (total.n, total.value, total.currency) == (3, 350000050, "RUB")
    assert total.cheque == Decimal("1166666.83")
    assert {w.by: w.n for w in found["owner"]} == {f"user:{house.users['manager']}": 2, f"user:{house.users['second']}": 1}
    assert {w.by: w.n for w in found["month"]} == {"2026-11-01": 2, "2026-12-01": 1}


def test_sources_with_their_marks_until_the_person_is_erased(house: House) -> None:
    ad = screened(house, "По рекламе", 1, attribution=(("utm_source", "yandex"), ("utm_campaign", "осень")))
    house.receive("Сам", "+79120000002")
    do(house, ad, "win", contract_number="1", amount="900000", signed_on=house.hub.process.date_of(house.clock()))

    def found() -> dict[str, tuple[int, int, int, dict[str, int]]]:
        over = around(house)
        sources = house.hub.views.reports.sources(over, ["A", "B"])
        return {s.utm_source: (s.requests, s.qualified, s.won, s.value) for s in sources}
    assert found() == {"yandex": (1, 1, 1, {"RUB": 90000000}), "": (1, 0, 0, {})}
    eraser = Eraser(house.hub, house.runner, Accounts())
    eraser.erase(house.hub.lead(ad).main_person, "Отзыв согласия", actor=house.actor("administrator"), at=house.clock())
    house.settle()
    assert found() == {"": (2, 1, 1, {"RUB": 90000000})}


def test_outcomes_of_talks_by_person_and_stage_R26(house: House) -> None:
    lead = screened(house, "Разговор", 1)
    do(house, lead, "plan_meeting", purpose="call", starts_at=house.clock() + timedelta(hours=1), goal="Договориться")
    house.clock.advance(hours=2)
    do(house, lead, "hold_meeting", meeting=1, outcome="continuation", why="Думают")
    found = house.hub.views.report_turns.talks(around(house))
    assert [(t.by, t.advances, t.continuations) for t in found["owner"]] == [(f"user:{house.users['manager']}", 0, 1)]
    assert [t.by for t in found["stage"]] == [house.hub.lead(lead).stage]


# ── the API ──────────────────────────────────────────────────────────────────────


def test_the_api_gives_the_same_figures_and_their_leads(house: House, head: Program) -> None:
    lead = screened(house, "Клиент", 1)
    do(house, lead, "lose", reason="price", closeness="second")
    house.receive("Ждёт", "+79120000002")
    speed = read(head, "/reports/speed")
    assert (speed["total"][0]["working"]["n"], speed["total"][0]["untaken"]) == (1, 1)
    assert next(d for d in speed["deadlines"] if d["by"] == "take") == {"by": "take", "met": 1, "judged": 1}
    funnel = read(head, "/reports/funnel")
    assert funnel["steps"][0] == {"id": "new", "reached": 2, "were": 2,
                                  "dropped": {"lost": 0, "refused": 0, "asleep": 0, "open": 1}}
    assert funnel["segments"] == [{"first": "B", "now": "B", "n": 1, "again": 0}]
    assert read(head, "/reports/losses")["lost"] == [{"reason": "price", "closeness": "second", "n": 1, "back": 0}]
    assert read(head, "/reports/contracts")["total"] == []
    assert read(head, "/reports/sources")["items"][0]["requests"] == 2
    assert read(head, "/reports/talks")["total"] == []
    assert [p["open"] for p in read(head, "/reports/today")["people"] if p["person"] == ""] == [1]
    listed = read(head, "/reports/figures/lost?reason=price")
    assert (listed["leads"], [one["id"] for one in listed["items"]]) == (1, [str(lead)])
    assert read(head, "/reports/figures/lost?reason=price&page=2") == {"leads": 1, "counted": 1, "items": []}
    assert read(head, "/reports/figures/returns")["leads"] == 0


def test_the_api_refuses_what_makes_no_sense_and_the_figures_of_others(house: House, head: Program) -> None:
    assert read(head, "/reports/speed?since=2026-11-24&until=2026-11-23")["code"] == "time_turned"
    assert read(head, "/reports/speed?since=2020-11-24")["code"] == "time_too_long"
    assert read(head, "/reports/figures/nothing")["code"] == "no_such_choice"
    assert read(head, "/reports/figures/reached")["field"] == "step"
    assert read(head, "/reports/figures/stayed?stage=nowhere")["field"] == "stage"
    assert head.get("/reports/funnel?channel=fax").status_code == 422
    manager = person(house, "manager")
    other = f"user:{house.users['second']}"
    assert read(manager, f"/reports/speed?owner={other}")["code"] == "own_figures_only"
    screened(house, "Чужой", 1, who="second")
    assert read(manager, "/reports/speed")["total"] == []
    assert len(read(head, f"/reports/speed?owner={other}")["total"]) == 1
    program = Program(house, program_token(house, "auditor"))
    assert len(read(program, "/reports/speed")["total"]) == 1


# ── with many leads ──────────────────────────────────────────────────────────────


def test_no_figure_of_a_time_reads_a_whole_table(house: House) -> None:
    """SQLite's plans: every table of facts is entered by an index, by time."""
    over = around(house)
    asked = [
        ("report_leads", "counted = 1 AND " + over.where("received_at")[0]),
        ("report_leads", "returns_at >= ? AND returns_at < ?"), ("report_leads", "ended = 'won' AND account_manager = ''"),
        ("stage_deadlines", over.where("at")[0]),
        ("report_ends", "how = 'lost' AND " + over.where("at")[0]), ("report_talks", over.where("at")[0]),
        ("stage_intervals", over.where("left_at")[0]), ("report_chances", "status = 'open' AND at >= ?"),
    ]
    with house.store.views.reading() as c:
        for table, where in asked:
            values = ["2026-01-01"] * where.count("?")
            plans = c.execute(f"EXPLAIN QUERY PLAN SELECT COUNT(*) FROM {table} WHERE {where}", values)
            plan = " ".join(row["detail"] for row in plans)
            assert f"SEARCH {table}" in plan or (f"SCAN {table} USING" in plan and "handing" in plan), plan
