"""Over which time and whose leads the figures are. It lives in the address, so that a page can be sent on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from hub.domain.errors import Refused, sentences
from hub.domain.process import Process
from hub.projections.reports_over import NONE, Over
from hub.web.board.filter import CHANNELS
from hub.web.desk import may, me, now, the_hub
from hub.web.frame import the_process

sentences(
    time_turned=("Начало позже конца. Поменяйте их местами.", "The beginning is after the end. Turn them round."),
    time_too_long=("Отчёт считается не больше чем за {days} дней. Возьмите период короче.",
                   "A report is made of {days} days at most. Choose a shorter time."),
)

USUAL = 90
"""Days that a report covers unless told."""
LONGEST = 366
"""Days that a report may cover: a year. It bounds what one page asks of the database."""
KEYS = ("from", "to", "owner", "segment", "channel")


@dataclass(frozen=True)
class Chosen:
    """Days from ``since`` to ``until``, both included, on the company's calendar. ``own``: only one's own figures may be seen.
    ``wrong``: what made no sense in the address, and was left out."""

    process: Process
    since: date
    until: date
    owner: str = ""
    segment: str = ""
    channel: str = ""
    own: bool = False
    wrong: Refused | None = None

    @cached_property
    def over(self) -> Over:
        """As the read models are asked."""
        return Over(since=midnight(self.since, self.process), until=midnight(self.until + timedelta(days=1), self.process),
                    owner=self.owner, segment=self.segment, channel=self.channel)

    def url(self, path: str, **changes: str) -> str:
        """The address of ``path`` with this filter, some of it changed or added; what is empty is not said."""
        values = {"from": self.since.isoformat(), "to": self.until.isoformat(), "owner": "" if self.own else self.owner,
                  "segment": self.segment, "channel": self.channel, **changes}
        return f"{path}?{urlencode({k: v for k, v in values.items() if v})}"

    @property
    def narrowed(self) -> int:
        """How many filters beside the time are set."""
        return sum(bool(v) for v in ("" if self.own else self.owner, self.segment, self.channel))

    @property
    def zone(self) -> str:
        """The company's."""
        return self.process.calendar.timezone


def midnight(day: date, process: Process) -> datetime:
    """When a day begins on the company's clock."""
    return datetime.combine(day, time(), ZoneInfo(process.calendar.timezone)).astimezone(UTC)


def sees_all() -> bool:
    """Whether the reader sees everybody's figures; others see their own."""
    return may("decide", "admin", "audit")


def read(args: Mapping[str, str]) -> Chosen:
    """The filter of an address. A time that makes no sense gives the usual one, and says why."""
    process, today = the_process(), the_process().date_of(now())
    until = _day(args.get("to", "")) or today
    since = _day(args.get("from", "")) or until - timedelta(days=USUAL - 1)
    wrong = checked(since, until)
    if wrong is not None:
        since, until = today - timedelta(days=USUAL - 1), today
    own = not sees_all()
    owners = {NONE, *(f"user:{id}" for id in the_hub().users())}
    owner, segment, channel = (args.get(key, "") for key in ("owner", "segment", "channel"))
    return Chosen(process, since, until, me().id if own else owner if owner in owners else "",
                  segment if segment in {NONE, *process.segments} else "", channel if channel in CHANNELS else "", own, wrong)


def checked(since: date, until: date) -> Refused | None:
    """Why there is no report of these days, or None."""
    if since > until:
        return Refused("time_turned", field="since")
    if (until - since).days >= LONGEST:
        return Refused("time_too_long", field="since", days=LONGEST)
    return None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def spans(chosen: Chosen, path: str) -> list[tuple[str, str, None, bool]]:
    """Usual times as chips: (url, title, no count, current)."""
    today = chosen.process.date_of(now())
    first = today.replace(day=1)
    last = first - timedelta(days=1)
    offered = [(_("30 дней"), today - timedelta(days=29), today), (_("90 дней"), today - timedelta(days=89), today),
               (_("Этот месяц"), first, today), (_("Прошлый месяц"), last.replace(day=1), last),
               (_("Год"), today - timedelta(days=364), today)]
    return [(chosen.url(path, **{"from": a.isoformat(), "to": b.isoformat()}), str(title), None,
             (chosen.since, chosen.until) == (a, b)) for title, a, b in offered]


def choices(chosen: Chosen) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """What can be chosen: (name, label, value, [(value, title)])."""
    process = chosen.process
    people = sorted(((f"user:{id}", user.name) for id, user in the_hub().users().items()), key=lambda p: p[1])
    offered = [
        ("segment", _("Сегмент"), chosen.segment, [*((s.id, f"{s.id} · {s.title}") for s in process.segments.values()),
                                                   (NONE, _("Без оценки"))]),
        ("channel", _("Канал"), chosen.channel, [(id, str(title)) for id, title in CHANNELS.items()]),
    ]
    if not chosen.own:
        offered.insert(0, ("owner", _("Ответственный"), chosen.owner, [*people, (NONE, _("Никто не взял"))]))
    return offered
