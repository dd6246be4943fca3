"""Letters that carry more than words: the proposal, an invitation with its calendar entry, the hub's own acknowledgement."""

from __future__ import annotations

from hub.domain import events as e
from hub.domain.errors import Refused, sentences
from hub.domain.lead.base import command
from hub.domain.lead.talk import Route, Talk
from hub.domain.outgoing import Invitation, Outgoing
from hub.domain.state import Proposal

sentences(
    proposal_without_file=("К этой версии КП не приложен файл. Составьте версию с файлом или отправьте КП сами.",
                           "This version has no file. Draft one with a file, or send the proposal by yourself."),
    proposal_leaving=("Эта версия КП уже отправляется. Как она дошла, будет видно в ленте.",
                      "This version is on its way already. The timeline will show how it fared."),
    invite_by_email=("Приглашение уходит письмом: выберите почту.", "An invitation goes by e-mail: choose a mailbox."),
    never_invited=("Встреча отменена, а приглашение клиенту не уходило: отзывать нечего.",
                   "The meeting is cancelled and no invitation had been sent: there is nothing to take back."),
)


class Letters(Talk):
    """What leaves as a letter is done only once it has left."""

    def _mail(self, account: str, to: str, *, subject: str, text: str, letter: int = 0,
              files: tuple[e.FileRef, ...] = ()) -> int:
        return self._ask(Route("email", account, to), text=text.strip(), subject=subject.strip(), files=files, letter=letter)

    def _first(self, message: int) -> int:
        """The message that this one repeats in the end; itself where it repeats none."""
        while again := self.state.outgoing[message].again:
            message = again
        return message

    def _left(self, before: Outgoing) -> None:
        super()._left(before)
        if before.automatic or before.status not in ("asked", "unknown"):
            return
        letter = self.state.letters.get(before.letter)
        if letter is not None and letter.status != "sent":
            self.record(e.LetterSent, hub=True, letter=before.letter)
        first = self._first(before.id)
        mailed = self.state.mailed.get(first)
        if mailed is not None and not self._arrived(first, before.id):
            self._proposal_went(mailed.proposal, before.way, before.to, mailed.without_presentation)

    def _arrived(self, first: int, but: int) -> bool:
        """Whether another try of the same letter is known to have left."""
        left = {"sent", "delivered", "read"}
        return any(m.id != but and m.status in left and self._first(m.id) == first
                   for m in self.state.outgoing.values())

    def message_failed(self, message: int, code: str, why: str = "") -> None:
        before = self.state.outgoing[message]
        super().message_failed(message, code, why)
        letter = self.state.letters.get(before.letter)
        if before.status != "failed" and letter is not None and letter.kind == "refusal":
            self._refusal_failed()

    # ── the proposal (R19) ───────────────────────────────────────────────────────

    def _mail_proposal(self, found: Proposal, without_presentation: bool, account: str, to: str, *, subject: str,
                       text: str) -> None:
        if found.file is None:
            raise Refused("proposal_without_file", rule="R19", field="proposal")
        if any(m.proposal == found.id and self.state.outgoing[n].status == "asked" for n, m in self.state.mailed.items()):
            raise Refused("proposal_leaving", rule="R19", field="proposal")
        text = self._says(text, "say_text", rule="R19", field="text")
        message = self._mail(account, to, subject=subject, text=text, files=(found.file,))
        self.record(e.ProposalMailed, proposal=found.id, message=message, without_presentation=without_presentation)

    # ── invitations (R26) ────────────────────────────────────────────────────────

    @command("work")
    def invite(self, meeting: int, route: Route, text: str, subject: str = "") -> None:
        """Send the client an invitation to a meeting, its new time or its cancellation, with a calendar entry (R26)."""
        found = self.state.meetings.get(meeting)
        if found is None:
            raise Refused("no_such_meeting", rule="R26", field="meeting", given=meeting)
        if found.status == "held":
            raise Refused("meeting_over", rule="R26", field="meeting", given=meeting)
        if route.way != "email":
            raise Refused("invite_by_email", rule="R26", field="route")
        cancelled, before = found.status == "cancelled", self._invited(meeting)
        if cancelled and before is None:
            raise Refused("never_invited", rule="R26", field="meeting")
        if not cancelled and found.starts_at <= self.stamp.at:
            raise Refused("meeting_in_past", rule="R26", field="meeting")
        text = self._says(text, "say_text", rule="R26", field="text")
        message = self._ask(route, text=text, subject=subject.strip())
        self.record(e.InvitationMailed, subject=self.id, meeting=meeting, message=message,
                    sequence=before.sequence + 1 if before else 0, starts_at=found.starts_at, minutes=found.minutes,
                    cancelled=cancelled, place=found.place)

    def _invited(self, meeting: int) -> Invitation | None:
        """The newest invitation to a meeting."""
        return next((i for i in reversed(self.state.invitations.values()) if i.meeting == meeting), None)

    # ── the hub's own acknowledgement ────────────────────────────────────────────

    def acknowledge(self, route: Route, subject: str, text: str) -> None:
        """Tell the client by itself that the request came. Idempotent: once for a card, and nothing once it has ended."""
        if not self.state.open or any(m.automatic for m in self.state.outgoing.values()):
            return
        to, person = self._reached_at(route)
        self.record(e.MessageAsked, hub=True, subject=self.id, message=len(self.state.outgoing) + 1, way=route.way,
                    account=route.account, person_id=person, automatic=True, to=to, answers=self._answered(route.account),
                    subject_line=subject, text=text)
