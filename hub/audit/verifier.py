#!/usr/bin/env python3
"""Verify one export of the hub's log: no database, no network, nothing but Python (3.9 or newer) and ``cryptography``.

    python verify.py EXPORT.zip [--checkpoint OLD] [--key VKEY] [--history]

``--checkpoint``: a checkpoint that somebody kept elsewhere; the log must still begin with what it covered.
``--key``: the verifier key as it was told to you by another way; the checkpoint must be signed by it.
``--history``: print the readable history as well. The exit code is 0 where everything holds, else 1.

The format is described in FORMAT.md, which lies beside this file in the export.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "lead-hub-audit-export/1"
KEY_TOPIC = "audit.key_in_force"
LEAF, NODE = b"\x00", b"\x01"
LEAF_HEAD = b"lead-hub-event/1\n"
ED25519 = b"\x01"
DASH = "\N{EM DASH} "
LARGEST = 256_000_000
"""Bytes of a file in an export that are read at most."""


class Bad(Exception):
    """It does not hold, or cannot be read. The sentence says what."""


# ── the tree (RFC 6962, 2.1; RFC 9162, 2.1) ──────────────────────────────────────


def leaf_data(stream: bytes, version: int, topic: str, state: bytes) -> bytes:
    """What a leaf is made of: 16 bytes of the stream's id, the version, the topic with its length, and the stored bytes."""
    name = topic.encode()
    return b"".join((LEAF_HEAD, stream, version.to_bytes(8, "big"), len(name).to_bytes(2, "big"), name, state))


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(NODE + left + right).digest()


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162, 2.1.3.2: the leaf with this hash is number ``index`` (from 0) of the tree of ``size`` leaves."""
    if not 0 <= index < size:
        raise Bad(f"leaf {index} is not in a tree of {size}")
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise Bad("the inclusion proof is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        fn >>= 1
        sn >>= 1
    if sn != 0 or r != root:
        raise Bad(f"the inclusion proof of leaf {index} does not lead to the root of the checkpoint")


def verify_consistency(first: int, second: int, proof: Sequence[bytes], old: bytes, new: bytes) -> None:
    """RFC 9162, 2.1.4.2: the tree of ``second`` leaves begins with the tree of ``first`` leaves."""
    if not 0 <= first <= second:
        raise Bad(f"a tree of {second} cannot begin with a tree of {first}")
    if first in (0, second):
        if proof or (first == second and old != new) or (first == 0 and old != hashlib.sha256(b"").digest()):
            raise Bad(f"the log of {second} events does not begin with the log of {first} events of the older checkpoint")
        return
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, old)
    if not path:
        raise Bad("the consistency proof is empty")
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise Bad("the consistency proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, c)
        fn >>= 1
        sn >>= 1
    if sn != 0 or fr != old or sr != new:
        raise Bad(f"the log of {second} events does not begin with the log of {first} events of the older checkpoint")


# ── checkpoints (C2SP signed-note and tlog-checkpoint) ───────────────────────────


class Checkpoint(NamedTuple):
    """A signed tree head. ``text`` is what is signed, ``signatures`` are (key name, key id, signature)."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


class Key(NamedTuple):
    """A verifier key."""

    name: str
    id: bytes
    public: bytes


def unbase64(text: str) -> bytes:
    """Base64 (RFC 4648, 4), strictly."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Bad(f"{text[:40]!r} is no Base64") from None


def key_id(name: str, public: bytes) -> bytes:
    """The first 4 bytes of SHA-256 over the name, a line feed, the algorithm's byte and the public key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def read_key(text: str) -> Key:
    """A verifier key: ``name+id+base64(0x01 and the Ed25519 public key)``."""
    name, _, rest = text.strip().partition("+")
    shown, _, encoded = rest.partition("+")
    data = unbase64(encoded)
    if not name or len(data) != 33 or data[:1] != ED25519:
        raise Bad(f"{text[:80]!r} is no verifier key of Ed25519")
    found = Key(name, key_id(name, data[1:]), data[1:])
    if found.id.hex() != shown:
        raise Bad(f"the verifier key {text[:80]!r} does not have the id that it says")
    return found


def read_checkpoint(note: str) -> Checkpoint:
    """A checkpoint out of its note; its signatures are not looked at yet."""
    text, gap, signed = note.rpartition("\n\n")
    lines, signatures = text.split("\n"), []
    if not gap or len(lines) < 3 or not all(lines) or not signed.endswith("\n"):
        raise Bad("this is no checkpoint")
    for line in signed[:-1].split("\n"):
        name, _, encoded = line[len(DASH):].partition(" ")
        data = unbase64(encoded)
        if not line.startswith(DASH) or not name or len(data) < 5:
            raise Bad("the checkpoint has a line that is no signature")
        signatures.append((name, data[:4], data[4:]))
    size, root = lines[1], unbase64(lines[2])
    if not size.isascii() or not size.isdigit() or str(int(size)) != size or len(root) != 32:
        raise Bad("the checkpoint has no size or no root")
    return Checkpoint(lines[0], int(size), root, text + "\n", tuple(signatures))


def signer(checkpoint: Checkpoint, keys: Iterable[Key]) -> Key:
    """Which of ``keys`` signed the checkpoint. A signature of one of them that does not hold spoils all."""
    found = None
    for key in keys:
        for name, id, signature in checkpoint.signatures:
            if (name, id) == (key.name, key.id):
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(signature, checkpoint.text.encode())
                except InvalidSignature:
                    raise Bad(f"the signature of the checkpoint at {checkpoint.size} is not that of the key "
                              f"{key.id.hex()}") from None
                found = found or key
    if found is None:
        raise Bad(f"the checkpoint at {checkpoint.size} is signed by no key that is known here")
    return found


# ── one export ───────────────────────────────────────────────────────────────────


class Verified(NamedTuple):
    """What holds. ``older``: sizes of older checkpoints that the log still begins with."""

    lead: str
    events: int
    all_events: int
    checkpoint: Checkpoint
    key: Key
    older: tuple[int, ...]
    history: str


def open_export(path: str) -> tuple[dict[str, Any], str]:
    """The export and its readable history out of the file."""
    try:
        with zipfile.ZipFile(path) as file:
            if sorted(set(file.namelist())) != sorted(file.namelist()):
                raise Bad(f"{path} holds a name twice")
            content, history = (_member(file, name) for name in ("export.json", "history.txt"))
        export = json.loads(content)
    except (OSError, KeyError, ValueError, NotImplementedError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise Bad(f"{path} cannot be read as an export ({type(error).__name__})") from None
    if not isinstance(export, dict) or export.get("format") != FORMAT:
        raise Bad(f"{path} is not in the format {FORMAT}")
    return export, history.decode("utf-8", "replace")


def _member(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > LARGEST:
        raise Bad(f"{name} is larger than {LARGEST} bytes")
    return file.read(name)


def verify(export: dict[str, Any], history: str, old: str | None = None, vkey: str | None = None) -> Verified:
    """Everything in an export, or :class:`Bad`. ``old``: an older checkpoint; ``vkey``: the key that must have signed."""
    try:
        return _verified(export, history, old, vkey)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise Bad(f"the export lacks something or has it in a wrong form ({type(error).__name__}: {error})") from None


def _verified(export: dict[str, Any], history: str, old: str | None, vkey: str | None) -> Verified:
    head = read_checkpoint(export["checkpoint"])
    on_record: list[tuple[int, Key]] = []
    streams: dict[tuple[str, str], list[int]] = {}
    leaves = set()
    for event in export["events"]:
        state = unbase64(event["state"])
        stream = uuid.UUID(event["stream"])
        data = leaf_data(stream.bytes, event["version"], event["topic"], state)
        verify_inclusion(leaf_hash(data), event["leaf"], head.size, [unbase64(p) for p in event["proof"]], head.root)
        if event["leaf"] in leaves:
            raise Bad(f"leaf {event['leaf']} is there twice")
        leaves.add(event["leaf"])
        streams.setdefault((event["part"], str(stream)), []).append(event["version"])
        if event["topic"] == KEY_TOPIC:
            on_record.append((event["leaf"], read_key(json.loads(state)["vkey"])))
    lead = str(uuid.UUID(export["lead"]["stream"]))
    versions = streams.get(("lead", lead), [])
    if not versions or versions != list(range(1, len(versions) + 1)):
        raise Bad("the events of the lead are not all there, or not in order")
    if any(part == "lead" and stream != lead for part, stream in streams):
        raise Bad("events of another stream are passed off as the lead's")
    on_record.sort()
    key = _signed_in_time(head, on_record)
    if vkey is not None and signer(head, [read_key(vkey)]) != key:
        raise Bad("the checkpoint is signed by another key than the one that was given")
    older = []
    for known in export["earlier"]:
        before = read_checkpoint(known["checkpoint"])
        _signed_in_time(before, on_record)
        _same_log(before, head)
        verify_consistency(before.size, head.size, [unbase64(p) for p in known["proof"]], before.root, head.root)
        older.append(before.size)
    if old is not None:
        older = [*older, *_against(old, export, head, on_record, vkey)]
    if told(export) != history:
        raise Bad("history.txt is not what export.json tells")
    return Verified(lead, len(versions), len(leaves), head, key, tuple(older), history)


def _against(old: str, export: dict[str, Any], head: Checkpoint, on_record: list[tuple[int, Key]],
             vkey: str | None) -> list[int]:
    """The checkpoint that somebody kept: the log begins with what it covered."""
    kept = read_checkpoint(old)
    _same_log(kept, head)
    signer(kept, [key for _, key in on_record] + ([read_key(vkey)] if vkey else []))
    if kept.size > head.size:
        raise Bad(f"the checkpoint that was kept covers {kept.size} events, the export only {head.size}: the log was cut, or the "
                  "export is older")
    proofs = {before.size: known["proof"] for known in export["earlier"]
              for before in [read_checkpoint(known["checkpoint"])]} | {head.size: []}
    if kept.size not in proofs:
        raise Bad(f"the export holds no consistency proof from {kept.size} events on: ask for one that was made with "
                  "`hub audit export --against` that checkpoint")
    verify_consistency(kept.size, head.size, [unbase64(p) for p in proofs[kept.size]], kept.root, head.root)
    return [] if kept.size in (known for known in proofs if known != head.size) else [kept.size]


def _same_log(old: Checkpoint, head: Checkpoint) -> None:
    if old.origin != head.origin:
        raise Bad(f"the older checkpoint is of another log ({old.origin}, this one is {head.origin})")


def _signed_in_time(checkpoint: Checkpoint, on_record: list[tuple[int, Key]]) -> Key:
    """The key on record that signed; one that was replaced at leaf n signs no tree that holds leaf n."""
    key = signer(checkpoint, [key for _, key in on_record])
    if key.name != checkpoint.origin:
        raise Bad("the checkpoint names another log than its key")
    last = max(n for n, (_, known) in enumerate(on_record) if known == key)
    if last + 1 < len(on_record) and checkpoint.size > on_record[last + 1][0]:
        raise Bad(f"the checkpoint at {checkpoint.size} is signed by the key {key.id.hex()}, which was replaced before")
    return key


def told(export: dict[str, Any]) -> str:
    """The readable history: what is proven out of the stored bytes, and, marked with ``~``, what only the hub could read."""
    lead = export["lead"]
    lines = [f"Lead {lead['number']} ({lead['stream']}), events as stored",
             f"Exported {export['made_at']} by hub {export['hub']}",
             "Lines with ~ are personal data: proven is only that their sealed form was stored.", ""]
    for event in export["events"]:
        if event["part"] != "lead":
            continue
        state = json.loads(unbase64(event["state"]))
        lines.append(f"{event['version']:>4}  {state.get('at', '')}  {event['topic']}  {event['title']}")
        lines.append(f"      by {event['who']} ({state.get('actor', '')}), process version {state.get('process_version', 0)}, "
                     f"leaf {event['leaf']}")
        own = {k: v for k, v in state.items() if k not in FRAME}
        lines += [f"      {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in own.items()]
        lines += [f"    ~ {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in event["personal"].items()]
        lines.append("")
    return "\n".join(lines) + "\n"


FRAME = frozenset(("event_id", "actor", "at", "correlation_id", "causation_id", "process_version", "recorded_at", "subject", "v",
                   "~"))
"""Fields of every event that the history tells otherwise, or that say nothing to people."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify and say so."""
    parser = argparse.ArgumentParser(description="Verify an export of the hub's log.")
    parser.add_argument("file", metavar="EXPORT")
    parser.add_argument("--checkpoint", metavar="OLD", help="a checkpoint that was kept elsewhere")
    parser.add_argument("--key", metavar="VKEY", help="the verifier key that must have signed")
    parser.add_argument("--history", action="store_true", help="print the readable history")
    given = parser.parse_args(arguments)
    try:
        if given.checkpoint:
            with open(given.checkpoint, encoding="utf-8", newline="") as file:
                old = file.read()
        else:
            old = None
        found = verify(*open_export(given.file), old, given.key)
    except (Bad, OSError, UnicodeDecodeError) as error:
        print(f"NOT VERIFIED: {error}.", file=sys.stderr)
        return 1
    print("\n".join(report(found, key_given=given.key is not None)))
    if given.history:
        print()
        print(found.history, end="")
    return 0


def report(found: Verified, *, key_given: bool = False) -> list[str]:
    """What holds, in words."""
    head = found.checkpoint
    encoded = base64.b64encode(ED25519 + found.key.public).decode()
    rest = found.all_events - found.events
    lines = [f"Verified: {found.events} events of lead {found.lead}, and {rest} that they rest on, are in the log as they are "
             "here.",
             f"Log {head.origin}, {head.size} events, root {head.root.hex()}",
             f"Signed by {found.key.name}+{found.key.id.hex()}+{encoded}"]
    if not key_given:
        lines.append("Compare this key with the one that was told to you by another way, or give it with --key.")
    if found.older:
        lines.append(f"The log still begins with what {len(found.older)} older checkpoints covered, the first at "
                     f"{min(found.older)} events.")
    return lines


if __name__ == "__main__":
    sys.exit(main())
