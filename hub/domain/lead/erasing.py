"""A card whose person is erased: what is still under way with them ends, and nobody writes to them any more."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from hub.domain import events as e
from hub.domain.errors import sentences
from hub.domain.lead.talk import Talk

CODE = "erased"

sentences(
    out_erased=("Данные человека удалены: сообщение не отправлено.", "The person's data was erased: the message was not sent."),
    fetch_erased=("Данные человека удалены.", "The person's data was erased."),
    person_was_erased=("Данные этого человека удалены, писать и дополнять их нельзя. Если он обратится снова, появится новая "
                       "карточка; другого человека добавьте как новый контакт.",
                       "This person's data was erased, and nothing can be added to it. If they turn to us again there will be a "
                       "new card; add another person as a new contact."),
)


class Erasing(Talk):
    """Given by the hub alone; who may ask for it is decided in :mod:`hub.privacy`."""

    def ask_erasure(self, person: UUID, erasure: UUID, *, texts: bool, leaving: Collection[str] = ()) -> None:
        """Before the keys of ``person`` are destroyed: what is under way with them ends. Idempotent.

        ``texts``: the card's own texts will go as well. ``leaving`` are fixed ids of messages that are leaving at this moment:
        what comes of them is not known yet.
        """
        known = self.state.people.get(person)
        if known is None or not known.erased:
            self.record(e.ErasureAsked, person_id=person, erasure=erasure)
        self._end_talk(person, texts, leaving)
        if all(p.erased for p in self.state.people.values()):
            self._drop(why=CODE)

    def person_erased(self, person: UUID, erasure: UUID, *, texts: bool, reason: str, rule: str) -> None:
        """After that: from here on everything of theirs reads as erased. To be given once for each erasure."""
        self.record(e.PersonErased, person_id=person, erasure=erasure, texts=texts, reason=reason, rule=rule)

    def _end_talk(self, person: UUID, texts: bool, leaving: Collection[str]) -> None:
        for message in list(self.state.outgoing.values()):
            if message.status == "asked" and (texts or message.person_id == person):
                leaves = message.fixed_id in leaving
                self.record(e.MessageUnknown if leaves else e.MessageFailed, message=message.id, code=CODE)
        for call in list(self.state.calls.values()):
            if call.status == "asked" and (texts or call.person_id == person):
                self.record(e.CallUnknown if call.fixed_id in leaving else e.CallFailed, call=call.id, code=CODE)
        for fetch in list(self.state.fetches.values()):
            if fetch.status == "asked" and (texts or fetch.person_id == person):
                self.record(e.FetchEnded, fetch=fetch.id, message=fetch.message, code=CODE)
