"""The leads of a filter as a table that a person opens: chosen columns, CSV or XLSX, recorded before it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from zoneinfo import ZoneInfo

from hub.application import LeadHub
from hub.domain.aggregate import Actor
from hub.domain.errors import Refused, sentences
from hub.domain.importing import Taking
from hub.jobs import Kind, Work
from hub.projections.lead_queries import Wanted
from hub.sheets import csvs, workbook

WHO = ("work", "account", "decide", "admin", "audit")
"""Who may take leads away as a file; one of them."""
KIND = "leads_export"
FORMATS = {"csv": csvs.MEDIA_TYPE, "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
PAGE = 1_000

sentences(
    exporting=("Собираем строки", "Collecting rows"),
    choose_columns=("Выберите хотя бы один столбец.", "Choose one column at least."),
    no_such_sheet=("Таблицу можно выгрузить как csv или xlsx.", "A table is exported as csv or xlsx."),
    nothing_to_export=("Под этот отбор не подходит ни одна заявка. Измените отбор.",
                       "No lead is in this selection. Change it."),
)


@dataclass(frozen=True)
class Names:
    """What codes are called in the file: stages, endings, channels, people; and the company's clock."""

    language: str
    stages: Mapping[str, str]
    endings: Mapping[str, str]
    reasons: Mapping[str, str]
    people: Mapping[str, str]
    zone: ZoneInfo
    site: str

    def moment(self, text: str | None) -> str:
        """A moment of a row on the company's clock, as spreadsheets sort it."""
        return f"{datetime.fromisoformat(text).astimezone(self.zone):%Y-%m-%d %H:%M}" if text else ""


Column = Callable[[Any, Names], str | int]

CHANNELS = {"website": ("Сайт", "Website"), "phone": ("Телефон", "Phone"), "email": ("Почта", "E-mail"),
            "social": ("Соцсети", "Social networks")}
COLUMNS: dict[str, tuple[tuple[str, str], Column]] = {
    "number": (("№", "No."), lambda r, n: int(r["number"])),
    "name": (("Заявка", "Lead"), lambda r, n: r["name"]),
    "about": (("О чём", "About"), lambda r, n: r["about"]),
    "company": (("Компания", "Company"), lambda r, n: r["company"]),
    "person": (("Контактное лицо", "Contact"), lambda r, n: r["person"]),
    "phones": (("Телефоны", "Phones"), lambda r, n: ", ".join(r["phones"].split())),
    "emails": (("Почта и мессенджеры", "E-mail and messengers"), lambda r, n: ", ".join(r["emails"].split())),
    "stage": (("Стадия", "Stage"), lambda r, n: n.stages.get(r["stage"], r["stage"])),
    "owner": (("Ответственный", "Owner"), lambda r, n: n.people.get(r["owner"], "")),
    "segment": (("Сегмент", "Segment"), lambda r, n: r["segment"]),
    "total": (("Оценка", "Score"), lambda r, n: r["total"] if r["total"] is not None else ""),
    "channel": (("Канал", "Channel"), lambda r, n: CHANNELS.get(r["channel"], (r["channel"],) * 2)[n.language == "en"]),
    "source": (("Источник", "Source"), lambda r, n: r["source_title"] or r["source"]),
    "received": (("Пришла", "Received"), lambda r, n: n.moment(r["received_at"])),
    "due": (("Ближайший срок", "Due"), lambda r, n: n.moment(r["due_at"])),
    "next": (("Следующий шаг", "Next step"), lambda r, n: r["next_step"]),
    "meeting": (("Встреча", "Meeting"), lambda r, n: n.moment(r["meeting_at"])),
    "tags": (("Метки", "Tags"), lambda r, n: ", ".join(r["tags"].split("\n")) if r["tags"] else ""),
    "budget": (("Бюджет", "Budget"), lambda r, n: r["budget"]),
    "amount": (("Сумма", "Amount"), lambda r, n: r["amount"]),
    "ended": (("Итог", "Outcome"), lambda r, n: n.endings.get(r["ended"], r["ended"])),
    "ended_at": (("Закрыта", "Closed"), lambda r, n: n.moment(r["ended_at"])),
    "reason": (("Причина проигрыша", "Reason of loss"), lambda r, n: n.reasons.get(r["loss_reason"], r["loss_reason"])),
    "url": (("Ссылка", "Link"), lambda r, n: f"{n.site}/leads/{r['id']}"),
}
"""What can be exported of a lead: its heading in both languages, and how it is read out of a row of the board's table."""
USUAL = ("number", "name", "company", "person", "phones", "emails", "stage", "owner", "segment", "source", "received", "next",
         "ended", "url")


def start(hub: LeadHub, wanted: Wanted, columns: Sequence[str], format: str, *, site: str, language: str, actor: Actor,
          at: datetime) -> Any:
    """Record that ``actor`` takes the leads of a filter away, and ask for the file; the job. ``site``: the hub's own address."""
    hub.allow("leads.export", None, *WHO, actor=actor, at=at)
    known = tuple(name for name in COLUMNS if name in columns)
    if not known:
        raise Refused("choose_columns", field="columns")
    if format not in FORMATS:
        raise Refused("no_such_sheet", field="format")
    count = hub.views.leads.how_many(wanted)
    if not count:
        raise Refused("nothing_to_export")
    hub.change(Taking, uuid4(), lambda one: one.take(format, count, known, chosen(wanted)), actor=actor, at=at, permissions=WHO)
    return hub.jobs.start(KIND, {"wanted": asdict(wanted), "columns": known, "format": format, "site": site, "language": language,
                                 "total": count}, actor=actor, at=at)


def chosen(wanted: Wanted) -> str:
    """The filter as its event names it: without the words that were searched for."""
    said = {key: value for key, value in asdict(wanted).items() if value and key not in ("me", "day_ends", "words")}
    return urlencode({**said, **({"q": "…"} if wanted.words else {})})


def kind(hub: LeadHub) -> Kind:
    """The long work that makes the file."""
    return Kind(KIND, ("Выгрузка заявок", "Export of leads"), lambda work: _run(hub, work), WHO, resumable=True)


def _run(hub: LeadHub, work: Work) -> None:
    given = work.parameters
    names, columns = names_of(hub, given["language"], given["site"]), [COLUMNS[name] for name in given["columns"]]
    header = [titles[given["language"] == "en"] for titles, _ in columns]
    lines = ([column(row, names) for _, column in columns] for row in _rows(hub, Wanted(**given["wanted"]), work))
    if given["format"] == "xlsx":
        data = workbook.write("Заявки" if given["language"] == "ru" else "Leads", header, lines)
    else:
        data = csvs.write(header, lines)
    work.add_file(f"заявки-{names.moment(work.asked.isoformat())[:10]}.{given['format']}", FORMATS[given["format"]], data)
    work.tell(leads=work.done)


def _rows(hub: LeadHub, wanted: Wanted, work: Work) -> Iterator[Any]:
    where, values = wanted.where()
    after, done = 0, 0
    while rows := hub.views.leads.rows(f"{where} AND number > ?", (*values, after), "number", PAGE):
        yield from rows
        after, done = rows[-1]["number"], done + len(rows)
        work.progress(done, max(work.parameters["total"], done), "exporting")


def names_of(hub: LeadHub, language: str, site: str) -> Names:
    """What codes are called now."""
    process = hub.process
    return Names(language, {id: stage.title for id, stage in process.stages.items()},
                 {id: end.title for id, end in process.endings.items()},
                 {id: reason.title for id, reason in process.loss_reasons.items()},
                 {f"user:{id}": user.name for id, user in hub.users().items()}, ZoneInfo(process.calendar.timezone), site)
