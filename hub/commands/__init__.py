"""The commands of ``hub``: a file each, with ``register`` that adds it to the parser."""

from hub.commands import leads, people, process, projections, serving

GROUPS = (serving, people, process, projections, leads)
"""In the order in which ``hub --help`` tells them."""

__all__ = ["GROUPS"]
