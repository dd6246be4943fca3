"""Which leads the board and the list show. The filter lives in the address, so that both share it and it can be sent on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.application import LeadHub
from hub.domain.process import Process
from hub.projections.lead_queries import ENDED_SHOWS, OPEN_SHOWS, SORTS, Counts, Wanted
from hub.projections.lead_tasks import iso

CHANNELS = {"website": _l("Сайт"), "phone": _l("Телефон"), "email": _l("Почта"), "social": _l("Соцсети")}
SHOWS = {
    "all": _l("Все"), "mine": _l("Мои"), "no_step": _l("Без следующего шага"), "today": _l("Сгорают сегодня"),
    "deferrals": _l("2+ отсрочки"), "asleep": _l("Отложенные"), "won": _l("Договоры"), "lost": _l("Проиграны"),
    "refused": _l("Отказали"),
}
KEYS = ("show", "owner", "segment", "channel", "stage", "q")
WORDS = 200
"""The longest text of a search."""


@dataclass(frozen=True)
class Filter:
    """What the address says, with everything unknown left out."""

    wanted: Wanted
    sort: str = ""
    page: int = 1

    @property
    def order(self) -> str:
        """What the list is sorted by: as was asked, else ended leads by their end and open ones by what is due."""
        ended = is_ended(self.wanted.show)
        if not self.sort or self.sort.lstrip("-") == ("due" if ended else "ended"):
            return "-ended" if ended else "due"
        return self.sort

    def url(self, path: str, **changes: str | int) -> str:
        """The address of ``path`` with this filter, some of it changed. What is as usual is not said."""
        w = self.wanted
        values: dict[str, str | int] = {"show": w.show, "owner": w.owner, "segment": w.segment, "channel": w.channel,
                                        "stage": w.stage, "q": w.words, "sort": self.sort, "page": 1, **changes}
        usual = {"show": "all", "page": 1}
        said = {k: v for k, v in values.items() if v != usual.get(k, "")}
        if path != "/leads":
            said = {k: v for k, v in said.items() if k in KEYS}
        return f"{path}?{urlencode(said)}" if said else path

    @property
    def narrowed(self) -> int:
        """How many filters beside the chips are set."""
        w = self.wanted
        return sum(bool(v) for v in (w.owner, w.segment, w.channel, w.stage, w.words))


def day_end(process: Process, now: datetime, days: int = 1) -> datetime:
    """The midnight that ends the company's day of ``now``; with ``days`` above 1 that of a later one."""
    zone = ZoneInfo(process.calendar.timezone)
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=days), time(), zone).astimezone(UTC)


def read_filter(args: Mapping[str, str], hub: LeadHub, me: str, now: datetime) -> Filter:
    """The filter of an address; what makes no sense in it is as if it was not there."""
    process = hub.process
    owners = {"none", *(f"user:{id}" for id in hub.users())}
    show, sort = args.get("show", "all"), args.get("sort", "")
    page = args.get("page", "1")
    wanted = Wanted(
        show=show if show in SHOWS else "all",
        owner=_one_of(args.get("owner", ""), owners),
        segment=_one_of(args.get("segment", ""), {"none", *process.segments}),
        channel=_one_of(args.get("channel", ""), set(CHANNELS)),
        stage=_one_of(args.get("stage", ""), set(process.stages)),
        words=args.get("q", "").strip()[:WORDS], me=me,
        day_ends=iso(day_end(process, now)))
    return Filter(wanted, sort if sort.lstrip("-") in SORTS else "",
                  int(page) if page.isascii() and page.isdigit() and len(page) < 6 and int(page) else 1)


def _one_of(value: str, known: set[str]) -> str:
    return value if value in known else ""


def chips(chosen: Filter, counts: Counts, path: str, ended: Mapping[str, int] | None = None) -> list[tuple[str, str, int, bool]]:
    """The quick filters with their numbers: (url, title, count, current); ``ended`` adds the ways to end."""
    numbers = {**{show: counts.shows[show] for show in OPEN_SHOWS}, **(ended or {})}
    return [(chosen.url(path, show=show), str(SHOWS[show]), n, chosen.wanted.show == show) for show, n in numbers.items()]


def choices(chosen: Filter, hub: LeadHub) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """What can be chosen in the filter: (name, label, value, [(value, title)])."""
    process, w = hub.process, chosen.wanted
    people = sorted(((f"user:{id}", u.name) for id, u in hub.users().items()), key=lambda p: p[1])
    segments = [(s.id, f"{s.id} · {s.title}") for s in process.segments.values()]
    return [
        ("owner", _("Ответственный"), w.owner, [("none", _("Никто не взял")), *people]),
        ("segment", _("Сегмент"), w.segment, [*segments, ("none", _("Без оценки"))]),
        ("channel", _("Канал"), w.channel, [(id, str(title)) for id, title in CHANNELS.items()]),
        ("stage", _("Стадия"), w.stage, [(s.id, s.title) for s in process.stages.values()]),
    ]


def is_ended(show: str) -> bool:
    """Whether a chip shows leads that have ended."""
    return show in ENDED_SHOWS
