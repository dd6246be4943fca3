"""Sentences for letters that carry a proposal or an invitation."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.state import LeadState
from hub.web import words
from hub.web.lead.story import Line, Teller, changed, tells


@tells(e.ProposalMailed, "talk")
def _proposal(ev: e.ProposalMailed, before: LeadState, t: Teller) -> Line:
    title = _("КП уходит письмом, версия %(number)s: сообщение №%(message)s", number=ev.proposal, message=ev.message)
    return Line(title, "file-text", "info")


@tells(e.InvitationMailed, "meeting")
def _invitation(ev: e.InvitationMailed, before: LeadState, t: Teller) -> Line:
    if ev.cancelled:
        title = _("Отмена встречи №%(number)s уходит клиенту письмом", number=ev.meeting)
    elif ev.sequence:
        title = _("Новое приглашение на встречу №%(number)s уходит клиенту", number=ev.meeting)
    else:
        title = _("Приглашение на встречу №%(number)s уходит клиенту", number=ev.meeting)
    return Line(title, "calendar-days", "info", changes=changed((_("Когда"), None, words.moment(ev.starts_at)),
                                                               (_("Сообщение"), None, f"№{ev.message}")))
