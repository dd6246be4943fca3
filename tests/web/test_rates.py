"""How often an address may post: one count for all web processes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.web.rates import Rates, SharedRates, rates_of
from tests.house import MONDAY, Department

pytestmark = pytest.mark.usefixtures("both_stores")

KEY, OTHER = ("198.51.100.7", "main"), ("198.51.100.8", "main")


def test_every_process_counts_with_the_others(tmp_path: Path) -> None:
    """With PostgreSQL each opening of the database is another process; SQLite has one."""
    with Department(tmp_path) as first, Department(tmp_path) as second:
        one, two = rates_of(first.store), rates_of(second.store)
        if isinstance(one, Rates):
            two = one
        else:
            assert isinstance(two, SharedRates)
        assert [rates.count(KEY, 3, MONDAY + timedelta(seconds=n)) for n, rates in enumerate((one, two, one))] == [
            (1, 0), (2, 0), (3, 0)]
        assert two.count(KEY, 3, MONDAY + timedelta(seconds=10)) == (4, 50)
        assert two.count(OTHER, 3, MONDAY + timedelta(seconds=10)) == (1, 0), "another address is another count"
        assert one.count(KEY, 3, MONDAY + timedelta(seconds=60)) == (3, 0), "the first one is a minute ago"
        assert one.count(KEY, 3, MONDAY + timedelta(seconds=60)) == (4, 1)
