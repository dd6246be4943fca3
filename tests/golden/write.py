"""``python -m tests.golden.write``: adds a line for every event class that has none at its version.

A line that is there is never changed: it stands for what customers have stored. An event whose fields
change gets a higher ``VERSION``, an upcaster, and by this script a second line.
"""

from __future__ import annotations

import json

from tests.golden.samples import CLASSES, FILE, kept, line, sample


def main() -> None:
    """Append what is missing and say what it was."""
    there = {(known["topic"], known["v"]) for known in kept()}
    missing = [cls for topic, cls in CLASSES.items() if (topic, cls.VERSION) not in there]
    with FILE.open("a", encoding="utf-8") as file:
        for cls in missing:
            file.write(json.dumps(line(sample(cls)), ensure_ascii=False) + "\n")
            print(f"added {cls.TOPIC} version {cls.VERSION}")
    print(f"{len(missing)} added, {len(there)} kept")


if __name__ == "__main__":
    main()
