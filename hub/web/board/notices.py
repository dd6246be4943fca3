"""What a person was told: offers and notices as sentences; opening the page marks them as seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain.process import Process
from hub.web.board.cards import due_title, lead_url
from hub.web.desk import me, signed_in, the_access, the_hub
from hub.web.frame import the_process
from hub.web.lead.words import Words, said

bp = Blueprint("notices", __name__)

MOST = 100
ICONS = {"offered": ("user-plus", ""), "near": ("timer", "warn"), "late": ("triangle-alert", "bad"),
         "woken": ("alarm-clock", "info"), "moved": ("route", "info"),
         "written": ("message-square-text", "info"), "given": ("user-check", "info"),
         "opinion": ("crown", "warn"), "opinion_given": ("crown", "ok"), "won": ("trophy", "ok"),
         "unsent": ("circle-x", "bad"), "missed_call": ("phone-missed", "bad")}


OFFERED: Words = {
    "turn": _l("Вам предложена новая заявка: подошла ваша очередь."),
    "anyone": _l("Новая заявка: возьмёт тот, кто первый."),
    "near_deadline": _l("Заявку никто не взял, срок подходит: она предложена всем."),
    "owner_absent": _l("Ответственного нет на месте: заявка предложена вам."),
    "client_of": _l("Пришла новая заявка от знакомого клиента."),
}
SENTENCES: Words = {
    "woken": _l("Наступил день возврата: сделка снова в работе."),
    "moved": _l("Решения в срок нет: сделка перешла в дожим."),
    "written": _l("Клиент написал ещё раз."),
    "given": _l("Вам передали сделку."),
    "opinion": _l("Просят ваше мнение о тестовом задании."),
    "opinion_given": _l("Руководитель дал мнение о тестовом задании."),
    "won": _l("Договор подписан: сделку нужно принять."),
    "unsent": _l("Сообщение клиенту не ушло: посмотрите, почему."),
    "missed_call": _l("Клиент звонил и ни с кем не поговорил: перезвоните."),
}


@dataclass(frozen=True)
class Told:
    """One notice."""

    text: str
    icon: str
    tone: str
    at: datetime
    url: str
    lead: str
    number: int
    new: bool


def sentence(kind: str, key: str, process: Process) -> str:
    """What a notice says; the lead's name stands beside it."""
    if kind in ("near", "late"):
        what = due_title(key.partition(":")[0], process)
        return str(_("Срок подходит: «%(what)s».", what=what) if kind == "near" else _("Срок прошёл: «%(what)s».", what=what))
    if kind == "offered":
        return said(OFFERED, key)
    return said(SENTENCES, kind)


def told(row: Any, process: Process, seen: int) -> Told:
    """A row of the read model as a sentence."""
    icon, tone = ICONS.get(row["kind"], ("bell", ""))
    return Told(sentence(row["kind"], row["key"], process), icon, tone, datetime.fromisoformat(row["at"]), lead_url(row["lead"]),
                row["name"] or "", row["number"] or 0, row["position"] > seen)


@bp.get("/notices")
@signed_in
def notices() -> str:
    """The last notices by day, the newest first."""
    hub, access = the_hub(), the_access()
    seen = access.notices_seen(me().stream)
    rows = hub.views.notices.of(me().id, limit=MOST)
    if rows and rows[0]["position"] > seen:
        access.see_notices(me().stream, rows[0]["position"])
    zone = ZoneInfo(the_process().calendar.timezone)
    items = [told(row, the_process(), seen) for row in rows]
    days = [(day, list(of_day)) for day, of_day in groupby(items, key=lambda t: t.at.astimezone(zone).date())]
    return render_template("board/notices.html", days=days, new=sum(t.new for t in items), most=MOST if len(rows) == MOST else 0)
