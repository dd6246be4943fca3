"""What a form of the lead card is: fields for every argument of a command, drawn, read and refused in one way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from werkzeug.datastructures import FileStorage, MultiDict

from hub.application import LeadHub
from hub.domain.aggregate import Actor
from hub.domain.errors import Refused, sentences
from hub.domain.events import FileRef
from hub.domain.process import Process
from hub.domain.state import LeadState
from hub.web import words
from hub.web.files import MAX_FILE

sentences(
    fill_in=("Заполните поле «{name}».", "Fill in “{name}”."),
    not_a_day=("Поле «{name}» — это день. Выберите его в календаре.", "“{name}” is a day. Choose it in the calendar."),
    not_a_number=("Поле «{name}» — это число, например 1250000 или 99,50.", "“{name}” is a number, such as 1250000 or 99.50."),
    file_too_large=(
        "Файл больше 10 МБ. Сожмите его или дайте ссылку в примечании.",
        "The file is larger than 10 MB. Compress it, or give a link in the note.",
    ),
)

MEMBERS = 6
"""Rows for the working group."""

Option = tuple[Any, ...]
Text: TypeAlias = "str | LazyString"


@dataclass(frozen=True)
class Ctx:
    """What a form may offer: the lead as it is, the process, colleagues, partners, and who asks."""

    hub: LeadHub
    lead: UUID
    state: LeadState
    process: Process
    names: Mapping[str, str]
    roles: Mapping[str, frozenset[str]]
    actor: Actor
    at: datetime


Options = Callable[[Ctx], list[Option]]
Initial = Callable[[Ctx], Any]


@dataclass(frozen=True)
class Field:
    """One argument of a command as a labelled question.

    ``kind`` is a kind of macros/forms.html, or one of our own: ``money`` (a sum), ``int``, ``lines`` (one a line), ``tick`` (yes
    or no), ``known`` (yes, no or not known yet), ``staff`` (ticks), ``sheet`` and ``notes`` (the score sheet), ``members`` (the
    working group), ``partners`` (ticks with names), ``partner_name`` (not asked: follows from the partner), ``upload``,
    ``uploads`` (several files), ``route`` (one of our channels and an address), ``reaches`` (all ways to reach a person; only
    asked in the card itself, see :mod:`hub.web.lead.contacts`).
    """

    name: str
    label: Text
    kind: str = "text"
    options: Options | None = None
    initial: Initial | None = None
    help: Text = ""
    required: bool = False
    empty: Text | None = None
    unit: str = ""
    rows: int = 3
    default: Any = None
    attrs: Mapping[str, Text] = field(default_factory=dict)
    settled: bool = False
    """Whether a value that the link to the form names is said rather than asked: which line of a list the form is about."""
    shown: Callable[[Ctx], tuple[str, tuple[str, ...]] | None] | None = None
    """Another field and its values with which this one matters; with other values the page's script hides it."""


@dataclass(frozen=True)
class Form:
    """A command as a page: its title, the words on its button, where it stands in the menu, and when it makes sense."""

    command: str
    title: Text
    button: Text
    group: str
    icon: str
    fields: tuple[Field, ...] = ()
    when: Callable[[LeadState], bool] = lambda s: True
    intro: Text = ""
    danger: bool = False
    preview: Callable[[Mapping[str, Any], Ctx], Any] | None = None
    """How what would leave looks; it leaves only once a person has seen exactly that (:mod:`hub.web.lead.letters`)."""
    guarded: bool = False
    """Whether a change by somebody else since the page was drawn refuses it: only where it would be overwritten unseen."""


FORMS: dict[str, Form] = {}
"""Every command's form by its name."""

GROUPS: Mapping[str, Text] = {
    "talk": _l("Общение"),
    "people": _l("Люди и компания"),
    "screening": _l("Отсев и оценка"),
    "meeting": _l("Встречи и шаги"),
    "deal": _l("Потребности и КП"),
    "follow": _l("Дожим"),
    "end": _l("Сон и завершение"),
    "after": _l("После договора"),
    "lead": _l("Карточка"),
}
"""Groups of «Ещё действия», in their order."""


def form(*args: Any, **more: Any) -> None:
    """Register a form."""
    made = Form(*args, **more)
    FORMS[made.command] = made


# ── reading what was sent ────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Sent:
    """A posted form: its texts and its files."""

    texts: MultiDict[str, str]
    files: MultiDict[str, FileStorage]

    def one(self, name: str) -> str:
        """A text without blanks around it."""
        return self.texts.get(name, "").strip()


def arguments(made: Form, sent: Sent, ctx: Ctx) -> dict[str, Any]:
    """What was sent as arguments of the command. Refused at the field that makes no sense; what is empty is left out."""
    found: dict[str, Any] = {}
    for f in made.fields:
        value = READERS.get(f.kind, _text)(f, sent, ctx)
        if value is not None:
            found[f.name] = value
    return found


def _text(f: Field, sent: Sent, ctx: Ctx) -> Any:
    said = sent.one(f.name)
    if said or (f.required and f.kind in ("text", "textarea", "email", "tel")):
        return said  # the domain says itself what is missing in a text
    if f.required:
        raise Refused("fill_in", field=f.name, name=str(f.label))
    return None


def _number(f: Field, sent: Sent, ctx: Ctx) -> Any:
    said = sent.one(f.name).replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace(",", ".")
    if not said:
        if f.required:
            raise Refused("fill_in", field=f.name, name=str(f.label))
        return None
    try:
        number = Decimal(said)
    except InvalidOperation:
        raise Refused("not_a_number", field=f.name, name=str(f.label)) from None
    if not number.is_finite():
        raise Refused("not_a_number", field=f.name, name=str(f.label))
    return number


def _whole(f: Field, sent: Sent, ctx: Ctx) -> Any:
    number = _number(f, sent, ctx)
    if number is None:
        return None
    if number != number.to_integral() or abs(number) > 10**9:
        raise Refused("not_a_number", field=f.name, name=str(f.label))
    return int(number)


def _day(f: Field, sent: Sent, ctx: Ctx) -> Any:
    said = sent.one(f.name)
    if not said:
        if f.required:
            raise Refused("fill_in", field=f.name, name=str(f.label))
        return None
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise Refused("not_a_day", field=f.name, name=str(f.label)) from None


def _moment(f: Field, sent: Sent, ctx: Ctx) -> Any:
    at = words.instant(sent.one(f.name), f.name)
    if at is None and f.required:
        raise Refused("fill_in", field=f.name, name=str(f.label))
    return at


def _lines(f: Field, sent: Sent, ctx: Ctx) -> Any:
    return tuple(line.strip() for line in sent.texts.get(f.name, "").splitlines() if line.strip())


def _ticked(f: Field, sent: Sent, ctx: Ctx) -> Any:
    return tuple(sent.texts.getlist(f.name))


def _sheet(f: Field, sent: Sent, ctx: Ctx) -> Any:
    marks = {p: sent.one(f"mark-{p}") for p in ctx.process.parameters}
    return {p: int(m) for p, m in marks.items() if m in ("-1", "0", "1")}


def _notes(f: Field, sent: Sent, ctx: Ctx) -> Any:
    return {p: said for p in ctx.process.parameters if (said := sent.one(f"note-{p}"))}


def _members(f: Field, sent: Sent, ctx: Ctx) -> Any:
    return tuple(
        zip((x.strip() for x in sent.texts.getlist("member")), (x.strip() for x in sent.texts.getlist("part")), strict=False)
    )


def _partners(f: Field, sent: Sent, ctx: Ctx) -> Any:
    known = {str(id): p.name for id, p in ctx.hub.partners().items()}
    return {id: known.get(id, "") for id in sent.texts.getlist(f.name)}


def _partner_name(f: Field, sent: Sent, ctx: Ctx) -> Any:
    return {str(id): p.name for id, p in ctx.hub.partners().items()}.get(sent.one("partner"), "")


def _upload(f: Field, sent: Sent, ctx: Ctx) -> Any:
    file = sent.files.get(f.name)
    if file is None or not file.filename:
        return None
    data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise Refused("file_too_large", field=f.name)
    digest = ctx.hub.files.put(data, ctx.state.own_subject(ctx.lead))
    return FileRef(digest, file.filename[:200], (file.mimetype or "application/octet-stream")[:100], len(data))


def _uploads(f: Field, sent: Sent, ctx: Ctx) -> Any:
    refs = []
    for file in sent.files.getlist(f.name):
        one = _upload(f, Sent(sent.texts, MultiDict([(f.name, file)])), ctx)
        refs += [one] if one is not None else []
    return tuple(refs)


def _route(f: Field, sent: Sent, ctx: Ctx) -> Any:
    way, _, rest = sent.one(f.name).partition(" ")
    account, _, to = rest.partition(" ")
    if not to:
        raise Refused("say_account", field=f.name)
    return {"way": way, "account": account, "to": to}


def _reaches(f: Field, sent: Sent, ctx: Ctx) -> Any:
    kinds, values = (sent.texts.getlist(f"{f.name}-{part}") for part in ("kind", "value"))
    if not kinds:
        return None
    return tuple({"kind": kind, "value": value.strip()} for kind, value in zip(kinds, values, strict=False) if value.strip())


def _known(f: Field, sent: Sent, ctx: Ctx) -> Any:
    return {"yes": True, "no": False}.get(sent.one(f.name))


READERS: Mapping[str, Callable[[Field, Sent, Ctx], Any]] = {
    "money": _number,
    "int": _whole,
    "date": _day,
    "datetime": _moment,
    "lines": _lines,
    "staff": _ticked,
    "sheet": _sheet,
    "notes": _notes,
    "members": _members,
    "partners": _partners,
    "partner_name": _partner_name,
    "upload": _upload,
    "known": _known,
    "route": _route,
    "reaches": _reaches,
    "uploads": _uploads,
    "tick": lambda f, sent, ctx: sent.one(f.name) == "1",
}
"""How a kind of field is read; texts and choices are texts."""


# ── drawing ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Drawn:
    """A field with its value, ready for the template."""

    field: Field
    value: Any
    error: str
    options: list[Option]
    shown: tuple[str, tuple[str, ...]] | None = None
    settled: str = ""
    """The words for a value that is not asked again."""


def draw(made: Form, ctx: Ctx, given: Mapping[str, str], sent: Sent | None = None, errors: Mapping[str, str] = {}) -> list[Drawn]:
    """The fields of a form with what is known: what was typed, else what the link gave, else what the card knows."""
    drawn = []
    for f in made.fields:
        value = (
            typed(f, sent, ctx)
            if sent is not None
            else given[f.name]
            if f.name in given
            else (f.initial(ctx) if f.initial else f.default)
        )
        if f.kind == "tick" and isinstance(value, str):
            value = value in ("1", "yes", "true")
        options = f.options(ctx) if f.options else []
        said = f.name in (given if sent is None else sent.texts.getlist("settled"))
        title = next((str(o[1]) for o in options if str(o[0]) == str(value)), "") if f.settled and said else ""
        drawn.append(Drawn(f, value, errors.get(f.name, ""), options, f.shown(ctx) if f.shown else None, title))
    return drawn


def typed(f: Field, sent: Sent, ctx: Ctx) -> Any:
    """What was typed into a field, as it was typed."""
    if f.kind in ("staff", "partners", "checkboxes"):
        return sent.texts.getlist(f.name)
    if f.kind == "sheet":
        return _sheet(f, sent, ctx)
    if f.kind == "notes":
        return _notes(f, sent, ctx)
    if f.kind == "members":
        return _members(f, sent, ctx)
    return sent.texts.get(f.name, "")
