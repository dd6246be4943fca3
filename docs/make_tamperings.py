"""Writes the table of tamperings into docs/audit.md: `python docs/make_tamperings.py`.

tests/audit/test_tamper.py does each of them on both stores and compares the table.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.audit.tampering import table

TARGET = Path(__file__).with_name("audit.md")
PLACE = re.compile(r"(?<=<!-- tamperings -->\n).*?(?=<!-- end -->)", re.S)


def page() -> str:
    """The page with the table of today."""
    return PLACE.sub(lambda _: f"\n{table()}\n\n", TARGET.read_text(encoding="utf-8"))


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
