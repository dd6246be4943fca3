"""Sentences for what is done on the board: tags, and a move that was taken back."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.state import LeadState
from hub.web.lead.story import Line, Teller, changed, tells


@tells(e.LeadTagged, "system", noise=True)
def _tagged(ev: e.LeadTagged, before: LeadState, t: Teller) -> Line:
    return Line(_("Метка поставлена: %(tag)s", tag=ev.tag), "tag")


@tells(e.LeadUntagged, "system", noise=True)
def _untagged(ev: e.LeadUntagged, before: LeadState, t: Teller) -> Line:
    return Line(_("Метка снята: %(tag)s", tag=ev.tag), "tag")


@tells(e.MoveUndone, "stage")
def _undone(ev: e.MoveUndone, before: LeadState, t: Teller) -> Line:
    return Line(_("Перевод отменён"), "undo-2", "info", changes=changed((_("Стадия"), t.stage(ev.previous), t.stage(ev.stage))))
