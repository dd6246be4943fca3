"""``make bench``: everything in one run; the tables are printed and written to bench/RESULTS.md.

``ARGS=--scale`` measures only how the hub grows to four million events. Each of the two writes its own part of the page and
leaves the other one as it is.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import audit, doors, engine, scale, web, writers
from bench.measure import Report, machine
from tests import postgres

RESULTS = Path(__file__).with_name("RESULTS.md")
SCALE = "# How it grows to four million events"
"""Where the part of ``--scale`` begins."""

HEAD = """# How fast it is

Written by `make bench`, in one run: {machine}.

Times are medians with the middle half in brackets. Compare inside a table only: every hub figure stands beside a raw
`INSERT` + `COMMIT` of the same rows with the same settings (WAL, synchronous=FULL) measured in turn with it."""

SCALE_HEAD = SCALE + """

Written by `make bench ARGS=--scale`, in one run: {machine}."""


def main() -> int:
    """Measure and write."""
    begin = time.monotonic()
    sizes = scale.wanted(sys.argv[1:], os.environ)
    large = max(sizes) > max(scale.SMALL)
    report = Report()
    report.say((SCALE_HEAD if large else HEAD).format(machine=machine()))
    # Not in /tmp where that may be memory: a commit there costs nothing.
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        if not large:
            everything_else(Path(folder), report)
        scale.run(Path(os.environ.get("BENCH_FOLDER", folder)) / "scale", report, sizes)
        audit.run(Path(folder), report, audit.sizes(sys.argv[1:]))
    report.say(f"\nThe run took {(time.monotonic() - begin) / 60:.0f} minutes.")
    here, grown = parts(RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "")
    text = "\n".join(report.lines)
    RESULTS.write_text("\n\n".join(filter(None, [here, text] if large else [text, grown])) + "\n", encoding="utf-8")
    return 0


def parts(page: str) -> tuple[str, str]:
    """The page's part of ``make bench``, and that of ``--scale``; empty where it was not run."""
    here, mark, grown = page.partition(SCALE)
    return here.strip(), (mark + grown).strip()


def everything_else(folder: Path, report: Report) -> None:
    """Commands, deliveries, read models, writers, HTTP and the doors of all channels, on both stores."""
    with postgres.server(durable=True) as server, ExitStack() as stack:
        urls = [stack.enter_context(postgres.database(server)) for _ in range(4)] if server else [""] * 4
        for part, url in zip((engine, writers, web, doors), urls, strict=True):
            name = part.__name__.rpartition(".")[2]
            part.run(folder / name, report)
            if url:
                part.run(folder / f"{name}-postgres", report, url)
        if server is None:
            report.say("\nPostgreSQL is not installed here: nothing was measured on it.")


if __name__ == "__main__":
    sys.exit(main())
