"""«Почему?»: for every value of a card the event that set it, whose doing it was, and the rule of that day, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from hub.domain.event import Event
from hub.domain.replay import origins, values
from hub.domain.why import DeadlineWhy, MoveWhy, ScoreWhy, why
from hub.web import words
from hub.web.desk import the_hub
from hub.web.frame import in_words
from hub.web.lead import words as w
from hub.web.lead.past_words import GROUPS, Reader, group_of, shown
from hub.web.lead.story import Entry, Teller, story
from hub.web.lead.view import Card


@dataclass(frozen=True)
class Source:
    """The event behind a value. ``steps`` are the rule at work, in sentences; ``version`` is the process version, 0 for none."""

    number: int
    title: str
    text: str
    who: str
    at: datetime
    recorded_at: datetime | None
    version: int
    rule: str
    steps: list[str]


@dataclass(frozen=True)
class Row:
    """A value with what is behind it."""

    key: str
    group: str
    label: str
    value: str
    source: Source


@dataclass(frozen=True)
class Section:
    """Values of one part of the card."""

    id: str
    title: str
    rows: list[Row]

    @property
    def sources(self) -> list[tuple[Source, list[Row]]]:
        """The values by the event that set them, in the order of the values."""
        found: dict[int, tuple[Source, list[Row]]] = {}
        for row in self.rows:
            found.setdefault(row.source.number, (row.source, []))[1].append(row)
        return list(found.values())


class Sources:
    """The events of a card by what they say and why; each is told once, however many values it set."""

    def __init__(self, events: list[Event], teller: Teller) -> None:
        self.teller = teller
        self._entries: dict[int, Entry] = {entry.number: entry for entry in story(events, teller)[0]}
        self._told: dict[int, Source] = {}

    def of(self, event: Event) -> Source:
        """What is behind an event."""
        number = event.originator_version
        if number not in self._told:
            entry = self._entries[number]
            rule, steps = steps_of(event, self.teller)
            self._told[number] = Source(number, entry.title, words.personal(entry.text), entry.who, event.at, event.recorded_at,
                                        event.process_version, rule, steps)
        return self._told[number]


def sections(card: Card, group: str = "") -> list[Section]:
    """Every value that the card shows, by its parts; only those of ``group`` where it is named."""
    reader = Reader(card.s, card.process, card.teller)
    sources, behind = Sources(card.events, card.teller), origins(card.events)
    found: dict[str, list[Row]] = {}
    for key, value in values(card.s).items():
        part = group_of(key)
        if key in behind and shown(key) and group in ("", part) and (said := reader.said(key, value)):
            found.setdefault(part, []).append(Row(key, part, reader.label(key), said, sources.of(behind[key])))
    return [Section(id, str(title), found[id]) for id, title in GROUPS.items() if id in found]


def steps_of(event: Event, teller: Teller) -> tuple[str, list[str]]:
    """The rule behind an event and how it worked, in sentences."""
    process = in_words(the_hub().process_of_day(event.process_version or 1))
    found = why(event, process)
    if found.score is not None:
        return found.rule, _score(found.score, teller)
    if found.deadline is not None:
        return found.rule, _deadline(found.deadline)
    if found.move is not None:
        return found.rule, _move(found.move, found.rule, teller)
    return found.rule, []


def _score(score: ScoreWhy, teller: Teller) -> list[str]:
    marks = list(score.marks.values())
    plus, zero, minus = marks.count(1), marks.count(0), marks.count(-1)
    said = [str(_("Лист: плюсов %(plus)s, нулей %(zero)s, минусов %(minus)s, сумма %(total)s.", plus=plus, zero=zero, minus=minus,
                  total=signed(score.total)))]
    if score.low is not None and score.high is not None:
        said.append(str(_("Сегмент %(id)s «%(title)s»: от %(low)s до %(high)s.", id=score.segment, title=score.title,
                          low=signed(score.low), high=signed(score.high))))
    path = [str(_("отказ"))] if score.refuse else [score.advice] if score.advice else []
    if score.worked_by:
        roles = teller.process.roles
        path.append(str(_("ведёт %(who)s", who=", ".join(w.titled(roles, r).lower() for r in score.worked_by))))
    if score.head_joins:
        path.append(str(_("в КП участвует РОП: балл выше %(n)s", n=score.head_above)))
    return [*said, *([str(_("Путь: %(path)s.", path="; ".join(path)))] if path else [])]


def signed(number: int) -> str:
    """A mark or a total with its sign."""
    return f"{number:+d}".replace("-", "−") if number else "0"


UNITS = {"minutes": ("минута", "минуты", "минут"), "hours": ("час", "часа", "часов"), "days": ("день", "дня", "дней")}


def _deadline(due: DeadlineWhy) -> list[str]:
    if not due.counted:
        return [str(_("Срок условлен: его назвали, а не отсчитали по файлу процесса."))]
    if due.unit == "working_days":
        length = str(_("до конца %(n)s-го рабочего дня", n=due.length) if due.length else _("до конца рабочего дня"))
    else:
        length = words.plural(due.length or 0, *UNITS[due.unit])
    said = [str(_("%(what)s: %(length)s от %(start)s.", what=due.title, length=length, start=words.moment(due.start)))]
    if due.clock == "working":
        said.append(str(_("Рабочий календарь: %(opens)s–%(closes)s, %(zone)s, без выходных.", opens=due.opens, closes=due.closes,
                          zone=due.timezone)))
    else:
        said.append(str(_("Обычные часы: идут и ночью, и в выходные.")))
    return [*said, str(_("Получается %(at)s.", at=words.moment(due.due_at)))]


def _move(move: MoveWhy, rule: str, teller: Teller) -> list[str]:
    if not move.source:
        return [str(_("С этой стадии начинается каждая карточка."))]
    said = [str(_("Перевёл хаб: %(why)s.", why=w.why(rule)) if move.by_rule else _("Перевёл человек."))]
    if move.requires:
        said.append(str(_("Условия перехода: %(guards)s.", guards=", ".join(w.said(w.GUARDS, g) for g in move.requires))))
    return said
