"""A person's data as a whole: found, told to the person, erased, and erased by itself when its time has come."""

from hub.privacy.clients import Client, Clients
from hub.privacy.erasing import Eraser
from hub.privacy.reach import Reach

__all__ = ["Client", "Clients", "Eraser", "Reach"]
