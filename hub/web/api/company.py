"""The company: its process, people, website forms, partners, the wording of its letter."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4

from msgspec import Meta, Struct
from msgspec.structs import asdict

from hub.domain.errors import NotFound
from hub.domain.form import Form, FormSettings, FormState, form_stream
from hub.domain.partner import EVERYWHERE, PLACES_OF, Partner, PartnerState, Template, template_stream
from hub.domain.process import Process, ProcessFile
from hub.domain.staff import Absence, User, UserState
from hub.web.admin.forms import send_test
from hub.web.admin.letters import KEEP as LETTERS
from hub.web.admin.partners import KEEP as PARTNERS
from hub.web.admin.users import WORK
from hub.web.api import answers
from hub.web.api.base import caller, endpoint
from hub.web.api.leads import not_ahead
from hub.web.api.schema import LARGEST, Instant, body_of
from hub.web.desk import me, now, settle, the_hub
from hub.web.letters import LETTERS as THE_LETTERS
from hub.web.letters import default_template

# ── the process (R0) ─────────────────────────────────────────────────────────────


class TheProcess(Struct, frozen=True):
    """A version of the process: its file, and the country's days off and working days of its day."""

    version: int
    in_force: bool
    file: ProcessFile
    days_off: list[date]
    working_days: list[date]


def _process(process: Process) -> TheProcess:
    return TheProcess(process.version, process.version == the_hub().process.version, process.file,
                      sorted(process.calendar.days_off), sorted(process.calendar.working_days))


class ProcessQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which moment."""

    at: Annotated[Instant | None, Meta(description="The process that was in force then.")] = None


@endpoint("GET", "/process", tag="Process", query=ProcessQuery, gives=TheProcess)
def get_process(query: ProcessQuery) -> TheProcess:
    """The sales process in force: stages, moves, deadlines, scores, roles. It is changed by its file alone."""
    if query.at is None:
        return _process(the_hub().process)
    not_ahead(query.at)
    return _process(the_hub().process_at(query.at))


@endpoint("GET", "/process/<int:number>", tag="Process", gives=TheProcess)
def get_process_version(number: int) -> TheProcess:
    """The process of an old decision, by the `process_version` of its event."""
    if not 0 < number <= LARGEST:
        raise NotFound("no_process")
    return _process(the_hub().process_of_day(number))


# ── people (R34) ─────────────────────────────────────────────────────────────────


class Colleague(Struct, frozen=True, kw_only=True):
    """A colleague. ``account`` only for those who may say when people work: administrators and the head of sales."""

    id: Annotated[str, Meta(description="As events and leads name people: `user:<uuid>`.")]
    name: str
    disabled: bool
    account: UserState | None


class People(Struct, frozen=True):
    """Everybody."""

    items: list[Colleague]


def _colleague(user: UUID, state: UserState) -> Colleague:
    whole = the_hub().may(me().actor, *WORK) and bool(caller().scopes & set(WORK))
    return Colleague(id=f"user:{user}", name=state.name, disabled=state.disabled, account=state if whole else None)


@endpoint("GET", "/people", tag="People", gives=People)
def list_people() -> People:
    """Colleagues by name, disabled ones included."""
    found = sorted(the_hub().users().items(), key=lambda pair: pair[1].name.casefold())
    return People([_colleague(user, state) for user, state in found])


@endpoint("GET", "/people/<uuid:user>", tag="People", gives=Colleague)
def get_person(user: UUID) -> Colleague:
    """One colleague."""
    state: UserState = the_hub().streams.fresh(User, user)[1]
    if not state.login:
        raise NotFound("no_such_user")
    return _colleague(user, state)


class NewColleague(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new colleague."""

    login: str
    name: str
    roles: list[str]


@endpoint("POST", "/people", tag="People", body=NewColleague, gives=Colleague, scopes=("admin",), status=201)
def add_colleague(body: NewColleague) -> Colleague:
    """Add a colleague. They sign in once an administrator has given them a password on the page."""
    return _settled(the_hub().add_user(body.login, body.name, tuple(body.roles), actor=me().actor, at=now()))


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Name and roles."""

    name: str
    roles: list[str]


@endpoint("PUT", "/people/<uuid:user>", tag="People", body=Account, gives=Colleague, scopes=("admin",))
def edit_colleague(user: UUID, body: Account) -> Colleague:
    """Change a colleague's name and roles."""
    the_hub().edit_user(user, body.name, tuple(body.roles), actor=me().actor, at=now())
    return _settled(user)


@endpoint("POST", "/people/<uuid:user>/disable", tag="People", gives=Colleague, scopes=("admin",))
def disable_person(user: UUID) -> Colleague:
    """End a colleague's access at once, that of their tokens too."""
    the_hub().disable_user(user, actor=me().actor, at=now())
    return _settled(user)


@endpoint("POST", "/people/<uuid:user>/enable", tag="People", gives=Colleague, scopes=("admin",))
def enable_person(user: UUID) -> Colleague:
    """Let a colleague in again."""
    the_hub().change(User, user, lambda u: u.enable(), actor=me().actor, at=now())
    return _settled(user)


class Shifts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours by ISO weekday, such as {"1": "09:00-18:00"}; empty: the company's hours."""

    shifts: dict[str, str]


@endpoint("PUT", "/people/<uuid:user>/shifts", tag="People", body=Shifts, gives=Colleague, scopes=WORK)
def set_shifts(user: UUID, body: Shifts) -> Colleague:
    """Say when a colleague works (R34)."""
    shifts = {int(day) if day in "1234567" and len(day) == 1 else 0: hours for day, hours in body.shifts.items()}
    the_hub().change(User, user, lambda u: u.set_shifts(shifts), actor=me().actor, at=now(), permissions=WORK)
    return _settled(user)


class Away(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days away, both included."""

    since: date
    until: date
    why: str = ""


@endpoint("POST", "/people/<uuid:user>/absences", tag="People", body=Away, gives=Colleague, scopes=WORK, status=201)
def add_absence(user: UUID, body: Away) -> Colleague:
    """Say that a colleague is away (R34). The same absence again changes nothing."""
    def act(found: User) -> None:
        if Absence(body.since, body.until, body.why.strip()) not in found.state.absences:
            found.record_absence(body.since, body.until, body.why)
    the_hub().change(User, user, act, actor=me().actor, at=now(), permissions=WORK)
    return _settled(user)


class Back(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first day of the absence."""

    since: date


@endpoint("POST", "/people/<uuid:user>/absences/withdraw", tag="People", body=Back, gives=Colleague, scopes=WORK)
def withdraw_absence(user: UUID, body: Back) -> Colleague:
    """Say that a colleague is not away after all (R34)."""
    the_hub().change(User, user, lambda u: u.withdraw_absence(body.since), actor=me().actor, at=now(), permissions=WORK)
    return _settled(user)


def _settled(user: UUID) -> Colleague:
    settle()
    return _colleague(user, the_hub().streams.fresh(User, user)[1])


# ── website forms (R1) ───────────────────────────────────────────────────────────

FormBody = body_of("FormBody", FormSettings, "What the administrator decides about a form.", {}, frozenset())


class Forms(Struct, frozen=True):
    """All forms."""

    items: list[FormState]


@endpoint("GET", "/forms", tag="Forms", gives=Forms, scopes=("admin",))
def list_forms() -> Forms:
    """Website forms by name, retired ones included."""
    return Forms(sorted(the_hub().forms().values(), key=lambda form: form.name.casefold()))


@endpoint("GET", "/forms/<form>", tag="Forms", gives=FormState, scopes=("admin",))
def get_form(form: str) -> FormState:
    """One form by its address."""
    found = the_hub().form(form)
    if found is None:
        raise NotFound("form_missing")
    return found


@endpoint("PUT", "/forms/<form>", tag="Forms", body=FormBody, gives=FormState, scopes=("admin",))
def put_form(form: str, body: Any) -> FormState:
    """Make the form at this address, or change its settings."""
    settings = FormSettings(**asdict(body))
    return _change_form(form, lambda f: f.edit(settings) if f.state.id else f.make(form, settings))


@endpoint("POST", "/forms/<form>/retire", tag="Forms", gives=FormState, scopes=("admin",))
def retire_form(form: str) -> FormState:
    """The form left its site; what still comes waits in the quarantine."""
    return _change_form(form, lambda f: f.retire())


@endpoint("POST", "/forms/<form>/restore", tag="Forms", gives=FormState, scopes=("admin",))
def restore_form(form: str) -> FormState:
    """The form is in use again."""
    return _change_form(form, lambda f: f.restore())


class FormTested(Struct, frozen=True):
    """The receipt of a test, and the test lead that it made."""

    receipt: UUID
    lead: UUID | None


@endpoint("POST", "/forms/<form>/test", tag="Forms", gives=FormTested, scopes=("admin",), status=201)
def test_form(form: str) -> FormTested:
    """Send what a visitor would send, through the same channel; it ends as a test lead."""
    the_hub().allow("form", form_stream(form), "admin", actor=me().actor, at=now())
    receipt = send_test(get_form(form))
    settle()
    return FormTested(receipt, the_hub().quarantined(receipt).lead)


def _change_form(form: str, act: Any) -> FormState:
    changed = the_hub().change(Form, form_stream(form), act, actor=me().actor, at=now())
    settle()
    return changed.state


# ── partners (R13) ───────────────────────────────────────────────────────────────


class PartnerEntry(Struct, frozen=True):
    """An agency that we may offer."""

    id: UUID
    partner: PartnerState


class Partners(Struct, frozen=True):
    """The directory."""

    items: list[PartnerEntry]


class PartnerBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of an agency."""

    name: str
    prices: list[str]
    technologies: list[str] = []
    site: str = ""
    contact: str = ""
    about: str = ""


@endpoint("GET", "/partners", tag="Partners", gives=Partners)
def list_partners() -> Partners:
    """The partner directory, retired ones included."""
    found = sorted(the_hub().partners().items(), key=lambda pair: pair[1].name.casefold())
    return Partners([PartnerEntry(id, partner) for id, partner in found])


@endpoint("POST", "/partners", tag="Partners", body=PartnerBody, gives=PartnerEntry, scopes=PARTNERS, keyed=True, status=201)
def add_partner(body: PartnerBody) -> PartnerEntry:
    """Add a vetted agency."""
    return _write_partner(answers.correlation() or uuid4(), body)


@endpoint("PUT", "/partners/<uuid:partner>", tag="Partners", body=PartnerBody, gives=PartnerEntry, scopes=PARTNERS)
def edit_partner(partner: UUID, body: PartnerBody) -> PartnerEntry:
    """Change what is known of an agency."""
    the_hub().allow("partner", partner, *PARTNERS, actor=me().actor, at=now())
    if not the_hub().streams.fresh(Partner, partner)[1].name:
        raise NotFound("no_such_partner")
    return _write_partner(partner, body)


def _write_partner(partner: UUID, body: PartnerBody) -> PartnerEntry:
    fields = {**asdict(body), "prices": tuple(body.prices), "technologies": tuple(body.technologies)}
    the_hub().write_partner(partner, actor=me().actor, at=now(), **fields)
    return _partner(partner)


@endpoint("POST", "/partners/<uuid:partner>/retire", tag="Partners", gives=PartnerEntry, scopes=PARTNERS)
def retire_partner(partner: UUID) -> PartnerEntry:
    """Offer the agency no more."""
    the_hub().change(Partner, partner, lambda p: p.retire(), actor=me().actor, at=now(), permissions=PARTNERS)
    return _partner(partner)


@endpoint("POST", "/partners/<uuid:partner>/restore", tag="Partners", gives=PartnerEntry, scopes=PARTNERS)
def restore_partner(partner: UUID) -> PartnerEntry:
    """Offer the agency again."""
    the_hub().change(Partner, partner, lambda p: p.restore(), actor=me().actor, at=now(), permissions=PARTNERS)
    return _partner(partner)


def _partner(partner: UUID) -> PartnerEntry:
    settle()
    return PartnerEntry(partner, the_hub().streams.fresh(Partner, partner)[1])


# ── letters (R12) ────────────────────────────────────────────────────────────────


class Wording(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A letter's wording with places such as {name}."""

    subject_line: str
    body: str


class LetterTemplate(Struct, frozen=True, kw_only=True):
    """A letter as it is worded now. ``places`` are what it may name as {place}; ``changed``: it is the company's own wording."""

    name: str
    subject_line: str
    body: str
    places: list[str]
    changed: bool


class LetterTemplates(Struct, frozen=True):
    """All letters that have a wording."""

    items: list[LetterTemplate]


def _template(name: str) -> LetterTemplate:
    if name not in THE_LETTERS:
        raise NotFound("no_such_wording", known=", ".join(THE_LETTERS))
    default = default_template(name)
    found = the_hub().template(name, default)
    return LetterTemplate(name=name, subject_line=found.subject_line, body=found.body,
                          places=list(PLACES_OF.get(name, EVERYWHERE)), changed=found != default)


@endpoint("GET", "/templates", tag="Letters", gives=LetterTemplates, scopes=LETTERS)
def list_templates() -> LetterTemplates:
    """The wording of every letter that the hub proposes or sends by itself."""
    return LetterTemplates([_template(name) for name in THE_LETTERS])


@endpoint("GET", "/templates/<name>", tag="Letters", gives=LetterTemplate, scopes=LETTERS)
def get_template(name: str) -> LetterTemplate:
    """A letter as it is worded now: `refusal`, `proposal`, `invitation`, `acknowledgement`, `acknowledgement.en`."""
    return _template(name)


@endpoint("PUT", "/templates/<name>", tag="Letters", body=Wording, gives=LetterTemplate, scopes=LETTERS)
def put_template(name: str, body: Wording) -> LetterTemplate:
    """Word a letter anew. A place that this letter does not have is refused."""
    _template(name)
    the_hub().change(Template, template_stream(name), lambda t: t.write(name, body.subject_line, body.body),
                     actor=me().actor, at=now(), permissions=LETTERS)
    settle()
    return _template(name)
