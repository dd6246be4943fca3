"""``hub backup``, ``hub restore`` and ``hub copy``: the whole hub from one place to another."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.bootstrap import clock
from hub.commands.base import Stop, add
from hub.config import load
from hub.store import Unavailable
from hub.transfer import backup, moving, places, restore
from hub.transfer.base import Refusal, Tell

TOLD_EVERY = 0.5
"""Seconds between two words of progress on a terminal."""


def register(commands: Any) -> None:
    """Add the commands."""
    back = add(commands, "backup", backup_, "back everything up into one file, while the hub works")
    back.add_argument("file", nargs="?", metavar="FILE", help="appears when it is whole; is not replaced")
    back.add_argument("--force", action="store_true", help="replace FILE if it is there")
    back.add_argument("--quick", action="store_true", help="read every event again, but make no read models of them")
    back.add_argument("--with-secret", action="store_true", help="put secret.key in: who has the file can then read everything")
    back.add_argument("--erasure-list", metavar="LIST", help="write who was erased into LIST, to be kept outside of backups")
    again = add(commands, "restore", restore_, "bring a backup back, into an empty place")
    again.add_argument("file", metavar="FILE")
    again.add_argument("--erased", metavar="LIST", help="an erasure list or a newer backup: who was erased does not come back")
    move = add(commands, "copy", copy_, "copy everything into another, empty database; stop the hub before")
    for word, of in (("from", "the hub that there is"), ("to", "the new one")):
        move.add_argument(f"--{word}", required=True, metavar="URL", dest=f"{word}_url", help=f"database of {of}")
        move.add_argument(f"--{word}-data", metavar="DIR",
                          help="its data folder; when absent, where the SQLite file is, or HUB_DATA_DIR")


def backup_(arguments: argparse.Namespace) -> int:
    """Make a backup, an erasure list, or both."""
    if arguments.file is None and arguments.erasure_list is None:
        raise Stop("say where to: hub backup FILE, or hub backup --erasure-list LIST.")
    settings = load(os.environ)
    notes: Sequence[str] = ()
    with _in_words():
        if arguments.file is not None:
            with _progress() as tell:
                made = backup.make(settings, Path(arguments.file).absolute(), tell, clock(), force=arguments.force,
                                   quick=arguments.quick, with_secret=arguments.with_secret)
            m, notes = made.manifest, made.notes
            print(f"{arguments.file}: {m.count} events up to position {m.head}, {m.rows} rows beside them, {m.keys} keys, "
                  f"{m.files} files. Read again and in order. SHA-256 of the log: {m.digest}")
            print("The secret is in it: whoever has the file can read everything." if arguments.with_secret else
                  "The secret is not in it: without the secret the file is of no use.")
        if arguments.erasure_list is not None:
            print(f"{arguments.erasure_list}: {backup.list_erased(settings, Path(arguments.erasure_list), clock())} erased.")
    return _warned(notes)


def restore_(arguments: argparse.Namespace) -> int:
    """Bring a backup back."""
    settings = load(os.environ)
    with _in_words(), _progress() as tell:
        done = restore.restore(settings, Path(arguments.file), tell, Path(arguments.erased) if arguments.erased else None)
    m = done.manifest
    print(f"{places.told(settings)}: {m.count} events up to position {m.head}, as of {m.made_at:%Y-%m-%d %H:%M} UTC, and "
          f"{done.files} files. Read models are made.")
    print(f"{done.erased_since} people were erased since the backup, and stay erased." if done.erased_since else
          "Nobody is known to have been erased since the backup.")
    print("Everybody signs in again. See docs/backup.md for what to look at before the start.")
    return _warned(done.notes)


def copy_(arguments: argparse.Namespace) -> int:
    """Copy everything into another database."""
    source, target = (places.settings_of(url, os.environ, Path(data) if data else None) for url, data in (
        (arguments.from_url, arguments.from_data), (arguments.to_url, arguments.to_data)))
    with _in_words(), _progress() as tell:
        done = moving.move(source, target, tell)
    print(f"{places.told(source)} -> {places.told(target)}")
    print(f"{done.log.count} events up to position {done.log.head}, {done.rows} rows beside them. SHA-256 of both logs: "
          f"{done.log.digest}")
    print("Keys stay where they are." if done.keys is None else f"Keys: {done.keys} at the new place.")
    print(f"Attached files stay in {target.data_dir}." if done.files is None else f"Files: {done.files} in {target.data_dir}.")
    print("Read models are made. Start the hub with the new HUB_DATABASE_URL; keep the old place until that works.")
    return _warned(done.notes)


def _warned(notes: Sequence[str]) -> int:
    for note in notes:
        print(f"hub: {note}.", file=sys.stderr)
    return 1 if notes else 0


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise Stop(str(refusal)) from refusal
    except (OSError, Unavailable) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or any(words in str(error) for words in ("disk is full", "No space left")):  # SQLite's and PostgreSQL's
            raise Stop("the disk is full; nothing was left half done. Make room (about three times the size of the log) and try "
                       "again.") from error
        raise


@contextmanager
def _progress() -> Iterator[Tell]:
    """Words about how far it is, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda step, done, total: None
        return
    yield _teller()
    print(f"\r{'':<60}\r", end="", file=sys.stderr)


def _teller() -> Callable[[str, int, int], None]:
    last = 0.0

    def tell(step: str, done: int, total: int) -> None:
        nonlocal last
        if done in (0, total) or time.monotonic() - last > TOLD_EVERY:
            last = time.monotonic()
            print(f"\r{f'{step}: {done} of {total}' if total > 1 else step:<60}", end="", file=sys.stderr, flush=True)

    return tell
