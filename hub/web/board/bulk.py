"""Several leads at once: assign, move, tag. What would happen to each is shown first, refusals included; then each is done by
itself, and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound, Refused, sentences
from hub.web.board.answers import acted
from hub.web.board.foresight import foresee
from hub.web.desk import me, needs, now, settle, the_hub
from hub.web.errors import status_of
from hub.web.frame import language, the_process
from hub.web.lead.blueprint import by_htmx

bp = Blueprint("bulk", __name__)

MOST = 100

sentences(
    no_leads_picked=("Сначала отметьте заявки: галочкой или клавишей X.", "Pick leads first: by their boxes or with the key X."),
    too_many_picked=("За раз можно изменить {most} заявок, отмечено {given}. Снимите часть отметок.",
                     "{most} leads can be changed at once, {given} are picked. Clear some of them."),
    no_such_act=("Такого действия нет. Выберите: назначить, перевести, метка.",
                 "There is no such act. Choose: assign, move, tag."),
    say_choice=("Выберите, что сделать: поле пустое.", "Choose what to do: the field is empty."),
)


@dataclass(frozen=True)
class Act:
    """What is done to several leads: the command, the field that it asks, the words on its button (``%(n)s``: how many)."""

    command: str
    field: str
    title: LazyString
    more: tuple[str, ...] = ()


ACTS = {
    "assign": Act("reassign", "owner", _l("Назначить ответственного"), ("why",)),
    "move": Act("move", "to", _l("Перевести")),
    "tag": Act("tag", "tag", _l("Поставить метку")),
    "untag": Act("untag", "tag", _l("Снять метку")),
}


@dataclass(frozen=True)
class Row:
    """A lead of the selection: what would happen or has happened to it, or why nothing does."""

    id: UUID
    number: int
    name: str
    url: str
    text: str
    ok: bool
    version: int = 0
    seen: bool = False
    """Whether this text is a result rather than a look ahead."""


def _picked() -> list[UUID]:
    found = []
    for text in dict.fromkeys(filter(None, ",".join(request.form.getlist("lead")).split(","))):
        try:
            found.append(UUID(text))
        except ValueError:
            raise NotFound("no_such_lead") from None
    if not found:
        raise Refused("no_leads_picked")
    if len(found) > MOST:
        raise Refused("too_many_picked", most=MOST, given=len(found))
    return found


def _act() -> tuple[str, Act]:
    name = request.form.get("act", "")
    if name not in ACTS:
        raise Refused("no_such_act", field="act")
    return name, ACTS[name]


def _arguments(act: Act) -> dict[str, str]:
    """What was chosen; empty where nothing is yet."""
    value = request.form.get(act.field, "").strip()
    return {act.field: value, **{name: request.form.get(name, "").strip() for name in act.more}} if value else {}


def _rows(leads: Sequence[UUID]) -> list[Any]:
    """Rows of the leads, in the order in which they were picked."""
    found = {UUID(row["id"]): row for row in the_hub().views.leads.some(leads)}
    return [found[lead] for lead in leads if lead in found]


def _look(row: Any, act: Act, arguments: Mapping[str, str]) -> Row:
    """What would happen to one lead."""
    lead = UUID(row["id"])
    try:
        text, version = foresee(lead, act.command, arguments)
    except Refused as refused:
        return Row(lead, row["number"], row["name"], f"/leads/{lead}", refused.say(language()), False)
    return Row(lead, row["number"], row["name"], f"/leads/{lead}", text, True, version)


@bp.post("/board/bulk")
@needs("work", "decide", "intake", "account")
def bulk() -> Response:
    """Ask what to do, show what would happen to each, and with ``step`` = ``do`` do it."""
    try:
        leads, (name, act) = _picked(), _act()
        arguments = _arguments(act)
        if request.form.get("step") == "do":
            return _do(leads, name, act, arguments)
    except Refused as refused:
        return _refused(refused)
    rows = [_look(row, act, arguments) for row in _rows(leads)] if arguments else []
    return _page(name, act, leads, arguments, rows)


def _do(leads: Sequence[UUID], name: str, act: Act, arguments: Mapping[str, str]) -> Response:
    """Do it to each lead that was shown as possible; one that has changed since says so and stays as it is."""
    if not arguments:
        raise Refused("say_choice", field=act.field)
    versions = dict(pair.split(":", 1) for pair in request.form.getlist("seen") if ":" in pair)
    hub, position, results = the_hub(), 0, []
    for row in _rows(leads):
        lead = UUID(row["id"])
        seen = versions.get(str(lead), "")
        if not (seen.isascii() and seen.isdigit() and len(seen) < 10):
            continue
        try:
            given = hub.do(lead, act.command, arguments, actor=me().actor, at=now(), expected=int(seen))
        except Refused as refused:
            results.append(Row(lead, row["number"], row["name"], f"/leads/{lead}", refused.say(language()), False, seen=True))
            continue
        position = max(position, given.position)
        results.append(Row(lead, row["number"], row["name"], f"/leads/{lead}", _("Готово"), True, seen=True))
    if position:
        settle(position)
    fine = [row for row in results if row.ok]
    text = _("Готово: %(n)s из %(all)s.", n=len(fine), all=len(results))
    page = _page(name, act, leads, arguments, results, done=True)
    undo = [str(row.id) for row in fine] if name == "move" else []
    return acted(page, text, "ok" if len(fine) == len(results) else "bad", undo=undo) if by_htmx() else page


def _page(name: str, act: Act, leads: Sequence[UUID], arguments: Mapping[str, str], rows: Sequence[Row], *,
          done: bool = False) -> Response:
    hub = the_hub()
    process = the_process()
    people = sorted(((f"user:{id}", u.name) for id, u in hub.users().items()
                     if not u.disabled and "work" in process.permissions(frozenset(u.roles))), key=lambda p: p[1])
    options = {"assign": people, "move": [(s.id, s.title) for s in process.stages.values()],
               "untag": [(tag, tag) for tag in sorted({tag for row in _rows(leads) for tag in row["tags"].split("\n") if tag})]}
    return make_response(render_template(
        "board/_bulk.html" if by_htmx() else "board/bulk.html", name=name, act=act, leads=leads, arguments=arguments, rows=rows,
        options=options.get(name, []), known=hub.views.leads.tags() if name == "tag" else [], done=done,
        able=sum(row.ok for row in rows), query=request.form.get("query", ""), place=request.form.get("place", "board")))


def _refused(refused: Refused) -> Response:
    sentence = refused.say(language())
    if by_htmx():
        return acted(Response("", 204), sentence, "bad")
    flash(sentence, "bad")
    return redirect("/leads" if request.form.get("place") == "list" else "/", 303)


@bp.post("/board/undo")
@needs("work", "decide", "intake", "account")
def undo() -> Response:
    """Take back the moves that were just made, each where nothing has happened since (R0)."""
    try:
        leads = _picked()
    except Refused as refused:
        return _refused(refused)
    position, faults = 0, []
    for lead in leads:
        try:
            position = max(position, the_hub().do(lead, "undo_move", {}, actor=me().actor, at=now()).position)
        except Refused as refused:
            faults.append(refused)
    if position:
        settle(position)
    text = faults[0].say(language()) if faults else _("Перевод отменён.")
    if len(leads) > 1:
        text = _("Отменено: %(n)s из %(all)s.", n=len(leads) - len(faults), all=len(leads)) + (f" {text}" if faults else "")
    if by_htmx():
        return acted(Response("", status_of(faults[0]) if faults else 204), text, "bad" if faults else "ok", done=True)
    flash(text, "bad" if faults else "ok")
    return redirect("/", 303)
