"""``make bench``: everything in one run; the table is printed and written to bench/RESULTS.md."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import engine, scale, web, writers
from bench.measure import Report, machine
from tests import postgres

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
        with postgres.server(durable=True) as server, ExitStack() as stack:
            urls = [stack.enter_context(postgres.database(server)) for _ in range(3)] if server else ["", "", ""]
            for part, url in zip((engine, writers, web), urls, strict=True):
                name = part.__name__.rpartition(".")[2]
                part.run(Path(folder) / name, report)
                if url:
                    part.run(Path(folder) / f"{name}-postgres", report, url)
            if server is None:
                report.say("\nPostgreSQL is not installed here: nothing was measured on it.")
        scale.run(Path(os.environ.get("BENCH_FOLDER", folder)) / "scale", report, scale.wanted(sys.argv[1:], os.environ))
    RESULTS.write_text("\n".join(report.lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
