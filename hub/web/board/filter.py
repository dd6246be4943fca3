"""Which leads the board and the list show. The filter lives in the address, so that both share it and it can be sent on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.application import LeadHub
from hub.domain.lead.board import LONGEST_TAG
from hub.domain.process import Process
from hub.projections.lead_queries import ASLEEP, ENDED_SHOWS, OPEN_SHOWS, SORTS, Counts, Wanted
from hub.projections.lead_tasks import iso
from hub.web.frame import the_process

CHANNELS = {"website": _l("Сайт"), "phone": _l("Телефон"), "email": _l("Почта"), "social": _l("Соцсети")}
SHOWS = {
    "all": _l("Все"), "mine": _l("Мои"), "no_step": _l("Без следующего шага"), "today": _l("Сгорают сегодня"),
    "deferrals": _l("2+ отсрочки"), "asleep": _l("Отложенные"), "won": _l("Договоры"), "lost": _l("Проиграны"),
    "refused": _l("Отказали"),
}
KEYS = ("show", "owner", "segment", "channel", "stage", "tag", "q")
BOARD_KEYS = (*KEYS, "wide")
LIST_KEYS = (*KEYS, "sort", "page", "after", "before")
WORDS = 200
"""The longest text of a search."""
IN_COLUMN = 25
"""The most cards of a column at first; «ещё N» shows as many more."""
WIDEST = 200
"""The most cards of a column that was widened; the rest is in the list."""


@dataclass(frozen=True)
class Filter:
    """What the address says, with everything unknown left out."""

    wanted: Wanted
    sort: str = ""
    page: int = 1
    after: int = 0
    before: int = 0
    wide: Mapping[str, int] = field(default_factory=dict)
    stay: bool = False
    """Whether an address without any filter says so: its person has a view of their own to begin with."""

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
                                        "stage": w.stage, "tag": w.tag, "q": w.words, "sort": self.sort, **changes}
        usual = {"show": "all", "page": 1, "after": 0, "before": 0}
        known = LIST_KEYS if path.startswith("/leads") else BOARD_KEYS
        said = {k: v for k, v in values.items() if v != usual.get(k, "") and k in known}
        if not said and self.stay and path in ("/", "/leads"):
            said = {"show": "all"}
        return f"{path}?{urlencode(said)}" if said else path

    @property
    def narrowed(self) -> int:
        """How many filters beside the chips are set."""
        w = self.wanted
        return sum(bool(v) for v in (w.owner, w.segment, w.channel, w.stage, w.tag, w.words))

    @property
    def wide_text(self) -> str:
        """How many cards the columns show that show more than usual, as the address says it."""
        return ",".join(f"{place}.{n}" for place, n in sorted(self.wide.items()))

    def wider(self, place: str, by: int) -> str:
        """The same with ``by`` cards more in one column."""
        more = {**self.wide, place: self.wide.get(place, by) + by}
        return replace(self, wide=more).wide_text


def day_end(process: Process, now: datetime, days: int = 1) -> datetime:
    """The midnight that ends the company's day of ``now``; with ``days`` above 1 that of a later one."""
    zone = ZoneInfo(process.calendar.timezone)
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=days), time(), zone).astimezone(UTC)


def read_filter(args: Mapping[str, str], hub: LeadHub, me: str, now: datetime) -> Filter:
    """The filter of an address; what makes no sense in it is as if it was not there."""
    process = the_process()
    owners = {"none", *(f"user:{id}" for id in hub.users())}
    show, sort = args.get("show", "all"), args.get("sort", "")
    wanted = Wanted(
        show=show if show in SHOWS else "all",
        owner=_one_of(args.get("owner", ""), owners),
        segment=_one_of(args.get("segment", ""), {"none", *process.segments}),
        channel=_one_of(args.get("channel", ""), set(CHANNELS)),
        stage=_one_of(args.get("stage", ""), set(process.stages)),
        words=args.get("q", "").strip()[:WORDS], tag=" ".join(args.get("tag", "").lower().split())[:LONGEST_TAG], me=me,
        day_ends=iso(day_end(process, now)))
    return Filter(wanted, sort if sort.lstrip("-") in SORTS else "", _number(args.get("page", "")) or 1,
                  _number(args.get("after", "")), _number(args.get("before", "")), _wide(args.get("wide", ""), process))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _wide(text: str, process: Process) -> dict[str, int]:
    found = {}
    for part in text.split(",")[:len(process.stages) + 1]:
        place, _, n = part.partition(".")
        if place in (*process.stages, ASLEEP) and IN_COLUMN < _number(n) <= WIDEST:
            found[place] = _number(n)
    return found


def _one_of(value: str, known: set[str]) -> str:
    return value if value in known else ""


def chips(chosen: Filter, counts: Counts, path: str, ended: Mapping[str, int] | None = None) -> list[tuple[str, str, int, bool]]:
    """The quick filters with their numbers: (url, title, count, current); ``ended`` adds the ways to end."""
    numbers = {**{show: counts.shows[show] for show in OPEN_SHOWS}, **(ended or {})}
    return [(chosen.url(path, show=show), str(SHOWS[show]), n, chosen.wanted.show == show) for show, n in numbers.items()]


def choices(chosen: Filter, hub: LeadHub) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """What can be chosen in the filter: (name, label, value, [(value, title)])."""
    process, w = the_process(), chosen.wanted
    people = sorted(((f"user:{id}", u.name) for id, u in hub.users().items()), key=lambda p: p[1])
    segments = [(s.id, f"{s.id} · {s.title}") for s in process.segments.values()]
    tags = sorted({*hub.views.leads.tags(), *([w.tag] if w.tag else [])})
    found = [
        ("owner", _("Ответственный"), w.owner, [("none", _("Никто не взял")), *people]),
        ("segment", _("Сегмент"), w.segment, [*segments, ("none", _("Без оценки"))]),
        ("channel", _("Канал"), w.channel, [(id, str(title)) for id, title in CHANNELS.items()]),
        ("stage", _("Стадия"), w.stage, [(s.id, s.title) for s in process.stages.values()]),
    ]
    return [*found, ("tag", _("Метка"), w.tag, [(tag, tag) for tag in tags])] if tags else found


def is_ended(show: str) -> bool:
    """Whether a chip shows leads that have ended."""
    return show in ENDED_SHOWS
