"""The letters that the hub proposes: which there are, their first wording from ``templates/letters``, and how they are filled."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from hub.domain.partner import TemplateState
from hub.domain.state import LeadState, Meeting
from hub.traffic.acknowledge import default_wording
from hub.web.desk import me, the_hub
from hub.web.frame import templates_folder
from hub.web.words import moment

LETTERS = ("refusal", "proposal", "invitation", "acknowledgement", "acknowledgement.en")
"""Letters with a wording of their own; each has ``letters/<name>.subject`` and ``letters/<name>.txt``, but
for the hub's own acknowledgement, which is made where there are no pages and has two languages."""


def default_template(name: str) -> TemplateState:
    """The wording that a letter has until the company writes its own. KeyError for a letter that there is not."""
    if name not in LETTERS:
        raise KeyError(name)
    if name.startswith("acknowledgement"):
        return default_wording(name)
    return TemplateState(name, _text(f"{name}.subject"), _text(f"{name}.txt"))


def _text(name: str) -> str:
    """A file of the templates folder, unfilled: its places are ours, not Jinja's."""
    return (Path(templates_folder()) / "letters" / name).read_text(encoding="utf-8").strip()


def draft(name: str, state: LeadState, *, meeting: Meeting | None = None) -> tuple[str, str]:
    """Subject and text of a letter to this client in the wording in force."""
    hub = the_hub()
    subject, text = hub.template(name, default_template(name)).fill(
        name=state.person.name, company=state.company, manager=me().name, agency=hub.process.file.name,
        when=when(meeting) if meeting else "")
    return subject, text.removeprefix(", ")


def when(meeting: Meeting) -> str:
    """When and where a meeting is, or that it is not, as the client reads it."""
    offset = f"{meeting.starts_at.astimezone(ZoneInfo(the_hub().process.calendar.timezone)):%z}"
    at = f"{moment(meeting.starts_at)} (UTC{offset[:3]}:{offset[3:]})".replace("\xa0", " ")
    if meeting.status == "cancelled":
        return str(_("Встреча %(at)s отменена.", at=at))
    place = meeting.place or (_("Онлайн") if meeting.online else "")
    said = str(_("Ждём вас на встрече: %(at)s, %(minutes)s минут.", at=at, minutes=meeting.minutes))
    return f"{said} {place}".strip()
