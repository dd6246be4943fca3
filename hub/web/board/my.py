"""My day: what one person has to do, in the order in which it is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain.process import Process
from hub.projections.lead_tasks import FAR, HEAD, iso
from hub.web.board.cards import Deadline, due_title, lead_url, local_time, state_of, what_is_due, when
from hub.web.board.filter import day_end
from hub.web.desk import may, me, now, signed_in, the_hub
from hub.web.frame import the_process
from hub.web.lead.words import OFFERS, PURPOSES, check_title, said, titled

bp = Blueprint("my", __name__)

MOST_LINES = 20
"""Lines of a section; its footer leads to all of them."""
MOST_CHECKS = 20
MOST_LATE = 10
MOST_CLIENTS = 20
BUTTONS = {
    "outcome": _l("Записать итог"), "reply": _l("Ответить"), "call_back": _l("Перезвонить"), "scoring": _l("Оценить"),
    "ping": _l("Связаться"), "refusal_letter": _l("Написать отказ"), "screening": _l("Провести отсев"),
    "hand_over": _l("Передать"), "head_part": _l("Внести вклад"), "head_opinion": _l("Дать мнение"), "contact": _l("Связаться"),
    "next_step": _l("Назначить шаг"), "offer": _l("Взять"),
}
"""What the button of a line says; it leads to the card, where the work is done. Others say «Открыть»."""
ICONS = {
    "next_step": "list-todo", "reply": "message-square-text", "call_back": "phone", "scoring": "gauge", "screening": "phone",
    "contact": "phone", "refusal_letter": "mail", "ping": "phone", "head_opinion": "crown", "head_part": "crown",
    "wake": "moon-star", "return": "alarm-clock", "promise": "file-text", "hand_over": "handshake", "outcome": "list-checks",
    "offer": "user-plus", "check": "list-checks", "request": "clipboard-list", "meeting": "calendar-days",
}


@dataclass(frozen=True)
class Line:
    """One thing to do. ``take``: its button takes the lead; else it leads to the card."""

    what: str
    text: str
    at: datetime | None
    state: str
    since: datetime | None
    lead: str
    url: str
    name: str
    number: int
    segment: str
    total: int | None
    person: str
    local: str
    button: str
    icon: str
    take: bool = False
    test: bool = False
    owner: str = ""

    @property
    def deadline(self) -> Deadline | None:
        """For the macro ``due``."""
        return Deadline("", self.at, self.state, self.since) if self.at else None


@dataclass(frozen=True)
class Section:
    """A heading with its lines; ``more`` says how many are not shown and where they are."""

    id: str
    title: str
    icon: str
    lines: list[Line]
    tone: str = ""
    more: tuple[int, str] = (0, "")


@bp.get("/my")
@signed_in
def my_day() -> str:
    """The page of the person who is signed in."""
    process = the_process()
    decide, department = head_sections(process)
    sections = [decide, *my_sections(process), department]
    urgent = any(s.id in ("late", "offered", "today", "returns", "decide", "meetings") and s.lines for s in sections)
    return render_template("board/my.html", sections=[s for s in sections if s.lines], urgent=urgent,
                           coming=None if urgent else _coming(process), clients=_clients(), stages=process.stages)


def my_sections(process: Process) -> list[Section]:
    """What is mine, in the order of doing it."""
    tasks = the_hub().views.leads.tasks
    today, tomorrow = day_end(process, now()), day_end(process, now(), 2)
    groups: dict[str, list[Any]] = {}
    for row in (*tasks.of([me().id], before=now()), *tasks.of([me().id], after=now(), before=tomorrow)):
        groups.setdefault(_group(row, now(), today), []).append(row)
    groups["offered"] = tasks.of([me().id], kind="offer")
    groups["requests"] = tasks.of([me().id], after=tomorrow, kind="request")
    groups["checks"] = tasks.of([me().id], kind="check", limit=MOST_CHECKS)
    heads = (("late", _("Просрочено"), "triangle-alert", "bad"), ("offered", _("Предложено вам"), "user-plus", ""),
             ("today", _("Срок сегодня"), "timer", ""), ("meetings", _("Встречи сегодня"), "calendar-days", ""),
             ("returns", _("Пора вернуться"), "alarm-clock", ""), ("meetings_tomorrow", _("Встречи завтра"), "calendar-days", ""),
             ("tomorrow", _("Завтра"), "clock", ""), ("requests", _("Просьбы клиентов, срок позже"), "clipboard-list", ""),
             ("checks", _("Ваши пункты чек-листов"), "list-checks", ""))
    return [_section(id, title, icon, groups.get(id, []), process, tone) for id, title, icon, tone in heads]


def _section(id: str, title: str, icon: str, rows: list[Any], process: Process, tone: str = "") -> Section:
    """The first lines of a section; all of them on the page that its footer leads to."""
    shown = rows if request.args.get("all") == id else rows[:MOST_LINES]
    return Section(id, title, icon, [line(row, process) for row in shown], tone, (len(rows) - len(shown), f"/my?all={id}#{id}"))


def _group(row: Any, at: datetime, today: datetime) -> str:
    """The section of a task; an empty text for what is not to be shown, or shown elsewhere."""
    kind, due, since = row["kind"], datetime.fromisoformat(row["at"]), row["since"]
    if kind == "meeting":
        over = datetime.fromisoformat(since) <= at
        return "" if over else "meetings" if due < today else "meetings_tomorrow"
    if kind == "offer" or (kind == "outcome" and datetime.fromisoformat(since) > at):
        return ""
    if due <= at:
        return "late"
    if kind == "return":
        return "returns"
    return "today" if due < today else "tomorrow"


def line(row: Any, process: Process) -> Line:
    """A task as a line of the page."""
    kind, at = row["kind"], None if row["at"] == FAR else datetime.fromisoformat(row["at"])
    since = datetime.fromisoformat(row["since"]) if row["since"] and row["since"] != FAR else None
    counted = kind not in ("meeting", "check")
    button = str(BUTTONS.get(kind, _("Открыть")))
    if kind == "next_step" and row["text"]:
        button = _("Открыть")
    return Line(
        what=_what(kind, row, process), text=row["text"], at=at, state=state_of(at, since, now()) if at and counted else "",
        since=since if counted and kind != "outcome" else None, button=button, icon=ICONS.get(kind, "timer"),
        take=kind == "offer" and may("work"), **_about(row))


def _about(row: Any) -> dict[str, Any]:
    """The lead that a line is about."""
    return {"lead": str(UUID(row["id"])), "url": lead_url(row["id"]), "name": row["name"], "number": row["number"],
            "segment": row["segment"], "total": row["total"], "person": row["person"],
            "local": local_time(row["timezone"], now()), "test": bool(row["test"])}


def _what(kind: str, row: Any, process: Process) -> str:
    """What is to be done, in words."""
    detail = row["detail"]
    if kind == "meeting":
        return said(PURPOSES, detail)
    if kind == "outcome":
        purpose = said(PURPOSES, detail)
        return f"{due_title(kind, process)}: {purpose[:1].lower()}{purpose[1:]}"
    if kind == "offer":
        return str(_("Взять в работу: %(why)s", why=said(OFFERS, detail)))
    if kind == "check":
        checklist, _dot, item = detail.partition(".")
        return ": ".join(check_title(checklist, item, process))
    if kind == "request":
        return str(_("Просьба: %(what)s", what=titled(process.requests, detail)))
    if kind == "head_part":
        return str(_("Принять участие в КП"))
    if kind == "next_step" and row["text"]:
        return str(_("Следующий шаг"))
    return due_title(kind, process)


def head_sections(process: Process) -> tuple[Section, Section]:
    """For the head of sales: what waits for a decision, and what the department is late with; both empty for others."""
    if not may("decide"):
        return Section("decide", "", "", []), Section("department", "", "", [])
    leads = the_hub().views.leads
    at = iso(now())
    names = {f"user:{id}": u.name for id, u in the_hub().users().items()}
    late = [_late_line(row, process, names) for row in leads.late(at, MOST_LATE)]
    return (_section("decide", _("Решить вам"), "crown", leads.tasks.of([HEAD]), process),
            Section("department", _("Просрочено в отделе"), "triangle-alert", late, "bad",
                    (max(0, leads.late_count(at) - len(late)), "/leads?show=today")))


def _late_line(row: Any, process: Process, names: dict[str, str]) -> Line:
    step = row["next_step"] if row["due_key"] == "next_step" else ""
    return Line(
        what=what_is_due(row, process), text=step, at=when(row["due_at"]), state="bad",
        since=None, button=_("Открыть"), icon="triangle-alert", owner=names.get(row["owner"], _("никто не взял")), **_about(row))


def _coming(process: Process) -> Line | None:
    """What comes next after a day with nothing to do."""
    rows = the_hub().views.leads.tasks.of([me().id], after=now() + timedelta(seconds=1), limit=20)
    return next((line(row, process) for row in rows if row["at"] != FAR and row["kind"] not in ("outcome", "offer")), None)


def _clients() -> list[Any]:
    """For an account manager: the clients that were handed over (R30)."""
    rows = the_hub().views.leads.handed_over(me().id, MOST_CLIENTS) if may("account") else []
    return [(row, lead_url(row["id"])) for row in rows]
