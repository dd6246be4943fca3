"""What the hub tells its operator: one line an event, as JSON or for a terminal, with ids and without anybody's data."""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from hub.store.errors import Unavailable, Unreadable

FRAMES = 12
"""Places of one error that are told, the innermost."""
FIRST = ("time", "level", "process", "pid", "logger", "event")

_process = "hub"


def set_up(form: str = "auto", stream: TextIO | None = None) -> None:
    """Send everything that is logged from here on, by whomever, to ``stream`` (stderr) in one form: ``json``, ``text``,
    or ``auto``, which is text on a terminal and JSON elsewhere."""
    stream = stream or sys.stderr
    as_text = form == "text" or (form == "auto" and stream.isatty())
    before: list[Processor] = [merge_contextvars, structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, _say_where,
                               _with_values, structlog.processors.TimeStamper(fmt="iso", key="time"), _without_messages]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ProcessorFormatter(
        foreign_pre_chain=before, processors=[ProcessorFormatter.remove_processors_meta, _text if as_text else _json]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)  # what libraries tell of their daily work quotes addresses and numbers
    logging.getLogger("hub").setLevel(logging.INFO)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings quote whole addresses, with the keys in them
    sys.excepthook = _on_uncaught
    threading.excepthook = _on_uncaught_in_thread


def this_process_is(name: str) -> None:
    """Name this process in its lines: ``master``, ``web``, ``worker``."""
    global _process
    _process = name


def tell(logger: logging.Logger, event: str, **values: object) -> None:
    """Log ``event`` with ``values`` as fields of their own."""
    logger.info(event, extra={"values": values})


def begin_request(id: str) -> None:
    """Every line of this thread names this request from here on, and none before it."""
    clear_contextvars()
    bind_contextvars(request_id=id)


def causes(error: BaseException) -> Iterator[dict[str, Any]]:
    """Type and places of an error and of what it came from, the first cause first.

    Messages may quote somebody's data and are left out, except those of the database and of the store, which name columns
    and places only.
    """
    before = error.__cause__ or error.__context__
    if before is not None:
        yield from causes(before)
    told: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__name__}"}
    if isinstance(error, (Unreadable, Unavailable)) or type(error).__module__ == "sqlite3":
        told["says"] = str(error)
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    yield {**told, "at": [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]}


def _short(path: str) -> str:
    """The end of a path, enough to find the file by."""
    return "/".join(path.split(os.sep)[-3:])


def _without_messages(_: Any, __: str, event: EventDict) -> EventDict:
    """An exception as its type and places instead of Python's own text."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    event.pop("stack_info", None)
    if isinstance(error, BaseException):
        event["error"] = list(causes(error))
    return event


def _say_where(_: Any, __: str, event: EventDict) -> EventDict:
    event["process"], event["pid"] = _process, os.getpid()
    return event


def _with_values(_: Any, __: str, event: EventDict) -> EventDict:
    event.update(getattr(event.get("_record"), "values", {}))
    return event


def _json(_: Any, __: str, event: EventDict) -> str:
    ordered = {**{name: event[name] for name in FIRST if name in event}, **event}
    return msgspec.json.encode(ordered, enc_hook=str).decode()


def _text(_: Any, __: str, event: EventDict) -> str:
    time, level, what = event.pop("time", ""), event.pop("level", "info"), event.pop("event", "")
    errors = event.pop("error", [])
    for name in ("logger", "process", "pid"):
        event.pop(name, None)
    values = "".join(f" {name}={value}" for name, value in event.items())
    places = "".join(f"\n  {e['type']}{': ' + e['says'] if 'says' in e else ''}" + "".join(f"\n    {at}" for at in e["at"])
                     for e in errors)
    return f"{str(time)[11:23]} {str(level).upper():7} {what}{values}{places}"


def _on_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("hub").critical("the program ends by an error", exc_info=(kind, error, trace))


def _on_uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None and not issubclass(found.exc_type, SystemExit):
        logging.getLogger("hub").critical("a thread ended by an error",
                                          exc_info=(found.exc_type, found.exc_value, found.exc_traceback))
