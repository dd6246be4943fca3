"""Times that people mean most often, to be chosen with one press: they lie in working hours (R7)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import format_date
from flask_babel import gettext as _

from hub.web.desk import now
from hub.web.frame import the_process

MORNING = time(10)
STEP = timedelta(minutes=15)


def quick_times() -> list[tuple[str, str]]:
    """(words, moment as a field of date and time holds it): in an hour, the next working mornings, the day a week from now."""
    calendar = the_process().calendar
    zone = ZoneInfo(calendar.timezone)
    here = now().astimezone(zone)
    found: list[tuple[str, datetime]] = []
    soon = here + timedelta(hours=1)
    soon = soon.replace(minute=0, second=0, microsecond=0) + STEP * -(-(soon.minute * 60 + soon.second) // 900)
    if calendar.is_open(soon):
        found.append((_("через час"), soon))
    days = [here.date() + timedelta(days=n) for n in range(1, 15)]
    working = [day for day in days if calendar.is_working_day(day)]
    for day in working[:3]:
        tomorrow = day == here.date() + timedelta(days=1)
        found.append((_("завтра") if tomorrow else format_date(day, "EEE d MMM"), datetime.combine(day, MORNING, zone)))
    week = next((day for day in working if day >= here.date() + timedelta(days=7)), None)
    if week is not None:
        found.append((_("через неделю"), datetime.combine(week, MORNING, zone)))
    return [(words, f"{at:%Y-%m-%dT%H:%M}") for words, at in found]
