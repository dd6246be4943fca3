"""Checkpoints leave the database: into a folder, by mail to people outside, with a time stamp. And the thread that sees to it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from uuid import uuid4

from hub.audit.keeping import Audit, Options, Record
from hub.audit.ledger import Kept
from hub.audit.signing import NoKey
from hub.audit.stamping import NoStamp
from hub.store.errors import Unavailable

log = logging.getLogger(__name__)

GROW_EVERY = 0.5
"""Seconds between two looks at what was appended: an event is in the tree this late at most, in batches that cost little."""
LEASE = 10.0
AGAIN_AFTER = timedelta(minutes=5)
"""After a failed publication."""
LEASE_NAME = "audit"


@dataclass(frozen=True)
class Letter:
    """A checkpoint on its way to somebody outside."""

    to: str
    size: int
    at: datetime
    note: str
    origin: str
    stamp: bytes | None


Mail = Callable[[Letter], str]
"""Send a letter; why it did not leave, an empty text where it did."""


def write(folder: Path, kept: Kept) -> str:
    """Write a checkpoint and its stamp into the folder, each once and never over another; why not, or an empty text."""
    name = f"checkpoint-{kept.size:012}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, content in ((folder / f"{name}.txt", kept.note.encode()), (folder / f"{name}.tsr", kept.stamp)):
            if content is not None and not _written(path, content):
                return f"{path} is there with other content: look at it, and move it away"
    except OSError as error:
        return f"{folder} cannot be written to ({error.strerror})"
    return ""


def _written(path: Path, content: bytes) -> bool:
    if path.exists():
        return path.read_bytes() == content
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return True


def publish(audit: Audit, options: Options, kept: Kept, mail: Mail | None, at: datetime) -> Kept:
    """Do what is still to be done with a checkpoint; what went wrong is in its ``trouble``."""
    troubles = []
    stamp, stamped_at = kept.stamp, kept.stamped_at
    if options.stamps is not None and stamp is None:
        try:
            stamp, stamped_at = options.stamps.stamp(kept.note)
        except NoStamp as error:
            troubles.append(str(error))
    kept = kept._replace(stamp=stamp, stamped_at=stamped_at)
    trouble = write(options.folder, kept)
    written_at = kept.written_at if kept.written_at or trouble else at
    troubles += [trouble] if trouble else []
    mailed_at = kept.mailed_at
    if options.mail and mailed_at is None:
        failed = _mailed(options, kept, mail)
        mailed_at = None if failed else at
        troubles += failed
    kept = kept._replace(written_at=written_at, mailed_at=mailed_at, trouble="; ".join(troubles))
    audit.ledger.published(kept.size, written_at=written_at, mailed_at=mailed_at, stamped_at=stamped_at, stamp=stamp,
                           trouble=kept.trouble)
    return kept


def _mailed(options: Options, kept: Kept, mail: Mail | None) -> list[str]:
    if mail is None:
        return ["there is no e-mail account that sends: add one to the channels file"]
    failed = []
    for to in options.mail:
        why = mail(Letter(to, kept.size, kept.at, kept.note, kept.note.partition("\n")[0], kept.stamp))
        failed += [f"{to}: {why}"] if why else []
    return failed


def finished(options: Options, kept: Kept) -> bool:
    """Whether a checkpoint is everywhere where it should be."""
    return bool(kept.written_at and (kept.mailed_at or not options.mail) and (kept.stamp or options.stamps is None))


class Keeper:
    """The worker's thread: the tree grows, checkpoints are signed and leave in time, checks run. Of several one works."""

    def __init__(self, audit: Audit, record: Record, mail: Mail | None, clock: Callable[[], datetime]) -> None:
        self.audit, self.record, self.mail, self.clock = audit, record, mail, clock
        self.holder = uuid4().hex
        self._tried_at: datetime | None = None
        self._told = ""

    def run(self, stop: Flag) -> None:
        """Work until ``stop`` is set. Nothing here holds an append up, and no fault ends the loop."""
        leases = self.audit.store.leases
        while not stop.wait(GROW_EVERY):
            try:
                if leases.hold(LEASE_NAME, self.holder, LEASE):
                    self.turn()
            except Unavailable as error:
                log.warning("the store is unavailable, trying again: %s", error)
            except Exception:
                log.exception("a turn of the audit failed; the next one goes on")
        try:
            leases.free(LEASE_NAME, self.holder)
        except Unavailable as error:
            log.warning("the audit's lease runs out by itself: %s", error)

    def turn(self) -> None:
        """One round."""
        audit, now = self.audit, self.clock()
        if not self._grown() and not audit.state(fresh=True).failed:
            audit.ask("hub", now)
        if audit.options is not None:
            self._checkpoint(audit.options, now)
            last = audit.state().last
            if last is None or (last.ended_at is not None and now - last.ended_at >= audit.options.every):
                audit.ask("hub", now)
        if (asked := audit.asked()) is not None:
            found = audit.run(self.record, self.clock, waiting=asked)
            if not found.good:
                log.error("the log does not agree with its tree or its checkpoints: %d findings, the first: %s",
                          len(found.findings), found.findings[0].say("en"))

    def _grown(self) -> bool:
        """Hash what was appended; False where the newest leaf is not in its place any more, or nothing can be read there."""
        try:
            return self.audit.ledger.catch_up()
        except Unavailable:
            raise
        except Exception:
            log.exception("what was appended cannot be hashed")
            return False

    def _checkpoint(self, options: Options, now: datetime) -> None:
        """Sign when it is time, and bring what was signed to where it belongs."""
        if self._tried_at is not None and now - self._tried_at < AGAIN_AFTER:
            return
        newest = next(iter(self.audit.ledger.kept(limit=1)), None)
        due = newest is None or now - newest.at >= options.every
        if not due and newest is not None and finished(options, newest):
            return
        self._tried_at = now
        try:
            kept = self.audit.sign(self.record, now) if due else newest
        except NoKey as error:
            if str(error) != self._told:
                log.error("no checkpoint is signed: %s", error)
            self._told = str(error)
            return
        if kept is not None and not finished(options, kept):
            kept = publish(self.audit, options, kept, self.mail, now)
            if kept.trouble:
                log.warning("the checkpoint at %d is not everywhere yet: %s", kept.size, kept.trouble)
