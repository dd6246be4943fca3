"""Signatures as in the Standard Webhooks specification: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def make_secret() -> str:
    """A new secret, as the receiver's program takes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(keys: Iterable[str], id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that a receiver verifies ``body`` with: a signature for each of ``keys``, the newest first."""
    seconds = str(int(at.timestamp()))
    signed = f"{id}.{seconds}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(base64.b64decode(key.removeprefix(PREFIX)), signed, "sha256")).decode()
                  for key in keys)
    return {"webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": " ".join(f"v1,{s}" for s in signatures)}
