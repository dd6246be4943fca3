"""How a lead begins, how a further delivery joins it, and who takes it: R1–R3, R6, R29, R34."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.domain import events as e
from hub.domain.delivery import Delivery, Later
from hub.domain.errors import Refused
from hub.domain.lead.base import LeadBase, command


@dataclass(frozen=True)
class Sender:
    """Who a delivery is from: the person, whether we met them before, and by what they were recognised."""

    person_id: UUID
    tied_by: str = ""
    account_manager: str = ""


class Intake(LeadBase):
    """Receiving, offering, taking, reassigning."""

    def receive(self, delivery: Delivery, sender: Sender, *, receipt_id: UUID | None, files: tuple[e.FileRef, ...] = (),
                previous_lead: UUID | None = None, by_hand: bool = False, possible_duplicate: bool = False) -> None:
        """Take in a delivery: the first begins the lead and its clocks, a further one joins the timeline (R1, R6).

        On a won lead it is the account manager's (R29).
        """
        first = not self.state.exists
        if first:
            self._begin(delivery, sender, receipt_id, previous_lead, by_hand)
        else:
            self.pass_time()
        fields = delivery.fields or self._said_otherwise(delivery, sender.person_id)
        self._learn(delivery, sender.person_id)
        number = len(self.state.messages) + 1
        self.record(
            e.MessageReceived, subject=sender.person_id, message=number, channel=delivery.channel, source=delivery.source,
            source_title=delivery.source_title, person_id=sender.person_id, receipt_id=receipt_id, tied_by=sender.tied_by,
            possible_duplicate=possible_duplicate, suspicion=delivery.suspicion, attribution=delivery.attribution,
            subject_line=delivery.subject_line, text=delivery.text, fields=fields, files=files,
            named=next(iter(delivery.names), ""), automatic=delivery.automatic, revision=delivery.revision,
            written=delivery.written)
        self.expect(number, sender.person_id, delivery.source, delivery.later)
        if delivery.quiet:
            return
        if first:
            self._start_clocks(sender)
        elif not delivery.automatic:
            self._heard_again(number)

    def _begin(self, delivery: Delivery, sender: Sender, receipt_id: UUID | None, previous: UUID | None, by_hand: bool) -> None:
        self.record(e.LeadReceived, channel=delivery.channel, source=delivery.source, source_title=delivery.source_title,
                    person_id=sender.person_id, receipt_id=receipt_id, previous_lead=previous, by_hand=by_hand,
                    test=delivery.test, written=delivery.written)
        self._enter("new", "R1")

    def _learn(self, delivery: Delivery, person_id: UUID) -> None:
        """What the delivery told by itself need not be asked (R3)."""
        person = self.state.people.get(person_id)
        if person is None:
            self.record(e.PersonAdded, subject=person_id, person_id=person_id, name=delivery.name)
        elif delivery.name and not person.name:
            self.record(e.PersonNamed, subject=person_id, person_id=person_id, name=delivery.name)
        known = {(a.kind, a.value) for p in self.state.people.values() for a in p.addresses}
        for a in delivery.addresses:
            if (a.kind, a.value) not in known:
                self.record(e.AddressAdded, subject=person_id, person_id=person_id, kind=a.kind, value=a.value, raw=a.raw,
                            extension=a.extension)
                known.add((a.kind, a.value))
        person = self.state.people[person_id]
        if delivery.timezone and not person.timezone:
            self.record(e.TimezoneLearned, person_id=person_id, timezone=delivery.timezone, origin="delivery")
        if delivery.convenient_time and not person.call_words:
            self.record(e.CallTimeAgreed, subject=person_id, person_id=person_id, call_at=person.call_at,
                        words=delivery.convenient_time)
        if delivery.company and not self.state.company:
            self.record(e.CompanyNamed, subject=person_id, name=delivery.company)
        if delivery.consent is not None:
            c = delivery.consent
            self.record(e.ConsentGiven, subject=person_id, person_id=person_id, given=c.given, version=c.version,
                        text_sha256=c.text_sha256, ip=c.ip, page=c.page)

    def _said_otherwise(self, delivery: Delivery, person_id: UUID) -> tuple[tuple[str, str], ...]:
        """A name or a company that is not the one we know stays with its message: two people may share a phone (R6)."""
        person = self.state.people.get(person_id)
        said = (("name", delivery.name, person.name if person else ""), ("company", delivery.company, self.state.company))
        return tuple((field, new) for field, new, known in said if new and known and new != known)

    def _start_clocks(self, sender: Sender) -> None:
        self._due("take")
        self._due("contact")
        turn = self.staff.of(*self.process.file.assignment.roles)
        if sender.account_manager in self.staff.names:
            # Whoever knows the client is told, and somebody who may take the lead beside them.
            to = dict.fromkeys((sender.account_manager, *(turn[:1] or self.staff.heads)))
            self.record(e.LeadOffered, hub=True, to=tuple(to), why="client_of")
            return
        if turn and self.process.file.assignment.way == "round_robin":
            self.record(e.LeadOffered, hub=True, to=turn[:1], why="turn")
        else:
            self.record(e.LeadOffered, hub=True, to=turn or self.staff.heads, why="anyone")

    def _heard_again(self, message: int) -> None:
        if self.state.ended == "won":
            self.record(e.ClientWroteAgain, hub=True, message=message, account_manager=self.state.account_manager)
            self._reply_due()
            self._tell("written", "reply")
            return
        if self.state.merged_into is not None:
            self._tell("written")
            return
        if self.state.asleep_until is not None:
            self._wake("the client wrote")
        if self.state.owner:
            self._reply_due()
            self._contact_captured()
        self._tell("written")

    def _reply_due(self) -> None:
        if "reply" not in self.state.dues:
            self._due("reply")

    def _wake(self, why: str) -> None:
        self.record(e.LeadWoken, hub=True, subject=self.id, why=why)
        self._drop("wake", why="R29")
        self._resume()

    def expect(self, message: int, person: UUID, account: str, later: tuple[Later, ...]) -> None:
        """Note what is still to be fetched of a message; see :class:`hub.domain.lead.talk.Talk`."""
        raise NotImplementedError

    def _resume(self, past: datetime | None = None) -> None:
        """Set again the deadlines that stood still; see :class:`hub.domain.lead.ending.Ending`."""
        raise NotImplementedError

    def offer_absent(self) -> None:
        """The owner is absent: the lead is offered to those at work (R34). Idempotent."""
        to = tuple(u for u in self.staff.of(*self.process.file.assignment.roles) if u != self.state.owner) or self.staff.heads
        s = self.state
        told = s.offered_why == "owner_absent" and set(to) <= set(s.offered_to)
        if s.open and s.owner and s.asleep_until is None and to and not told:
            self.record(e.LeadOffered, hub=True, to=to, why="owner_absent")

    @command("work")
    def take(self) -> None:
        """Take the lead to work (R2)."""
        s = self.state
        me = self.stamp.actor.id
        if s.owner == me:
            raise Refused("already_yours", rule="R2", stage=self._stage_title())
        # An offer of an absent owner's lead ends when the owner is back; one of somebody who left needs no offer.
        back = s.offered_why == "owner_absent" and s.owner in self.staff.of(*self.staff.at_work)
        if s.owner in self.staff.names and (me not in s.offered_to or back):
            raise Refused("taken_by_other", rule="R2", who=self.staff.names.get(s.owner, s.owner))
        if s.owner:
            self.record(e.LeadReassigned, owner=me, previous=s.owner, why=s.offered_why or "owner_absent")
            return
        self.record(e.LeadTaken, owner=me)
        self._met("take")
        if s.stage == "new":
            self._after_take()

    def _after_take(self) -> None:
        """A call goes straight to screening; others first give phone, time zone and a time (R3)."""
        if self.state.called and self._can("screening"):
            self._enter("screening", "R3")
            self._screening_due()
        elif self._can("contact"):
            self._enter("contact", "R3")
            self._contact_captured()

    def _contact_captured(self) -> None:
        """Contact capture is over once the phone and the time zone are known (R3, R4)."""
        if self.state.stage == "contact" and self.state.asleep_until is None and self._can("screening"):
            if not self.state.called:
                self._met("contact")
            self._enter("screening", "R3")
            self._screening_due()

    def _screening_due(self, since: datetime | None = None) -> None:
        """At the time agreed for the call; at once where none was agreed, but not before the first contact is due (R4).

        ``since``: from when the first contact counts, where the card stood still meanwhile.
        """
        call_at = self.state.person.call_at
        if call_at is not None and call_at > self.stamp.at:
            self._due("screening", at=call_at)
            return
        received = since or self.state.received_at or self.stamp.at
        at_once = self.process.due("screening", self.stamp.at)
        self._due("screening", at=max(at_once, self.process.due("contact", received)))

    @command("work")
    def reassign(self, owner: str, why: str) -> None:
        """Give the lead to another person (R31)."""
        self._colleague(owner, "owner", "work")
        if owner == self.state.owner:
            raise Refused("same_owner", rule="R31", field="owner", who=self.staff.names[owner])
        why = self._says(why, "say_why", rule="R31", field="why")
        if not self.state.owner:
            self.record(e.LeadTaken, subject=self.id, owner=owner, reason=why)
            self._met("take")
            if self.state.stage == "new":
                self._after_take()
        else:
            self.record(e.LeadReassigned, subject=self.id, owner=owner, previous=self.state.owner, reason=why)
        self.record(e.NoticeRaised, hub=True, to=(owner,), kind="given")
