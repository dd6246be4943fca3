"""Who looks at the board and the list, and at what."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl

from flask import g, request

from hub.web.board.cards import Looker
from hub.web.board.filter import Filter, read_filter
from hub.web.board.saved import the_views
from hub.web.desk import may, me, now, the_hub
from hub.web.frame import the_process


def looker() -> Looker:
    """Who looks at the page."""
    roles = [role for role in the_process().roles.values() if role.id in me().roles and "work" in role.may]
    only = frozenset(s for role in roles for s in role.segments) if all(role.segments for role in roles) else frozenset()
    return Looker(me().id, may("work"), {f"user:{id}": u.name for id, u in the_hub().users().items()}, only)


def chosen_filter() -> Filter:
    """The filter of the address; of a command the one of the page that it was given on."""
    if "board_filter" not in g:
        said = dict(parse_qsl(request.form.get("filter", ""))) if request.method == "POST" else request.args
        stay = bool(the_views().look(me().stream).first)
        g.board_filter = replace(read_filter(said, the_hub(), me().id, now()), stay=stay)
    found: Filter = g.board_filter
    return found
