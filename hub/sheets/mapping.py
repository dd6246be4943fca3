"""Which column is what: guessed by its heading, else by what stands in it; a row made a delivery, or why it is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain import contact
from hub.domain.delivery import Address, Delivery
from hub.domain.errors import Refused, sentences

SOURCE = "import"
"""The source of every row that came from a file."""
SKIP, FIELD = "skip", "field"
TARGETS = ("name", "phone", "email", "company", "text", "timezone", "budget", "region", "telegram", FIELD, SKIP)
"""What a column may be. ``field`` is kept beside the request under its heading; ``skip`` is left out. ``phone``, ``email``,
``text`` and ``field`` may stand for several columns."""
ONCE = ("name", "company", "timezone", "budget", "region", "telegram")

HEADINGS = {
    "name": ("имя", "фио", "контакт", "контактное лицо", "клиент", "name", "full name", "contact", "contact name", "fio"),
    "phone": ("телефон", "тел", "моб", "мобильный", "мобильный телефон", "рабочий телефон", "номер телефона", "phone", "mobile",
              "tel", "whatsapp"),
    "email": ("почта", "email", "e-mail", "mail", "эл почта", "электронная почта", "e mail", "рабочий email", "имейл"),
    "company": ("компания", "организация", "название компании", "юрлицо", "фирма", "company", "organization", "account"),
    "text": ("запрос", "комментарий", "заявка", "сообщение", "описание", "примечание", "задача", "что нужно", "message",
             "comment", "request", "notes", "description", "text"),
    "timezone": ("часовой пояс", "timezone", "time zone"), "budget": ("бюджет", "сумма", "budget", "amount"),
    "region": ("город", "регион", "city", "region"), "telegram": ("telegram", "телеграм", "tg"),
}
"""Headings by what they mean, in small letters without signs."""

SAMPLE = 50
PARTS = re.compile(r"[;\n/]|,(?=\s*[\d+(a-zа-яё])", re.IGNORECASE)
"""Between several phones or addresses in one cell."""

sentences(
    row_nobody=("нет ни телефона, ни почты, ни имени", "neither a phone nor an e-mail nor a name"),
    row_bad_phone=("телефон не разобрать: {given}", "no phone number: {given}"),
    row_bad_email=("почту не разобрать: {given}", "no e-mail address: {given}"),
    row_bad_zone=("нет такого часового пояса: {given}", "no such time zone: {given}"),
    row_known=("клиент уже есть на доске", "the client has a card already"),
    map_somebody=("Укажите, в каком столбце имя, телефон или почта: без этого заявка ни с кем не связана.",
                  "Say which column is the name, the phone or the e-mail: otherwise a lead belongs to nobody."),
    map_once=("«{what}» может быть только в одном столбце. Остальным выберите другое.",
              "“{what}” can be one column only. Choose something else for the others."),
)


@dataclass(frozen=True)
class Source:
    """Where all rows of a file come from: the channel that they count as, and the words on the cards."""

    channel: str
    title: str
    quiet: bool = True


def plain(heading: str) -> str:
    """A heading as it is compared."""
    return " ".join(re.sub(r"[^\w\s-]|_", " ", heading.lower().replace("ё", "е")).split())


def guessed(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """What each column most likely is."""
    found: list[str] = []
    for n, heading in enumerate(header):
        words = plain(heading)
        target = next((t for t, names in HEADINGS.items() if words in names), "")
        target = target or next((t for t, names in HEADINGS.items() if any(words.startswith(f"{name} ") for name in names)), "")
        target = target or _by_content([row[n] for row in rows[:SAMPLE] if row[n]])
        found.append(FIELD if not target or (target in ONCE and target in found) else target)
    return tuple(found)


def _by_content(cells: Sequence[str]) -> str:
    if not cells:
        return SKIP
    if sum("@" in cell and "." in cell for cell in cells) * 2 > len(cells):
        return "email"
    if sum(contact.phone(cell) is not None for cell in cells) * 2 > len(cells):
        return "phone"
    return ""


def checked(columns: Sequence[str], titles: dict[str, str]) -> tuple[str, ...]:
    """``columns`` as they may be used; refused with what to change."""
    known = tuple(column if column in TARGETS else SKIP for column in columns)
    if not {"name", "phone", "email", "telegram"} & set(known):
        raise Refused("map_somebody", field="columns")
    for target in ONCE:
        if known.count(target) > 1:
            raise Refused("map_once", field="columns", what=titles.get(target, target))
    return known


def delivery(header: Sequence[str], cells: Sequence[str], columns: Sequence[str], source: Source) -> Delivery:
    """A row as a request. Refused (``row_…``) where nobody can be met by it, or what stands in a place is not that."""
    one = dict.fromkeys(ONCE, "")
    texts: list[tuple[str, str]] = []
    fields: list[tuple[str, str]] = []
    addresses: dict[tuple[str, str], Address] = {}
    for heading, cell, target in zip(header, cells, columns, strict=True):
        if not cell or target == SKIP:
            continue
        if target in ("phone", "email"):
            for part in filter(None, (part.strip() for part in PARTS.split(cell))):
                address = contact.phone(part) if target == "phone" else contact.email(part)
                if address is None:
                    raise Refused(f"row_bad_{target}", given=part[:40])
                addresses[(address.kind, address.value)] = address
        elif target == "text":
            texts.append((heading, cell))
        elif target == FIELD:
            fields.append((heading, cell))
        else:
            one[target] = cell
            if target in ("budget", "region"):
                fields.append((heading, cell))
    handle = one["telegram"].removeprefix("https://t.me/").lstrip("@").strip()
    if handle:
        addresses[("telegram", handle.lower())] = Address("telegram", handle.lower(), one["telegram"])
    if not addresses and not one["name"]:
        raise Refused("row_nobody")
    if one["timezone"] and not contact.is_zone(one["timezone"]):
        raise Refused("row_bad_zone", given=one["timezone"][:40])
    phone = next((address.value for address in addresses.values() if address.kind == "phone"), "")
    zone = one["timezone"] or contact.timezone_of(region=one["region"], phone=phone)
    text = texts[0][1] if len(texts) == 1 else "\n".join(f"{heading}: {said}" for heading, said in texts)
    return Delivery(channel=source.channel, source=SOURCE, source_title=source.title, name=one["name"], company=one["company"],
                    text=text, addresses=tuple(addresses.values()), timezone=zone, budget=one["budget"],
                    region=one["region"], fields=tuple(fields), quiet=source.quiet)
