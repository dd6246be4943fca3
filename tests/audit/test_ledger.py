"""The tree beside the log: leaves without gaps in log order, the same after a copy, a backup and a restore."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from hub.audit import tree
from hub.audit.checking import check
from hub.audit.ledger import BATCH, WIDTH, Ledger, hash_of
from hub.audit.verifier import leaf_data, leaf_hash, verify_consistency, verify_inclusion
from hub.store.base import EventStore, Notification
from hub.store.sqlite import SqliteStore
from tests import databases
from tests.databases import stores
from tests.house import SECRET
from tests.whole_hub import Commands, Site, hub

__all__ = ["hub"]


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[EventStore]:
    """An empty store of either kind."""
    if database_url:
        databases.put(tmp_path, database_url)
    keys, store = stores(tmp_path, SECRET)
    yield store
    store.close()
    keys.close()


@pytest.fixture
def ledger(store: EventStore) -> Ledger:
    ledger = Ledger(store)
    ledger.prepare()
    return ledger


def put(store: EventStore, positions: list[int]) -> None:
    """Events at these log positions, past the application."""
    with store.filling() as cursor:
        store.put_rows(cursor, [Notification(uuid4(), 1, "test.happened", b"{}", id=position) for position in positions])


def numbers(ledger: Ledger) -> list[tuple[int, int]]:
    """Leaf numbers and positions."""
    with ledger.store.reading() as cursor:
        return [(leaf.number, leaf.position) for row in ledger.store.tail(0, 100_000)
                if (leaf := ledger.leaf_at(cursor, row.id)) is not None]


def test_a_leaf_is_the_stored_event_and_nothing_else() -> None:
    stream = UUID("0b6f5c1e-7d3a-5c51-8a44-3f0f6d1f9e27")
    data = leaf_data(stream.bytes, 7, "lead.taken", b'{"v":1}')
    assert data == b"lead-hub-event/1\n" + stream.bytes + b"\0\0\0\0\0\0\0\x07\0\x0alead.taken" + b'{"v":1}'
    row = Notification(stream, 7, "lead.taken", b'{"v":1}', id=900)
    assert hash_of(row) == leaf_hash(data) == hash_of(Notification(stream, 7, "lead.taken", b'{"v":1}', id=3))


def test_leaves_are_numbered_without_gaps_where_positions_have_some(ledger: Ledger) -> None:
    put(ledger.store, [1, 2, 5, 6, 90])
    assert ledger.catch_up()
    assert numbers(ledger) == [(0, 1), (1, 2), (2, 5), (3, 6), (4, 90)]
    put(ledger.store, [91, 200])
    assert ledger.catch_up()
    assert numbers(ledger)[-2:] == [(5, 91), (6, 200)]
    with ledger.store.reading() as cursor:
        assert ledger.leaf_at(cursor, 4) is None
        assert ledger.leaf_at(cursor, 0) is None


@pytest.mark.parametrize("steps", [[700], [1, 254, 1, 1, 300, 143], [255, 256, 189]])
def test_the_tree_is_the_same_however_it_grew(ledger: Ledger, steps: list[int]) -> None:
    """All nodes come out of tiles, and proofs of any size hold."""
    size = 0
    for step in steps:
        put(ledger.store, list(range(size + 1, size + step + 1)))
        ledger.catch_up()
        size += step
    growing, roots, hashes = tree.Growing(), {}, []
    for row in ledger.store.tail(0, 1_000):
        hashes.append(hash_of(row))
        growing.add(hashes[-1])
        roots[growing.size] = growing.root()
    with ledger.store.reading() as cursor:
        node = ledger.nodes(cursor)
        for n in (1, 2, 255, 256, 257, 511, 512, 513, 700):
            assert tree.root(node, n) == roots[n]
            verify_consistency(n, 700, tree.consistency(node, n, 700), roots[n], roots[700])
            verify_inclusion(hashes[n - 1], n - 1, 700, tree.inclusion(node, n - 1, 700), roots[700])
        assert len(ledger.above(cursor)[1, 0]) == 32 * (700 // WIDTH)
    assert check(ledger, []).findings == ()


def test_a_third_level_begins_where_the_second_is_full(ledger: Ledger) -> None:
    """65,536 events are one full tile of level 1."""
    total = WIDTH * WIDTH + 3
    with ledger.store.writing() as cursor:
        done = 0
        while done < total:
            step = min(BATCH, total - done)
            ledger._add(cursor, ledger.tip(cursor), [(done + n + 1, leaf_hash(str(done + n).encode())) for n in range(step)])
            done += step
    growing = tree.Growing()
    for n in range(total):
        growing.add(leaf_hash(str(n).encode()))
    with ledger.store.reading() as cursor:
        assert sorted(key for key in ledger.above(cursor) if key[0] == 2) == [(2, 0)]
        assert tree.root(ledger.nodes(cursor), total) == growing.root()


def test_several_followers_add_each_leaf_once(ledger: Ledger) -> None:
    put(ledger.store, list(range(1, 1_501)))
    threads = [threading.Thread(target=lambda: [ledger.grow(100) for _ in range(30)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.catch_up()
    assert ledger.size() == (1_500, 1_500)
    assert check(ledger, []).findings == ()


def test_a_lost_newest_event_is_noticed_at_once(ledger: Ledger) -> None:
    put(ledger.store, [1, 2, 3])
    assert ledger.catch_up()
    newest = ledger.store.tail(2, 1)[0].originator_id
    with ledger.store.writing() as cursor:
        cursor.execute("DELETE FROM stored_events WHERE originator_id = ?",
                       (newest.hex if isinstance(ledger.store, SqliteStore) else newest,))
    assert not ledger.catch_up()
    put(ledger.store, [7])
    assert not ledger.catch_up()
    assert numbers(ledger)[-1] == (3, 7)
    assert [found.code for found in check(ledger, []).findings] == ["deleted"]


def leaves(site: Site) -> list[tuple[int, int, bytes]]:
    with site.store() as store, store.reading() as cursor:
        ledger = Ledger(store)
        return [(leaf.number, leaf.position, leaf.hash) for row in store.tail(0, 100_000)
                if (leaf := ledger.leaf_at(cursor, row.id)) is not None]


def test_leaf_numbers_and_checkpoints_are_the_same_after_backup_restore_and_copy(hub: Commands, tmp_path: Path,
                                                                               postgres_url: str) -> None:
    site, again, moved = Site(tmp_path / "a"), Site(tmp_path / "b"), Site(tmp_path / "c", postgres_url)
    site.furnish(2)
    assert hub(site, "audit", "checkpoint").code == 0
    before = leaves(site)
    assert [leaf[0] for leaf in before] == list(range(len(before)))
    assert hub(site, "backup", tmp_path / "x.hub").code == 0
    assert hub(again, "restore", tmp_path / "x.hub").code == 0
    assert leaves(again) == before
    assert hub(again, "copy", "--from", again.url, "--to", moved.url, "--to-data", moved.folder).code == 0
    assert leaves(moved) == before
    for place in (again, moved):
        # The key that signs is in no backup: it is brought by hand, as the secret is.
        (place.folder / "audit.key").write_bytes((site.folder / "audit.key").read_bytes())
        outside = next((site.folder / "checkpoints").glob("*.txt"))
        said = hub(place, "audit", "verify", "--checkpoint", outside)
        assert said.code == 0, said
        assert f"The newest checkpoint covers {len(before)} events" in said.out
