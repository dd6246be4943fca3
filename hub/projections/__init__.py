"""Read models: every table here is made from the log alone and can be made again."""

from hub.projections.base import Projection, Status
from hub.projections.runner import Runner
from hub.store.base import Cursor

__all__ = ["Cursor", "Projection", "Runner", "Status"]
