"""``make bench``: everything in one run; the table is printed and written to bench/RESULTS.md."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench import engine, web
from bench.measure import Report, machine

RESULTS = Path(__file__).with_name("RESULTS.md")

HEAD = """# How fast it is

Written by `make bench`, in one run: {machine}.

Times are medians with the middle half in brackets. Compare inside a table only: every hub figure stands beside a raw
`INSERT` + `COMMIT` of the same rows with the same settings (WAL, synchronous=FULL) measured in turn with it."""


def main() -> int:
    """Measure and write."""
    report = Report()
    report.say(HEAD.format(machine=machine()))
    # Not in /tmp where that may be memory: a commit there costs nothing.
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        engine.run(Path(folder) / "engine", report)
        web.run(Path(folder) / "web", report)
    RESULTS.write_text("\n".join(report.lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
