"""Sentences for a person whose data was erased."""

from __future__ import annotations

from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.state import LeadState
from hub.web.lead.story import Line, Teller, changed, tells


@tells(e.ErasureAsked, "system", noise=True)
def _asked(ev: e.ErasureAsked, before: LeadState, t: Teller) -> Line:
    return Line(_("Началось удаление личных данных"), "trash-2", "warn")


@tells(e.PersonErased, "system")
def _erased(ev: e.PersonErased, before: LeadState, t: Teller) -> Line:
    texts = _("удалены тоже") if ev.texts else _("остались")
    rule = (_("Правило хранения"), None, ev.rule)
    return Line(_("Личные данные человека удалены"), "trash-2", "warn", ev.reason,
                changed((_("Тексты сотрудников в карточке"), None, texts), rule))
