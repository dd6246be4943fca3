"""The English of the screens: ``python -m tools.translations`` brings the catalogue up to the code and compiles it.

Russian stands in the code and in the templates. What is new gets an empty English and is named; what nobody says any more
goes. ``hub/web/translations/en/LC_MESSAGES/messages.po`` is edited by hand; ``messages.mo`` beside it is what the hub reads.
Words that are counted go by the filter ``plural`` with each form marked, as Russian has three of them; not by ``ngettext``.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "hub" / "web" / "translations"
LANGUAGE = "en"
WORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None}
PLACES: tuple[tuple[str, list[tuple[str, str]], dict[str, dict[str, Any]]], ...] = (("hub", [("**.py", "python")], {}),
          ("templates", [("**.html", "jinja2")], {"**.html": {"extensions": "jinja2.ext.i18n"}}))
PLACE = re.compile(r"%\((\w+)\)[sd]")


PO = FOLDER / LANGUAGE / "LC_MESSAGES" / "messages.po"
"""The catalogue for people."""
MO = PO.with_suffix(".mo")
"""The same for the hub."""


def said() -> Catalog:
    """All that the code and the templates say."""
    found = Catalog(locale=LANGUAGE, fuzzy=False)
    for folder, methods, options in PLACES:
        for file, line, message, _, context in extract_from_dir(ROOT / folder, methods, options, WORDS):
            found.add(message, None, [(f"{folder}/{file}", line)], context=context)
    return found


def kept() -> Catalog:
    """The catalogue as people wrote it."""
    return read_po(io.BytesIO(PO.read_bytes()), locale=LANGUAGE) if PO.exists() else Catalog(locale=LANGUAGE, fuzzy=False)


def brought_up() -> Catalog:
    """The kept catalogue with exactly what is said now; nothing is guessed from what is similar."""
    before, now = kept(), Catalog(locale=LANGUAGE, fuzzy=False)
    for message in messages(said()):
        found = before.get(message.id, message.context)
        now.add(message.id, found.string if found is not None else None, context=message.context)
    return now


def messages(catalog: Catalog) -> Iterator[Message]:
    """Those of a catalogue, without its head."""
    return (message for message in catalog if message.id)


def faults(catalog: Catalog) -> list[str]:
    """What is not translated, or has other places to fill in than the code."""
    found = []
    for message in messages(catalog):
        russian, english = str(message.id), str(message.string or "")
        if not english:
            found.append(f"not translated: {russian}")
        elif set(PLACE.findall(russian)) != set(PLACE.findall(english)):
            found.append(f"other places to fill in: {russian} → {english}")
    return found


def written(catalog: Catalog) -> bytes:
    """The catalogue as people edit it; without dates, so that the same words make the same file."""
    out = io.BytesIO()
    write_po(out, catalog, width=0, omit_header=True, sort_output=True)
    head = ('msgid ""', 'msgstr ""', '"Content-Type: text/plain; charset=utf-8\\n"', f'"Language: {catalog.locale}\\n"',
            f'"Plural-Forms: {catalog.plural_forms}\\n"', "", "")
    return "\n".join(head).encode() + out.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as the hub reads it; without dates as well."""
    fixed = datetime(2026, 1, 1, tzinfo=UTC)
    catalog.creation_date = catalog.revision_date = fixed
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main() -> int:
    """Bring up, write, compile; 1 where something is not translated."""
    catalog = brought_up()
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(written(catalog))
    MO.write_bytes(compiled(catalog))
    found = faults(catalog)
    print(*found, f"{len(list(messages(catalog)))} messages, {len(found)} faults", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
