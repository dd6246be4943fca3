"""Bytes of letters as text, whatever their charset is said to be: wrong names and mislabelled Cyrillic included. Pure."""

from __future__ import annotations

import codecs
import re
from email.header import decode_header
from functools import lru_cache

CYRILLIC = ("cp1251", "koi8-r", "iso8859-5", "cp866", "mac-cyrillic")
_ALIASES = {
    "windows1251": "cp1251", "win1251": "cp1251", "cp-1251": "cp1251", "x-cp1251": "cp1251", "ansi-1251": "cp1251",
    "koi8": "koi8-r", "koi8r": "koi8-r", "utf-8mb4": "utf-8", "utf8mb4": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "x-mac-cyrillic": "mac-cyrillic", "iso-8859-8-i": "iso8859-8", "ks_c_5601-1987": "cp949", "gb2312": "gb18030",
    "gbk": "gb18030", "x-gbk": "gb18030", "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "ascii", "x-sjis": "cp932",
    "shift_jis": "cp932", "unicode": "utf-16", "unknown-8bit": "", "x-unknown": "", "default": "",
    "iso-2022-jp": "iso2022_jp_ext",
}
# How often a pair of letters stands in Russian text is what tells one Cyrillic charset from another; these are the commonest.
_PAIRS_WORDS = """ст но то на ен ов ни ра во ко ал ро пр ре ос го по ел ть ли не от ка ер ри ль ан за ло ла ом ва ом де ет
    та те ле об да ин со ат ит ол из ас до ог ис ми мо ны ве ес ся ем им ин ил св тр ам ой их ые ый ая ую
    ем бо бы же че сл вы ме мы ма ск ви од ди си ци ац ит зд др ав св зн кл"""
_PAIRS = frozenset(_PAIRS_WORDS.split())
_BROKEN = "\ufffd"


@lru_cache(maxsize=256)
def codec(name: str) -> str:
    """Python's name of a charset, "" where there is none: only codecs that make text of bytes."""
    wanted = name.strip().strip("\"'").lower()
    wanted = _ALIASES.get(wanted, _ALIASES.get(wanted.replace("_", "-"), wanted))
    try:
        b"a".decode(wanted)  # refuses what is no charset, such as base64
        return codecs.lookup(wanted).name
    except (LookupError, ValueError):
        return ""


def decode(data: bytes, charset: str = "") -> str:
    """Bytes as text: in the charset that is named if they fit it, else in the likeliest one. Never fails."""
    named = codec(charset) if charset else ""
    if named:
        try:
            text = data.decode(named)
        except UnicodeError:
            pass
        else:
            # Cyrillic is often called by another charset's name, Latin-1 above all.
            return _likeliest(data, text) if named in (*CYRILLIC, "cp1252") and not data.isascii() else text
    return _likeliest(data, data.decode(named, "replace") if named else "")


def _likeliest(data: bytes, otherwise: str) -> str:
    try:
        return data.decode("utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8")
    except UnicodeError:
        pass
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if data.count(b"\x1b$") or data.count(b"\x1b("):
        try:
            return data.decode("iso2022_jp_ext")
        except UnicodeError:
            pass
    mostly = data.decode("utf-8", "replace")
    if mostly.count(_BROKEN) * 20 <= len(mostly) and re.search("[\u0400-\u04ff]{3}", mostly):
        return mostly  # UTF-8 with a letter cut in two
    otherwise = otherwise if otherwise and _BROKEN not in otherwise else data.decode("cp1252", "replace")
    runs = re.findall(rb"[\x80-\xff]+", data[:20_000])
    if sum(map(len, runs)) < 2 * len(runs):  # letters alone among Latin ones: the accents of a western language
        return otherwise
    best = max((data.decode(name, "replace") for name in CYRILLIC), key=likeness)
    return best if likeness(best) > max(0.25, 1.3 * likeness(otherwise)) else otherwise


def likeness(text: str) -> float:
    """How much the letters beyond ASCII look like Russian words: 0 to about 1, by pairs of letters and by their case."""
    sample = text[:20_000]
    foreign = sum(1 for c in sample if ord(c) > 127)
    words: list[str] = re.findall("[а-яёА-ЯЁ]+", sample)
    if not foreign or not words:
        return 0.0
    letters = sum(map(len, words))
    pairs = sum(len(word) - 1 for word in words)
    common = sum(1 for word in words for i in range(len(word) - 1) if word[i:i + 2].lower() in _PAIRS)
    # In the wrong charset capitals and small letters change places inside words.
    turned = sum(1 for word in words for i in range(len(word) - 1) if word[i].islower() and word[i + 1].isupper())
    share = common / pairs if pairs else 0.3
    return letters / foreign * (0.3 + share) - turned / max(1, pairs)


def header(raw: str) -> str:
    """A header's value as text: encoded words, raw 8-bit bytes (as the parser's surrogates), and mixtures of both."""
    value = re.sub(r"\r?\n[ \t]*", " ", raw)
    if re.search("[\udc80-\udcff]", value):
        value = decode(value.encode("utf-8", "surrogateescape"))
    if "=?" not in value:
        return _clean(value)
    # Encoded words that are split in the middle of a letter: bytes of one charset are put together before they are read.
    value = re.sub(r"\?=\s+(?==\?)", "?= ", value)
    try:
        pieces = decode_header(value)
    except Exception:
        return _clean(value)
    text, held, held_in = "", b"", ""
    for piece, charset in pieces:
        name = (charset or "").partition("*")[0]
        data = piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece
        if charset is None:
            text += _held(held, held_in) + _unescaped(data)
            held, held_in = b"", ""
        elif name.lower() == held_in.lower():
            held += data
        else:
            text += _held(held, held_in)
            held, held_in = data, name
    return _clean(text + _held(held, held_in))


def _held(data: bytes, charset: str) -> str:
    return decode(data, charset) if data else ""


def _unescaped(data: bytes) -> str:
    # decode_header gives unencoded runs as raw-unicode-escape.
    try:
        return data.decode("utf-8") if b"\\u" not in data else data.decode("raw-unicode-escape")
    except UnicodeError:
        try:
            return data.decode("raw-unicode-escape")
        except UnicodeError:
            return decode(data)


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() or c in " \t" else " " for c in text).split())
