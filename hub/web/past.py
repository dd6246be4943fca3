"""Which moment ``?at=`` of an address names, and that nothing is done from a page of the past."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask, g, request
from flask_babel import gettext as _

from hub.domain.errors import Refused, sentences
from hub.web import words
from hub.web.desk import now, parts
from hub.web.guard import SAFE

sentences(
    at_makes_no_sense=(
        "«{given}» — не время и не номер события. Напишите, например, at=2026-11-20T14:30, at=2026-11-20T14:30+05:00, "
        "at=2026-11-20 (конец дня) или, на карточке, at=18.",
        "“{given}” is neither a time nor the number of an event. Write, for example, at=2026-11-20T14:30, "
        "at=2026-11-20T14:30+05:00, at=2026-11-20 (the end of the day) or, on a card, at=18."),
    at_is_ahead=(
        "Этот момент ещё не наступил: сейчас {now}. Выберите прошедшее время или откройте страницу без at.",
        "That moment has not come yet: it is {now} now. Choose a time that has passed, or open the page without at."),
    at_is_a_number=(
        "Номер события есть только у карточки. Здесь нужно время, например at=2026-11-20T14:30.",
        "Only a card has numbers of events. A time is needed here, such as at=2026-11-20T14:30."),
    in_the_past=(
        "Это страница прошлого: на ней ничего не меняют. Вернитесь к настоящему и повторите там.",
        "This is a page of the past: nothing is changed here. Go back to the present and try there."),
)

LARGEST_NUMBER = 10**9
_SPACE_FOR_PLUS = re.compile(r" (\d\d:?\d\d)$")
"""What becomes of ``+03:00`` in an address that nobody escaped."""


@dataclass(frozen=True)
class Moment:
    """A moment of the past: a version of a lead, or an instant. ``note`` says what an instant of another zone is here."""

    version: int | None = None
    at: datetime | None = None
    note: str = ""


def read_moment(text: str, *, versions: bool = False) -> Moment:
    """What ``at`` says. A day is its end, today is now; a time without an offset is the company's. Refused for anything
    else, for what has not come yet, and for a number where there are no ``versions``."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,10}", text):
        if not versions:
            raise Refused("at_is_a_number", field="at")
        if int(text) >= LARGEST_NUMBER:
            raise Refused("at_makes_no_sense", field="at", given=text[:40])
        return Moment(version=int(text))
    at, note = _instant(text)
    if at > now():
        raise Refused("at_is_ahead", field="at", now=words.moment(now()))
    return Moment(at=at, note=note)


def _instant(text: str) -> tuple[datetime, str]:
    zone = words.company_zone()
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = date.fromisoformat(text)
            if not 1970 < day.year < 9000:
                raise ValueError(text)
            end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC) - timedelta(microseconds=1)
            return (now() if day == now().astimezone(zone).date() else end), ""
        named = datetime.fromisoformat(_SPACE_FOR_PLUS.sub(r"+\1", text))
        if not 1970 < named.year < 9000:
            raise ValueError(text)
    except (ValueError, OverflowError):
        raise Refused("at_makes_no_sense", field="at", given=text[:40]) from None
    if named.tzinfo is None:
        found = named.replace(tzinfo=zone).astimezone(UTC)
        if found.astimezone(zone).replace(tzinfo=None) != named:
            raise Refused("moment_skipped", field="at")
        return found, ""
    at = named.astimezone(UTC)
    here = at.astimezone(zone)
    foreign = here.utcoffset() != named.utcoffset() and named.utcoffset() != timedelta()
    said = _("%(there)s по %(zone)s — это %(here)s у нас", there=f"{named:%H:%M}", zone=f"UTC{named:%z}", here=words.moment(at))
    return at, str(said) if foreign else ""


def asked(args: Mapping[str, str]) -> bool:
    """Whether a page of the past is wanted: an empty ``at`` is none."""
    return bool(args.get("at", "").strip())


def iso_text(at: datetime) -> str:
    """An instant as an address carries it, in UTC."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}{f'.{at.microsecond:06d}' if at.microsecond else ''}Z"


@dataclass(frozen=True)
class PastBar:
    """What stands over a page of the past: the moment, the way to others and back to the present."""

    at: datetime
    value: str
    back: str
    forward: str
    now: str
    link: str
    path: str
    keep: list[tuple[str, str]]
    note: str = ""
    about: str = ""


def bar_at(moment: Moment, path: str, keep: dict[str, str], about: str = "") -> PastBar:
    """The bar of ``path`` at a moment; ``keep`` are the other parts of its address."""
    at = moment.at or now()

    def there(when: datetime) -> str:
        return f"{path}?{urlencode({**keep, 'at': iso_text(when)})}"
    tomorrow = at + timedelta(days=1)
    present = f"{path}?{urlencode(keep)}" if keep else path
    return PastBar(at=at, value=f"{words.local(at):%Y-%m-%dT%H:%M}", back=there(at - timedelta(days=1)),
                   forward=there(tomorrow) if tomorrow < now() else present, now=present,
                   link=parts().public_url.rstrip("/") + there(at), path=path, keep=list(keep.items()), note=moment.note,
                   about=about)


def yesterday_of(url: str) -> str:
    """The address of a page as it was when yesterday ended: the way from the present into the past."""
    day = now().astimezone(words.company_zone()).date() - timedelta(days=1)
    return f"{url}{'&' if '?' in url else '?'}at={day}"


def _comes_from_the_past() -> bool:
    """Whether what is posted comes from a page of the past: by its own address, or by the page that it was sent from."""
    if asked(request.args):
        return True
    came = urlsplit(request.referrer or "")
    return came.netloc == request.host and asked({k: v[0] for k, v in parse_qs(came.query).items()})


def refuse_changes() -> None:
    """A page of the past has no forms for leads; what is posted from one all the same changes nothing."""
    part = (request.blueprint or "").partition(".")[0]
    harmless = request.method in SAFE or request.endpoint in CHANGE_NOTHING
    if part in READ_ONLY and not harmless and _comes_from_the_past():
        raise Refused("in_the_past")


READ_ONLY = frozenset({"lead", "board"})
"""Blueprints whose pages have a past."""
CHANGE_NOTHING = frozenset({"lead.what_if"})
"""What is posted there is only tried."""


def enter() -> None:
    """This page is one of the past: the frame says so and offers nothing new."""
    g.past = True


def set_up(app: Flask) -> None:
    """Install the refusal, and ``past`` for the frame."""
    app.before_request(refuse_changes)
    app.context_processor(lambda: {"past": bool(g.get("past")), "yesterday_of": yesterday_of})
