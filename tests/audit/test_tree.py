"""The tree of RFC 6962 and 9162: the known vectors, and every proof of small trees, on the tiles as well."""

from __future__ import annotations

import hashlib

import pytest

from hub.audit import tree
from hub.audit.verifier import Bad, leaf_hash, verify_consistency, verify_inclusion

LEAVES = [bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                           "606162636465666768696a6b6c6d6e6f")]
"""The leaves of Certificate Transparency's own vectors."""
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 8): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (5, 8): ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
}
CONSISTENT = {
    (1, 1): [],
    (1, 8): PATHS[0, 8],
    (6, 8): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 5): ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
}
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
MANY = [leaf_hash(str(n).encode()) for n in range(70)]


def of(hashes: list[bytes]) -> tree.Node:
    """The nodes of a tree in memory, straight from the definition."""
    return lambda level, index: mth(hashes[index << level:(index + 1) << level])


def mth(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, word for word."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def test_the_roots_of_the_known_vectors() -> None:
    assert tree.root(of(HASHES), 0) == hashlib.sha256(b"").digest()
    assert [tree.root(of(HASHES), n).hex() for n in range(1, 9)] == ROOTS
    growing, found = tree.Growing(), []
    for leaf in HASHES:
        growing.add(leaf)
        found.append(growing.root().hex())
    assert found == ROOTS


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_the_inclusion_proofs_of_the_known_vectors(index: int, size: int) -> None:
    assert [p.hex() for p in tree.inclusion(of(HASHES), index, size)] == PATHS[index, size]


@pytest.mark.parametrize(("first", "second"), CONSISTENT)
def test_the_consistency_proofs_of_the_known_vectors(first: int, second: int) -> None:
    assert [p.hex() for p in tree.consistency(of(HASHES), first, second)] == CONSISTENT[first, second]


def test_every_inclusion_proof_of_small_trees_holds_for_its_leaf_alone() -> None:
    node = of(MANY)
    for size in range(1, 35):
        root = tree.root(node, size)
        for index in range(size):
            proof = tree.inclusion(node, index, size)
            verify_inclusion(MANY[index], index, size, proof, root)
            for wrong in ((MANY[index], (index + 1) % (size + 1), size, proof, root), (MANY[-1], index, size, proof, root),
                          (MANY[index], index, size, [*proof, root], root), (MANY[index], index, size, proof, MANY[-1])):
                with pytest.raises(Bad):
                    verify_inclusion(*wrong)


def test_every_consistency_proof_of_small_trees_holds_for_its_sizes_alone() -> None:
    node, other = of(MANY), of([MANY[-1], *MANY[1:]])
    for second in range(1, 35):
        new = tree.root(node, second)
        for first in range(1, second + 1):
            old, proof = tree.root(node, first), tree.consistency(node, first, second)
            verify_consistency(first, second, proof, old, new)
            for wrong in ((first, second, proof, tree.root(other, first), new), (first, second, [*proof, old], old, new),
                          (second + 1, second, proof, old, new), (first, second, proof, old, tree.root(other, second))):
                with pytest.raises(Bad):
                    verify_consistency(*wrong)


@pytest.mark.parametrize("ask", [lambda: tree.inclusion(of(MANY), 5, 5), lambda: tree.consistency(of(MANY), 6, 5)])
def test_a_proof_of_what_is_not_there_is_refused(ask: object) -> None:
    with pytest.raises(ValueError, match="tree of 5"):
        ask()  # type: ignore[operator]
