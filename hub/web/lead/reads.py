"""Reads of personal data by those who only audit are facts themselves: who looked at which card, and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from flask import current_app

from hub.domain.privacy import Noted
from hub.web.desk import me, now, the_hub
from hub.web.frame import the_process

AGAIN = timedelta(minutes=10)
"""Within this time the same person who looks at the same thing again is not recorded again by this process."""
WORKING = frozenset({"intake", "work", "decide", "account", "admin"})
"""Whoever may do one of these deals with clients as a matter of course."""
KEPT = 10_000


def note(lead: UUID | None, what: str, leads: tuple[UUID, ...] = ()) -> None:
    """Record that the signed-in person looked at ``what`` (``card``, ``file``, ``history``) of a lead, or at several ``leads`` at
    once (``trail``), where they only audit."""
    process, signed = the_process(), me()
    permissions = process.permissions(frozenset(signed.roles))
    if "audit" not in permissions or permissions & WORKING:
        return
    seen: dict[tuple[str, UUID | None, str, tuple[UUID, ...]], datetime] = current_app.extensions.setdefault("reads", {})
    key = (signed.id, lead, what, leads)
    if key in seen and now() - seen[key] < AGAIN:
        return
    if len(seen) >= KEPT:
        seen.clear()
    seen[key] = now()
    the_hub().change(Noted, uuid4(), lambda one: one.read(lead, what, leads), actor=signed.actor, at=now(),
                     permissions=("audit",))
