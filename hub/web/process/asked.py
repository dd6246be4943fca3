"""Over which time, at which moment and of which leads the map's numbers are. It all lives in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from hub.domain.errors import Refused, sentences
from hub.domain.process import Process
from hub.projections.flows import Slice
from hub.web.board.filter import CHANNELS
from hub.web.desk import me, now, the_hub
from hub.web.frame import in_words, the_process
from hub.web.past import Moment, asked, iso_text, read_moment
from hub.web.reports.filter import sees_all

sentences(
    map_day_wrong=("«{given}» — не день. Напишите его как 2026-11-20 или выберите в поле.",
                   "“{given}” is no day. Write it like 2026-11-20, or choose it in the field."),
    map_time_turned=("Первый день позже последнего. Поменяйте их местами.",
                     "The first day is after the last one. Turn them round."),
)

USUAL = 30
"""Days that the numbers look back unless told."""
OFFERED = (7, 30, 90, 365)
NONE = "none"
LONGEST_SOURCE = 200
"""Letters of a source in an address."""


@dataclass(frozen=True)
class Asked:
    """What the address says; what makes no sense in a filter is as if it was not there.

    ``first`` and ``last`` are days of the company's calendar, both included. ``at`` is the moment of the numbers (None: now);
    the time ends there at the latest.
    """

    process: Process
    first: date
    last: date
    moment: Moment | None = None
    owner: str = ""
    segment: str = ""
    channel: str = ""
    source: str = ""
    usual: bool = True
    """Nobody chose the days."""

    @property
    def at(self) -> datetime | None:
        """The moment of the past, if it is one."""
        return self.moment.at if self.moment is not None else None

    @property
    def slice(self) -> Slice:
        """As the read models are asked."""
        end = midnight(self.last + timedelta(days=1), self.process)
        until = min(end, self.at) if self.at is not None else end if end <= now() else None
        return Slice(midnight(self.first, self.process), until, self.owner, self.segment, self.channel, self.source)

    @property
    def ends_now(self) -> bool:
        """Whether what happens now is counted."""
        return self.slice.until is None

    @property
    def iso(self) -> str:
        """The moment as an address carries it; an empty text for now."""
        return iso_text(self.at) if self.at is not None else ""

    @property
    def today(self) -> date:
        """The day of the moment."""
        return self.process.date_of(self.at or now())

    @property
    def days(self) -> int:
        """How many days the time has."""
        return (self.last - self.first).days + 1

    @property
    def narrowed(self) -> int:
        """How many filters beside the time are set."""
        return sum(bool(v) for v in (self.owner, self.segment, self.channel, self.source))

    @property
    def kept(self) -> dict[str, str]:
        """The address without the moment; what is as usual is not said."""
        time = {} if self.usual else {"from": self.first.isoformat(), "to": self.last.isoformat()}
        chosen = {"owner": self.owner, "segment": self.segment, "channel": self.channel, "source": self.source}
        return {**time, **{name: value for name, value in chosen.items() if value}}

    def url(self, path: str, **more: str) -> str:
        """The address of ``path`` with this filter; ``more`` is said beside or instead."""
        values = {name: value for name, value in {**self.kept, "at": self.iso, **more}.items() if value}
        return f"{path}?{urlencode(values)}" if values else path

    def over(self, days: int) -> Asked:
        """The same for the last so many days."""
        return replace(self, first=self.today - timedelta(days=days - 1), last=self.today, usual=days == USUAL)


def midnight(day: date, process: Process) -> datetime:
    """When a day begins on the company's clock."""
    return datetime.combine(day, time(), ZoneInfo(process.calendar.timezone)).astimezone(UTC)


def read(args: Mapping[str, str]) -> Asked:
    """What an address says. Refused for a day or a moment that makes no sense, and for a time that ends before it begins."""
    hub = the_hub()
    moment = read_moment(args["at"]) if asked(args) else None
    at = moment.at if moment is not None and moment.at is not None else now()
    process = in_words(hub.process_at(at)) if moment is not None else the_process()
    today = process.date_of(at)
    last = min(_day(args, "to") or today, today)
    first = _day(args, "from") or last - timedelta(days=USUAL - 1)
    if first > last:
        raise Refused("map_time_turned", field="from")
    owners = {NONE, *(f"user:{id}" for id in hub.users())} if sees_all() else {NONE, me().id}
    owner, segment, channel = (args.get(name, "") for name in ("owner", "segment", "channel"))
    return Asked(
        process, first, last, moment, owner if owner in owners else "",
        segment if segment in {NONE, *process.segments} else "", channel if channel in {NONE, *CHANNELS} else "",
        args.get("source", "").strip()[:LONGEST_SOURCE], usual=not (args.get("from") or args.get("to")))


def _day(args: Mapping[str, str], name: str) -> date | None:
    given = args.get(name, "").strip()
    if not given:
        return None
    try:
        found = date.fromisoformat(given)
        if not 1990 < found.year < 2200:
            raise ValueError(given)
    except ValueError:
        raise Refused("map_day_wrong", field=name, given=given[:40]) from None
    return found


def spans(chosen: Asked, path: str) -> list[tuple[str, str, None, bool]]:
    """Usual times as chips: (url, title, no count, current)."""
    titles = {7: _("7 дней"), 30: _("30 дней"), 90: _("90 дней"), 365: _("Год")}
    return [(there.url(path), titles[days], None, (there.first, there.last) == (chosen.first, chosen.last))
            for days in OFFERED for there in (chosen.over(days),)]


def choices(chosen: Asked) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """What can be chosen: (name, label, value, [(value, title)])."""
    hub, process = the_hub(), chosen.process
    people = sorted(((f"user:{id}", user.name) for id, user in hub.users().items()), key=lambda p: p[1])
    if not sees_all():
        people = [(me().id, me().name)]
    sources = hub.views.flows.sources()
    return [
        ("owner", _("Ответственный"), chosen.owner, [(NONE, _("Никто не взял")), *people]),
        ("segment", _("Сегмент"), chosen.segment, [*((s.id, f"{s.id} · {s.title}") for s in process.segments.values()),
                                                   (NONE, _("Без оценки"))]),
        ("channel", _("Канал"), chosen.channel, [*((id, str(title)) for id, title in CHANNELS.items()), (NONE, _("Вручную"))]),
        ("source", _("Источник"), chosen.source, list({**_known(chosen.source), **sources}.items())),
    ]


def _known(source: str) -> dict[str, str]:
    """A chosen source can be chosen again, though no lead came by it."""
    return {source: source} if source else {}
