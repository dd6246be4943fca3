"""An import is taken back as a whole: cards that nobody touched are closed, the others are listed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hub.application import LeadHub
from hub.domain.errors import Conflict, Refused, sentences
from hub.domain.event import HUB
from hub.domain.importing import Import
from hub.domain.index import Receipt, ReceiptState
from hub.jobs import Job, Kind, Work
from hub.sheets import csvs
from hub.sheets.importing import KEPT, WHO, asker, receipt_of, state_of

KIND = "import_undo"
LEFT = "осталось.csv"
SAVED_EVERY = 200
WHY = "загрузка из файла отменена"
"""Stands on the cards that were closed."""
TOUCHED, JOINED = "touched", "joined"

sentences(
    import_not_done=("Эта загрузка ещё идёт. Дождитесь её конца или остановите её.",
                     "This import is still running. Wait for its end, or stop it."),
    import_undone_already=("Эта загрузка уже отменена.", "This import was undone already."),
    undoing=("Отменяем загрузку", "Taking the import back"),
    undo_touched=("с заявкой уже работали", "somebody has worked on the lead"),
    undo_joined=("строка добавлена в карточку, которая уже была", "the row joined a card that was there"),
)


def parameters(imported: Job) -> dict[str, Any]:
    """What the undoing of an import is given. ``import_not_done`` while it runs, ``import_undone_already`` after it was."""
    if imported.open:
        raise Refused("import_not_done")
    if "stream" not in imported.facts:
        raise Refused("import_undone_already")
    return {"stream": imported.facts["stream"], "turn": imported.facts["turn"],
            "channel": imported.inside.parameters["channel"] if imported.inside else "", "last": imported.facts["last_row"]}


def touched(hub: LeadHub, lead: UUID) -> tuple[bool, int]:
    """Whether anybody but the hub has done anything with a lead since it came, and its version."""
    events = hub.history(lead)
    came = events[0].correlation_id
    return any(event.correlation_id != came and event.actor != HUB for event in events), events[-1].originator_version


def kind(hub: LeadHub) -> Kind:
    """The long work that takes an import back."""
    title = ("Отмена загрузки заявок", "Undoing of an import of leads")
    return Kind(KIND, title, lambda work: _run(hub, work), WHO, resumable=True, kept=KEPT)


def _run(hub: LeadHub, work: Work) -> None:
    stream, turn = UUID(work.parameters["stream"]), work.parameters["turn"]
    if state_of(hub, stream).turn != turn or state_of(hub, stream).status == "undone":
        raise Refused("import_undone_already")
    cursor = work.cursor or {"after": 0, "withdrawn": 0, "left": []}
    last = work.parameters["last"]
    for number in range(cursor["after"] + 1, last + 1):
        _take_back(hub, work, receipt_of(work.parameters["channel"], stream, turn, number), cursor)
        cursor["after"] = number
        if number % SAVED_EVERY == 0:
            work.save(cursor, number)
        work.progress(number, last, "undoing")
    left = cursor["left"]
    if left:
        work.add_file(LEFT, csvs.MEDIA_TYPE, csvs.write(("Заявка", "Почему осталась"), (
            (number, {TOUCHED: "с заявкой уже работали", JOINED: "строка добавлена в карточку, которая уже была"}[why])
            for number, why in left)))
    work.tell(withdrawn=cursor["withdrawn"], left=left[:50], left_count=len(left))
    hub.change(Import, stream, lambda one: one.undo(turn, cursor["withdrawn"], len(left)), actor=asker(work), at=work.clock(),
               permissions=WHO)


def _take_back(hub: LeadHub, work: Work, receipt: UUID, cursor: dict[str, Any]) -> None:
    began = hub.began(receipt)
    if began is None:
        return
    state: ReceiptState = hub.streams.fresh(Receipt, receipt)[1]
    assert state.lead is not None
    row = hub.views.leads.one(state.lead)
    number = row["number"] if row is not None else 0
    if not began:
        cursor["left"].append((number, JOINED))
        return
    worked_on, seen = touched(hub, state.lead)
    try:
        if not worked_on:
            hub.find_out(state.lead, lambda lead: lead.withdraw(seen, WHY), at=work.clock(), actor=asker(work))
            cursor["withdrawn"] += 1
            return
    except Conflict:
        pass  # somebody took it at this very moment
    cursor["left"].append((number, TOUCHED))
