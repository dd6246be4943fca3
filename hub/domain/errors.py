"""Refusals: every "no" is a sentence that names the way out, in Russian and in English."""

from __future__ import annotations

from typing import NamedTuple


class Sentence(NamedTuple):
    """One refusal in both languages, with ``{name}`` places for its parameters."""

    ru: str
    en: str


SENTENCES: dict[str, Sentence] = {}
"""All sentences by code. Codes are stable: the API and the tests name them."""


def sentences(**by_code: tuple[str, str]) -> None:
    """Register sentences as ``code=(russian, english)``. A code is said once."""
    for code, (ru, en) in by_code.items():
        if code in SENTENCES:
            raise ValueError(f"refusal {code!r} is worded twice")
        SENTENCES[code] = Sentence(ru, en)


class Refused(Exception):
    """A command that the rules do not allow now. Nothing was changed.

    ``code`` is stable, ``params`` fill the sentence; ``rule`` is the rule it comes from (R17).
    ``field`` names the argument at fault, so that a form shows the sentence in its place.
    """

    def __init__(self, code: str, *, rule: str = "", field: str = "", **params: object) -> None:
        if code not in SENTENCES:
            raise KeyError(f"no sentence for refusal {code!r}")
        self.code = code
        self.rule = rule
        self.field = field
        self.params = params
        super().__init__(self.say("en"))

    def say(self, language: str = "ru") -> str:
        """The sentence in ``language`` (``ru`` or ``en``)."""
        words = SENTENCES[self.code]
        return (words.ru if language == "ru" else words.en).format(**self.params)


class NotAllowed(Refused):
    """The actor's role does not allow the command (403)."""


class NotFound(Refused):
    """There is no such thing (404)."""


class Conflict(Refused):
    """Someone changed it first; what they did is to be looked at before trying again (409)."""
