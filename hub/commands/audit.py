"""``hub audit …``: the log checked against its tree and its checkpoints, checkpoints made, histories that prove themselves."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from hub.application import THE_HUB
from hub.audit import verifier
from hub.audit.export import NotExported, Request, export
from hub.audit.findings import OUTSIDE
from hub.audit.keeping import note_of
from hub.audit.publishing import publish
from hub.audit.signing import NoKey
from hub.bootstrap import House, clock, open_house
from hub.commands.base import Stop, add, group, opened
from hub.commands.leads import lead_id
from hub.config import load
from hub.domain.staff import user_stream
from hub.traffic.audit_mail import mailer
from hub.transfer.durable import write
from hub.web.audit.trail_files import FORMATS, telling, write_trail
from hub.web.audit.trail_filter import described
from hub.web.audit.trail_filter import read as read_filter
from hub.web.audit.trail_kinds import GROUPS

TOLD_EVERY = 0.5


def register(commands: Any) -> None:
    """Add the commands."""
    audit = group(commands, "audit", "prove that nothing was altered")
    verify = add(audit, "verify", audit_verify, "check the whole log against its tree and all checkpoints that are kept")
    verify.add_argument("--checkpoint", action="append", default=[], metavar="FILE",
                        help="a checkpoint that was kept elsewhere; may be given several times")
    add(audit, "checkpoint", audit_checkpoint, "sign a checkpoint now, write it, mail it, have it stamped, and print it")
    out = add(audit, "export", audit_export, "write a lead's history as one file that proves itself")
    out.add_argument("lead", help="its number or UUID")
    out.add_argument("-o", "--output", required=True, metavar="FILE", help="a zip; is not replaced")
    out.add_argument("--against", metavar="OLD", help="prove as well that the log begins with what this checkpoint covered")
    one = add(audit, "verify-file", audit_verify_file, "verify such a file: needs no database and no network")
    one.add_argument("file", metavar="FILE")
    one.add_argument("--checkpoint", metavar="OLD", help="a checkpoint that was kept elsewhere")
    one.add_argument("--key", metavar="VKEY", help="the verifier key that must have signed")
    add(audit, "keys", audit_keys, "the public keys that sign or signed checkpoints")
    trail = add(audit, "trail", audit_trail, "write the audit trail: every event and every refused attempt, in words")
    trail.add_argument("-o", "--output", required=True, metavar="FILE", help="is not replaced")
    trail.add_argument("--format", choices=tuple(FORMATS), default="csv", help="a table for Excel, or JSON Lines (csv)")
    trail.add_argument("--from", dest="since", default="", metavar="WHEN", help="a day or a time such as 2026-11-20T14:30")
    trail.add_argument("--to", dest="until", default="", metavar="WHEN", help="a day, included, or a time, not included")
    trail.add_argument("--lead", default="", help="its number or UUID")
    trail.add_argument("--who", default="", metavar="LOGIN|ACTOR", help="a login, or hub, channel:website, token:UUID")
    trail.add_argument("--what", default="", metavar="TYPE|GROUP", help=f"a type of event, or one of {', '.join(GROUPS)}")
    rotate = add(audit, "rotate-key", audit_rotate_key, "put another signing key in force")
    rotate.add_argument("--why", required=True, metavar="REASON", help="kept in the log")


def audit_verify(arguments: argparse.Namespace) -> int:
    """Check the whole log."""
    outside = []
    for name in arguments.checkpoint:
        if not Path(name).is_file():
            raise Stop(f"there is no {name}: give the file of a checkpoint.")
        outside.append(note_of(Path(name), OUTSIDE))
    with closing(open_house(load(os.environ))) as house:
        began = time.monotonic()
        found = house.hub.audit.run(house.hub.audit_record(), clock, by="hub audit verify", outside=tuple(outside),
                                    tell=_teller())
        newest = next(iter(house.hub.audit.ledger.kept(limit=1)), None)
        for fault in found.findings:
            print(f"hub: {fault.say('en')}", file=sys.stderr)
        if not found.good:
            print(f"hub: NOT VERIFIED. {len(found.findings)} findings. Do not repair anything yet: keep a copy of the database, "
                  "and see docs/audit.md.", file=sys.stderr)
            return 1
        print(f"Verified: {found.done} events, in {time.monotonic() - began:.1f} s.")
        print(f"The newest checkpoint covers {newest.size} events, of {newest.at:%Y-%m-%d %H:%M} UTC." if newest else
              "No checkpoint was signed yet: `hub audit checkpoint`.")
    return 0


def _teller() -> Callable[[int, int], None]:
    """Words about how far it is, on a terminal only."""
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if sys.stderr.isatty() and (done >= total or time.monotonic() - last > TOLD_EVERY):
            last = time.monotonic()
            print(f"\r{done:,} of {total:,} events", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    return tell


def audit_checkpoint(_: argparse.Namespace) -> int:
    """Sign a checkpoint now."""
    with opened() as house:
        audit = house.hub.audit
        assert audit.options is not None
        try:
            kept = audit.sign(house.hub.audit_record(), clock())
        except NoKey as error:
            raise Stop(f"{error}.") from error
        assert kept is not None, "a log that is open has events"
        kept = publish(audit, audit.options, kept, mailer(house.parts.accounts), clock())
        print(kept.note, end="")
        if kept.trouble:
            print(f"hub: {kept.trouble}.", file=sys.stderr)
            return 1
    return 0


def audit_export(arguments: argparse.Namespace) -> int:
    """Write a lead's history."""
    path = Path(arguments.output)
    if path.exists():
        raise Stop(f"there is a file {path} already: give another name.")
    against = _text(arguments.against) if arguments.against else ""
    with opened() as house:
        lead = lead_id(house, arguments.lead)
        audit, now = house.hub.audit, clock()
        row = house.hub.views.leads.one(lead)
        try:
            kept = audit.sign(house.hub.audit_record(), now)
            assert kept is not None, "a log that is open has events"
            part = path.with_name(f".{path.name}.part")
            try:
                with open(part, "wb") as file:
                    done = export(audit.ledger, kept, Request(lead, row["number"] if row else 0, now, _who(house), against), file)
                write(path, part.read_bytes())
            finally:
                part.unlink(missing_ok=True)
        except (NoKey, NotExported) as error:
            raise Stop(f"{error}.") from error
        house.hub.audit_record(THE_HUB)(lambda log: log.exported(lead, done.upto), now)
        print(f"{path}: {done.events} events, proven under the checkpoint of {kept.size}. Verify with `hub audit verify-file`, "
              "or with verify.py inside, which needs only Python and cryptography.")
    return 0


def _who(house: House) -> Callable[[str], str]:
    names = {f"user:{id}": user.name for id, user in house.hub.users().items()}
    return lambda actor: names.get(actor, actor)


def _text(name: str) -> str:
    try:
        return Path(name).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{name} cannot be read as a checkpoint ({type(error).__name__}).") from error


def audit_trail(arguments: argparse.Namespace) -> int:
    """Write the audit trail, or a part of it."""
    path = Path(arguments.output)
    if path.exists():
        raise Stop(f"there is a file {path} already: give another name.")
    with opened() as house, telling(house.parts).app_context():
        known = user_stream(arguments.who)
        who = f"user:{known}" if known in house.hub.users() else arguments.who
        given = {"who": who, "what": arguments.what, "since": arguments.since, "until": arguments.until, "lead": arguments.lead}
        part = path.with_name(f".{path.name}.part")
        try:
            with open(part, "wb") as file:
                rows = write_trail(read_filter(house.hub, given).wanted, arguments.format, file.write, _teller())
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        said = described(given, arguments.who)
        house.hub.audit_record(THE_HUB)(lambda log: log.trail_exported(arguments.format, rows, said), clock())
        print(f"{path}: {rows} events.")
    return 0


def audit_verify_file(arguments: argparse.Namespace) -> int:
    """Verify an export."""
    words = [arguments.file]
    for option in ("checkpoint", "key"):
        if getattr(arguments, option):
            words += [f"--{option}", getattr(arguments, option)]
    return verifier.main(words)


def audit_keys(_: argparse.Namespace) -> int:
    """The public keys."""
    with closing(open_house(load(os.environ))) as house:
        keys = house.hub.audit.keys().keys
        for known, follower in zip(keys, [*keys[1:], None], strict=True):
            until = f"{follower.since:%Y-%m-%d %H:%M}" if follower else "now"
            print(f"{known.since:%Y-%m-%d %H:%M} to {until}  {known.vkey}")
    return 0


def audit_rotate_key(arguments: argparse.Namespace) -> int:
    """Put another signing key in force."""
    with opened() as house:
        try:
            vkey = house.hub.audit.rotate(house.hub.audit_record(), arguments.why, clock())
        except NoKey as error:
            raise Stop(f"{error}.") from error
        print(f"In force from now on:  {vkey}")
        print("Tell it to whoever verifies. The old private key is not needed any more.")
    return 0
