"""Public holidays and transferred working days, from the kept library ``holidays``.

Not in the domain: the answer changes when the library is upgraded. What it says is copied into the
process when that is published, so that an upgrade cannot move a deadline that was already given.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import holidays

YEARS_BEFORE, YEARS_AHEAD = 1, 2
"""Years around the present whose days off a published process holds."""


def days_around(at: datetime, country: str) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Days off and worked weekend days of the years around ``at``; see :func:`russian_days`."""
    return russian_days(range(at.year - YEARS_BEFORE, at.year + YEARS_AHEAD + 1), country)


def knows(country: str) -> bool:
    """Whether the public holidays of ``country`` (ISO code) are known."""
    return country in holidays.list_supported_countries()


def russian_days(years: Iterable[int], country: str = "RU") -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Days off and worked weekend days of ``years``, each sorted: the country's public calendar.

    Days off hold the holidays (those on weekends too), the days off that were moved onto weekdays
    and the ones given in lieu; the second part is the Saturdays and Sundays that are worked for
    them. A year whose transfers the government has not announced yet has its fixed holidays only.
    Raises ValueError for a ``country`` (ISO code) that the library does not know.
    """
    try:
        calendar = holidays.country_holidays(country, years=list(years))
    except NotImplementedError:
        raise ValueError(f"No public holidays are known for country {country!r}: give an ISO code such as RU.") from None
    return tuple(sorted(calendar)), tuple(sorted(calendar.weekend_workdays))
