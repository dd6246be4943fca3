"""A site's form as the letter that its robot writes about it: lines «Имя: Иван», or a table. Pure."""

from __future__ import annotations

import re

from hub.channels.email_kind import from_program
from hub.channels.email_mime import Letter
from hub.channels.email_settings import EmailSettings, listed
from hub.domain import contact
from hub.domain.delivery import Address, Delivery

CELL = ": "
MOST_FIELDS, LONGEST = 60, 100_000

_NAMES = {
    "name": r"(?:ваше\s+)?имя|ф\.?и\.?о\.?|name|your[- ]name|full[- ]?name|контактное лицо|клиент"
    r"|как (?:к )?вам обращаться|как вас зовут|отправитель|from|от",
    "last_name": r"фамилия|last[- ]?name|surname",
    "phone": r"(?:ваш\s+|контактный\s+|номер\s+)?(?:тел(?:ефон)?\.?|phone|mobile|tel)(?:\s+number)?(?:\s+для связи)?"
    r"|номер|your[- ](?:tel|phone)",
    "email": r"(?:ваш[аa]?\s+)?(?:e-?mail|емейл|емайл|(?:эл(?:ектронная)?\.?\s+)?почта|эл\. адрес|your[- ]email"
    r"|mail)(?:\s+address)?",
    "company": r"(?:ваша\s+)?(?:компания|организация|фирма)|название компании|company(?:\s+name)?|organi[sz]ation",
    "text": r"сообщение|текст(?: сообщения)?|комментари[йи]|вопрос|описание(?: (?:задачи|проекта))?|задача|пожелания"
    r"|message|comments?|details|description"
            r"|your[- ]message|message body|text",
    "budget": r"бюджет(?: проекта)?|budget",
    "region": r"город|регион|city|region",
    "convenient_time": r"(?:удобное )?время(?: звонка| для звонка)?|когда (?:пере)?звонить|call time",
}
_TABLE = [(ours, re.compile(pattern, re.I)) for ours, pattern in _NAMES.items()]
_LINE = re.compile(r"([^:\n=]{1,60})[:=](.*)")
_LINK = re.compile(r"https?|//|\d\d$", re.I)


def read_form(letter: Letter, settings: EmailSettings) -> Delivery:
    """What the form held, and who filled it in: its fields, else Reply-To. Never the robot that wrote the letter."""
    text = letter.tabled(CELL)
    fields = _fields(text)
    known: dict[str, str] = {}
    for name, value in fields:
        ours = next((ours for ours, pattern in _TABLE if pattern.fullmatch(name.strip(" *.?!\"'«»"))), "")
        if ours and value.strip():
            known.setdefault(ours, value.strip())
    addresses: list[Address | None] = [contact.phone(known.get("phone", "")), contact.email(known.get("email", ""))]
    own = (settings.address, *settings.own, *settings.forms)
    replied = [mail for mail in letter.mails("reply-to") if not listed(mail.address, own) and not from_program(mail.address)]
    addresses += [contact.email(mail.address) for mail in replied]
    if not any(addresses):
        addresses += [*contact.phones_in(text)[:1], *(a for a in contact.emails_in(text)
                                                       if not listed(a.value, own) and not from_program(a.value))][:2]
    unique = {(address.kind, address.value): address for address in addresses if address is not None}
    name = " ".join(filter(None, (known.get("name", ""), known.get("last_name", ""))))
    return Delivery(
        channel="email", source="", name=contact.person_name(name or next((mail.name for mail in replied if mail.name), "")),
        company=known.get("company", "")[:200], budget=known.get("budget", "")[:200], region=known.get("region", "")[:200],
        convenient_time=known.get("convenient_time", "")[:200], text=known.get("text", "") or text,
        timezone=contact.timezone_of(region=known.get("region", "")), addresses=tuple(unique.values()), fields=fields)


def _fields(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs as they are written. A line without a name goes on with the field before it, where that is a long text."""
    found: list[tuple[str, str]] = []
    going_on = False
    lines = [" ".join(line.split()).lstrip("*•> ").removeprefix("- ") for line in text[:LONGEST].split("\n")]
    for number, line in enumerate(lines):
        pair = _LINE.fullmatch(line)
        if pair and not _LINK.search(pair[1]) and len(found) < MOST_FIELDS and (not going_on or _known(pair[1])):
            value = pair[2].strip()
            if not value and number + 1 < len(lines) and not _LINE.fullmatch(lines[number + 1]):
                going_on = True  # the value stands in the next lines
            found.append((pair[1].strip(" *"), value.strip("* ")))
            going_on = going_on if not value else _is_text(pair[1])
        elif line.strip() and found and going_on and not re.fullmatch(r"[-–—_=*]{2,} ?", line):
            name, value = found[-1]
            found[-1] = (name, f"{value}\n{line.strip()}".strip())
            going_on = _is_text(name)
        elif re.fullmatch(r"[-–—_=*]{2,} ?", line):
            going_on = False
    return tuple(found)


def _known(name: str) -> bool:
    return any(pattern.fullmatch(name.strip(" *.?!")) for _, pattern in _TABLE)


def _is_text(name: str) -> bool:
    return bool(dict(_TABLE)["text"].fullmatch(name.strip(" *.?!")))
