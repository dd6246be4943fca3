"""Files of leads that came in and went out, as facts: who, when, how many, and that an import was taken back."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.aggregate import Aggregate
from hub.domain.errors import Refused, sentences
from hub.domain.event import Event, topic

LONGEST_TITLE = 80

sentences(
    imported_already=("Этот файл уже загружен {day}: новых строк в нём нет. Чтобы загрузить его заново, сначала отмените ту "
                      "загрузку.",
                      "This file was imported on {day} already, and has no new rows. Undo that import first to import it again."),
)


@topic("import.begun")
class ImportBegun(Event, frozen=True, kw_only=True):
    """Rows of a file begin to come in. ``turn`` counts imports of the same file, the earlier ones of which were undone.

    ``title`` stands on the cards as their source; ``known`` is what becomes of rows of clients with a card: ``skip``, ``add``,
    ``new``; ``quiet``: no clocks are started.
    """

    turn: int
    title: str
    channel: str
    rows: int
    known: str
    quiet: bool


@topic("import.finished")
class ImportFinished(Event, frozen=True, kw_only=True):
    """All rows were gone through: cards begun, rows added to cards that were there, rows left out."""

    turn: int
    began: int
    added: int
    skipped: int


@topic("import.undone")
class ImportUndone(Event, frozen=True, kw_only=True):
    """The import was taken back: cards that nobody touched are closed, the others are left as they are."""

    turn: int
    withdrawn: int
    left: int


@topic("export.made")
class LeadsTaken(Event, frozen=True, kw_only=True):
    """Somebody took leads away as a file.

    ``columns`` are what of each; ``chosen`` the filter, where the words that were
    searched for are only mentioned: they may name a person."""

    format: str
    leads: int
    columns: tuple[str, ...]
    chosen: str = ""


class ImportState(Struct, frozen=True):
    """``status``: empty, ``begun``, ``finished``, ``undone``."""

    turn: int = 0
    status: str = ""
    at: datetime | None = None
    rows: int = 0


class Import(Aggregate[ImportState]):
    """All imports of one file, one after another."""

    EMPTY = ImportState()

    @staticmethod
    def evolve(state: ImportState, event: Event) -> ImportState:
        match event:
            case ImportBegun():
                return ImportState(event.turn, "begun", event.at, event.rows)
            case ImportFinished():
                return replace(state, status="finished")
            case ImportUndone():
                return replace(state, status="undone")
        return state

    def begin(self, title: str, channel: str, rows: int, known: str, *, quiet: bool) -> None:
        """Begin, or go on with what was begun. Refused once the same file is in, until that is undone."""
        if self.state.status == "finished":
            assert self.state.at is not None
            raise Refused("imported_already", field="file", day=f"{self.state.at:%d.%m.%Y}")
        if self.state.status != "begun":
            self.record(ImportBegun, turn=self.state.turn + 1, title=title[:LONGEST_TITLE], channel=channel, rows=rows,
                        known=known, quiet=quiet)

    def finish(self, began: int, added: int, skipped: int) -> None:
        """Every row was gone through. Idempotent."""
        if self.state.status == "begun":
            self.record(ImportFinished, turn=self.state.turn, began=began, added=added, skipped=skipped)

    def undo(self, turn: int, withdrawn: int, left: int) -> None:
        """What the import began is taken back. Idempotent."""
        if self.state.turn == turn and self.state.status != "undone":
            self.record(ImportUndone, turn=turn, withdrawn=withdrawn, left=left)


class Taking(Aggregate[None]):
    """One file of leads that was taken away."""

    EMPTY = None

    @staticmethod
    def evolve(state: None, event: Event) -> None:
        return None

    def take(self, format: str, leads: int, columns: tuple[str, ...], chosen: str) -> None:
        """Record it."""
        self.record(LeadsTaken, format=format, leads=leads, columns=columns, chosen=chosen)
