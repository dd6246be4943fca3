"""Cards that belong together: a merge and what it brings, a wrong merge split, cards that only look alike (R6)."""

from __future__ import annotations

from uuid import UUID

from hub.domain import events as e
from hub.domain.errors import Refused, sentences
from hub.domain.lead.clock import Clock
from hub.domain.merged import Brought
from hub.domain.state import LeadState, Person

OWED = ("reply", "call_back")
"""What we owe the client as such: it is due on the card where the work goes on."""

sentences(
    apart_already=("Эти карточки уже отмечены как разные заявки. Вернитесь к карточке.",
                   "These cards are marked as different requests already. Go back to the card."),
    apart_from_itself=("Карточка не отличается от самой себя. Укажите номер другой.",
                       "A card does not differ from itself. Give the number of the other one."),
    apart_merged=("Одна из карточек объединена с другой. Сначала разделите их.",
                  "One of the cards is merged into another. Split them first."),
)


class Merging(Clock):
    """Each act is given to both cards in one transaction; neither history is ever changed."""

    def absorb(self, other: UUID, other_state: LeadState, why: str) -> None:
        """Merge another card into this one; :meth:`merge_into` is given to the other.

        Its people, planned meetings, open requests and what is owed to the client go on here.
        """
        if other == self.id:
            raise Refused("merge_with_itself", rule="R6", field="other")
        if not other_state.exists:
            raise Refused("merge_unknown", rule="R6", field="other")
        if other_state.merged_into is not None or self.state.merged_into is not None:
            raise Refused("already_merged", rule="R6", field="other")
        if other_state.ended:
            raise Refused("merge_ended", rule="R6", field="other")
        self._must_be_open()
        self.record(e.LeadAbsorbed, subject=self.id, other=other, why=why.strip())
        for person in other_state.people.values():
            self._bring_person(other, person)
        if other_state.asleep_until is None:
            self._bring_work(other, other_state)

    def _bring_person(self, other: UUID, person: Person) -> None:
        if person.id not in self.state.people:
            self.record(e.PersonAdded, subject=person.id, person_id=person.id, name=person.name, position=person.position,
                        merged_from=other)
        known = {(a.kind, a.value) for p in self.state.people.values() for a in p.addresses}
        for address in person.addresses:
            if (address.kind, address.value) not in known:
                self._add_address(person.id, address, "merge")
        if person.timezone and not self.state.people[person.id].timezone:
            self.record(e.TimezoneLearned, person_id=person.id, timezone=person.timezone, origin="merge")
        if person.place and not self.state.people[person.id].place:
            self.record(e.PlaceLearned, subject=person.id, person_id=person.id, place=person.place, origin="merge")

    def _bring_work(self, other: UUID, theirs: LeadState) -> None:
        if self.state.asleep_until is not None:
            self._wake("R6")
        if not self.state.owner and theirs.owner in self.staff.names:
            self.record(e.LeadTaken, hub=True, subject=self.id, owner=theirs.owner, reason="R6")
            self._met("take")
            if self.state.stage == "new":
                self._after_take()
        elif self.state.owner:
            self._contact_captured()
        for meeting in theirs.planned_meetings:
            number = len(self.state.meetings) + 1
            self.record(e.MeetingPlanned, hub=True, subject=self.id, meeting=number, purpose=meeting.purpose,
                        starts_at=meeting.starts_at, minutes=meeting.minutes, goal=meeting.goal, online=meeting.online,
                        place=meeting.place, ours=meeting.ours, theirs=meeting.theirs, merged_from=other)
            self._outcome_due(number)
        if theirs.planned_meetings:
            self._prepare()
        for request in theirs.requests.values():
            if request.status == "open":
                self._bring_request(other, theirs, request.id)
        for kind in OWED:
            if kind in theirs.dues and kind not in self.state.dues:
                self._due(kind, at=theirs.dues[kind].due_at)

    def _bring_request(self, other: UUID, theirs: LeadState, request: int) -> None:
        found, number = theirs.requests[request], len(self.state.requests) + 1
        self.record(e.RequestOpened, hub=True, subject=self.id, request=number, kind=found.kind, owner=found.owner,
                    text=found.text, merged_from=other)
        due = theirs.dues.get(f"request:{request}")
        self._due(f"request:{number}", at=due.due_at if due else None)
        kind = self.process.requests.get(found.kind)
        if kind is not None and kind.head_opinion:
            self._due(f"head_opinion:{number}")

    def merge_into(self, survivor: UUID, why: str) -> None:
        """This card goes on in another. Its deadlines stop here."""
        self.record(e.LeadMergedInto, subject=self.id, survivor=survivor, why=why.strip())
        self._drop(why="R6")

    def release(self, other: UUID, why: str) -> tuple[Person, ...]:
        """Split a wrong merge; :meth:`split_off` is given to the other. What came with it goes back: the people, as they are
        known by now, and what was still to be done."""
        if other not in self.state.absorbed:
            raise Refused("not_merged_here", rule="R6", field="other")
        why = self._says(why, "say_why", rule="R6", field="why")
        came = self.state.brought.get(other, Brought())
        back = tuple(self.state.people[p] for p in came.people if p in self.state.people)
        self.record(e.LeadReleased, subject=self.id, other=other, why=why)
        for person in back:
            if person.id not in (self.state.main_person, self.state.decision_maker):
                self.record(e.PersonLeft, hub=True, person_id=person.id, other=other)
        for meeting in came.meetings:
            if self.state.meetings[meeting].status == "planned":
                self.record(e.MeetingCancelled, hub=True, subject=self.id, meeting=meeting, why="R6")
                self._drop_key(f"outcome:{meeting}", "R6")
        for request in came.requests:
            if self.state.requests[request].status == "open":
                self.record(e.RequestClosed, hub=True, subject=self.id, request=request, done=False, text="R6")
                self._drop_key(f"request:{request}", "R6")
                self._drop_key(f"head_opinion:{request}", "R6")
        self._next_step_due()
        return back

    def split_off(self, why: str, people: tuple[Person, ...] = ()) -> None:
        """This card stands alone again. Its clocks start anew: what stood still was nobody's fault. ``people`` are its own
        as the other card knew them."""
        if self.state.merged_into is None:
            raise Refused("not_merged", rule="R6")
        self.record(e.LeadSplitOff, subject=self.id, survivor=self.state.merged_into, why=why.strip())
        for person in people:
            for address in person.addresses:
                self._add_address(person.id, address, "merge")
        self._resume()

    def tell_apart(self, other: UUID, other_state: LeadState, why: str) -> None:
        """This card and another one only look alike; the other is told the same."""
        if other == self.id:
            raise Refused("apart_from_itself", rule="R6", field="other")
        if not other_state.exists:
            raise Refused("merge_unknown", rule="R6", field="other")
        if other_state.merged_into is not None or self.state.merged_into is not None:
            raise Refused("apart_merged", rule="R6", field="other")
        if other in self.state.apart:
            raise Refused("apart_already", rule="R6", field="other")
        self.record(e.LeadsToldApart, subject=self.id, other=other, why=why.strip())
