"""Pages hear of new events at once: a stream of server-sent events that names leads and positions, never what happened.

Each page fetches its own fragments then, with the rights of its own session. One thread of a process follows the log while
anybody listens; every stream holds a thread of the server, so their number is bounded and their age as well.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Condition, Thread
from time import monotonic
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, request
from flask_babel import force_locale

from hub.domain import events as e
from hub.projections.batch import reason_of
from hub.web.board.notices import sentence
from hub.web.desk import PROJECTED_WITHIN, Parts, Signed, me, signed_in, the_access, the_hub
from hub.web.frame import language, the_process
from hub.web.sessions import Access

logger = logging.getLogger(__name__)

bp = Blueprint("live", __name__)

STREAMS = 24
"""Streams of one process at a time, one a session; who comes later is answered 503 and looks every 15 seconds instead."""
KEPT = 500
"""Positions that a process remembers; who has missed more looks at everything anew."""
BEAT = 15.0
"""Seconds between signs of life, so that proxies keep the connection and a client knows that it stands."""
AGE = 600.0
"""Seconds after which a stream ends and the browser asks for the next one: nothing is held for ever."""
LOOK = 1.0
"""Seconds within which a stream notices that the process is to stop."""
RETRY_MS = 3_000
SOUNDS = {e.LeadReceived.TOPIC: "new", e.MessageReceived.TOPIC: "written"}
"""What everybody may hear of: a new request, a client who wrote."""


@dataclass(frozen=True)
class Moved:
    """One event of a lead."""

    position: int
    lead: str
    sound: str


class Feed:
    """What happened lately, for all streams of this process."""

    def __init__(self, here: Parts) -> None:
        self._here = here
        self._moved = Condition()
        self._kept: deque[Moved] = deque(maxlen=KEPT)
        self._head = self._from = 0
        self._streams: dict[str, object] = {}
        self._running = False
        self.serving: Callable[[], bool] = lambda: True
        """Whether the process goes on; streams end within :data:`LOOK` seconds when it does not."""

    def enter(self, session: str) -> object | None:
        """Take a place; None where all are taken. A session's newer stream ends its older one: a page that was left is not
        noticed before something is written to it, and whoever goes from page to page would fill all places."""
        with self._moved:
            if session not in self._streams and len(self._streams) >= STREAMS:
                return None
            place = self._streams[session] = object()
            self._moved.notify_all()
            if not self._running:
                self._running = True
                self._head = self._from = self._here.hub.store.head()
                self._kept.clear()
                Thread(target=self._follow, name="feed", daemon=True).start()
            return place

    def holds(self, session: str, place: object) -> bool:
        """Whether a stream goes on: its session has no newer one, and the process serves."""
        return self._streams.get(session) is place and self.serving()

    def leave(self, session: str, place: object) -> None:
        """Give the place back."""
        with self._moved:
            if self._streams.get(session) is place:
                del self._streams[session]

    @property
    def head(self) -> int:
        """The position up to which streams were told."""
        return self._head

    def since(self, after: int, wait: float) -> tuple[int, list[Moved]] | None:
        """Where the log stands, and what happened ``after`` a position; waits up to ``wait`` seconds for something.

        None where more was missed than is remembered.
        """
        with self._moved:
            if self._head <= after:
                self._moved.wait(wait)
            if after < self._from:
                return None
            return self._head, [moved for moved in self._kept if moved.position > after]

    def _follow(self) -> None:
        store = self._here.hub.store
        while self.serving():
            with self._moved:
                if not self._streams:
                    self._running = False
                    return
            try:
                if store.wait_for_append(self._head, LOOK):
                    self._tell(store.tail(self._head, KEPT))
            except Exception as error:
                if not store.outage(error):
                    logger.error("live pages rest after an unexpected error: %s", reason_of(error))
                with self._moved:
                    self._moved.wait(LOOK)
        with self._moved:
            self._running = False

    def _tell(self, rows: list[Any]) -> None:
        """Remember rows of the log, once the read models have them: a page that looks at once must find them."""
        if not rows:
            return
        self._here.runner.wait(rows[-1].id, PROJECTED_WITHIN)
        with self._moved:
            for row in rows:
                if len(self._kept) == KEPT:
                    self._from = self._kept[0].position
                self._kept.append(Moved(row.id, str(row.originator_id), SOUNDS.get(row.topic, "")))
            self._head = rows[-1].id
            self._moved.notify_all()


def the_feed() -> Feed:
    """The feed of this process."""
    return cast(Feed, current_app.extensions["feed"])


@bp.get("/live")
@signed_in
def live() -> Response:
    """The stream of one browser. ``after``: the position that it has heard of; without it, it begins now."""
    feed, session = the_feed(), me().session
    asked = request.headers.get("Last-Event-ID", "") or request.args.get("after", "")
    place = feed.enter(session)
    if place is None:
        return Response("", 503, {"Retry-After": str(int(BEAT))})
    after = min(int(asked), feed.head) if asked.isascii() and asked.isdigit() else feed.head
    teller = Teller(current_app._get_current_object(), me(), language())  # type: ignore[attr-defined]
    answer = Response(_lines(feed, place, after, teller), mimetype="text/event-stream",
                      headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    answer.call_on_close(lambda: feed.leave(session, place))
    return answer


@dataclass(frozen=True)
class Teller:
    """What a stream says to its person; it outlives the request, so it takes what it needs with it."""

    app: Flask
    signed: Signed
    language: str

    def lives(self) -> bool:
        """Whether the session goes on."""
        here, access = cast(Parts, self.app.extensions["hub"]), cast(Access, self.app.extensions["access"])
        return access.living(self.signed.session, here.clock()) is not None

    def bell(self, before: int) -> dict[str, Any]:
        """How many notices wait for the person, and what they were told after ``before``: sentences that name nobody."""
        with self.app.app_context(), force_locale(self.language):
            hub = the_hub()
            told = [{"text": sentence(row["kind"], row["key"], the_process()), "kind": row["kind"], "lead": row["lead"]}
                    for row in hub.views.notices.of(self.signed.id, before, limit=3)]
            return {"bell": hub.views.notices.count(self.signed.id, the_access().notices_seen(self.signed.stream)), "told": told}


def _lines(feed: Feed, place: object, after: int, teller: Teller) -> Iterator[str]:
    """What goes over the wire; ends with the session, the process or its age."""
    began = beaten = monotonic()
    session = teller.signed.session
    yield f"retry: {RETRY_MS}\n\n" + _event(after, {"seq": after, **teller.bell(after)})
    while feed.holds(session, place) and monotonic() - began < AGE:
        found = feed.since(after, LOOK)
        if not feed.holds(session, place):
            return
        if found is None:
            after = feed.head
            yield _event(after, {"seq": after, "resync": True, **teller.bell(after)})
        elif found[0] > after:
            before, (after, moved) = after, found
            leads = sorted({one.lead for one in moved})
            # "new" comes before "written", which a new lead is as well.
            sound = min((one.sound for one in moved if one.sound), default="")
            yield _event(after, {"seq": after, "leads": leads, "sound": sound, **teller.bell(before)})
        elif monotonic() - beaten >= BEAT:
            if not teller.lives():
                return  # the browser asks again, is refused, and the page says so
            yield ": on\n\n"
        else:
            continue
        beaten = monotonic()


def _event(position: int, data: dict[str, Any]) -> str:
    return f"id: {position}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
