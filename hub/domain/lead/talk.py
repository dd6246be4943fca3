"""Writing to the client and hearing how it fared: R6, R22, R26. What providers tell is ranked, never believed by its order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from msgspec import Struct

from hub.domain import events as e
from hub.domain.contact import is_zone
from hub.domain.delivery import Later
from hub.domain.errors import Refused
from hub.domain.fact import Fact, own_name
from hub.domain.lead.base import command
from hub.domain.lead.clock import Clock
from hub.domain.outgoing import OUT_RANKS, Fetch, Outgoing
from hub.domain.state import Person

WRITTEN_DUES = ("reply", "ping", "return")
"""What a written message to the client is: an answer (R6), the contact after the proposal (R22), the one at a return (R29)."""

ADDRESS_KINDS = {"sms": ("phone",), "whatsapp": ("whatsapp", "phone")}
"""Where a way writes to, if it is not an address of its own name."""

MOST_FILES = 10
LONGEST_TEXT = 20_000


class Route(Struct, frozen=True, forbid_unknown_fields=True):
    """How a message goes: the way, the channel account that sends it, and the client's address."""

    way: str
    account: str
    to: str


H = TypeVar("H", bound=Callable[..., None])
HEARERS: dict[str, Callable[[Any, Fact], None]] = {}
"""Who takes a fact on the lead, by its kind. Each is idempotent and does not care about the order of facts."""


def hears(kind: str) -> Callable[[H], H]:
    """Registers a method of the lead as the one that takes facts of ``kind``."""
    def register(method: H) -> H:
        HEARERS[kind] = method
        return method
    return register


class Talk(Clock):
    """Messages out, facts about them in, and what belongs to a client's message but came later."""

    # ── asking ───────────────────────────────────────────────────────────────────

    @command("work", "account", ended=True)
    def send_message(self, route: Route, text: str = "", subject: str = "", files: tuple[e.FileRef, ...] = ()) -> None:
        """Write to the client through one of our channels; it leaves by itself. Only a letter has a subject."""
        self._ask(route, text=text.strip(), subject=subject.strip() if route.way == "email" else "", files=files)

    def _ask(self, route: Route, *, text: str, subject: str = "", html: str = "", files: tuple[e.FileRef, ...] = (),
             again: int = 0, letter: int = 0) -> int:
        """Ask for a message; its number. Commands with a message of their own kind (a proposal, an invitation) call this."""
        if self.state.merged_into is not None:
            raise Refused("merged_away", rule="R6")
        if not self.state.ended:
            self._must_be_taken()
        if not text and not files:
            raise Refused("say_text", rule="R6", field="text")
        if len(text) > LONGEST_TEXT:
            raise Refused("text_too_long", field="text", most=LONGEST_TEXT)
        if len(files) > MOST_FILES:
            raise Refused("too_many_files", field="files", most=MOST_FILES)
        to, person = self._reached_at(route)
        number = len(self.state.outgoing) + 1
        self.record(e.MessageAsked, subject=self.id, message=number, way=route.way, account=route.account, person_id=person,
                    again=again, letter=letter, to=to, answers=self._answered(route.account), subject_line=subject, text=text,
                    html=html, files=files)
        self._next_step_due()
        return number

    def _reached_at(self, route: Route) -> tuple[str, UUID | None]:
        """The address as it is known, and whose it is. A message goes to the client's people, nowhere else."""
        self._way(route.way)
        if not route.account:
            raise Refused("say_account", field="route")
        kinds = ADDRESS_KINDS.get(route.way, (route.way,))
        main = self.state.person
        for person in (main, *self.state.people.values()):
            for address in person.addresses:
                if address.kind in kinds and address.value == route.to.strip():
                    return address.value, person.id
        raise Refused("not_their_address", rule="R6", field="route", given=route.to)

    def _answered(self, account: str) -> str:
        """The newest message of the client's through this account, which ours answers."""
        return next((m.key for m in reversed(self.state.messages) if m.source == account and m.key), "")

    @command("work", "account", ended=True)
    def send_again(self, message: int) -> None:
        """Send a message again that failed, or of which nobody knows whether it left."""
        old = self._outgoing(message)
        if old.status not in ("failed", "unknown"):
            raise Refused("message_not_failed", field="message", given=message)
        self._ask(Route(old.way, old.account, old.to), text=old.text, subject=old.subject_line, files=old.files,
                  html=old.html, again=message, letter=old.letter)

    @command("work", "account", ended=True)
    def mark_message(self, message: int, sent: bool = True) -> None:
        """Say of a message that nobody knows about whether the client has it."""
        found = self._outgoing(message)
        if found.status != "unknown":
            raise Refused("message_not_unknown", field="message", given=message)
        if sent:
            self.message_sent(message, (), by_hand=True)
        else:
            self.record(e.MessageFailed, message=message, code="not_there")

    def _outgoing(self, message: int) -> Outgoing:
        if message not in self.state.outgoing:
            raise Refused("no_such_message", field="message", given=message)
        return self.state.outgoing[message]

    # ── how it fared ─────────────────────────────────────────────────────────────

    def message_sent(self, message: int, names: tuple[str, ...], *, by_hand: bool = False) -> None:
        """It left; ``names`` are what the provider calls it. Idempotent."""
        found = self.state.outgoing[message]
        if OUT_RANKS[found.status] >= OUT_RANKS["sent"] and set(names) <= set(found.names):
            return
        self.record(e.MessageSent, subject=self.id, message=message, names=names, by_hand=by_hand)
        self._left(found)

    def _left(self, before: Outgoing) -> None:
        """The first time that it is known to have left: what waited for a word of ours has it, and its letter is sent."""
        if before.status in ("asked", "unknown") and not before.automatic:
            self._met(*WRITTEN_DUES)
            letter = self.state.letters.get(before.letter)
            if letter is not None and letter.status == "asked":
                self.record(e.LetterSent, hub=True, letter=before.letter)

    def message_failed(self, message: int, code: str, why: str = "") -> None:
        """It did not reach the client; staff are told. Idempotent, and nothing where the provider has said that it arrived."""
        found = self.state.outgoing[message]
        if OUT_RANKS[found.status] < OUT_RANKS["failed"]:
            self.record(e.MessageFailed, subject=self.id, message=message, code=code, why=why)
            letter = self.state.letters.get(found.letter)
            if letter is not None and letter.status != "failed":
                self.record(e.LetterFailed, hub=True, subject=self.id, letter=found.letter, why=why or code)
            self._tell("unsent")

    def message_unknown(self, message: int, code: str, why: str = "") -> None:
        """Nobody can say whether it left; a person decides. Idempotent."""
        if self.state.outgoing[message].status == "asked":
            self.record(e.MessageUnknown, subject=self.id, message=message, code=code, why=why)
            self._tell("unsent")

    def hear(self, fact: Fact) -> None:
        """Take a fact about something on this lead. Idempotent; a fact that says nothing new records nothing."""
        hearer = HEARERS.get(fact.kind)
        if hearer is not None:
            hearer(self, fact)

    @hears("message")
    def _message_fact(self, fact: Fact) -> None:
        found = next((m for m in reversed(self.state.outgoing.values()) if fact.about in (*m.names, own_name(m.fixed_id))), None)
        if found is None or fact.status not in OUT_RANKS:
            return
        if fact.status == "failed":
            self.message_failed(found.id, fact.code or "provider", fact.why)
        elif OUT_RANKS[fact.status] > OUT_RANKS[found.status]:
            if fact.status == "sent":
                self.record(e.MessageSent, subject=self.id, message=found.id)
            else:
                self.record(e.MessageReached, message=found.id, status=fact.status)
            self._left(found)

    # ── what belongs to a client's message and came later ────────────────────────

    def edited(self, key: str, text: str, revision: int = 0) -> bool:
        """The client changed the message that is called ``key``; whether it is one of this lead. Changes come in any order: one
        that is older than what the card has changes nothing."""
        found = next((m for m in self.state.messages if m.key and m.key == key), None)
        if found is None:
            return False
        if revision < found.revision or (found.text, found.revision) == (text, revision):
            return True
        # With the same text it is noted as well: what changed in between may still come, and is older than this.
        if found.text != text or revision:
            self.record(e.MessageEdited, subject=found.person_id, message=found.id, text=text, revision=revision)
        if found.text != text:
            self._tell("written")
        return True

    def expect(self, message: int, person: UUID, account: str, later: tuple[Later, ...]) -> None:
        """Note what is still to be fetched of a message."""
        known = {(f.kind, f.ref) for f in self.state.fetches.values()}
        for item in later:
            if (item.kind, item.ref) not in known:
                self.record(e.FetchAsked, subject=person, fetch=len(self.state.fetches) + 1, kind=item.kind, message=message,
                            person_id=person, account=account, size=item.size, ref=item.ref, name=item.name,
                            content_type=item.content_type)

    @hears("file")
    def _file_fact(self, fact: Fact) -> None:
        found = next((m for m in self.state.messages if m.key == fact.about), None)
        if found is not None:
            self.expect(found.id, found.person_id, found.source, fact.later)

    def _fetch(self, fetch: int) -> Fetch | None:
        found = self.state.fetches.get(fetch)
        return found if found is not None and found.status == "asked" else None

    def file_fetched(self, fetch: int, file: e.FileRef) -> None:
        """A file of a message came. Idempotent."""
        if (found := self._fetch(fetch)) is not None:
            self.record(e.FileFetched, subject=found.person_id, fetch=fetch, message=found.message, files=(file,))

    def person_fetched(self, fetch: int, name: str, timezone: str = "", place: str = "") -> None:
        """The writer's name, city and its time zone are known; what was known already stays. Idempotent."""
        if (found := self._fetch(fetch)) is None:
            return
        person = self.state.people.get(found.person_id) if found.person_id else None
        if name.strip() and isinstance(person, Person) and not person.name:
            self.record(e.PersonNamed, subject=person.id, person_id=person.id, name=name.strip())
        if isinstance(person, Person) and not person.timezone and is_zone(timezone):
            self.record(e.TimezoneLearned, person_id=person.id, timezone=timezone, origin="delivery")
        if place.strip() and isinstance(person, Person) and not person.place and not person.erased:
            self.record(e.PlaceLearned, subject=person.id, person_id=person.id, place=place.strip()[:100])
        self.record(e.FetchEnded, fetch=fetch, message=found.message)

    def not_fetched(self, fetch: int, code: str) -> None:
        """It cannot be had. Idempotent."""
        if (found := self._fetch(fetch)) is not None:
            self.record(e.FetchEnded, fetch=fetch, message=found.message, code=code)
