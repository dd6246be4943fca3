"""The letters that the hub proposes: which there are, and their first wording from ``templates/letters``."""

from __future__ import annotations

from flask import current_app

from hub.domain.partner import TemplateState

LETTERS = ("refusal",)
"""Letters with a wording of their own; each has ``letters/<name>.subject`` and ``letters/<name>.txt``."""


def default_template(name: str) -> TemplateState:
    """The wording that a letter has until the company writes its own. KeyError for a letter that there is not."""
    if name not in LETTERS:
        raise KeyError(name)
    return TemplateState(name, _text(f"letters/{name}.subject"), _text(f"letters/{name}.txt"))


def _text(path: str) -> str:
    """A file of the templates folder, unfilled: its places are ours, not Jinja's."""
    loader = current_app.jinja_loader
    assert loader is not None
    return loader.get_source(current_app.jinja_env, path)[0].strip()
