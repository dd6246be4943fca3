"""The working calendar: given hours, holidays and a moment, when is a deadline due? (R7, R22)"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.calendar import russian_days
from hub.domain.worktime import CalendarError, WorkCalendar

DAYS_OFF, WORKING_DAYS = russian_days([2025, 2026])
MOSCOW = WorkCalendar(days_off=DAYS_OFF, working_days=WORKING_DAYS)
BERLIN = WorkCalendar(timezone="Europe/Berlin")
LUNCH = WorkCalendar(lunch=(time(13), time(14)))


def moscow(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Moscow"))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


# 2026-11-20 is a Friday without holidays around it.
@pytest.mark.parametrize(("received", "minutes", "due"), [
    ("2026-11-20 17:55", 15, "2026-11-23 09:10"),  # the rule's own example
    ("2026-11-20 10:00", 15, "2026-11-20 10:15"),
    ("2026-11-20 17:45", 15, "2026-11-20 18:00"),  # ends exactly with the day
    ("2026-11-20 18:00", 15, "2026-11-23 09:15"),  # closing time is closed
    ("2026-11-20 08:00", 15, "2026-11-20 09:15"),
    ("2026-11-20 09:00", 15, "2026-11-20 09:15"),
    ("2026-11-19 23:59", 30, "2026-11-20 09:30"),
    ("2026-11-21 12:00", 30, "2026-11-23 09:30"),  # a Saturday
    ("2026-11-22 23:00", 30, "2026-11-23 09:30"),  # a Sunday night
    ("2026-11-20 17:55:30", 15, "2026-11-23 09:10:30"),
    ("2026-11-20 17:00", 9 * 60 + 60, "2026-11-23 18:00"),
    ("2026-01-01 00:00", 15, "2026-01-12 09:15"),  # the New Year holidays
    ("2026-06-11 17:55", 15, "2026-06-15 09:10"),  # Russia Day is a Friday
])
def test_r7_minutes_run_on_the_working_calendar(received: str, minutes: int, due: str) -> None:
    assert MOSCOW.add(moscow(received), minutes) == moscow(due)


def test_r7_a_transferred_saturday_is_worked_and_its_monday_is_not() -> None:
    days_off, working_days = russian_days([2025])
    calendar = WorkCalendar(days_off=days_off, working_days=working_days)
    assert calendar.add(moscow("2025-10-31 17:55"), 15) == moscow("2025-11-01 09:10")
    assert calendar.add(moscow("2025-11-01 17:55"), 15) == moscow("2025-11-05 09:10")


def test_our_own_day_off_wins_over_a_transferred_working_day() -> None:
    saturday = date(2026, 11, 21)
    assert WorkCalendar(working_days=(saturday,)).is_working_day(saturday)
    assert not WorkCalendar(working_days=(saturday,), days_off=(saturday,)).is_working_day(saturday)


@pytest.mark.parametrize(("received", "minutes", "due"), [
    ("2026-11-20 12:50", 15, "2026-11-20 14:05"),
    ("2026-11-20 12:45", 15, "2026-11-20 13:00"),
    ("2026-11-20 13:00", 15, "2026-11-20 14:15"),
    ("2026-11-20 13:30", 15, "2026-11-20 14:15"),
    ("2026-11-20 14:00", 15, "2026-11-20 14:15"),
    ("2026-11-20 17:55", 15, "2026-11-23 09:10"),
])
def test_r7_lunch_is_not_work(received: str, minutes: int, due: str) -> None:
    assert LUNCH.add(moscow(received), minutes) == moscow(due)


@pytest.mark.parametrize(("at", "is_open"), [
    ("2026-11-20 08:59:59", False), ("2026-11-20 09:00", True), ("2026-11-20 12:59", True), ("2026-11-20 13:00", False),
    ("2026-11-20 14:00", True), ("2026-11-20 17:59:59", True), ("2026-11-20 18:00", False), ("2026-11-21 12:00", False),
])
def test_r7_open_from_the_opening_until_just_before_closing(at: str, is_open: bool) -> None:
    assert LUNCH.is_open(moscow(at)) is is_open


@pytest.mark.parametrize(("at", "opening"), [
    ("2026-11-20 10:00:07", "2026-11-20 10:00:07"),
    ("2026-11-20 13:10", "2026-11-20 14:00"),
    ("2026-11-20 18:00", "2026-11-23 09:00"),
])
def test_the_next_opening_is_now_while_open(at: str, opening: str) -> None:
    assert LUNCH.next_opening(moscow(at)) == moscow(opening)


@pytest.mark.parametrize(("presented", "n", "due"), [
    ("2026-11-17 15:00", 2, "2026-11-19 18:00"),  # Tuesday: day 1 is Wednesday, day 2 Thursday
    ("2026-11-17 08:00", 2, "2026-11-19 18:00"),
    ("2026-11-17 22:00", 2, "2026-11-19 18:00"),  # after hours is still that day
    ("2026-11-20 15:00", 2, "2026-11-24 18:00"),  # Friday
    ("2026-11-21 15:00", 2, "2026-11-24 18:00"),  # Saturday: day 1 is Monday
    ("2026-11-22 15:00", 2, "2026-11-24 18:00"),  # Sunday
    ("2026-11-21 15:00", 1, "2026-11-23 18:00"),
    ("2025-12-30 15:00", 2, "2026-01-13 18:00"),  # the holidays begin on 31 December
    ("2026-06-10 15:00", 2, "2026-06-15 18:00"),  # Friday 12 June is off
    ("2026-11-20 15:00", 0, "2026-11-20 18:00"),
    ("2026-11-20 18:00", 0, "2026-11-23 18:00"),  # today is over
    ("2026-11-21 15:00", 0, "2026-11-23 18:00"),
])
def test_r22_the_end_of_the_nth_working_day(presented: str, n: int, due: str) -> None:
    assert MOSCOW.end_of_working_day(moscow(presented), n) == moscow(due)


def test_r22_the_day_is_that_of_the_department_not_of_utc() -> None:
    # 22:30 UTC on Friday is 01:30 on Saturday in Moscow: the weekend has begun.
    assert MOSCOW.end_of_working_day(datetime(2026, 11, 20, 22, 30, tzinfo=UTC), 1) == moscow("2026-11-23 18:00")
    assert MOSCOW.end_of_working_day(datetime(2026, 11, 22, 22, 30, tzinfo=UTC), 1) == moscow("2026-11-24 18:00")


def test_r7_hours_follow_the_wall_clock_through_summer_time() -> None:
    # Germany puts its clocks forward on Sunday 2026-03-29 and back on Sunday 2026-10-25.
    assert BERLIN.add(berlin("2026-03-27 17:55"), 15) == datetime(2026, 3, 30, 7, 10, tzinfo=UTC)
    assert BERLIN.add(berlin("2026-10-23 17:55"), 15) == datetime(2026, 10, 26, 8, 10, tzinfo=UTC)


def test_r7_an_hour_that_the_clock_skips_or_repeats_is_counted_as_it_was_lived() -> None:
    night = WorkCalendar(timezone="Europe/Berlin", weekdays=(7,), opens=time(1), closes=time(4))
    skipped, repeated = berlin("2026-03-29 01:00"), berlin("2026-10-25 01:00")
    assert night.working_minutes_between(skipped, skipped + timedelta(hours=12)) == 120
    assert night.working_minutes_between(repeated, repeated + timedelta(hours=12)) == 240


def test_r7_hours_that_the_clock_skips_whole_are_no_work() -> None:
    night = WorkCalendar(timezone="Europe/Berlin", weekdays=(7,), opens=time(2, 30), closes=time(3))
    assert night.add(berlin("2026-03-29 00:00"), 10) == berlin("2026-04-05 02:40")


@pytest.mark.parametrize(("a", "b", "minutes"), [
    ("2026-11-20 17:50", "2026-11-23 09:05", 15),
    ("2026-11-23 09:05", "2026-11-20 17:50", -15),
    ("2026-11-21 00:00", "2026-11-22 23:00", 0),
    ("2026-11-20 00:00", "2026-11-21 00:00", 480),
    ("2026-11-20 09:00:30", "2026-11-20 09:02", 1),
])
def test_r7_minutes_worked_between_two_moments(a: str, b: str, minutes: int) -> None:
    assert LUNCH.working_minutes_between(moscow(a), moscow(b)) == minutes


def test_answers_are_in_utc() -> None:
    at = moscow("2026-11-20 17:55")
    for answer in (MOSCOW.add(at, 15), MOSCOW.next_opening(at), MOSCOW.end_of_working_day(at, 2)):
        assert answer.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone: give an aware instant"):
        MOSCOW.add(datetime(2026, 11, 20, 12), 15)


def test_a_calendar_that_never_works_says_so_instead_of_searching_for_ever() -> None:
    never = WorkCalendar(weekdays=())
    for ask in (never.next_opening, lambda at: never.end_of_working_day(at, 2)):
        with pytest.raises(CalendarError, match="no working day in the 400 days before 2027-12-2"):
            ask(moscow("2026-11-20 12:00"))


def test_ordinary_weekends_never_add_up_to_a_calendar_that_never_works() -> None:
    friday = moscow("2026-11-20 12:00")
    assert WorkCalendar().end_of_working_day(friday, 1100) == moscow("2026-11-20 18:00") + timedelta(weeks=220)


def test_one_working_day_a_year_is_enough() -> None:
    once = WorkCalendar(weekdays=(), working_days=(date(2027, 11, 20),))
    assert once.next_opening(moscow("2026-11-21 12:00")) == moscow("2027-11-20 09:00")


@pytest.mark.parametrize(("parts", "sentence"), [
    ({"timezone": "Europe/Moskva"}, "'Europe/Moskva' is not a known time zone"),
    ({"timezone": "../etc/passwd"}, "is not a known time zone"),
    ({"timezone": ""}, "'' is not a known time zone"),
    ({"weekdays": (0, 1)}, r"from 1 \(Monday\) to 7 \(Sunday\)"),
    ({"opens": time(18), "closes": time(9)}, "opens at 18:00, so it must close later, not at 09:00"),
    ({"opens": time(9), "closes": time(9)}, "must close later"),
    ({"lunch": (time(8), time(10))}, "Lunch 08:00-10:00 must lie inside the working day 09:00-18:00"),
    ({"lunch": (time(14), time(13))}, "must lie inside"),
    ({"opens": time(9, tzinfo=UTC)}, "leave the zone out"),
])
def test_hours_that_contradict_each_other_are_refused(parts: dict[str, object], sentence: str) -> None:
    with pytest.raises(CalendarError, match=sentence):
        WorkCalendar(**parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [-1, 10**9])
def test_deadlines_without_measure_are_refused(count: int) -> None:
    for ask in (MOSCOW.add, MOSCOW.end_of_working_day):
        with pytest.raises(CalendarError, match=f"not {count}"):
            ask(moscow("2026-11-20 12:00"), count)


def test_calendars_that_mean_the_same_are_equal_and_survive_storage() -> None:
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    one = WorkCalendar(days_off=(tuesday, monday, monday), weekdays=(5, 1), lunch=(time(13), time(14)))
    other = WorkCalendar(days_off=(monday, tuesday), weekdays=(1, 5), lunch=(time(13), time(14)))
    assert one == other
    assert msgspec.json.decode(msgspec.json.encode(one), type=WorkCalendar) == one


# Properties: every calendar, every moment.

instants = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
minutes = st.integers(0, 3000)


@st.composite
def calendars(draw: st.DrawFn) -> WorkCalendar:
    edges = sorted(draw(st.lists(st.times(), min_size=4, max_size=4, unique=True)))
    days = st.lists(st.dates(date(2024, 1, 1), date(2027, 12, 31)), max_size=20).map(tuple)
    return WorkCalendar(
        timezone=draw(st.sampled_from(["Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Vladivostok", "UTC",
                                       "Australia/Lord_Howe", "Africa/Cairo"])),
        weekdays=tuple(draw(st.sets(st.integers(1, 7), min_size=1))),
        opens=edges[0], closes=edges[3], lunch=draw(st.sampled_from([None, (edges[1], edges[2])])),
        days_off=draw(days), working_days=draw(days),
    )


office = st.sampled_from([MOSCOW, BERLIN, LUNCH])


@given(office | calendars(), instants)
def test_r7_an_opening_is_open_and_nothing_before_it_is(calendar: WorkCalendar, at: datetime) -> None:
    opening = calendar.next_opening(at)
    assert calendar.is_open(opening)
    assert opening >= at
    if calendar.is_open(at):
        assert opening == at
    else:
        assert not calendar.is_open(at + (opening - at) / 2)
        assert not calendar.is_open(opening - timedelta(microseconds=1))


@given(office, instants, minutes)
def test_r7_a_deadline_lies_in_working_hours_or_at_their_very_end(calendar: WorkCalendar, at: datetime, count: int) -> None:
    due = calendar.add(at, count)
    assert calendar.is_open(due) or calendar.is_open(due - timedelta(microseconds=1))


@given(office, instants, minutes)
def test_r7_what_was_added_is_what_was_worked(calendar: WorkCalendar, at: datetime, count: int) -> None:
    due = calendar.add(at, count)
    assert calendar.working_minutes_between(at, due) == count
    assert calendar.working_minutes_between(due, at) == -count


@given(office, instants, minutes, minutes)
def test_r7_adding_in_two_steps_is_adding_at_once(calendar: WorkCalendar, at: datetime, one: int, two: int) -> None:
    at_once, in_steps = calendar.add(at, one + two), calendar.add(calendar.add(at, one), two)
    # Only nothing added to a closing time differs: it is the next opening, the same place on the working clock.
    assert in_steps == (at_once if two else calendar.next_opening(at_once))


@given(office | calendars(), instants, instants, st.integers(0, 300), st.integers(0, 300))
def test_r7_later_and_longer_is_never_due_earlier(
        calendar: WorkCalendar, at: datetime, other: datetime, one: int, two: int) -> None:
    (at, other), (one, two) = sorted((at, other)), sorted((one, two))
    assert calendar.add(at, one) <= calendar.add(other, one)
    assert calendar.add(at, one) <= calendar.add(at, two)


@given(office, instants, instants, st.integers(0, 20))
def test_r22_ends_of_days_are_in_order_and_lie_ahead(calendar: WorkCalendar, at: datetime, other: datetime, n: int) -> None:
    at, other = sorted((at, other))
    end = calendar.end_of_working_day(at, n)
    assert at < end <= calendar.end_of_working_day(other, n)
    assert end <= calendar.end_of_working_day(at, n + 1)
    assert calendar.is_open(end - timedelta(microseconds=1))
    assert not calendar.is_open(end)


# The official Russian production calendars (government decrees on the transfer of days off).

@pytest.mark.parametrize(("day", "worked", "why"), [
    ("2024-01-08", False, "New Year holidays"),
    ("2024-01-09", True, "the first working day"),
    ("2024-04-27", True, "Saturday, for Monday 29 April"),
    ("2024-04-29", False, "moved from Saturday 27 April"),
    ("2024-04-30", False, "moved from Saturday 2 November"),
    ("2024-05-10", False, "moved from Saturday 6 January"),
    ("2024-11-02", True, "Saturday, for Tuesday 30 April"),
    ("2024-12-28", True, "Saturday, for Monday 30 December"),
    ("2024-12-30", False, "moved from Saturday 28 December"),
    ("2024-12-31", False, "moved from Sunday 7 January"),
    ("2025-01-09", True, "the first working day"),
    ("2025-05-02", False, "moved from Saturday 4 January"),
    ("2025-05-08", False, "moved from Sunday 23 February"),
    ("2025-06-13", False, "moved from Saturday 8 March"),
    ("2025-11-01", True, "Saturday, for Monday 3 November"),
    ("2025-11-03", False, "moved from Saturday 1 November"),
    ("2025-12-31", False, "moved from Sunday 5 January"),
    ("2026-01-09", False, "moved from Saturday 3 January"),
    ("2026-01-12", True, "the first working day"),
    ("2026-03-09", False, "8 March is a Sunday"),
    ("2026-05-11", False, "9 May is a Saturday"),
    ("2026-11-04", False, "Unity Day"),
    ("2026-12-31", False, "moved from Sunday 4 January"),
])
def test_r7_the_russian_production_calendar(day: str, worked: bool, why: str) -> None:
    days_off, working_days = russian_days([2024, 2025, 2026])
    calendar = WorkCalendar(days_off=days_off, working_days=working_days)
    assert calendar.is_working_day(date.fromisoformat(day)) is worked, why


@pytest.mark.parametrize(("year", "working_days"), [(2024, 248), (2025, 247), (2026, 247)])
def test_r7_a_russian_year_has_the_official_number_of_working_days(year: int, working_days: int) -> None:
    days_off, moved = russian_days([year])
    calendar = WorkCalendar(days_off=days_off, working_days=moved)
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    assert sum(calendar.is_working_day(day) for day in days if day.year == year) == working_days


def test_holidays_of_an_unknown_country_are_refused() -> None:
    with pytest.raises(ValueError, match="for country 'ZZ': give an ISO code such as RU"):
        russian_days([2026], "ZZ")
