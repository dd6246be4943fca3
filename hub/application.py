"""The one application object: every use case of the hub, and the only writer of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

import msgspec

from hub.calendar import days_around, knows
from hub.company import RETRIES, THE_HUB, Company
from hub.domain.aggregate import Actor, Stamp
from hub.domain.delivery import Delivery
from hub.domain.errors import Conflict as Changed
from hub.domain.errors import NotFound, Refused, sentences
from hub.domain.event import Event
from hub.domain.lead import COMMANDS, Lead, Sender
from hub.domain.partner import PartnerState, TemplateState, fitting, reasons
from hub.domain.process import Process
from hub.domain.process_check import read_process
from hub.domain.publication import PROCESS_STREAM, ProcessPublished, Publication, process_of, text_due
from hub.domain.replay import known_at, version_at
from hub.domain.state import LeadState
from hub.domain.upkeep import UPKEEP_STREAM, Upkeep, UpkeepState
from hub.intake import Received, distinct
from hub.projections import Runner
from hub.projections.views import Views
from hub.store import Conflict
from hub.store.base import EventStore
from hub.store.files import FileStore

LONGEST_WHY = 500
"""Characters of the reason of a version of the process."""

sentences(
    bad_argument=("Поле «{name}» заполнено неверно: {why}. Исправьте его и повторите.",
                  "The field “{name}” is wrong: {why}. Mend it and try again."),
    no_such_command=("Нет такого действия: {name}.", "There is no such command: {name}."),
    say_why_process=("Напишите, зачем меняете процесс: причина останется в истории редакций.",
                     "Write why you change the process: the reason stays in the history of its versions."),
    why_process_long=("Причина длиннее {most} знаков. Напишите короче.",
                      "The reason is longer than {most} characters. Shorten it."),
    process_moved_on=("Пока вы правили, вступила в силу редакция {number}. Сравните с ней черновик и опубликуйте ещё раз.",
                      "While you were editing, version {number} came into force. Compare your draft with it and publish again."),
    process_without_administrator=(
        "С этим файлом в хабе не останется администратора. Оставьте право admin роли, которая есть у людей.",
        "With this file nobody could administer the hub. Leave the permission admin to a role that people have."),
    no_process=("Процесс ещё не опубликован. Запустите hub serve.", "No process is in force yet. Start hub serve."),
    no_such_version=("У этой заявки нет события № {given}: их {count}. Выберите номер от 1 до {count}.",
                     "This lead has no event {given}: there are {count}. Choose a number from 1 to {count}."),
    before_the_lead=("Этой заявки тогда ещё не было: она появилась {first}. Выберите более позднее время или событие № 1.",
                     "There was no such lead then: it came in on {first}. Choose a later time, or event 1."),
)


@dataclass(frozen=True)
class Done:
    """What a command recorded, and the log position up to which a reader must have read to see it."""

    events: tuple[Event, ...]
    position: int


@dataclass(frozen=True)
class LetterDraft:
    """A letter that a person reads, changes and confirms. Nothing is sent by it (R12)."""

    to: str
    subject: str
    body: str
    partners: tuple[tuple[UUID, PartnerState], ...]


class LeadHub(Company):
    """Commands in, events out. Web pages, the command line and the worker all come through here.

    Every method takes ``at``; only the outermost layer reads a clock.
    """

    def __init__(self, store: EventStore, files: FileStore, views: Views, index_key: bytes) -> None:
        super().__init__(store, files, views, index_key)
        self._processes: dict[int, Process] = {}

    # ── the process in force (R0) ────────────────────────────────────────────────

    @property
    def process(self) -> Process:
        """The process in force: the newest published version."""
        version, _ = self.streams.recent(Publication, PROCESS_STREAM)
        if version == 0:
            raise Refused("no_process")
        return self.process_of_day(version)

    def process_of_day(self, number: int) -> Process:
        """The process of an old decision, by its version."""
        if number not in self._processes:
            found = self.store.read(PROCESS_STREAM, after=number - 1, upto=number)
            if not found or not isinstance(found[0], ProcessPublished):
                raise NotFound("no_process")
            self._processes[number] = process_of(found[0])
        return self._processes[number]

    def process_text_due(self, file: str) -> str:
        """What the server's process file puts in force; see :func:`hub.domain.publication.text_due`."""
        return text_due(self.streams.fresh(Publication, PROCESS_STREAM)[1], file)

    def change_process(self, text: str, why: str, *, seen: int, actor: Actor, at: datetime) -> bool:
        """Put another text of the process in force, with the reason of who decides or administers; False where it is in force.

        ``seen``: the version that it was made from; a newer one refuses with ``process_moved_on``. BadProcess on a faulty text.
        """
        self.allow("process.publish", PROCESS_STREAM, "decide", "admin", actor=actor, at=at)
        if not why.strip():
            raise Refused("say_why_process", rule="R0", field="why")
        if len(why) > LONGEST_WHY:
            raise Refused("why_process_long", field="why", most=LONGEST_WHY)
        file = read_process(text, knows)
        roles = frozenset(role for user in self.users().values() if not user.disabled for role in user.roles)
        if not any("admin" in role.may for role in file.roles if role.id in roles):
            raise Refused("process_without_administrator", rule="R0", field="text")
        days_off, working_days = days_around(at, file.calendar.country)
        return self.publish_process(text, days_off, working_days, actor=actor, at=at, source="page", why=why.strip(), seen=seen)

    def publish_process(self, text: str, days_off: tuple[Any, ...], working_days: tuple[Any, ...], *, actor: Actor,
                        at: datetime, source: str = "file", why: str = "", seen: int | None = None) -> bool:
        """Put a process file in force unless it already is. Raises BadProcess on a faulty one."""
        while True:
            version, state = self.streams.fresh(Publication, PROCESS_STREAM)
            if seen is not None and seen != version:
                raise Changed("process_moved_on", number=version)
            publication = Publication(PROCESS_STREAM, Stamp(actor, at, uuid4()), state, version)
            if not publication.publish(text, days_off, working_days, source=source, why=why):
                return False
            try:
                self.streams.save([publication])
                return True
            except Conflict:
                continue

    # ── reading ──────────────────────────────────────────────────────────────────

    def lead(self, lead: UUID, *, version: int | None = None, at: datetime | None = None) -> LeadState:
        """A lead as it is, or as it was at a version or an instant. NotFound where there is none."""
        if version is not None or at is not None:
            return Lead.fold(self.past(lead, version=version, at=at))
        state: LeadState = self.streams.fresh(Lead, lead)[1]
        if not state.exists:
            raise NotFound("no_such_lead")
        return state

    def past(self, lead: UUID, *, version: int | None = None, at: datetime | None = None) -> list[Event]:
        """The events of a lead up to a version, or all that the hub knew of at an instant. NotFound where there were none."""
        events = self.history(lead)
        if not events[0].TOPIC.startswith("lead."):
            raise NotFound("no_such_lead")
        upto = version_at(events, at) if at is not None else len(events) if version is None else version
        if upto < 1 and at is not None:
            zone = ZoneInfo(self.process.calendar.timezone)
            raise NotFound("before_the_lead", field="at", first=f"{known_at(events[0]).astimezone(zone):%d.%m.%Y %H:%M}")
        if not 1 <= upto <= len(events):
            raise NotFound("no_such_version", field="at", given=upto, count=len(events))
        return events[:upto]

    def process_at(self, at: datetime) -> Process:
        """The process that was in force at an instant; the first one for the time before it."""
        published = self.store.read(PROCESS_STREAM)
        if not published:
            raise Refused("no_process")
        return self.process_of_day(max(1, version_at(published, at)))

    def version(self, lead: UUID) -> int:
        """The number of the lead's newest event."""
        return self.streams.fresh(Lead, lead)[0]

    def history(self, lead: UUID) -> list[Event]:
        """All events of a lead, in order."""
        events = self.store.read(lead)
        if not events:
            raise NotFound("no_such_lead")
        return events

    # ── commands on a lead ───────────────────────────────────────────────────────

    def do(self, lead: UUID, command: str, arguments: Mapping[str, Any] | None = None, *, actor: Actor, at: datetime,
           expected: int | None = None, correlation: UUID | None = None) -> Done:
        """Give a command to a lead. A refusal is recorded apart and raised; nothing else is stored then.

        ``expected`` is the version that the caller saw: with it, a lead that has moved on refuses with ``conflict``.
        """
        return self.do_in_turn(lead, [(command, arguments or {})], actor=actor, at=at, expected=expected, correlation=correlation)

    def do_in_turn(self, lead: UUID, commands: Sequence[tuple[str, Mapping[str, Any]]], *, actor: Actor, at: datetime,
                   expected: int | None = None, correlation: UUID | None = None) -> Done:
        """Give commands to a lead, one after another, all of them or none: where one is refused, nothing is stored."""
        for name, _arguments in commands:
            if name not in COMMANDS:
                raise NotFound("no_such_command", name=name)
        given = [(name, convert(arguments, COMMANDS[name].arguments)) for name, arguments in commands]
        stamp, tried = self._stamp(actor, at, correlation), commands[0][0]

        def give(found: Lead) -> None:
            nonlocal tried
            if expected is not None and found.version != expected:
                raise Changed("conflict")
            for name, values in given:
                tried = name
                found.do(name, values)

        try:
            return self._on_lead(lead, stamp, give)
        except Refused as refused:
            self._keep_attempt(stamp, tried, lead, refused)
            raise

    def _on_lead(self, lead: UUID, stamp: Stamp, give: Callable[[Lead], None]) -> Done:
        """Decide on the state at hand; where that was old or somebody else was first, decide again on the newest."""
        process = self.process_of_day(stamp.process_version)
        staff = partial(self.staff, stamp.at, process)
        version, state = self.streams.at_hand(Lead, lead)
        for _ in range(RETRIES):
            found = Lead(lead, self._not_before(stamp, state), state, version, process=process, staff=staff)
            try:
                give(found)
                events, position = self.streams.save([found, *self._ties(found)])
                return Done(tuple(e for e in events if e.originator_id == lead), position)
            except Conflict:
                pass
            except Refused:
                newest = self.streams.fresh(Lead, lead)[0]
                if newest == version:
                    raise
            version, state = self.streams.fresh(Lead, lead)
        raise Changed("conflict")

    def pass_time(self, lead: UUID, *, at: datetime) -> Done:
        """Let time pass for a lead: idempotent, and safe with several workers."""
        return self._on_lead(lead, self._stamp(THE_HUB, at), lambda found: found.pass_time())

    def find_out(self, lead: UUID, about: Callable[[Lead], None], *, at: datetime, actor: Actor = THE_HUB) -> Done:
        """Record what the hub found out about a lead by itself: how a message fared, a file that came.

        ``about`` is idempotent. ``actor``: who has decided it, where that was a person and the right was checked already.
        """
        return self._on_lead(lead, self._stamp(actor, at), about)

    def offer_absent(self, lead: UUID, *, at: datetime) -> Done:
        """Offer the lead of an absent owner to those at work (R34). Idempotent."""
        return self._on_lead(lead, self._stamp(THE_HUB, at), lambda found: found.offer_absent())

    def merge(self, survivor: UUID, other: UUID, why: str, *, actor: Actor, at: datetime,
              correlation: UUID | None = None) -> Done:
        """Merge ``other`` into ``survivor``; both histories stay (R6)."""
        def give(a: Lead, b: Lead) -> None:
            a.absorb(other, b.state, why)
            b.merge_into(survivor, why)
        return self._pair(survivor, other, "merge", self._stamp(actor, at, correlation), give, goes_on=survivor)

    def unmerge(self, survivor: UUID, other: UUID, why: str, *, actor: Actor, at: datetime,
                correlation: UUID | None = None) -> Done:
        """Split a wrong merge; both go on (R6)."""
        def give(a: Lead, b: Lead) -> None:
            b.split_off(why, a.release(other, why))
        return self._pair(survivor, other, "unmerge", self._stamp(actor, at, correlation), give, goes_on=other)

    def tell_apart(self, lead: UUID, other: UUID, why: str, *, actor: Actor, at: datetime,
                   correlation: UUID | None = None) -> Done:
        """Two cards that look alike are not the same request: they are not proposed as duplicates again (R6)."""
        def give(a: Lead, b: Lead) -> None:
            a.tell_apart(other, b.state, why)
            b.tell_apart(lead, a.state, why)
        return self._pair(lead, other, "tell_apart", self._stamp(actor, at, correlation), give)

    def _pair(self, one: UUID, other: UUID, command: str, stamp: Stamp, give: Callable[[Lead, Lead], None],
              goes_on: UUID | None = None) -> Done:
        """A command on two leads. Where the work ``goes_on`` in one of them, the addresses of ``other`` find it from now on."""
        for _ in range(RETRIES):
            a, b = self._two(one, other, stamp)
            try:
                if not a.state.exists:
                    raise NotFound("no_such_lead")
                for lead in (a, b):
                    if lead.state.exists:
                        lead.authorise("work")
                        lead.pass_time()
                give(a, b)
                ties = [] if goes_on is None else [self._tie(address, person.id, goes_on, stamp)
                                                   for person in b.state.people.values() for address in person.addresses]
                events, position = self.streams.save([a, b, *distinct(ties)])
                return Done(tuple(events), position)
            except Conflict:
                continue
            except Refused as refused:
                self._keep_attempt(stamp, command, one, refused)
                raise
        raise Changed("conflict")

    def _two(self, one: UUID, other: UUID, stamp: Stamp) -> tuple[Lead, Lead]:
        """Two leads as they are now, for one command on both."""
        process = self.process_of_day(stamp.process_version)
        staff = partial(self.staff, stamp.at, process)
        a, b = (Lead(id, self._not_before(stamp, state), state, version, process=process, staff=staff)
                for id in (one, other) for version, state in (self.streams.fresh(Lead, id),))
        return a, b

    def open_request(self, won: UUID, text: str, *, actor: Actor, at: datetime, request: UUID | None = None) -> Received:
        """A new lead for a client whose deal is won, opened by the account manager (R29).

        The same ``request`` again, as when a button is pressed twice, answers with the lead that it opened.
        """
        if not text.strip():
            raise Refused("say_text", rule="R29", field="text")
        stamp = self._stamp(actor, at)
        request = request or stamp.correlation_id
        for _ in range(RETRIES):
            old, new = self._two(won, uuid5(request, "lead"), stamp)
            if new.state.exists:
                return Received(request, new.id, False, True, False, self.store.position(new.id, 1))
            try:
                if not old.state.exists:
                    raise NotFound("no_such_lead")
                old.authorise("account", "intake")
                old.pass_time()
                old.request_opened(new.id)
                new.receive(self._known_client(old.state, text.strip(), actor), Sender(old.state.main_person), receipt_id=None,
                            previous_lead=won, by_hand=True)
                ties = [self._tie(a, p.id, new.id, stamp) for p in old.state.people.values() for a in p.addresses]
                _, position = self.streams.save([old, new, *distinct(ties)])
                return Received(request, new.id, True, False, False, position)
            except Conflict:
                continue
            except Refused as refused:
                self._keep_attempt(stamp, "open_request", won, refused)
                raise
        raise Changed("conflict")

    def _known_client(self, state: LeadState, text: str, actor: Actor) -> Delivery:
        person = state.person
        roles = [r for id, r in self.process.roles.items() if id in actor.roles and {"account", "intake"} & set(r.may)]
        return Delivery(channel=state.channel, source="account", source_title=roles[0].title, name=person.name, text=text,
                        company=state.company, addresses=person.addresses, timezone=person.timezone)

    # ── read models that stand still ─────────────────────────────────────────────

    def skipped_by(self, read_model: str) -> frozenset[int]:
        """Log positions that a read model does without, as people decided."""
        state: UpkeepState = self.streams.fresh(Upkeep, UPKEEP_STREAM)[1]
        return state.skipped.get(read_model, frozenset())

    def release_read_model(self, runner: Runner, name: str, *, skip: bool, why: str = "", actor: Actor, at: datetime) -> int:
        """Let a parked read model try its event again, or (``skip``) do without it; the log position of that event.

        The decision is recorded. Refused where the read model is not parked.
        """
        found = {status.name: status for status in runner.status()}
        if name not in found:
            raise NotFound("no_such_read_model", known=", ".join(found))
        position = found[name].parked_at
        if position is None:
            raise Refused("not_parked")
        self.change(Upkeep, UPKEEP_STREAM, lambda u: u.skip(name, position, why) if skip else u.retry(name, position),
                    actor=actor, at=at)
        runner.retry(name)
        return position

    # ── the refusal letter (R12, R13) ────────────────────────────────────────────

    def refusal_letter(self, lead: UUID, default: TemplateState, *, actor: Actor, partners: tuple[UUID, ...] | None = None,
                       agency: str = "") -> LetterDraft:
        """The letter as the template, the sheet and the partners make it; ``partners`` None takes the three that fit best."""
        state = self.lead(lead)
        process = self.process
        fit = fitting(self.partners().items(), state, process)
        chosen = fit[:3] if partners is None else [p for p in fit if p[0] in partners]
        me = next((u.name for id, u in self.users().items() if f"user:{id}" == actor.id), "")
        subject, body = self.template("refusal", default).fill(
            name=state.person.name, company=state.company, manager=me, agency=agency,
            reasons="\n".join(f"— {r}" for r in reasons(state, process)),
            partners="\n".join(f"— {p.name}{': ' + p.site if p.site else ''}{' (' + p.contact + ')' if p.contact else ''}"
                               for _, p in chosen))
        return LetterDraft(state.address("email"), subject, body, tuple(chosen))


def convert(arguments: Mapping[str, Any], kind: type[msgspec.Struct]) -> msgspec.Struct:
    """Arguments as the command's own types; a wrong one is refused with its name."""
    try:
        return msgspec.convert(dict(arguments), kind, strict=False)
    except msgspec.ValidationError as e:
        why, _, path = str(e).partition(" - at `$.")
        name = path.rstrip("`") or (why.split("`")[1] if "`" in why else "")
        raise Refused("bad_argument", field=name.split("[")[0].split(".")[0], name=name, why=why) from e


__all__ = ["THE_HUB", "Done", "LeadHub", "LetterDraft", "Received", "convert"]
