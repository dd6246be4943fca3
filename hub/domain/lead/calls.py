"""Calls: R3, R4, R8, R26. A call is the contact itself; what providers tell of it is ranked, never believed by its order."""

from __future__ import annotations

from datetime import timedelta

from hub.domain import contact
from hub.domain import events as e
from hub.domain.call import CALL_RANKS, CLIENT, LEG_RANKS, NOT_REACHED, OVER, Call
from hub.domain.errors import Refused, sentences
from hub.domain.fact import Fact, own_name
from hub.domain.lead.base import command
from hub.domain.lead.meetings import CONTACT_DUES
from hub.domain.lead.talk import Route, Talk, hears

GOING_FOR = timedelta(minutes=2)
"""For this long after it was asked for, a call that has not ended keeps its author from asking for another."""

sentences(
    call_going=("Звонок этому клиенту уже идёт: возьмите трубку своего телефона.",
                "A call to this client is under way already: pick up your own telephone."),
    bad_own_phone=("Напишите номер своего телефона: сначала зазвонит он.",
                   "Write the number of your own telephone: it rings first."),
    no_such_call=("Нет звонка №{given}. Обновите страницу.", "There is no call no. {given}. Reload the page."),
    call_not_unknown=("Что стало со звонком №{given}, уже известно. Обновите страницу.",
                      "What became of call no. {given} is known already. Reload the page."),
)


class Calls(Talk):
    """Calls in, calls from the card, and what follows from them."""

    # ── from the card ────────────────────────────────────────────────────────────

    @command("work", "account", ended=True)
    def call_client(self, route: Route, phone: str) -> None:
        """Call the client: your own telephone rings first, then theirs. It is placed by itself, once."""
        if self.state.merged_into is not None:
            raise Refused("merged_away", rule="R6")
        if not self.state.ended:
            self._must_be_taken()
        own = contact.phone(phone)
        if own is None:
            raise Refused("bad_own_phone", field="phone")
        to, person = self._reached_at(Route("sms", route.account, route.to))
        me, now = self.stamp.actor.id, self.stamp.at
        if any(c.direction == "out" and c.author == me and c.to == to and not c.over and now - c.at < GOING_FOR
               for c in self.state.calls.values()):
            raise Refused("call_going", rule="R26")
        self.record(e.CallAsked, subject=self.id, call=len(self.state.calls) + 1, account=route.account, person_id=person,
                    to=to, phone=own.value)

    @command("work", "account", ended=True)
    def mark_call(self, call: int, took_place: bool = True) -> None:
        """Say of a call that nobody knows about whether it took place."""
        found = self.state.calls.get(call)
        if found is None:
            raise Refused("no_such_call", field="call", given=call)
        if found.status != "unknown":
            raise Refused("call_not_unknown", field="call", given=call)
        if took_place:
            self.record(e.CallPlaced, call=call, by_hand=True)
            self._leg(self.state.calls[call], CLIENT, "connected")
        else:
            self.record(e.CallFailed, call=call, code="not_there")

    def call_placed(self, call: int, names: tuple[str, ...]) -> None:
        """The provider took it. Idempotent."""
        found = self.state.calls[call]
        if CALL_RANKS[found.status] < CALL_RANKS["placed"] or not set(names) <= set(found.names):
            self.record(e.CallPlaced, subject=self.id, call=call, names=names)

    def call_failed(self, call: int, code: str, why: str = "") -> None:
        """It was not placed; its author is told. Idempotent."""
        if CALL_RANKS[self.state.calls[call].status] < CALL_RANKS["failed"]:
            self.record(e.CallFailed, subject=self.id, call=call, code=code, why=why)
            self._tell("unsent")

    def call_unknown(self, call: int, code: str, why: str = "") -> None:
        """Nobody can say whether it was placed; a person decides. Idempotent."""
        if self.state.calls[call].status == "asked":
            self.record(e.CallUnknown, subject=self.id, call=call, code=code, why=why)
            self._tell("unsent")

    # ── what the provider tells ──────────────────────────────────────────────────

    def _call_of(self, fact: Fact) -> Call | None:
        """The call that a fact is about. The first fact of an incoming one makes it a call rather than a message."""
        for call in self.state.calls.values():
            if fact.about in (call.key, *call.names) or (call.fixed_id and fact.about == own_name(call.fixed_id)):
                return call
        message = next((m for m in self.state.messages if m.key and m.key == fact.about), None)
        if message is None:
            return None
        number = len(self.state.calls) + 1
        self.record(e.CallBegan, subject=message.person_id, call=number, message=message.id, account=message.source,
                    person_id=message.person_id, named=fact.about)
        return self.state.calls[number]

    @hears("call")
    def _call_fact(self, fact: Fact) -> None:
        """How far the whole call is. Once it is over and nobody has talked, it is missed."""
        call = self._call_of(fact)
        if call is None or fact.status not in CALL_RANKS:
            return
        seconds = _number(fact, "seconds")
        if CALL_RANKS[fact.status] > CALL_RANKS[call.status] or seconds > call.seconds:
            self.record(e.CallMoved, call=call.id, status=fact.status, seconds=seconds)
        call = self.state.calls[call.id]
        if CALL_RANKS[call.status] >= OVER and not call.outcome:
            self._missed_call(call)

    @hears("call_leg")
    def _leg_fact(self, fact: Fact) -> None:
        """How far one leg is; ``code`` says whose."""
        call = self._call_of(fact)
        if call is None or (fact.code == CLIENT and call.direction == "in"):
            return  # lists tell of every leg, and of an incoming call the client's is the call itself
        if fact.code and fact.status in LEG_RANKS:
            self._leg(call, fact.code, fact.status)

    def _leg(self, call: Call, leg: str, status: str) -> None:
        if LEG_RANKS[status] <= LEG_RANKS[call.legs.get(leg, "")]:
            return
        self.record(e.CallLegMoved, call=call.id, leg=leg, status=status)
        if status == "connected":
            if (leg == CLIENT) == (call.direction == "out") and call.outcome != "answered":
                self._answered_call(call, leg)
        elif leg == CLIENT and LEG_RANKS[status] >= NOT_REACHED > LEG_RANKS[call.legs.get(leg, "")] and self.state.open:
            self.record(e.ContactAttempted, hub=True, subject=self.id, way="phone")

    def _answered_call(self, call: Call, leg: str) -> None:
        """R3, R4: the call is the contact; a card that nobody has is theirs who answered."""
        by = call.author if leg == CLIENT else leg
        self.record(e.CallAnswered, call=call.id, by=by)
        s = self.state
        if s.open and not s.owner and "work" in self.process.permissions(self.staff.roles.get(by, frozenset())):
            self.record(e.LeadTaken, hub=True, subject=self.id, owner=by)
            self._met("take")
            if s.stage == "new":
                self._after_take()
        self._met("contact", *CONTACT_DUES)
        self._next_step_due()

    def _missed_call(self, call: Call) -> None:
        self.record(e.CallMissed, call=call.id)
        if call.direction == "in":
            self._call_back_due()
            self._tell("missed_call", "call_back")

    def _call_back_due(self) -> None:
        s = self.state
        if s.open and s.asleep_until is None and "call_back" not in s.dues:
            self._due("call_back")

    @hears("call_key")
    def _key_fact(self, fact: Fact) -> None:
        """The client asked to be called back."""
        call = self._call_of(fact)
        if call is not None and not call.callback:
            self.record(e.CallBackAsked, call=call.id)
            if call.outcome != "answered":
                self._call_back_due()

    @hears("call_recording")
    def _recording_fact(self, fact: Fact) -> None:
        """A recording lies with the provider; ``why`` is its id, ``code`` its kind."""
        call = self._call_of(fact)
        if call is None or fact.why in call.recordings:
            return
        self.record(e.CallRecorded, subject=call.person_id or self.id, call=call.id, kind=fact.code, named=fact.why,
                    seconds=_number(fact, "seconds"), absent=fact.status == "absent")
        self.expect(call.message, call.person_id or self.id, call.account, fact.later)


def _number(fact: Fact, name: str) -> int:
    text = dict(fact.details).get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
