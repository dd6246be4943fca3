"""Proofs out of a Merkle tree (RFC 6962, 2.1; RFC 9162, 2.1) of which complete subtrees can be asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from hub.audit.verifier import node_hash

Node = Callable[[int, int], bytes]
"""``node(level, index)``: the hash of the complete subtree of 2**level leaves that begins at leaf index * 2**level."""

EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def subtree(node: Node, begin: int, end: int) -> bytes:
    """MTH(D[begin:end]) of the RFC; ``begin`` is where such a subtree may begin."""
    size = end - begin
    if size & (size - 1) == 0 and begin % size == 0:
        level = size.bit_length() - 1
        return node(level, begin >> level)
    middle = begin + split(size)
    return node_hash(subtree(node, begin, middle), subtree(node, middle, end))


def split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1


def root(node: Node, size: int) -> bytes:
    """The root of the first ``size`` leaves."""
    return subtree(node, 0, size) if size else EMPTY


def inclusion(node: Node, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]): that leaf ``index`` is in the tree of ``size`` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + split(end - begin)
        if index < middle:
            path.append(subtree(node, middle, end))
            end = middle
        else:
            path.append(subtree(node, begin, middle))
            begin = middle
    return path[::-1]


def consistency(node: Node, first: int, second: int) -> list[bytes]:
    """PROOF(first, D[second]): that the tree of ``second`` leaves begins with the tree of ``first`` leaves."""
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} cannot begin with a tree of {first}")
    if first in (0, second):
        return []
    path: list[bytes] = []
    begin, end, whole = 0, second, True
    while first != end:
        middle = begin + split(end - begin)
        if first <= middle:
            path.append(subtree(node, middle, end))
            end = middle
        else:
            path.append(subtree(node, begin, middle))
            begin, whole = middle, False
    return path[::-1] if whole else [subtree(node, begin, end), *path[::-1]]


def over(hashes: Iterable[bytes]) -> bytes:
    """The hash of a complete subtree, from its 2**n hashes below."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[n], row[n + 1]) for n in range(0, len(row), 2)]
    return row[0]


class Growing:
    """The root of leaves that come one by one: the roots of the complete subtrees so far, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """The next leaf's hash."""
        n, self.size = self.size, self.size + 1
        while n & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            n >>= 1
        self._peaks.append(leaf)

    def root(self) -> bytes:
        """The root of the leaves so far."""
        if not self._peaks:
            return EMPTY
        found = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            found = node_hash(peak, found)
        return found
