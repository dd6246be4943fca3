"""Time stamps of checkpoints by an authority outside (RFC 3161): that a checkpoint was there at a moment somebody else tells."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

WITHIN = 20.0
"""Seconds that the authority has to answer."""
LARGEST = 200_000
GRANTED = (0, 1)
"""PKIStatus of an answer that carries a stamp."""


class NoStamp(Exception):
    """The authority gave no stamp, or none that can be believed. The sentence says why."""


class Stamps:
    """Asks the authority at ``url``, and checks stamps against its root certificates in the PEM file ``roots``."""

    def __init__(self, url: str, roots: Path) -> None:
        self.url = url
        self.roots = x509.load_pem_x509_certificates(roots.read_bytes())

    def stamp(self, note: str) -> tuple[bytes, datetime]:
        """A stamp for a checkpoint, as the authority wrote it (a TimeStampResp), and its time. Raises :class:`NoStamp`."""
        asked = TimestampRequestBuilder().data(note.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
        request = urllib.request.Request(self.url, asked.as_bytes(), {"Content-Type": "application/timestamp-query"})
        try:
            with urllib.request.urlopen(request, timeout=WITHIN) as answer:
                response = answer.read(LARGEST)
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", None) or type(error).__name__
            raise NoStamp(f"the time stamp authority cannot be reached ({why})") from error
        read = self._read(response)
        if read.tst_info.nonce != asked.nonce:
            raise NoStamp("the time stamp answers another request")
        if fault := self.fault(note, response):
            raise NoStamp(fault)
        return response, read.tst_info.gen_time

    def fault(self, note: str, response: bytes) -> str:
        """Why a stamp is none for this checkpoint; an empty text where it is a good one."""
        try:
            read = self._read(response)
            builder = VerifierBuilder()
            for root in self.roots:
                builder = builder.add_root_certificate(root)
            builder.build().verify(read, hashlib.sha256(note.encode()).digest())
        except (NoStamp, VerificationError, ValueError) as error:
            return str(error) or type(error).__name__
        return ""

    def _read(self, response: bytes) -> TimeStampResponse:
        try:
            read = decode_timestamp_response(response)
        except ValueError as error:
            raise NoStamp("the time stamp cannot be read") from error
        if read.status not in GRANTED:
            raise NoStamp(f"the time stamp authority refused (status {read.status}): {'; '.join(read.status_string)}")
        return read
