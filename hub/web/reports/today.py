"""Today: what is late and why, A-deals, exceptions to decide, load of people, returns to come, chances after a win."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from msgspec.structs import replace
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound, Refused
from hub.domain.process import Process
from hub.domain.staff import UserState
from hub.projections.lead_queries import DEFERRALS, OPEN, Wanted
from hub.projections.lead_tasks import FAR, HEAD, iso
from hub.projections.reports_now import Load
from hub.projections.reports_over import Over
from hub.web import words
from hub.web.board.cards import card_of, due_title, lead_url, what_is_due, when
from hub.web.board.filter import day_end
from hub.web.board.looking import looker
from hub.web.desk import do, may, now, the_hub
from hub.web.errors import status_of
from hub.web.frame import language
from hub.web.lead.words import CHANCES, said
from hub.web.reports import say
from hub.web.reports.figures import PATH, url
from hub.web.reports.filter import Chosen
from hub.web.reports.tables import Cell, Column

MOST_LATE = 15
MOST_A = 12
MOST_DECISIONS = 12
MOST_COMING = 12
COMING = timedelta(days=30)
"""How far ahead returns are shown."""
OVERLOAD = 5
"""From so many late leads on, the owner's load is a reason where no other is known."""
DECISIONS: Mapping[str, tuple[str, ...]] = {
    "give_opinion": ("request", "in_favour", "resources", "text"), "contribute": ("proposal", "text"),
    "reassign": ("owner", "why"), "hand_over": ("account_manager", "note"),
}
"""Commands that can be given here, with what each takes."""
NUMBERS = ("request", "proposal")
WHY = {
    "reply": _l("клиент ждёт ответа"), "call_back": _l("клиент ждёт звонка"), "outcome": _l("итог встречи не записан"),
    "request": _l("просьба клиента не закрыта"), "head_opinion": _l("ждёт мнения РОПа"), "scoring": _l("нет листа оценки"),
    "refusal_letter": _l("письмо отказа не отправлено"), "promise": _l("КП обещано и не готово"),
    "decision": _l("клиент не ответил после презентации"), "decision_date": _l("клиент не сказал решения в свой срок"),
}
"""What a late deadline itself says of the reason."""


@dataclass(frozen=True)
class Late:
    """A lead past its time: what is late, by how much, and what is known of why."""

    row: Any
    url: str
    what: str
    due_at: datetime
    length: str
    owner: str
    why: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """Something that waits for a decision. ``key`` names it in the form; ``fixed`` are what the form sends unseen."""

    key: str
    what: str
    text: str
    row: Any
    url: str
    command: str
    fixed: Mapping[str, str]
    due_at: datetime | None = None
    may: bool = True


def until_now(chosen: Chosen) -> Over:
    """The filter without its time, up to this moment."""
    return replace(chosen.over, until=now())


def today(chosen: Chosen) -> dict[str, Any]:
    """Everything on the page; for whoever sees only their own figures, their own leads."""
    hub, process = the_hub(), chosen.process
    users, loads = _users(), loads_of(chosen)
    late_over = until_now(chosen)
    leads, who = hub.views.leads, looker()
    best = max(process.segments.values(), key=lambda segment: segment.high)
    where, values = Wanted(show="all", segment=best.id, owner=chosen.owner).where()
    owner, ends = chosen.owner, now() + COMING
    coming = hub.views.reports.returns(now(), ends, owner, MOST_COMING)
    return {
        "late": [_late(row, users, loads, process) for row in _late_rows(late_over, MOST_LATE)],
        "late_count": sum(load.late for load in loads.values()),
        "late_url": url(chosen, "late"), "late_file": url(chosen, "late").replace(PATH, f"{PATH}.csv", 1),
        "best": best,
        "deals": [(row, card_of(row, process, who, now())) for row in leads.rows(where, values, limit=MOST_A)],
        "deals_count": leads.count(where, values),
        "deals_url": f"/leads?segment={best.id}" + (f"&owner={owner}" if owner else ""),
        "decisions": _decisions(chosen, users), "loads": _loads(loads, users, process, chosen),
        "coming": [(row, lead_url(row["id"]), when(row["returns_at"])) for row in coming],
        "coming_count": hub.views.reports.returns_count(now(), ends, owner),
        "coming_url": chosen.url("/reports/leads", figure="returns", **{
            "from": process.date_of(now()).isoformat(), "to": process.date_of(ends).isoformat()}),
        "chances": [(row, lead_url(row["id"]), said(CHANCES, row["kind"])) for row in
                    hub.views.reports.open_chances(owner, MOST_COMING)],
        "chances_worth": _worth(hub.views.reports.chances("open", owner)),
        "people": _who_may("work", users, process), "accounts": _who_may("account", users, process),
        "quarantine": hub.views.receipts.waiting() if may("intake", "admin") and not chosen.own else 0,
        "process": process, "money": say.money, "person": say.person, "asked_at": now(),
        "refused": {}, "typed": {},
    }


# ── what is late, and why ────────────────────────────────────────────────────────


def _late_rows(over: Over, limit: int) -> list[Any]:
    only, values = over.only()
    return the_hub().views.leads.rows(f"{OPEN} AND place <> 'asleep' AND due_sort < ?{only}", (iso(over.until), *values),
                                      limit=limit)


def _late(row: Any, users: Mapping[str, UserState], loads: Mapping[str, Load], process: Process) -> Late:
    due_at = when(row["due_at"]) or now()
    return Late(row, lead_url(row["id"]), what_is_due(row, process), due_at, words.span(now() - due_at), say.person(row["owner"]),
                tuple(_reasons(row, users, loads, process)))


def _reasons(row: Any, users: Mapping[str, UserState], loads: Mapping[str, Load], process: Process) -> list[str]:
    found = []
    owner = users.get(row["owner"])
    if not row["owner"]:
        offered = ", ".join(words.person(id) for id in row["offered_to"].split())
        found.append(_("предложена: %(who)s", who=offered) if offered else _("никому не предложена"))
    elif owner is not None and (absence := owner.absent_on(process.date_of(now()))) is not None:
        found.append(_("отсутствует до %(day)s", day=words.day(absence.until)))
    elif owner is not None and not owner.at_work(now(), process):
        found.append(_("сейчас не на смене"))
    kind = (row["due_key"] or "").partition(":")[0]
    if kind == "next_step":
        found.append(_("шаг не сделан: %(step)s", step=row["next_step"]) if row["next_step"] else _("следующий шаг не назначен"))
    elif kind in WHY:
        found.append(str(WHY[kind]))
    if row["continuations"] >= DEFERRALS:
        found.append(_("отсрочек: %(n)s", n=row["continuations"]))
    load = loads.get(row["owner"])
    if not found and load is not None and load.late >= OVERLOAD:
        found.append(_("у ответственного просрочено %(n)s", n=load.late))
    return found


# ── load of people ───────────────────────────────────────────────────────────────


def loads_of(chosen: Chosen) -> dict[str, Load]:
    """What everybody has who works leads, and what nobody took; of whoever sees only their own, that alone."""
    process, users = chosen.process, _users()
    people = [chosen.owner] if chosen.owner else [id for id, _name in _who_may("work", users, process)]
    found = the_hub().views.reports.loads(people, now(), day_end(process, now()))
    return {chosen.owner: found[chosen.owner]} if chosen.owner else found


def _users() -> dict[str, UserState]:
    return {f"user:{id}": user for id, user in the_hub().users().items()}


def _who_may(permission: str, users: Mapping[str, UserState], process: Process) -> list[tuple[str, str]]:
    """Colleagues whose roles give a permission, by name: (id, name)."""
    able = [(id, user.name) for id, user in users.items()
            if not user.disabled and permission in process.permissions(frozenset(user.roles))]
    return sorted(able, key=lambda one: one[1])


def _loads(loads: Mapping[str, Load], users: Mapping[str, UserState], process: Process, chosen: Chosen) -> list[dict[str, Any]]:
    """Lines of the table, who has the most late ones first."""
    found = []
    most = max((load.open for load in loads.values()), default=0) or 1
    for person, load in loads.items():
        user = users.get(person)
        where, tone = _presence(user, process) if person else ("", "")
        found.append({"load": load, "name": say.person(person), "where": where, "tone": tone, "share": 100 * load.open / most,
                      "late_url": url(chosen, "late", owner=person), "open_url": f"/leads?owner={person or 'none'}",
                      "today_url": f"/leads?show=today&owner={person or 'none'}",
                      "asleep_url": f"/leads?show=asleep&owner={person or 'none'}"})
    return sorted(found, key=lambda line: (-line["load"].late, -line["load"].open, line["name"]))


def load_table(chosen: Chosen) -> tuple[tuple[Column, ...], list[tuple[Cell, ...]]]:
    """The table of load for a file."""
    titles = (_("Кто"), _("Смена"), _("В работе"), _("Просрочено"), _("Сегодня"), _("Отложено"), _("Дел до вечера"),
              _("Дел просрочено"))
    rows = []
    for line in _loads(loads_of(chosen), _users(), chosen.process, chosen):
        load: Load = line["load"]
        numbers = (load.open, load.late, load.today, load.asleep, load.tasks, load.tasks_late)
        rows.append((Cell("", line["name"]), Cell("", line["where"]), *(Cell("", n) for n in numbers)))
    return tuple(Column(title) for title in titles), rows


def _presence(user: UserState | None, process: Process) -> tuple[str, str]:
    if user is None or user.disabled:
        return _("не работает"), "bad"
    absence = user.absent_on(process.date_of(now()))
    if absence is not None:
        return _("отсутствует до %(day)s", day=words.day(absence.until)), "warn"
    if not user.at_work(now(), process):
        return _("не на смене"), ""
    return (_("на смене"), "ok") if process.calendar.is_open(now()) else (_("отдел закрыт"), "")


def _worth(rows: list[Any]) -> list[tuple[int, str]]:
    """Sums of open chances by currency, of those that have one."""
    sums: dict[str, int] = {}
    for row in rows:
        if row["amount"]:
            sums[row["currency"]] = sums.get(row["currency"], 0) + int(row["amount"])
    return [(value, currency) for currency, value in sums.items()]


# ── exceptions to decide ─────────────────────────────────────────────────────────


def _decisions(chosen: Chosen, users: Mapping[str, UserState]) -> list[Decision]:
    """What waits for the head, what nobody took in time, what an absent owner leaves, what nobody looks after. Of whoever sees
    only their own figures: contracts to hand over."""
    leads = the_hub().views.leads
    found: list[Decision] = []
    if not chosen.own:
        found += filter(None, (_of_head(row, chosen.process) for row in leads.tasks.of([HEAD], limit=MOST_DECISIONS)))
        untaken = leads.rows(f"{OPEN} AND owner = '' AND due_sort < ?", (iso(now()),), limit=MOST_DECISIONS)
        found += [_give(row, _("Никто не взял: кому отдать"), chosen.process) for row in untaken]
        away = [id for id, user in users.items() if user.absent_on(chosen.process.date_of(now())) is not None]
        for id in away:
            rows = leads.rows(f"{OPEN} AND place <> 'asleep' AND owner = ? AND due_sort < ?",
                              (id, iso(day_end(chosen.process, now()))), limit=MOST_DECISIONS)
            found += [_give(row, _("%(who)s отсутствует: кому отдать", who=words.person(id)), chosen.process) for row in rows]
    for row in the_hub().views.reports.handing(chosen.owner, MOST_DECISIONS):
        found.append(Decision(f"hand_over:{row['id']}", _("Договор есть, аккаунт-менеджера нет"), "", row, lead_url(row["id"]),
                              "hand_over", {}, may=may("work", "account")))
    return found[:MOST_DECISIONS]


def _of_head(row: Any, process: Process) -> Decision | None:
    number = row["key"].partition(":")[2]
    at = datetime.fromisoformat(row["at"]) if row["at"] != FAR else None
    if row["kind"] == "head_opinion":
        return Decision(f"give_opinion:{row['id']}:{number}", due_title("head_opinion", process), row["text"], row,
                        lead_url(row["id"]), "give_opinion", {"request": number}, at, may("decide"))
    if row["kind"] == "head_part":
        return Decision(f"contribute:{row['id']}:{number}", _("Внести свою часть в КП"), "", row, lead_url(row["id"]),
                        "contribute", {"proposal": number}, at, may("decide"))
    return None


def _give(row: Any, what: str, process: Process) -> Decision:
    return Decision(f"reassign:{row['id']}", what, what_is_due(row, process), row, lead_url(row["id"]), "reassign", {},
                    when(row["due_at"]), may("work"))


def decide(again: Callable[[str, str], str]) -> Response:
    """Give the command of a decision; ``again`` draws the page with a refusal beside the decision that it is about."""
    command, key = request.form.get("command", ""), request.form.get("key", "")
    try:
        lead = UUID(request.form.get("lead", ""))
        if command not in DECISIONS:
            raise ValueError(command)
    except ValueError:
        raise NotFound("no_such_lead") from None
    values: dict[str, Any] = {name: request.form[name] for name in DECISIONS[command] if name in request.form}
    values |= {name: int(values[name]) for name in NUMBERS if values.get(name, "").isdecimal()}
    if "in_favour" in values:
        values["in_favour"] = values["in_favour"] == "yes"
    try:
        do(lead, command, values)
    except Refused as refused:
        return make_response(again(key, refused.say(language())), status_of(refused))
    flash(_("Решение записано."), "ok")
    return redirect("/reports#decide", 303)

