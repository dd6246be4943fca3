"""The one fold of a lead: what each event makes of the state. Never refuses, never reads a clock or a file."""

from hub.domain.evolve import (  # noqa: F401  they register their folds
    board,
    calls,
    deal,
    ending,
    erasing,
    intake,
    letters,
    talk,
    work,
)
from hub.domain.evolve.fold import FOLDS, evolve

__all__ = ["FOLDS", "evolve"]
