"""Saved views of the board and the list, and how each person has their list: beside the log, in tables of their own.

A view is an address: filter, sort, board or list. It keeps no words of a search, because those may name a client, and nothing
here is encrypted or erased with them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4

from flask import Blueprint, current_app, flash, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import NotAllowed, NotFound, Refused, sentences
from hub.store.base import EventStore
from hub.web.board.columns import COLUMNS, chosen
from hub.web.board.filter import Filter, read_filter
from hub.web.desk import may, me, now, signed_in, the_hub
from hub.web.frame import language

bp = Blueprint("saved", __name__)

PLACES = {"board": "/", "list": "/leads"}
LONGEST_NAME = 60
MOST = 30
"""Views of one person; shared ones of a head count among theirs."""

TABLES = """
CREATE TABLE IF NOT EXISTS saved_views (
    id TEXT PRIMARY KEY, "user" TEXT NOT NULL, shared INTEGER NOT NULL, name TEXT NOT NULL, place TEXT NOT NULL,
    query TEXT NOT NULL, made TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS saved_views_by_user ON saved_views ("user", name);
CREATE INDEX IF NOT EXISTS saved_views_shared ON saved_views (shared, name);
CREATE TABLE IF NOT EXISTS list_looks (
    "user" TEXT PRIMARY KEY, first_view TEXT NOT NULL, columns TEXT NOT NULL, dense INTEGER NOT NULL) WITHOUT ROWID;
"""

sentences(
    say_view_name=("Назовите вид, например «Мои горячие».", "Name the view, such as “My hot leads”."),
    view_name_long=("Название длиннее {most} знаков. Сократите его.", "The name is longer than {most} characters. Shorten it."),
    no_such_view=("Такого вида уже нет. Обновите страницу.", "There is no such view any more. Reload the page."),
    view_not_yours=("Этот вид общий: его меняет тот, кто его сохранил, или руководитель. Сохраните свой.",
                    "This view is shared: who saved it or the head changes it. Save one of your own."),
    only_head_shares=("Общие виды сохраняет руководитель. Снимите отметку «для всех», и вид останется вашим.",
                      "The head saves shared views. Clear “for everybody”, and the view is your own."),
    too_many_views=("У вас уже {most} видов. Удалите ненужный.",
                    "You have {most} views already. Delete one that you do not need."),
)


@dataclass(frozen=True)
class View:
    """A saved view. ``place`` is ``board`` or ``list``; ``query`` what its address says."""

    id: str
    user: str
    shared: bool
    name: str
    place: str
    query: str

    @property
    def url(self) -> str:
        """Where it leads."""
        return f"{PLACES[self.place]}?{self.query or 'show=all'}"

    @classmethod
    def of(cls, row: Any) -> Self:
        """A row of the table."""
        return cls(row["id"], row["user"], bool(row["shared"]), row["name"], row["place"], row["query"])


@dataclass(frozen=True)
class Look:
    """How a person has their list. ``first`` is the id of the view that the board begins with, empty for the whole board."""

    first: str = ""
    columns: tuple[str, ...] = COLUMNS
    dense: bool = False


class SavedViews:
    """The tables and what is done with them. Call :meth:`prepare` once at start."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self.store.make_tables(TABLES)

    def of(self, user: UUID) -> list[View]:
        """A person's own views, then those that are shared with everybody, by name."""
        with self.store.reading() as c:
            own = c.execute('SELECT * FROM saved_views WHERE "user" = ? AND shared = 0 ORDER BY name', (user.hex,)).fetchall()
            shared = c.execute("SELECT * FROM saved_views WHERE shared = 1 ORDER BY name").fetchall()
        return [View.of(row) for row in (*own, *shared)]

    def one(self, id: str) -> View | None:
        """A view by its id."""
        with self.store.reading() as c:
            row = c.execute("SELECT * FROM saved_views WHERE id = ?", (id,)).fetchone()
        return View.of(row) if row else None

    def save(self, user: UUID, name: str, place: str, query: str, *, shared: bool, at: datetime) -> str:
        """Keep a view and return its id. One of the same name and kind, own or shared, is replaced."""
        with self.store.writing() as c:
            same = c.execute('SELECT id FROM saved_views WHERE "user" = ? AND shared = ? AND name = ?',
                             (user.hex, int(shared), name)).fetchone()
            count = c.execute('SELECT COUNT(*) AS n FROM saved_views WHERE "user" = ?', (user.hex,)).fetchone()["n"]
            if same is None and count >= MOST:
                raise Refused("too_many_views", field="name", most=MOST)
            id = same["id"] if same else uuid4().hex
            c.execute("INSERT INTO saved_views VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                      "place = excluded.place, query = excluded.query",
                      (id, user.hex, int(shared), name, place, query, at.isoformat()))
        return str(id)

    def remove(self, id: str) -> None:
        """Delete a view; who began with it begins with the whole board."""
        with self.store.writing() as c:
            c.execute("DELETE FROM saved_views WHERE id = ?", (id,))
            c.execute("UPDATE list_looks SET first_view = '' WHERE first_view = ?", (id,))

    def look(self, user: UUID) -> Look:
        """How a person has their list."""
        with self.store.reading() as c:
            row = c.execute('SELECT * FROM list_looks WHERE "user" = ?', (user.hex,)).fetchone()
        return Look(row["first_view"], chosen(row["columns"].split()) or COLUMNS, bool(row["dense"])) if row else Look()

    def keep(self, user: UUID, look: Look) -> None:
        """Remember it."""
        with self.store.writing() as c:
            c.execute('INSERT INTO list_looks VALUES (?, ?, ?, ?) ON CONFLICT ("user") DO UPDATE SET '
                      "first_view = excluded.first_view, columns = excluded.columns, dense = excluded.dense",
                      (user.hex, look.first, " ".join(look.columns), int(look.dense)))


def the_views() -> SavedViews:
    """The saved views of this hub."""
    found: SavedViews = current_app.extensions["saved views"]
    return found


def shown(filter: Filter, place: str) -> dict[str, Any]:
    """What the menu of views takes: the views with their addresses, which one this page is, and what a new one would keep."""
    query = query_of(filter, place)
    views, first = the_views().of(me().stream), the_views().look(me().stream).first
    mine = me().stream.hex
    return {"views": [(view, view.query == query and view.place == place, view.id == first,
                       view.user == mine or (view.shared and may("decide"))) for view in views],
            "view_query": query, "view_place": place, "may_share": may("decide")}


def query_of(filter: Filter, place: str) -> str:
    """What a view keeps of a page's filter: no words, no page."""
    return replace(filter, stay=False).url(PLACES[place], q="").partition("?")[2]


def first_url() -> str | None:
    """Where a person's board begins, where they chose a view; None for the whole board."""
    id = the_views().look(me().stream).first
    view = the_views().one(id) if id else None
    return view.url if view is not None and (view.shared or view.user == me().stream.hex) else None


def _view(id: str) -> View:
    """A view that the person may change."""
    view = the_views().one(id)
    if view is None or not (view.shared or view.user == me().stream.hex):
        raise NotFound("no_such_view")
    if view.user != me().stream.hex and not may("decide"):
        raise NotAllowed("view_not_yours")
    return view


@bp.post("/views")
@signed_in
def save() -> Response:
    """Keep the filter, the sort and the place of a page under a name."""
    name, place = " ".join(request.form.get("name", "").split()), request.form.get("place", "")
    place = place if place in PLACES else "board"
    shared = request.form.get("shared") == "1"
    back = _back(place)
    try:
        if not name:
            raise Refused("say_view_name", field="name")
        if len(name) > LONGEST_NAME:
            raise Refused("view_name_long", field="name", most=LONGEST_NAME)
        if shared and not may("decide"):
            raise NotAllowed("only_head_shares", field="shared")
        id = the_views().save(me().stream, name, place, query_of(_said(), place), shared=shared, at=now())
    except Refused as refused:
        flash(refused.say(language()), "bad")
        return redirect(back, 303)
    if request.form.get("first") == "1":
        _begin_with(id)
    flash(_("Вид «%(name)s» сохранён.", name=name), "ok")
    return redirect(back, 303)


def _said() -> Filter:
    said = dict(parse_qsl(request.form.get("query", "")))
    return read_filter(said, the_hub(), me().id, now())


def _back(place: str) -> str:
    return _said().url(PLACES[place]) if request.form.get("query") else f"{PLACES[place]}?{urlencode({'show': 'all'})}"


@bp.post("/views/<id>/remove")
@signed_in
def remove(id: str) -> Response:
    """Delete a view: one's own, or as head a shared one."""
    view = _view(id)
    the_views().remove(view.id)
    flash(_("Вид «%(name)s» удалён.", name=view.name), "ok")
    return redirect(f"{PLACES[view.place]}?show=all", 303)


@bp.post("/views/<id>/first")
@signed_in
def begin(id: str) -> Response:
    """Begin with this view from now on; ``none`` begins with the whole board."""
    view = the_views().one(id)
    if id != "none" and (view is None or not (view.shared or view.user == me().stream.hex)):
        raise NotFound("no_such_view")
    _begin_with(view.id if view else "")
    flash(_("Доска теперь открывается видом «%(name)s».", name=view.name) if view else _("Доска открывается целиком."), "ok")
    return redirect(view.url if view else "/", 303)


def _begin_with(id: str) -> None:
    look = the_views().look(me().stream)
    the_views().keep(me().stream, Look(id, look.columns, look.dense))


@bp.post("/leads/look")
@signed_in
def look() -> Response:
    """Choose the columns of one's list and how close its rows stand."""
    columns = chosen(request.form.getlist("column")) or COLUMNS
    the_views().keep(me().stream, Look(the_views().look(me().stream).first, columns, request.form.get("dense") == "1"))
    return redirect(_back("list"), 303)
