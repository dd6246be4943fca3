"""A version of the process in another language: the file holds a second wording beside some of its texts."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.process import Process, ProcessFile

OWN = ("file", "version", "calendar")
"""What a process is made of; everything else is looked up in it."""


@lru_cache(maxsize=64)
def spoken(process: Process, language: str) -> Process:
    """``process`` with the texts of ``language`` (``ru`` or ``en``) where the file has them: for showing, not for deciding."""
    if language != "en":
        return process
    made = copy.copy(process)
    file: ProcessFile = _said(process.file)
    made.__dict__.clear()
    made.__dict__.update({name: process.__dict__[name] for name in OWN}, file=file)
    return made


def _said(value: Any) -> Any:
    """``value`` with ``title_en`` in the place of ``title``, and so on, all the way down."""
    if isinstance(value, tuple):
        return tuple(_said(one) for one in value)
    if not isinstance(value, Struct):
        return value
    fields = value.__struct_fields__
    given = {name: getattr(value, name) for name in fields}
    return replace(value, **{name: given.get(f"{name}_en") or _said(one) for name, one in given.items()})
