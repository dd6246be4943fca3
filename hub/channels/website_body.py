"""The body of a form's request as fields and files, whatever it claims to be. Never raises on any bytes.

What cannot be read as a form comes back with its ``troubles`` named and its whole text, so that a
person can still find the lead in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from hub.channels.base import Request
from hub.domain.delivery import File

MAX_FIELDS = 500
"""More fields than a form of people has; the rest stays in the raw text."""
MAX_FILES = 20
"""More files than a person attaches: the whole body is then one file, as each takes the disk its time."""
MAX_VALUE = 64_000
"""Characters of one value that a person may have written; a longer one is cut, and stays whole in the raw text."""
MAX_HEADER = 4_000
"""Bytes of headers that are read, of the request's type and of each part."""
MAX_DEPTH = 6
"""Levels of nested JSON that a webhook may have."""

Fields = tuple[tuple[str, str], ...]
_Bytes = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Content:
    """A body as it was understood.

    ``troubles`` are codes (each has a sentence ``suspect_<code>``); empty for a sound body. ``raw`` is the
    whole body as text, with ``\\xNN`` where it is not text; of a multipart body it is the parsed content
    as JSON. ``digest`` is the sha256 of the body, of the parsed content for multipart, whose boundary
    differs between a try and its repeat. ``unread`` says that ``fields`` could not be had.
    """

    fields: Fields = ()
    files: tuple[File, ...] = ()
    troubles: tuple[str, ...] = ()
    raw: str = ""
    digest: str = ""
    unread: bool = False


def media_type(header: str) -> tuple[str, dict[str, str]]:
    """A Content-Type header as its type (lower case) and its parameters."""
    kind, *rest = _parameters(header[:MAX_HEADER])
    return kind[0].strip().lower(), dict(rest)


def read(request: Request) -> Content:
    """The fields and files of ``request``."""
    body = request.body
    kind, parameters = media_type(request.headers.get("content-type", ""))
    charset = parameters.get("charset", "")
    if kind == "multipart/form-data":
        boundary = parameters.get("boundary", "").encode("utf-8", "replace") or _boundary_of(body)
        return _multipart(body, boundary, charset)
    text, doubt = _text(body, charset)
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return _finished(_json(text), body, text, doubt)
    urlencoded = kind == "application/x-www-form-urlencoded"
    if text.lstrip()[:1] in ("{", "["):
        content = _json(text)
        if not content.unread or not urlencoded:
            declared = urlencoded or kind == "text/plain"
            return _finished(content, body, text, doubt, "" if declared else "wrong_content_type")
    if urlencoded or _looks_urlencoded(text):
        content, doubt = _urlencoded(body, charset)
        return _finished(content, body, text, doubt, "" if urlencoded else "wrong_content_type")
    return _finished(Content(unread=True), body, text, doubt, "wrong_content_type")


def clean(text: str) -> str:
    """``text`` as a store and a page can hold it: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _finished(content: Content, body: bytes, text: str, *troubles: str) -> Content:
    """``content`` with what belongs to the whole body: its text, its digest, its troubles."""
    troubles = (*content.troubles, *filter(None, troubles), *(("nul_bytes",) if b"\x00" in body else ()))
    return _limited(replace(content, troubles=troubles, raw=clean(text.replace("\x00", "\\x00")),
                            digest=hashlib.sha256(body).hexdigest()))


def _limited(content: Content) -> Content:
    """``content`` no larger than a person's form is; what was cut stays in ``raw``."""
    fields, troubles = content.fields, list(content.troubles)
    if len(fields) > MAX_FIELDS:
        fields, troubles = fields[:MAX_FIELDS], [*troubles, "too_many_fields"]
    if any(len(part) > MAX_VALUE for pair in fields for part in pair):
        fields, troubles = tuple((n[:MAX_VALUE], v[:MAX_VALUE]) for n, v in fields), [*troubles, "huge_field"]
    if any("\x00" in part for pair in fields for part in pair):
        troubles.append("nul_bytes")
    return replace(content, fields=tuple((clean(n), clean(v)) for n, v in fields), troubles=tuple(dict.fromkeys(troubles)))


# --- bytes to text ---------------------------------------------------------------------------------------------------

_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "windows-1251": "cp1251", "cp1251": "cp1251", "win-1251": "cp1251",
             "koi8-r": "koi8-r", "koi8-u": "koi8-u", "iso-8859-5": "iso8859-5", "cp866": "cp866", "ibm866": "cp866",
             "utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}
"""Charsets that are believed; others (latin-1 is what some clients say by habit) are not. No codec but these is ever run."""

_RUSSIAN = re.compile(r"[\x00-\x7f\u0400-\u04ff«»„“”‘’…–—№•©®™±·°§€ ]*")


class _Decoder(NamedTuple):
    """How to read the pieces of one body, and the doubt about that (a code, or nothing)."""

    codec: str
    doubt: str

    def __call__(self, piece: bytes) -> str:
        return piece.decode(self.codec, "backslashreplace")


def _decoder(sample: bytes, charset: str) -> _Decoder:
    """The decoder for a body whose pieces together are ``sample``: what it declares, else UTF-8, else cp1251."""
    declared = _CHARSETS.get(charset.strip().lower(), "")
    for codec in dict.fromkeys(filter(None, (declared, "utf-8", "cp1251"))):
        try:
            text = sample.decode(codec)
        except UnicodeDecodeError:
            continue
        return _Decoder(codec, "" if codec in (declared, "utf-8") or _RUSSIAN.fullmatch(text) else "wrong_charset")
    return _Decoder("utf-8", "wrong_charset")


def _text(body: bytes, charset: str) -> tuple[str, str]:
    decode = _decoder(body, charset)
    return decode(body).removeprefix("\ufeff"), decode.doubt


# --- application/x-www-form-urlencoded ---------------------------------------------------------------------------------

def _looks_urlencoded(text: str) -> bool:
    return bool(re.match(r"\s*[^\s=&<>{}]{1,100}=", text[:200])) and "\n" not in text.strip()


def _urlencoded(body: bytes, charset: str) -> tuple[Content, str]:
    pairs: _Bytes = []
    for piece in body.strip().split(b"&", 20 * MAX_FIELDS):
        if piece:
            name, _, value = piece.replace(b"+", b" ").partition(b"=")
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    fields, doubt = _decoded(pairs, charset)
    return Content(fields=fields), doubt


def _decoded(pairs: _Bytes, charset: str) -> tuple[Fields, str]:
    """Pairs of bytes as text. Browsers write the page's charset into a field ``_charset_``."""
    said = next((value.decode("ascii", "replace") for name, value in pairs if name == b"_charset_"), "")
    decode = _decoder(b"\n".join(part for pair in pairs for part in pair), charset or said)
    return tuple((decode(name), decode(value)) for name, value in pairs), decode.doubt


# --- JSON ------------------------------------------------------------------------------------------------------------

class _Pairs(list[tuple[str, object]]):
    """A JSON object with its order and its repeated keys."""


def _json(text: str) -> Content:
    try:
        value = json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str,
                           parse_constant=_no_constant)
    except RecursionError:
        return Content(unread=True, troubles=("nested_bomb",))
    except ValueError:
        return Content(unread=True, troubles=("broken_json",))
    if not isinstance(value, _Pairs):
        return Content(unread=True, troubles=("json_not_object",))
    fields: list[tuple[str, str]] = []
    troubles = set(_flatten("", value, 0, fields))
    return Content(fields=tuple(fields), troubles=tuple(sorted(troubles)))


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _flatten(name: str, value: object, depth: int, fields: list[tuple[str, str]]) -> Iterator[str]:
    """Put ``value`` into ``fields`` under ``name`` (``parent.child``), yielding the troubles on the way."""
    if len(fields) > MAX_FIELDS:
        return
    if depth > MAX_DEPTH:
        yield "nested_bomb"
    elif isinstance(value, _Pairs):
        if len({key for key, _ in value}) < len(value):
            yield "duplicate_keys"
        for key, inner in value:
            yield from _flatten(f"{name}.{key}" if name else key, inner, depth + 1, fields)
    elif isinstance(value, list) and any(isinstance(inner, list) for inner in value):
        for position, inner in enumerate(value, 1):
            yield from _flatten(f"{name}.{position}", inner, depth + 1, fields)
    elif isinstance(value, list):
        fields.append((name, ", ".join(map(_scalar, value))))
    else:
        fields.append((name, _scalar(value)))


def _scalar(value: object) -> str:
    return {None: "", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


# --- multipart/form-data -----------------------------------------------------------------------------------------------

_PARAMETER = re.compile(r';\s*([\w.*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


def _parameters(header: str) -> list[tuple[str, str]]:
    kind, semicolon, rest = header.partition(";")
    found = [(m[1].lower(), re.sub(r'\\(["\\])', r"\1", m[2]) if m[2] is not None else m[3])
             for m in _PARAMETER.finditer(semicolon + rest)]
    return [(kind, ""), *found]


@dataclass(frozen=True)
class _Part:
    name: bytes
    filename: bytes | None
    content_type: str
    data: bytes


def _boundary_of(body: bytes) -> bytes:
    """The boundary that a client forgot to declare: the first line of the body says it."""
    first = body[:200].split(b"\r\n", 1)[0]
    return first[2:] if first.startswith(b"--") else b""


def _multipart(body: bytes, boundary: bytes, charset: str) -> Content:
    before, *pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, 20 * MAX_FIELDS) if boundary else [body]
    parts, unread = [], [before] if before.strip() else []
    for piece in pieces:
        part = _part(piece)
        if part is not None:
            parts.append(part)
        elif not piece.startswith(b"--"):
            unread.append(piece)
    if not parts:
        return _finished(Content(unread=True, troubles=("broken_multipart",)), body, *_text(body, charset))
    uploads = [part for part in parts if part.filename is not None]
    fields, doubt = _decoded([(part.name, part.data) for part in parts if part.filename is None], charset)
    names, _ = _decoded([(part.filename or b"", b"") for part in uploads], charset)
    files = tuple(File(clean(re.split(r"[\\/]", name)[-1])[:255], clean(part.content_type)[:255], part.data)
                  for part, (name, _) in zip(uploads, names, strict=True) if name or part.data)
    seen = {"fields": fields, "files": [(f.name, f.content_type, len(f.data), hashlib.sha256(f.data).hexdigest()) for f in files],
            "unread": [_text(piece, charset)[0] for piece in unread]}
    raw = clean(json.dumps(seen, ensure_ascii=False))
    closed = any(piece.startswith(b"--") for piece in pieces)
    broken = "" if closed and not unread else "broken_multipart"
    many = "too_many_files" if len(files) > MAX_FILES else ""
    if many:
        files = (File("request.multipart", f"multipart/form-data; boundary={boundary.decode('latin-1')}"[:255], body),)
    troubles = tuple(filter(None, (broken, doubt, many)))
    return _limited(Content(fields, files, troubles, raw, hashlib.sha256(raw.encode()).hexdigest()))


def _part(piece: bytes) -> _Part | None:
    head, found, data = piece.partition(b"\r\n\r\n")
    if not found or len(head) > MAX_HEADER:
        return None
    headers = {}
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip().decode("latin-1")
    disposition = dict(_parameters(headers.get(b"content-disposition", "")))
    if "name" not in disposition:
        return None
    filename = disposition.get("filename")
    return _Part(_written(disposition["name"]), None if filename is None else _written(filename),
                 headers.get(b"content-type", ""), data)


def _written(parameter: str) -> bytes:
    """A name in a part's header as the browser's bytes; browsers write a quote and line ends as %22, %0D, %0A."""
    for escape, plain in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
        parameter = parameter.replace(escape, plain)
    return parameter.encode("latin-1")
