"""The text that somebody consented to, found by its digest among all texts that our forms ever showed."""

from __future__ import annotations

from hub.company import Company
from hub.domain.form import consent_sha256


def text_of(hub: Company, sha256: str) -> str:
    """The consent text with this digest, word for word; empty where no form of ours showed it."""
    if not sha256:
        return ""
    texts = (text for form in hub.forms().values() for text in form.consent_texts)
    return next((text for text in texts if consent_sha256(text) == sha256), "")
