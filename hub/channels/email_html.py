"""HTML of letters as plain text, without what is hidden; a wall of nested tags costs nothing and loses nothing. Pure."""

from __future__ import annotations

import html
import re
from collections import Counter
from html.parser import HTMLParser

LONGEST = 1_000_000
"""Characters of HTML that are read."""
QUOTE = "> "
CELL = "\t"
DEEPEST_QUOTE = 8

_BLOCKS_WORDS = """address article aside blockquote center dd details div dl dt fieldset figure footer form h1 h2 h3 h4 h5
    h6 header hr li main nav ol p pre section table tbody tfoot thead tr ul"""
_BLOCKS = frozenset(_BLOCKS_WORDS.split())
_SPACED = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "pre"])
_SILENT = frozenset(["head", "style", "script", "title", "template", "noscript", "object", "iframe", "svg", "math", "select"])
_VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"])
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?<![\w-])opacity\s*:\s*0(?:\.0+)?\s*(?:;|$|!)|mso-hide\s*:\s*all"
    r"|(?<![\w-])font-size\s*:\s*0(?:px|pt|em|%)?\s*(?:;|$|!)|(?<![\w-])max-height\s*:\s*0(?:px)?\s*(?:;|$|!)", re.I)
_NO_TAG = re.compile(r"<(?![a-zA-Z/!?][^<>]{0,20000}>)")
_FILLER = re.compile("[\u00ad\u034f\u200b-\u200f\u2007\u2060\ufeff]+")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._line = ""
        self._open: list[tuple[str, bool, bool]] = []  # tag, hidden, quote
        self._count: Counter[str] = Counter()
        self._hidden = self._quoted = self._pre = 0
        self._hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "body" and self._open:  # a body begins: a head that was never closed ends
            self._close_to("head")
        if tag == "br":
            self._break()
        if tag in _BLOCKS:
            self._block(tag)
        if tag in ("td", "th") and self._line.strip():
            self._line = self._line.rstrip() + CELL
        if tag == "li" and not self._hidden:
            self._line += "- "
        if tag == "img" and not self._hidden and given.get("alt", "").strip() and len(given["alt"]) < 200:
            self._line += given["alt"].strip()
        if tag in _VOID:
            if tag == "hr" and not self._hidden:
                self._line += "---"
                self._break()
            return
        hidden = tag in _SILENT or bool(_HIDDEN.search(given.get("style", ""))) or "hidden" in given
        quote = tag == "blockquote"
        self._open.append((tag, hidden, quote))
        self._count[tag] += 1
        self._hidden += hidden
        self._quoted += quote
        self._pre += tag == "pre"
        if tag == "a":
            self._hrefs.append(given.get("href", ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID and tag not in ("p", "div", "span"):
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if tag in _BLOCKS:
            self._block(tag)
        self._close_to(tag)

    def _close_to(self, tag: str) -> None:
        if not self._count[tag]:  # an end without a beginning must not cost a walk over a wall of open tags
            return
        name = ""
        while name != tag:
            name, hidden, quote = self._open.pop()
            self._count[name] -= 1
            self._hidden -= hidden
            self._quoted -= quote
            self._pre -= name == "pre"
            if name == "a":
                self._link(self._hrefs.pop())

    def _link(self, href: str) -> None:
        if self._hidden:
            return
        target = href.strip().removeprefix("mailto:").removeprefix("tel:").partition("?")[0]
        if href.lower().startswith("mailto:") and target and target.lower() not in self._line.lower():
            self._line += f" <{target}>"

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        data = _FILLER.sub("", data)
        if self._pre:
            first, *rest = data.split("\n")
            self._line += first
            for piece in rest:
                self._break()
                self._line += piece
            return
        words = re.sub(r"[ \t\r\n\f]+", " ", data)
        self._line += words.lstrip() if not self._line or self._line.endswith((" ", CELL)) else words

    def _break(self) -> None:
        if not self._hidden:
            self.lines.append(QUOTE * min(self._quoted, DEEPEST_QUOTE) + self._line.rstrip())
            self._line = ""

    def _block(self, tag: str) -> None:
        if self._line.strip():
            self._break()
        else:
            self._line = ""
        if tag in _SPACED and not self._hidden and self.lines and self.lines[-1].strip("> "):
            self.lines.append((QUOTE * min(self._quoted, DEEPEST_QUOTE)).rstrip())

    def text(self) -> str:
        self._break()
        return "\n".join(self.lines)


def to_text(source: str, cells: str = " ") -> str:
    """The text of a page, quotes with ``>`` before them and ``cells`` between the cells of a table's row.

    Never empty where anything is written there, be it hidden.
    """
    source = source[:LONGEST].replace("\x00", "").replace("<![CDATA[", "").replace("]]>", "")
    source = _without(source, "<!--", "-->")
    for tag in ("style", "script", "title"):
        source = _without(source, f"<{tag}", f"</{tag}")
    # What is no whole tag is text: a wall of beginnings would cost the parser the square of its length.
    source = _NO_TAG.sub("&lt;", source)
    reader = _Reader()
    try:
        reader.feed(source)
        reader.close()
        text = _tidy(re.sub(r" *\t *", cells, reader.text()))
    except Exception:  # html.parser refuses a few declarations
        text = ""
    if not text.strip("> -\n"):
        text = _stripped(source) or text
    return text


def _without(source: str, begin: str, end: str) -> str:
    """A page without what stands between these; one that never ends is left, or everything after it would be lost."""
    lower, pieces, at = source.lower(), [], 0
    while (start := lower.find(begin, at)) >= 0 and (stop := lower.find(end, start + len(begin))) >= 0:
        closing = lower.find(">", stop)
        pieces.append(source[at:start])
        at = closing + 1 if closing >= 0 else len(source)
    return "".join((*pieces, source[at:]))


def _stripped(source: str) -> str:
    """Every word between tags: what is left where nothing is visible."""
    bare = re.sub(r"(?i)<(?:br|/p|/div|/tr|/li)\b[^<>]*>", "\n", source)
    return _tidy(html.unescape(re.sub(r"<[^<>]*>", " ", bare)))


def _tidy(text: str) -> str:
    lines = [re.sub(r"[ \xa0]+", " ", line).rstrip() for line in _FILLER.sub("", text).split("\n")]
    return re.sub(r"(?:\n(?:> ?)*){3,}", lambda m: "\n\n" + m.group().rsplit("\n", 1)[1], "\n".join(lines)).strip()
