"""Whether Twilio sent a request: its signature over our public address and the form, with every secret in force."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl

from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator, get_signature_algorithm

from hub.channels.base import Rejected, Request
from hub.domain.errors import sentences

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 500

sentences(
    twilio_not_a_form=("Twilio присылает сюда только формы (POST, application/x-www-form-urlencoded).",
                       "Twilio sends only forms here (POST, application/x-www-form-urlencoded)."),
    twilio_malformed=("Форма испорчена: её не прочесть.", "The form is malformed and cannot be read."),
)


class Pairs:
    """A form as the validator wants it: every value of every name, blank ones as well, exactly as they came."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __bool__(self) -> bool:
        return bool(self._values)

    def getall(self, name: str) -> list[str]:
        """All values of a name."""
        return self._values[name]

    def first(self) -> dict[str, str]:
        """The first value of every name."""
        return {name: values[0] for name, values in self._values.items()}


def form_of(request: Request) -> Pairs:
    """The form in a request's body. Refused (4xx) where it is none: the validator would raise, or trust an unsigned body."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Rejected(415, "twilio_not_a_form")
    try:
        return Pairs(parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(request.body),
                               errors="strict", max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Rejected(400, "twilio_malformed") from None


def is_genuine(request: Request, form: Pairs, tokens: Iterable[str], shared_keys: dict[str, str]) -> bool:
    """Whether the signature is right by any of ``tokens``, or by the shared key that the request names."""
    named = request.headers.get("x-twilio-webhooks-signature-settings", "")
    algorithm = get_signature_algorithm(named).upper()
    if algorithm not in (HMAC_SHA1, HMAC_SHA256):
        return False
    key = re.search(r"(?:^|,)\s*key=([^,\s]+)", named)
    if key:
        secret = shared_keys.get(key[1])
        # A shared key never signs the old way: taking that would be a weaker door beside the strong one.
        secrets = [secret] if secret and algorithm == HMAC_SHA256 else []
    else:
        secrets = [*tokens]
    given = request.headers.get("x-twilio-signature", "")
    # All are tried, so that the time of an answer does not tell which one is near.
    return bool(sum(RequestValidator(secret).validate(request.url, form, given, algorithm) for secret in secrets))
