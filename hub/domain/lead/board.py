"""What people do on the board: tags, and taking back a move at once."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from hub.domain import contact
from hub.domain import events as e
from hub.domain.errors import Refused, sentences
from hub.domain.evolve.board import kept
from hub.domain.lead.base import LeadBase, command
from hub.domain.moved import Moved

UNDO_WITHIN = timedelta(seconds=15)
"""A move can be taken back for so long: the ten seconds of the screen, and the way to the server."""
LONGEST_TAG = 40
MOST_TAGS = 20

sentences(
    nothing_to_undo=("Отменять нечего: после перевода с заявкой уже что-то произошло. Верните её на прежнюю стадию через "
                     "«Перевести…».",
                     "There is nothing to undo: something has happened to the lead since the move. Move it back with “Move…”."),
    undo_not_yours=("Этот перевод сделали не вы. Верните заявку на прежнюю стадию через «Перевести…».",
                    "Somebody else made this move. Move the lead back with “Move…”."),
    undo_too_late=("Отменить перевод можно сразу, в течение {seconds} секунд. Теперь верните заявку через «Перевести…».",
                   "A move can be undone at once, within {seconds} seconds. Now move the lead back with “Move…”."),
    say_tag=("Напишите метку, например «тендер».", "Write a tag, such as “tender”."),
    tag_too_long=("Метка — это слово или два, до {most} знаков. Длинное напишите заметкой.",
                  "A tag is a word or two, up to {most} characters. Write a note for more."),
    tag_is_contact=("Метка «{given}» похожа на телефон или почту. Запишите их контактом: метку видно всем "
                    "и её не стереть.",
                    "The tag “{given}” looks like a phone or an e-mail. Keep it as a contact: everybody sees a tag, and "
                    "it cannot be erased."),
    too_many_tags=("У заявки уже {most} меток. Снимите лишние.", "The lead has {most} tags already. Take some off."),
    already_tagged=("Метка «{given}» уже стоит.", "The tag “{given}” is there already."),
    not_tagged=("Метки «{given}» у заявки нет.", "The lead has no tag “{given}”."),
)


def read_tag(text: str) -> str:
    """A tag as it is kept: small letters, single spaces. Refused where it is empty, long, or reads as a phone or an e-mail."""
    tag = " ".join(text.lower().replace("#", " ").replace(",", " ").split())
    if not tag:
        raise Refused("say_tag", field="tag")
    if len(tag) > LONGEST_TAG:
        raise Refused("tag_too_long", field="tag", most=LONGEST_TAG)
    if contact.email(tag) or contact.phone(tag):
        raise Refused("tag_is_contact", field="tag", given=tag)
    return tag


class Board(LeadBase):
    """Tags and undo."""

    @command("work", "intake", "account", ended=True)
    def tag(self, tag: str) -> None:
        """Put a tag on the lead: leads are found and shown by it."""
        tag = read_tag(tag)
        if tag in self.state.tags:
            raise Refused("already_tagged", field="tag", given=tag)
        if len(self.state.tags) >= MOST_TAGS:
            raise Refused("too_many_tags", field="tag", most=MOST_TAGS)
        self.record(e.LeadTagged, tag=tag)

    @command("work", "intake", "account", ended=True)
    def untag(self, tag: str) -> None:
        """Take a tag off the lead."""
        tag = read_tag(tag)
        if tag not in self.state.tags:
            raise Refused("not_tagged", field="tag", given=tag)
        self.record(e.LeadUntagged, tag=tag)

    @command("work")
    def undo_move(self) -> None:
        """Take back the move that you have just made, as long as nothing has happened since (R0)."""
        moved = self.state.moved
        if moved is None:
            raise Refused("nothing_to_undo", rule="R0")
        if moved.by != self.stamp.actor.id:
            raise Refused("undo_not_yours", rule="R0")
        if self.stamp.at - moved.at > UNDO_WITHIN:
            raise Refused("undo_too_late", rule="R0", seconds=10)
        now = {due.key: due for due in kept(self.state)}
        before = {due.key: due for due in moved.dues}
        self.record(
            e.MoveUndone, stage=moved.stage, previous=self.state.stage, moved_at=moved.at, since=moved.since,
            back=tuple(_back(due, moved) for key, due in before.items() if now.get(key) != due),
            gone=tuple(key for key in now if key not in before), disqualified=moved.disqualified)


def _back(due: e.DueBack, moved: Moved) -> e.DueBack:
    return replace(due, met=due.key in moved.met and not due.missed and moved.at <= due.due_at)
