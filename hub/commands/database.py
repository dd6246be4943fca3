"""``hub migrate``: the tables of this release."""

from __future__ import annotations

import argparse
import os
from typing import Any

from hub.bootstrap import migrate
from hub.commands.base import add
from hub.config import load


def register(commands: Any) -> None:
    """Add the command."""
    add(commands, "migrate", migrate_,
        "make the tables of this release; PostgreSQL needs it before the first start and at each upgrade")


def migrate_(_: argparse.Namespace) -> int:
    """Make the tables and rebuild read models that changed."""
    settings = load(os.environ)
    migrate(settings)
    print("The database has the tables of this release.")
    return 0
