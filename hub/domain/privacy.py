"""Erasing a person, telling a person all that is known of them, and who of the auditors read what: facts of their own streams.

An erasure is a stream: begun with everything that it reaches, then what providers are asked to delete, and at its end
what was reached and what people must still do. Nothing in it names anybody: ids are random, the reason is refused where it
quotes the person, and what providers call their copies is sealed under a key that is destroyed when they have answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.aggregate import Aggregate
from hub.domain.errors import Refused, sentences
from hub.domain.event import Event, Personal, topic

LONGEST_REASON = 300

sentences(
    say_why_erased=("Напишите, почему: например, «отзыв согласия от 12.11».",
                    "Write why, for instance “consent withdrawn on 12 November”."),
    reason_too_long=("Причина длиннее {most} знаков: сократите её.", "The reason is longer than {most} characters: shorten it."),
    reason_names_person=("В причине есть данные человека ({found}), а она остаётся навсегда. Напишите без имени и адресов.",
                         "The reason quotes the person ({found}), and it stays for good. Write it without names and addresses."),
    say_why_exported=("Напишите, по какому запросу выдаются данные.", "Write which request the data is given out for."),
    no_such_client=("Такого человека нет. Найдите его по телефону, почте, имени или номеру карточки.",
                    "There is no such person. Find them by phone, e-mail, name or the number of a card."),
    several_clients=("Так находятся несколько человек ({n}). Возьмите телефон, почту или id из hub person find.",
                     "This finds several people ({n}). Take a phone, an e-mail address or the id from hub person find."),
    client_erased=("Данные этого человека уже удалены {day}.", "This person's data was erased already on {day}."),
    not_a_client=("Это сотрудник. Данные сотрудников так не удаляют: закройте доступ (hub user disable) и поступите, как "
                  "сказано в docs/privacy.md.",
                  "This is a colleague. Colleagues are not erased this way: end their access (hub user disable) and go on as "
                  "docs/privacy.md says."),
    no_such_erasure=("Такого удаления нет.", "There is no such erasure."),
    reach_changed=("Пока вы читали, у человека появились новые данные. Посмотрите, что будет удалено теперь, и подтвердите.",
                   "New data of this person came while you were reading. Look at what would be erased now, and confirm again."),
)


class CardReached(Struct, frozen=True):
    """A card of the person; ``texts``: its own texts are erased as well, by destroying the keys ``subjects`` too."""

    lead: UUID
    people: tuple[UUID, ...]
    texts: bool


class Count(Struct, frozen=True):
    """How many of ``what`` were reached."""

    what: str
    n: int


@topic("privacy.erasure_begun")
class ErasureBegun(Event, frozen=True, kw_only=True):
    """Somebody, or a retention rule, had people erased. ``subjects`` are the keys that are destroyed, ``contacts`` the
    look-up entries that lead to nobody from now on, ``receipts`` the deliveries whose raw form goes."""

    people: tuple[UUID, ...]
    cards: tuple[CardReached, ...]
    subjects: tuple[UUID, ...]
    contacts: tuple[UUID, ...] = ()
    receipts: tuple[UUID, ...] = ()
    reason: str
    rule: str = ""


@topic("privacy.removal_asked")
class RemovalAsked(Event, frozen=True, kw_only=True):
    """A provider is asked to delete its copy. ``kind``: ``recording``, ``message``, ``call``; ``ref`` what it is called there."""

    removal: int
    account: str
    kind: str
    ref: Personal


@topic("privacy.removal_done")
class RemovalDone(Event, frozen=True, kw_only=True):
    """The provider does not have it any more."""

    removal: int


@topic("privacy.removal_failed")
class RemovalFailed(Event, frozen=True, kw_only=True):
    """It could not be deleted; a person has to. ``code`` is a sentence ``out_<code>``."""

    removal: int
    code: str


@topic("privacy.erasure_finished")
class ErasureFinished(Event, frozen=True, kw_only=True):
    """What the hub did (``reached``), what people must still do (``left``), and what the hub itself tries again (``again``):
    codes of the words in the report."""

    reached: tuple[Count, ...]
    left: tuple[str, ...] = ()
    again: tuple[str, ...] = ()


@topic("privacy.data_exported")
class DataExported(Event, frozen=True, kw_only=True):
    """Everything about people was given out as one archive, and why."""

    people: tuple[UUID, ...]
    leads: tuple[UUID, ...]
    reason: str


@topic("privacy.data_read")
class DataRead(Event, frozen=True, kw_only=True):
    """Somebody who only reads, an auditor, looked at personal data. ``what``: ``card``, ``file``, ``person``; ``trail``, a
    page of the audit trail, of which ``leads`` were on it."""

    lead: UUID | None
    what: str
    leads: tuple[UUID, ...] = ()


class Removal(Struct, frozen=True):
    """A copy at a provider. ``status``: ``asked``, ``done``, ``failed``; ``fixed_id`` what it is asked under."""

    account: str
    kind: str
    ref: str
    status: str = "asked"
    code: str = ""
    fixed_id: str = ""


class ErasureState(Struct, frozen=True):
    """An erasure; ``begun_at`` is None where there is none."""

    begun_at: datetime | None = None
    actor: str = ""
    begun: ErasureBegun | None = None
    removals: dict[int, Removal] = {}
    finished: ErasureFinished | None = None

    @property
    def pending(self) -> bool:
        """Whether a provider has still to answer."""
        return any(r.status == "asked" for r in self.removals.values())


class Erasure(Aggregate[ErasureState]):
    """One erasure."""

    EMPTY = ErasureState()

    @staticmethod
    def evolve(state: ErasureState, event: Event) -> ErasureState:
        match event:
            case ErasureBegun():
                return replace(state, begun_at=event.at, actor=event.actor, begun=event)
            case RemovalAsked():
                removal = Removal(event.account, event.kind, event.ref, fixed_id=event.event_id.hex)
                return replace(state, removals={**state.removals, event.removal: removal})
            case RemovalDone():
                return _removed(state, event.removal, "done", "")
            case RemovalFailed():
                return _removed(state, event.removal, "failed", event.code)
            case ErasureFinished():
                return replace(state, finished=event)
        return state

    @property
    def sealed_by(self) -> UUID:
        """Whose key encrypts what providers call their copies; it is destroyed when they have all answered."""
        return uuid5(self.id, "removals")

    def begin(self, begun: Mapping[str, Any], removals: tuple[Removal, ...]) -> None:
        """Record what is to be erased, and what providers are asked to delete. ``begun``: fields of :class:`ErasureBegun`."""
        self.record(ErasureBegun, **begun)
        for number, removal in enumerate(removals, 1):
            self.record(RemovalAsked, subject=self.sealed_by, removal=number, account=removal.account, kind=removal.kind,
                        ref=removal.ref)

    def removed(self, removal: int, code: str = "") -> None:
        """A provider has answered; ``code`` says why it could not. Idempotent."""
        found = self.state.removals.get(removal)
        if found is not None and found.status == "asked":
            if code:
                self.record(RemovalFailed, removal=removal, code=code)
            else:
                self.record(RemovalDone, removal=removal)

    def finish(self, reached: tuple[Count, ...], left: tuple[str, ...], again: tuple[str, ...]) -> None:
        """The hub is done, but for ``again``. Said again only where something else is left now."""
        known = self.state.finished
        if known is None or (known.left, known.again) != (left, again):
            self.record(ErasureFinished, reached=reached, left=left, again=again)


def _removed(state: ErasureState, number: int, status: str, code: str) -> ErasureState:
    known = state.removals[number]
    return replace(state, removals={**state.removals, number: replace(known, ref="", status=status, code=code)})


class NotedState(Struct, frozen=True):
    """Nothing follows from what was given out or read."""


class Noted(Aggregate[NotedState]):
    """One archive given out, or one look of an auditor's."""

    EMPTY = NotedState()

    @staticmethod
    def evolve(state: NotedState, event: Event) -> NotedState:
        return state

    def exported(self, people: tuple[UUID, ...], leads: tuple[UUID, ...], reason: str) -> None:
        """Everything about people was given out."""
        self.record(DataExported, people=people, leads=leads, reason=reason)

    def read(self, lead: UUID | None, what: str, leads: tuple[UUID, ...] = ()) -> None:
        """An auditor looked."""
        self.record(DataRead, lead=lead, what=what, leads=leads)


def checked_reason(text: str, code: str, known: tuple[str, ...] = ()) -> str:
    """A reason that may stay for good: some words, not too many, and none of ``known`` about the person in them."""
    reason = " ".join(text.split())
    if not reason:
        raise Refused(code, field="reason")
    if len(reason) > LONGEST_REASON:
        raise Refused("reason_too_long", field="reason", most=LONGEST_REASON)
    folded = reason.casefold()
    digits = "".join(c for c in folded if c.isdigit())
    for value in known:
        number = "".join(c for c in value if c.isdigit())[-10:] if value.startswith("+") else ""
        if value.casefold() in folded or (len(number) >= 7 and number in digits):
            raise Refused("reason_names_person", field="reason", found=value)
    return reason
