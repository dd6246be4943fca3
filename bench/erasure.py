"""What an erasure leaves in the files of the databases, and how long it takes: ``python -m bench.erasure [LEADS]``.

A department with a person who has something everywhere (tests/privacy/clinic.py) and so many leads of other people. Prints the
table of docs/privacy.md. PostgreSQL is the tests' own server.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from hub.privacy.archive import Archivist
from tests import databases, postgres
from tests.house import Department, actor, after, form, phone
from tests.privacy.clinic import CANARIES, Clinic, furnish, held_by


def measured(folder: Path, name: str, leads: int) -> str:
    """One line of the table."""
    with Department(folder) as house:
        clinic = Clinic(house.begin())
        for number in range(leads):
            house.new_lead(form(phone(number), text=f"Чужая заявка {number}"))
        lead = furnish(clinic)
        person = clinic.person(lead)
        before = held_by(house)
        Archivist(house.hub).give(person, "проверка", actor=actor("adam"), at=after(days=1))
        begin = time.perf_counter()
        reach = clinic.eraser.reaching.of(person)
        shown = time.perf_counter()
        clinic.erase(person)
        done = time.perf_counter()
        left = held_by(house)
        words = len({canary for held in before.values() for canary in held})
        return (f"| {name} | {house.store.count():,} | {words} of {len(CANARIES)} in {len(before)} files | "
                f"{sum(map(len, left.values()))} in {len(left)} files | {shown - begin:.2f} s | {done - shown:.2f} s | "
                f"{len(reach.subjects)} keys |")


def main() -> None:
    """Print the table."""
    leads = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("| store | events | found before | found after | preview | erasure | |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        print(measured(Path(folder), "SQLite", leads))
    programs = postgres.binaries()
    if programs is not None:
        cluster = postgres.Cluster(programs)
        cluster.start()
        try:
            with postgres.database(cluster.url) as url, tempfile.TemporaryDirectory() as folder:
                databases.put(Path(folder), url)
                print(measured(Path(folder), "PostgreSQL", leads))
        finally:
            cluster.remove()


if __name__ == "__main__":
    main()
