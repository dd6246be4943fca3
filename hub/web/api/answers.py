"""Answers kept by Idempotency-Key: the same request again is answered the same and does nothing twice.

The key is claimed before anything is done, and the answer is kept after. Where a crash comes between, the next try finds
the claim without an answer and gives the command again under the same correlation: what the first try recorded is then
found in the history. A refusal changed nothing and is not kept. Answers hold ids and versions, never personal data.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, timedelta
from uuid import UUID, uuid5

from flask import Response, g, request

from hub.domain.errors import Refused
from hub.store import Unavailable
from hub.web.desk import now, parts, the_hub

KEPT = timedelta(days=7)
"""How long an answer is kept. What a command recorded is recognised for ever."""


def correlation() -> UUID | None:
    """What ties everything recorded under the key of this request together; None without a key."""
    found: UUID | None = g.get("api_correlation")
    return found


def once(token: UUID, key: str, body: bytes, execute: Callable[[], Response]) -> Response:
    """The kept answer to ``key``, else what ``execute`` answers now. Another request under the same key is refused."""
    id = uuid5(token, f"idempotency key\n{key}").hex
    said = b"\n".join((request.method.encode(), request.full_path.encode(), request.headers.get("If-Match", "").encode(), body))
    digest = hmac.digest(parts().session_key, b"api request\n" + said, "sha256").hex()
    # The request itself is in it: long after its answer was forgotten, another one under the same key is another one.
    g.api_correlation = uuid5(token, f"idempotency key\n{key}\n{digest}")
    kept = _claim(id, digest)
    if kept is not None:
        return kept
    try:
        answer = execute()
    except Refused:
        with the_hub().store.writing() as c:
            c.execute("DELETE FROM api_answers WHERE key = ? AND status = 0", (id,))
        raise
    with the_hub().store.writing() as c:
        c.execute("UPDATE api_answers SET status = ?, etag = ?, body = ? WHERE key = ?",
                  (answer.status_code, answer.headers.get("ETag", ""), answer.get_data(as_text=True), id))
    return answer


def _claim(id: str, digest: str) -> Response | None:
    store = the_hub().store
    with store.writing() as c:
        c.execute("DELETE FROM api_answers WHERE at < ?", ((now() - KEPT).astimezone(UTC).isoformat(timespec="microseconds"),))
        c.execute("INSERT INTO api_answers (key, digest, at, status, etag, body) VALUES (?, ?, ?, 0, '', '') "
                  "ON CONFLICT (key) DO NOTHING", (id, digest, now().astimezone(UTC).isoformat(timespec="microseconds")))
        row = c.execute("SELECT digest, status, etag, body FROM api_answers WHERE key = ?", (id,)).fetchone()
    if row is None:
        raise Unavailable("a claim vanished while it was made")
    if row["digest"] != digest:
        raise Refused("key_used_otherwise")
    if not row["status"]:
        return None
    answer = Response(row["body"], row["status"], mimetype="application/json" if row["body"] else None)
    if row["etag"]:
        answer.headers["ETag"] = row["etag"]
    answer.headers["Idempotency-Replayed"] = "true"
    return answer
