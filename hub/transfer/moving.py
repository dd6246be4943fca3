"""Moving a hub from one database to another: SQLite to PostgreSQL, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.bootstrap import make_schema
from hub.config import SECRET_FILE, Settings
from hub.store.base import EventStore
from hub.transfer import durable
from hub.transfer.base import Fingerprint, Refusal, Tell
from hub.transfer.copying import copy, copy_keys, unchanged
from hub.transfer.places import (
    existing,
    forget_read_models,
    keep_secret,
    keys_place,
    known_secret,
    make_read_models,
    opened,
    told,
)


@dataclass(frozen=True)
class Moved:
    """What was copied. ``keys`` and ``files`` are None where both places use the same ones."""

    log: Fingerprint
    rows: int
    keys: int | None
    files: int | None
    notes: tuple[str, ...]


def move(source: Settings, target: Settings, tell: Tell) -> Moved:
    """Copy the whole hub of ``source`` into the empty place ``target``; the source stays as it is.

    Nobody may write to the source meanwhile: what came in after the switch would be missing at the new place, so a hub that
    works there, or a log that has moved at the end, is refused. Raises :class:`Refusal`.
    """
    source = existing(source)
    if known_secret(target) not in ("", source.secret_key):
        raise Refusal(f"the secret in {target.data_dir} is not that of the source: both need the same. Give an empty folder.")
    target = replace(target, given_secret=source.secret_key)
    if told(source) == told(target):
        raise Refusal("the source and the target are the same database: name two.")
    same_keys = keys_place(source) == keys_place(target)
    keys = files = None
    with opened(source) as (source_keys, source_store):
        _refuse_while_working(source_store)
        if source_store.head() == 0:
            raise Refusal(f"{told(source)} holds no events: name the database of a hub that has run.")
        target.make_data_dir()
        make_schema(target)
        with opened(target) as (target_keys, target_store):

            def bring_the_rest() -> None:
                nonlocal keys, files
                forget_read_models(target_store)
                if (source.data_dir / SECRET_FILE).exists():
                    keep_secret(target, source.secret_key)
                if not same_keys:
                    keys, _ = copy_keys(source_keys, target_keys)
                if source.data_dir.resolve() != target.data_dir.resolve():
                    gone = set(target_keys.rows()[1])
                    files = durable.copy_attached(source.data_dir / "files", target.data_dir / "files", gone)

            copied = copy(source_store, target_store, tell, before_log=bring_the_rest, check=unchanged(source_store, tell))
        late = source_store.head()
    tell("read models", 0, 1)
    notes = make_read_models(target)
    if late != copied.log.head:
        notes.append(f"the source was written to just after it was read (up to {late}): the copy lacks that. Stop the hub that "
                     "works there, and copy again into another empty place")
    if copied.unread.count:
        notes.append(f"{copied.unread.count} events could not be read at the source either ({copied.unread.first})")
    return Moved(copied.log, copied.rows, keys, files, tuple(notes))


def _refuse_while_working(store: EventStore) -> None:
    if working := [name for name, held in store.leases.holders().items() if held.seconds_left > 0]:
        raise Refusal(f"a hub works on the source (it holds {working[0]}): stop it, wait five seconds, and copy again.")
