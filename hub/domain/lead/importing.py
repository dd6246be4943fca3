"""A card that came from a file is taken back with the whole file, unless somebody has worked on it."""

from __future__ import annotations

from hub.domain.errors import Conflict
from hub.domain.lead.screening import Screening


class Imported(Screening):
    """Given by :mod:`hub.sheets.undoing`, where it is decided who may and which cards nobody touched."""

    def withdraw(self, seen: int, why: str) -> None:
        """Close the card as refused without a letter. ``seen`` is the version on which it was decided; refused as ``conflict``
        where something has happened since. Idempotent."""
        if not self.state.open:
            return
        if self.version != seen:
            raise Conflict("conflict")
        self._close_refused(without_letter=why)
