"""The commands of ``hub``: a file each, with ``register`` that adds it to the parser."""

from hub.commands import backup, channels, database, leads, people, process, projections, serving, token, webhook

GROUPS = (serving, database, people, token, process, projections, leads, channels, webhook, backup)
"""In the order in which ``hub --help`` tells them."""

__all__ = ["GROUPS"]
