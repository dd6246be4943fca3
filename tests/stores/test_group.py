"""Group commit: threads that wait for each other share a transaction; each has its own outcome."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import pytest

from hub.store.group import LARGEST, GroupCommit


def test_what_queues_up_while_one_commits_is_committed_together() -> None:
    began, go_on = Flag(), Flag()
    batches: list[list[int]] = []

    def commit(works: list[int]) -> list[int | Exception]:
        batches.append(works)
        began.set()
        assert go_on.wait(60)
        return [work * 10 for work in works]

    group: GroupCommit[int, int] = GroupCommit(commit)
    with ThreadPoolExecutor(LARGEST + 10) as threads:
        first = threads.submit(group.write, 0)
        assert began.wait(60)
        rest = [threads.submit(group.write, n) for n in range(1, LARGEST + 6)]
        while len(group._queue) < LARGEST + 5:
            pass
        go_on.set()
        assert [future.result(60) for future in [first, *rest]] == [n * 10 for n in range(LARGEST + 6)]
    assert [len(batch) for batch in batches] == [1, LARGEST, 5]


def test_one_that_fails_alone_fails_nobody_else() -> None:
    group: GroupCommit[int, int] = GroupCommit(lambda works: [ValueError("odd") if work % 2 else work for work in works])
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(group.write, n) for n in range(40)]
        for n, future in enumerate(futures):
            if n % 2:
                with pytest.raises(ValueError, match="odd"):
                    future.result(60)
            else:
                assert future.result(60) == n


def test_what_the_commit_itself_raises_everybody_hears_and_the_next_one_goes_on() -> None:
    troubles = iter([OSError("disk"), None])

    def commit(works: list[int]) -> list[int | Exception]:
        trouble = next(troubles)
        if trouble is not None:
            raise trouble
        return list(works)

    group: GroupCommit[int, int] = GroupCommit(commit)
    with pytest.raises(OSError, match="disk"):
        group.write(1)
    assert group.write(2) == 2
