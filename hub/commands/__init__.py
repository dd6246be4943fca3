"""The commands of ``hub``: a file each, with ``register`` that adds it to the parser."""

from hub.commands import (
    audit,
    backup,
    channels,
    database,
    export,
    leads,
    people,
    person,
    process,
    projections,
    serving,
    sheets,
    token,
    webhook,
)

GROUPS = (serving, database, people, token, process, projections, leads, person, channels, webhook, backup, audit, export, sheets)
"""In the order in which ``hub --help`` tells them."""

__all__ = ["GROUPS"]
