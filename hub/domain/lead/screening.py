"""From the first talk to the segment, and the refusal that follows a low one: R4, R5, R8–R13, R16."""

from __future__ import annotations

from uuid import UUID

from hub.domain import events as e
from hub.domain.errors import Refused
from hub.domain.lead.base import command
from hub.domain.lead.people import People

WAYS = ("phone", "email", "telegram", "whatsapp", "vk", "sms", "meeting", "other")
PROGRESS = ("meeting", "messenger", "none")


class Screening(People):
    """Moving, calling, checking, scoring, refusing."""

    @command("work")
    def move(self, to: str, why: str = "") -> None:
        """Move to another stage as the process allows (R0)."""
        self._must_be_awake()
        stage = self._known(self.process.stages, to, "no_such_stage", "to")
        move = self.process.transitions.get((self.state.stage, to))
        if move is None:
            targets = ", ".join(f"«{self.process.stages[t].title}»" for t in self.process.targets(self.state.stage))
            raise Refused("no_such_move", rule="R0", field="to", to=stage.title, stage=self._stage_title(), targets=targets)
        self._require(*move.requires)
        self.record(e.StageEntered, subject=self.id, stage=to, previous=self.state.stage, reason=why.strip())
        self._after_move(to)

    def _after_move(self, to: str) -> None:
        if to == "screening":
            if not self.state.called:
                self._met("contact")
            if "screening" not in self.state.dues:
                self._screening_due()
        if to == "scoring" and self.state.score is None and "scoring" not in self.state.dues:
            self._due("scoring")
        if to == "refusal" and "refusal_letter" not in self.state.dues:
            self._due("refusal_letter")
        if to != "refusal":
            self._drop("refusal_letter", why="R12")
        if to != "presentation":
            self._drop("decision", why="R21")
        self._next_step_due()

    @command("work")
    def log_attempt(self, way: str = "phone", note: str = "") -> None:
        """We tried and did not reach the person (R8: attempts are counted)."""
        self._must_be_taken()
        self._way(way)
        self.record(e.ContactAttempted, subject=self.id, way=way, note=note.strip())

    def _way(self, way: str) -> None:
        if way not in WAYS:
            raise Refused("no_such_way", field="way", given=way, known=", ".join(WAYS))

    @command("work")
    def check_item(self, checklist: str, item: str, done: bool = True, note: str = "", owner: str = "") -> None:
        """Tick an item of a checklist, give it an owner, or open it again (R5, R15, R16, R20)."""
        checks = self._known(self.process.checklists, checklist, "no_such_checklist", "checklist")
        items = {i.id: i for i in checks.items}
        self._known(items, item, "no_such_item", "item")
        old = self.state.checks.get(f"{checklist}.{item}")
        if owner:
            if owner not in self.staff.names:
                raise Refused("no_such_person", field="owner")
            if old is None or old.owner != owner:
                self.record(e.ChecklistItemAssigned, checklist=checklist, item=item, owner=owner)
        was = old is not None and old.done
        if done and (not was or note.strip()):
            self.record(e.ChecklistItemDone, subject=self.id, checklist=checklist, item=item, note=note.strip())
        elif not done and was:
            self.record(e.ChecklistItemReopened, checklist=checklist, item=item)

    @command("work")
    def assign_item(self, checklist: str, item: str, owner: str) -> None:
        """Say who answers for an item of a checklist (R16)."""
        old = self.state.checks.get(f"{checklist}.{item}")
        owner = self._says(owner, "no_such_person", field="owner")
        self.check_item(checklist, item, done=old is not None and old.done, owner=owner)

    @command("work")
    def finish_screening(self, progress: str = "none", note: str = "", criteria_checked: bool = False) -> None:
        """The first talk took place and no hard criterion is met (R4, R5, R8)."""
        self._must_be_taken()
        self._must_be_awake()
        if self.state.stage != "screening":
            raise Refused("not_screening", rule="R4", stage=self._stage_title(), needed=self._title("screening"))
        if not criteria_checked:
            raise Refused("criteria_first", rule="R8", field="criteria_checked")
        if progress not in PROGRESS:
            raise Refused("no_such_progress", rule="R4", field="progress", known=", ".join(PROGRESS))
        self.record(e.ScreeningFinished, subject=self.id, progress=progress, note=note.strip())
        self._met("contact", "screening", "call_back", "reply")
        if self._can("scoring"):
            self._enter("scoring", "R9")
        if not self._prepare():
            self._due("scoring")

    @command("work")
    def disqualify(self, criterion: str, note: str = "") -> None:
        """A hard criterion is met: the lead is refused at once (R8)."""
        self._must_be_taken()
        self._must_be_awake()
        rule = self._known(self.process.hard_criteria, criterion, "no_such_criterion", "criterion")
        if rule.attempts > self.state.attempts:
            raise Refused("too_few_attempts", rule="R8", field="criterion", done=self.state.attempts, needed=rule.attempts)
        self.record(e.LeadDisqualified, subject=self.id, criterion=criterion, note=note.strip())
        self._met("screening", "contact")
        self._drop("scoring", "next_step", "call_back", "reply", why="R8")
        if rule.letter:
            self._enter("refusal", "R8")
            self._due("refusal_letter")
        else:
            self._close_refused(without_letter=note.strip() or rule.title)

    @command("work")
    def score(self, marks: dict[str, int], notes: dict[str, str] = {}, comment: str = "") -> None:  # noqa: B006  never changed
        """Score the 15 parameters (R9–R11); the segment decides how the lead is worked (R12, R14, R15)."""
        self._must_be_taken()
        self._must_be_awake()
        self._require("screened")
        parameters = self.process.parameters
        unknown = [m for m in (*marks, *notes) if m not in parameters]
        if unknown:
            raise Refused("no_such_parameter", rule="R9", field="marks", given=", ".join(unknown))
        missing = [p.title for p in parameters.values() if p.id not in marks]
        if missing:
            raise Refused("sheet_incomplete", rule="R9", field="marks", missing=", ".join(missing))
        if wrong := [parameters[p].title for p, mark in marks.items() if mark not in (-1, 0, 1)]:
            raise Refused("bad_mark", rule="R9", field="marks", given=", ".join(wrong))
        total = self.process.total_of(marks)
        segment = self.process.segment_of(total)
        self.record(e.LeadScored, subject=self.id, sheet=len(self.state.sheets) + 1, marks={p: marks[p] for p in parameters},
                    notes={k: v.strip() for k, v in notes.items() if v.strip()}, total=total, segment=segment.id,
                    comment=comment.strip())
        self._met("scoring")
        if self.state.stage == "scoring" and segment.refuse and self._can("refusal"):
            self._enter("refusal", "R12")
            self._due("refusal_letter")
            self._pass_on(segment.worked_by)
        elif self.state.stage == "refusal" and not segment.refuse and not self.state.disqualified and self._can("scoring"):
            self._drop("refusal_letter", why="R11")
            self._enter("scoring", "R11")
        self._prepare()
        self._next_step_due()

    def _prepare(self) -> bool:
        """Scored, not to be refused and with a meeting agreed: the preparation begins by itself (R14). Whether it did."""
        if self.state.stage != "scoring" or not self._can("preparation"):
            return False
        self._enter("preparation", "R14")
        return True

    def _pass_on(self, roles: tuple[str, ...]) -> None:
        """Segment C is worked by trainees where there is one at work (R12)."""
        able = self.staff.of(*roles)
        if able and self.state.owner not in able:
            self.record(e.LeadReassigned, hub=True, owner=able[0], previous=self.state.owner, why="R12")
            self.record(e.NoticeRaised, hub=True, to=able[:1], kind="given")

    @command("work")
    def ask_letter(self, body: str, to: str = "", subject: str = "", kind: str = "refusal", way: str = "email",
                   partners: dict[str, str] = {}, account: str = "") -> None:  # noqa: B006  never changed
        """A letter that a person read and confirmed is to be sent; partners in it are referrals (R12, R13).

        With the ``account`` of a mailbox it leaves by itself; without one a person sends it and says so.
        """
        self._must_be_taken()
        self._way(way)
        if kind not in ("refusal", "free"):
            raise Refused("no_such_letter", field="kind", given=kind)
        if kind == "refusal" and self.state.stage != "refusal":
            raise Refused("not_refusing", rule="R12", stage=self._stage_title(), needed=self._title("refusal"))
        body = self._says(body, "say_text", rule="R12", field="body")
        to = to.strip() or self.state.address("email" if way == "email" else way if way != "sms" else "phone")
        if way == "email" and not to:
            raise Refused("no_email", rule="R12", field="to")
        if way == "email":
            to = self._address("email", to, "to").value
        referred = {self._partner(partner): name.strip() for partner, name in partners.items()}
        letter = len(self.state.letters) + 1
        self.record(e.LetterAsked, subject=self.id, letter=letter, kind=kind, way=way, to=to, subject_line=subject.strip(),
                    body=body)
        for partner, name in referred.items():
            self.record(e.PartnerReferred, partner=partner, partner_name=name, letter=letter)
        if kind == "refusal":
            self._met("refusal_letter")
        if account and way == "email":
            self._mail(account, to, subject=subject, text=body, letter=letter)
        else:
            self._met("reply")
        self._next_step_due()

    def _mail(self, account: str, to: str, *, subject: str, text: str, letter: int = 0,
              files: tuple[e.FileRef, ...] = ()) -> int:
        """Ask for a letter through one of our mailboxes; the message's number. See :class:`hub.domain.lead.letters.Letters`."""
        raise NotImplementedError

    def _partner(self, partner: str) -> UUID:
        try:
            return UUID(partner)
        except ValueError:
            raise Refused("unknown_partner", rule="R13", field="partners", given=partner) from None

    @command("work", ended=True)
    def mark_letter(self, letter: int, sent: bool = True, why: str = "") -> None:
        """Say by hand that a letter left, or that it could not be sent."""
        found = self.state.letters.get(letter)
        if found is None:
            raise Refused("no_such_letter", field="letter", given=letter)
        if found.status == "sent":
            raise Refused("letter_already_sent", field="letter", given=letter)
        if sent:
            self.record(e.LetterSent, letter=letter)
        else:
            self.record(e.LetterFailed, subject=self.id, letter=letter, why=self._says(why, "say_why", field="why"))
            if found.kind == "refusal":
                self._refusal_failed()

    def _refusal_failed(self) -> None:
        """Where no letter of refusal is left, one is due again (R12)."""
        if self.state.open and self.state.stage == "refusal" and not self._refusal_letters():
            self._drop("next_step", why="R12")
            self._due("refusal_letter")

    def _refusal_letters(self) -> list[int]:
        return [n for n, letter in self.state.letters.items() if letter.kind == "refusal" and letter.status != "failed"]

    @command("work")
    def refer(self, partner: UUID, partner_name: str) -> None:
        """The client was pointed to a partner without a letter (R13)."""
        self.record(e.PartnerReferred, partner=partner, partner_name=self._says(partner_name, "say_name", field="partner"))

    @command("work")
    def refuse(self, without_letter: str = "") -> None:
        """Close the lead as refused by us, with its letter or a word on why there is none (R28)."""
        self._ending("refused")
        letters = self._refusal_letters()
        if not letters and not without_letter.strip():
            raise Refused("refusal_letter_first", rule="R12", field="without_letter")
        self._close_refused(letter=max(letters, default=0), without_letter=without_letter.strip())

    def _ending(self, how: str) -> None:
        end = self.process.endings[how]
        if self.state.stage not in end.sources:
            stages = ", ".join(f"«{self.process.stages[x].title}»" for x in end.sources)
            raise Refused("no_such_ending", rule="R28", how=end.title, stage=self._stage_title(), stages=stages)
        self._require(*end.requires)

    def _close_refused(self, letter: int = 0, without_letter: str = "") -> None:
        score = self.state.score
        self._drop(why="R28")
        self.record(e.LeadRefused, subject=self.id, criterion=self.state.disqualified, total=score.total if score else None,
                    segment=score.segment if score else "", letter=letter, without_letter=without_letter)

    @command("work")
    def form_group(self, members: tuple[tuple[str, str], ...]) -> None:
        """Form the working group: pairs of a colleague and a part, such as analyst (R16)."""
        named = tuple((who.strip(), part.strip()) for who, part in members if who.strip())
        if not named:
            raise Refused("empty_group", rule="R16", field="members")
        if named != self.state.group:
            self.record(e.WorkingGroupFormed, members=named)
        done = self.state.checks.get("preparation.group")
        preparation = self.process.checklists.get("preparation")
        if preparation and any(i.id == "group" for i in preparation.items) and not (done and done.done):
            self.record(e.ChecklistItemDone, subject=self.id, checklist="preparation", item="group", note="")
