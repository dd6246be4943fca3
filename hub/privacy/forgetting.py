"""A process that nobody asks anything forgets as well: it looks by itself whether somebody was erased elsewhere."""

from __future__ import annotations

import time
from threading import Thread

from hub.store import Unavailable
from hub.store.keys import Keys

LOOK = 1.0
"""Seconds between two looks."""


def forget_in_time(keys: Keys) -> Thread:
    """Follow the keys that other processes destroy, in a thread that ends with the process or when the keys are closed."""
    def look() -> None:
        while True:
            try:
                keys.lookup()
            except Unavailable:
                pass  # asked again in a second
            except Exception:
                return
            time.sleep(LOOK)

    thread = Thread(target=look, name="forget", daemon=True)
    thread.start()
    return thread
