"""How times, sums, phones and people are written on pages. Template filters, and the way back from date inputs.

Times are written in the company's zone unless another is given. An empty value is written as an empty text.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Flask, g

from hub.domain.errors import Refused, sentences
from hub.domain.event import ERASED, HUB
from hub.web.desk import now, the_hub, the_tokens
from hub.web.frame import language, the_process

sentences(
    moment_wrong=("Дату и время не понять. Выберите их в поле или напишите как 2026-11-23T11:20.",
                  "The date and time make no sense. Choose them in the field or write them as 2026-11-23T11:20."),
    moment_skipped=("Такого времени не было: часы в эту ночь перевели. Выберите другое.",
                    "There is no such time: the clocks were changed that night. Choose another."),
)

CHANNEL_ICONS = {"phone": "phone", "social": "message-circle", "email": "mail", "website": "globe", "": "user"}
CHANNELS = {"phone": ("Звонок", "Call"), "social": ("Соцсети", "Social network"), "email": ("Почта", "E-mail"),
            "website": ("Сайт", "Website"), "": ("Вручную", "By hand")}
SHORT_FROM = Decimal(1_000_000)
GAP = "\N{NO-BREAK SPACE}"


def _speaks_russian() -> bool:
    return language() == "ru"


def company_zone() -> ZoneInfo:
    """The zone of the company's calendar; asked for at every time on a page, so it is read once for each."""
    if "company_zone" not in g:
        g.company_zone = ZoneInfo(the_process().file.calendar.timezone)
    return cast(ZoneInfo, g.company_zone)


# ── times ────────────────────────────────────────────────────────────────────────


def local(at: datetime | str | None, zone: str | None = None) -> datetime | None:
    """An instant (aware, or ISO text of a read model) in the company's zone or in ``zone``; for date inputs too."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at) if at else None
    return at.astimezone(ZoneInfo(zone) if zone else company_zone()) if at else None


def moment(at: datetime | str | None, zone: str | None = None) -> str:
    """``23 ноября, 11:20``, with the year where it is not this one."""
    there = local(at, zone)
    return f"{day(there.date())}, {there:%H:%M}" if there else ""


def day(at: date | datetime | str | None, zone: str | None = None) -> str:
    """``23 ноября``, with the year where it is not this one."""
    if isinstance(at, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", at):
        at = date.fromisoformat(at)
    if isinstance(at, datetime | str):
        there = local(at, zone)
        at = there.date() if there else None
    if at is None:
        return ""
    this_year = now().astimezone(company_zone()).year == at.year
    if _speaks_russian():
        return format_date(at, "d MMMM" if this_year else "d MMMM y", locale="ru").replace(" ", GAP, 1)
    return format_date(at, "d MMMM" if this_year else "d MMMM y", locale="en").replace(" ", GAP, 1)


def weekday(at: date) -> str:
    """``пн``, ``Mon``."""
    return str(format_date(at, "EE" if _speaks_russian() else "EEE", locale=language()))


def clock(at: datetime | str | None, zone: str | None = None) -> str:
    """``11:20``."""
    there = local(at, zone)
    return f"{there:%H:%M}" if there else ""


def span(length: timedelta | int | float | None) -> str:
    """``2 д 20 ч``, ``20 мин``: the two largest units of a length (or of seconds), without a sign."""
    if length is None:
        return ""
    seconds = abs(int(length.total_seconds() if isinstance(length, timedelta) else length))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    d, h, m = ("д", "ч", "мин") if _speaks_russian() else ("d", "h", "min")
    sizes = [(days, d), (hours, h)] if days else [(hours, h), (minutes, m)]
    said = [f"{n}{GAP}{unit}" for n, unit in sizes if n]
    return " ".join(said) or ("меньше минуты" if _speaks_russian() else "under a minute")


def instant(text: str, field: str = "") -> datetime | None:
    """The instant that a ``datetime-local`` input names in the company's zone; None for an empty one.

    Refused (at ``field``) for text that is no time, or a time that a change of clocks skipped.
    """
    if not text.strip():
        return None
    try:
        named = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refused("moment_wrong", field=field) from None
    if named.tzinfo is not None or not 1970 < named.year < 9000:
        raise Refused("moment_wrong", field=field)
    found = named.replace(tzinfo=company_zone()).astimezone(UTC)
    if found.astimezone(company_zone()).replace(tzinfo=None) != named:
        raise Refused("moment_skipped", field=field)
    return found


# ── sums, numbers, phones ────────────────────────────────────────────────────────


def money(value: Any, short: bool = False) -> str:
    """``1 250 000 ₽``; short from a million on: ``3,2 млн ₽``. Text that is no number stays as it is."""
    if value is None or value == "":
        return ""
    try:
        sum_ = Decimal(str(value).replace(GAP, "").replace(" ", "").replace(",", "."))
    except InvalidOperation:
        return str(value)
    if not sum_.is_finite():
        return str(value)
    spoken = language()
    if short and abs(sum_) >= SHORT_FROM:
        for unit, ru, en in ((Decimal(10**9), "млрд", "bn"), (Decimal(10**6), "млн", "m")):
            if abs(sum_) >= unit:
                return f"{format_decimal(sum_ / unit, '0.#', locale=spoken)}{GAP}{ru if spoken == 'ru' else en}{GAP}₽"
    form = "#,##0.##" if sum_ == sum_.to_integral() else "#,##0.00"
    return f"{format_decimal(sum_, form, locale=spoken)}{GAP}₽"


def phone(value: str | None) -> str:
    """``+7 912 345-67-89`` of an E.164 number; other countries' numbers in groups from the end; other text as it is."""
    found = re.fullmatch(r"\+7(\d{3})(\d{3})(\d\d)(\d\d)", value or "")
    if found:
        return f"+7{GAP}{found[1]}{GAP}{found[2]}-{found[3]}-{found[4]}"
    return value or ""


def plural(number: int, one: str, few: str, many: str = "") -> str:
    """``5 заявок``: the number with its word. Two words (``few`` for all but one) are enough in English."""
    return f"{number}{GAP}{plural_word(number, one, few, many)}"


def plural_word(number: int, one: str, few: str, many: str = "") -> str:
    """The word alone, in the form that ``number`` asks for."""
    n = abs(number)
    if not many or not _speaks_russian():
        return one if n == 1 else many or few
    if n % 10 == 1 and n % 100 != 11:
        return one
    return few if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else many


# ── people and channels ──────────────────────────────────────────────────────────


def person(id: str | UUID | None) -> str:
    """The name behind ``user:<uuid>`` (or the stream alone); the hub and channels by what they are."""
    if not id:
        return ""
    if id == HUB:
        return "Хаб" if _speaks_russian() else "The hub"
    kind, _, rest = str(id).rpartition(":")
    if kind == "channel":
        return channel(rest)
    if kind == "token":
        return program(rest)
    try:
        found = the_hub().users().get(UUID(rest))
    except ValueError:
        return str(id)
    return found.name if found else ("Бывший сотрудник" if _speaks_russian() else "A former colleague")


def program(token: str) -> str:
    """The program behind a token of the API that acts for itself."""
    try:
        name = the_tokens().state(UUID(token)).name
    except ValueError:
        name = token
    return f"через API: {name}" if _speaks_russian() else f"through the API: {name}"


def channel(name: str | None) -> str:
    """A channel's name: «Сайт», «Почта»."""
    words = CHANNELS.get(name or "", (name or "", name or ""))
    return words[0] if _speaks_russian() else words[1]


def channel_icon(name: str | None) -> str:
    """The icon of a channel; a person's for a card that was opened by hand."""
    return CHANNEL_ICONS.get(name or "", "inbox")


def personal(text: str | None) -> str:
    """Personal text; words instead of the mark where the person was erased."""
    if text == ERASED:
        return "данные удалены" if _speaks_russian() else "data erased"
    return text or ""


def set_up(app: Flask) -> None:
    """Register the filters."""
    for filter in (moment, day, weekday, clock, span, local, money, phone, plural, plural_word, person, channel, channel_icon,
                   personal):
        app.jinja_env.filters[filter.__name__] = filter
