"""The calendar: meetings and calls of a week or a day with their goals, sides and outcomes (R20, R26), and as .ics files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.channels.email_calendar import Entry, entries
from hub.domain.errors import NotFound
from hub.domain.state import LeadState, Meeting
from hub.projections.reports_over import Over
from hub.web.board.cards import lead_url, local_time
from hub.web.desk import may, me, needs, now, parts, signed_in, the_hub
from hub.web.frame import the_process
from hub.web.lead.words import OUTCOMES, PURPOSE_ICONS, PURPOSES, said
from hub.web.words import company_zone, person

bp = Blueprint("meetings", __name__)

WEEK, DAY = 7, 1
EVERYBODY = "all"
MOST = 300
"""Meetings of a page; a department with more in a week looks at its people one by one."""
MOST_OPEN = 20
BALANCE_DAYS = 90
HOST = "lead-hub"
"""After the @ of an entry's id: the same meeting is the same entry, however the hub is reached."""
TONES = {"advance": "ok", "continuation": "warn", "closing": "ok", "refusal": "bad"}


@dataclass(frozen=True)
class Shown:
    """A meeting as the page shows it. ``state``: ``planned``, ``now``, ``over`` (no outcome yet), ``held``, ``cancelled``."""

    id: str
    url: str
    name: str
    number: int
    segment: str
    total: int | None
    purpose: str
    icon: str
    starts_at: datetime
    ends_at: datetime
    local: str
    goal: str
    place: str
    online: bool
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    warned: bool
    reason: str
    state: str
    outcome: str
    tone: str
    text: str
    who: str
    outcome_url: str
    move_url: str
    warn_url: str
    ics_url: str


@dataclass(frozen=True)
class Day:
    """A day of the calendar. ``off``: nobody works then."""

    on: date
    today: bool
    off: bool
    meetings: list[Shown]


@bp.get("/meetings")
@needs("read")
def calendar() -> str:
    """A week, or with ``view=day`` one day; ``on`` says which, ``who`` whose (one's own where nothing is said)."""
    days = DAY if request.args.get("view") == "day" else WEEK
    today = now().astimezone(company_zone()).date()
    on = _day(request.args.get("on", ""), today)
    first = on if days == DAY else on - timedelta(days=on.weekday())
    who, chosen = _whose(request.args.get("who", ""))
    views = the_hub().views
    rows = views.leads.meetings.between(_midnight(first), _midnight(first + timedelta(days=days)), who, MOST)
    shown = _shown(rows)
    open_ones = _shown(views.leads.meetings.without_outcome(now(), who, MOST_OPEN))
    over = Over(since=now() - timedelta(days=BALANCE_DAYS), until=now(), owner=who)
    balance = next(iter(views.report_turns.talks(over)[""]), None)

    def url(**changes: object) -> str:
        asked = {"view": "day" if days == DAY else "", "on": first.isoformat(), "who": chosen, **changes}
        return "/meetings?" + urlencode({name: value for name, value in asked.items() if value})
    return render_template(
        "board/meetings.html", days=[_of_day(first + timedelta(days=n), today, shown) for n in range(days)], one_day=days == DAY,
        first=first, last=first + timedelta(days=days - 1), today=today, whose=chosen, people=_people(), open_ones=open_ones,
        balance=balance, balance_days=BALANCE_DAYS, full=len(rows) == MOST, most=MOST, url=url,
        before=url(on=first - timedelta(days=days)), after=url(on=first + timedelta(days=days)),
        ics=url_for("board.meetings.file", since=first.isoformat(), days=days, who=chosen))


@bp.get("/meetings.ics")
@signed_in
def file() -> Response:
    """The meetings from a day on as a calendar file; held and cancelled ones say so."""
    today = now().astimezone(company_zone()).date()
    first = _day(request.args.get("since", ""), today)
    days = min(366, _number(request.args.get("days", "")) or WEEK)
    who, _chosen = _whose(request.args.get("who", ""))
    rows = the_hub().views.leads.meetings.between(_midnight(first), _midnight(first + timedelta(days=days)), who, MOST)
    return _ics(rows, f"meetings-{first}.ics")


@bp.get("/leads/<uuid:lead>/meetings/<int:meeting>.ics")
@needs("read")
def one(lead: UUID, meeting: int) -> Response:
    """One meeting for somebody's own calendar."""
    state = the_hub().lead(lead)
    if meeting not in state.meetings:
        raise NotFound("no_such_meeting", rule="R26", given=meeting)
    return _calendar([_entry(str(lead), state, state.meetings[meeting])], f"lead-{lead}-{meeting}.ics")


def _ics(rows: Iterable[Any], name: str) -> Response:
    hub, found = the_hub(), []
    for row in rows:
        lead = UUID(row["lead"])
        state = hub.lead(lead)
        if (meeting := state.meetings.get(row["meeting"])) is not None:
            found.append(_entry(str(lead), state, meeting))
    return _calendar(found, name)


def _entry(lead: str, state: LeadState, meeting: Meeting) -> Entry:
    purpose = said(PURPOSES, meeting.purpose)
    about = "\n".join(filter(None, [_("Цель: %(goal)s", goal=meeting.goal), ", ".join(meeting.theirs),
                                    parts().public_url + lead_url(lead)]))
    return Entry(uid=f"{UUID(lead).hex}-{meeting.id}", starts_at=meeting.starts_at, minutes=meeting.minutes,
                 sequence=meeting.moves, subject=f"{purpose}: {state.name}", text=about, place=meeting.place,
                 cancelled=meeting.status == "cancelled")


def _calendar(found: Sequence[Entry], name: str) -> Response:
    answer = make_response(entries(found, host=HOST, made_at=now()))
    answer.mimetype = "text/calendar"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


# ── what is asked ────────────────────────────────────────────────────────────────


def _day(text: str, today: date) -> date:
    """The day that an address names; today where it names none that a calendar has room for."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return today
    return found if 2000 <= found.year <= 2100 else today


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _whose(text: str) -> tuple[str, str]:
    """Whose meetings, for the read model and as the address says it. Who has none of their own begins with everybody's."""
    known = {str(id) for id in the_hub().users()}
    if text in known:
        return f"user:{text}", text
    if text == EVERYBODY or not may("work"):
        return "", EVERYBODY
    return me().id, str(me().stream)


def _people() -> list[tuple[str, str]]:
    """Who can have meetings, for the choice; oneself first."""
    mine = str(me().stream)
    process = the_process()
    users = sorted(the_hub().users().items(), key=lambda item: (str(item[0]) != mine, item[1].name))
    return [(str(id), user.name) for id, user in users
            if not user.disabled and "work" in process.permissions(frozenset(user.roles))]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), company_zone()).astimezone(UTC)


# ── what is shown ────────────────────────────────────────────────────────────────


def _of_day(day: date, today: date, shown: list[Shown]) -> Day:
    zone = company_zone()
    mine = [one for one in shown if one.starts_at.astimezone(zone).date() == day]
    return Day(day, day == today, not the_process().calendar.is_working_day(day), mine)


def _shown(rows: Iterable[Any]) -> list[Shown]:
    hub, found = the_hub(), []
    for row in rows:
        meeting = hub.lead(UUID(row["lead"])).meetings.get(row["meeting"])
        if meeting is not None:  # a command of this moment may have come before the read model
            found.append(_one(row, meeting))
    return found


def _one(row: Any, meeting: Meeting) -> Shown:
    lead = str(UUID(row["lead"]))
    ask = f"{lead_url(lead)}/do"
    return Shown(
        id=f"m-{row['lead']}-{meeting.id}", url=lead_url(lead), name=row["name"], number=row["number"], segment=row["segment"],
        total=row["total"], purpose=said(PURPOSES, meeting.purpose), icon=PURPOSE_ICONS.get(meeting.purpose, "calendar-days"),
        starts_at=meeting.starts_at, ends_at=meeting.ends_at, local=local_time(row["timezone"], meeting.starts_at),
        goal=meeting.goal, place=meeting.place, online=meeting.online, ours=tuple(person(p) or p for p in meeting.ours),
        theirs=meeting.theirs, warned=meeting.headcount_warned, reason=meeting.headcount_reason, state=_state(meeting),
        outcome=said(OUTCOMES, meeting.outcome) if meeting.outcome else "", tone=TONES.get(meeting.outcome, ""),
        text=meeting.text, who=person(row["who"]) if row["who"] else "", outcome_url=f"{ask}/hold_meeting?meeting={meeting.id}",
        move_url=f"{ask}/move_meeting?meeting={meeting.id}", warn_url=f"{ask}/explain_headcount?meeting={meeting.id}",
        ics_url=url_for("board.meetings.one", lead=lead, meeting=meeting.id))


def _state(meeting: Meeting) -> str:
    if meeting.status != "planned":
        return meeting.status
    if meeting.ends_at <= now():
        return "over"
    return "now" if meeting.starts_at <= now() else "planned"
