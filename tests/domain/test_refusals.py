"""Every "no" of the domain has a sentence in both languages, and no sentence is left without its "no"."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub.domain
from hub.domain.errors import SENTENCES, Refused, sentences
from hub.domain.process import ASKS, GUARDS

for module in pkgutil.walk_packages(hub.domain.__path__, "hub.domain."):
    importlib.import_module(module.name)

DOMAIN = Path(hub.domain.__file__).parent
OF_THE_DOMAIN = {code for path in DOMAIN.rglob("*.py") for code in SENTENCES
                 if re.search(rf"^    {code}=\(", path.read_text(encoding="utf-8"), re.M)}
REFUSALS = ("Refused", "NotAllowed", "NotFound", "Conflict")

MADE = {"guard_{}": GUARDS, "stall_{}": ("why", "until", "who", "involved", "debrief", "closeness", "wish"),
        "bad_{}": ("phone", "email")}
"""Codes that are put together from a word: all of them."""

RAISED_OUTSIDE = {"conflict", "same_key_other_payload", "user_disabled", "last_administrator", "not_parked", "no_such_read_model",
                  "nothing_to_test", "suspect_colleague", "client_erased", "no_such_erasure", "not_a_client", "reach_changed",
                  "say_why_exported", "say_why_erased", "no_such_client", "several_clients", "fetch_erased", "out_erased"}
"""Worded in the domain and raised by the application, which alone sees other aggregates."""


def words(node: ast.expr) -> Iterator[str]:
    """The codes that an expression may give."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from words(node.body)
        yield from words(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        pattern = "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
        yield from (pattern.format(word) for word in MADE[pattern])


def raised() -> dict[str, list[str]]:
    """Every code that the domain's source names, with the places."""
    found: dict[str, list[str]] = {}
    for path in sorted(DOMAIN.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            codes = node.args[:1] if name in REFUSALS else node.args[1:2] if name == "_says" else \
                node.args[2:3] if name == "_known" else []
            for code in (c for arg in codes for c in words(arg)):
                found.setdefault(code, []).append(f"{path.name}:{node.lineno}")
    return found


def test_every_refusal_that_is_raised_has_a_sentence() -> None:
    assert {code: where for code, where in raised().items() if code not in SENTENCES} == {}


def test_every_sentence_is_raised_somewhere() -> None:
    assert OF_THE_DOMAIN - raised().keys() - RAISED_OUTSIDE == set()


def test_what_a_stall_may_ask_and_must_have_answered_has_a_sentence() -> None:
    """R25: the rest is known from elsewhere or may be unknown."""
    assert set(ASKS) - set(MADE["stall_{}"]) == {"decision_date", "competitor", "competitor_until"}


@pytest.mark.parametrize("code", sorted(code for code in OF_THE_DOMAIN if not code.startswith("suspect_")))
def test_both_languages_say_the_same_and_end_like_a_sentence(code: str) -> None:
    ru, en = SENTENCES[code]
    places = [set(re.findall(r"\{(\w+)\}", sentence)) for sentence in (ru, en)]
    assert places[0] - {"ru"} == places[1] - {"en"}, code  # {ru} and {en}: the same word in each language
    for sentence in (ru, en):
        assert sentence.endswith((".", "?", "!")), sentence
        assert sentence[0].isupper() or sentence[0] in "«“{", sentence
        assert "  " not in sentence
        assert sentence.format(**dict.fromkeys(places[0] | places[1], "x"))
    assert re.search("[а-яё]", ru)
    assert not re.search("[а-яё]", en)


def test_a_refusal_without_a_sentence_cannot_be_raised_and_a_code_is_worded_once() -> None:
    with pytest.raises(KeyError):
        Refused("no_words_for_it")
    with pytest.raises(ValueError, match="asleep"):
        sentences(asleep=("Спит.", "It sleeps."))
