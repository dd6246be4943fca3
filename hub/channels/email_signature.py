"""What a signature tells of its writer: offered to a manager, never taken by itself: a number in it may be a switchboard's.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.channels.email_quotes import CLOSING_WORDS, DELIMITER
from hub.domain import contact

LONGEST, MOST = 1500, 5

_FORM = r"(?:ООО|ОАО|ЗАО|ПАО|АО|НАО|ГК|НКО|АНО|ФГУП|ИП|ТОО|ЧУП|УП)"
_QUOTED = r"[«\"“„'][^«»\"“”„'\n]{1,80}[»\"”“']"
_COMPANY = re.compile(
    rf"({_FORM}\s*{_QUOTED}|(?:компания|студия|агентство|группа компаний|фирма|завод|фабрика|магазин|клиника|центр)\s+{_QUOTED}"
    r"|ИП\s+[А-ЯЁ][а-яё]+(?:\s+[А-ЯЁ]\.\s?[А-ЯЁ]\.|\s+[А-ЯЁ][а-яё]+){1,2}"
    rf"|{_FORM}\s+[А-ЯЁA-Z][\w-]+(?:\s+[А-ЯЁA-Z][\w-]+){{0,2}}"
    r"|[A-Z][\w&.-]*(?:[ \t]+[A-Z&][\w&.-]*){0,4},?[ \t]+(?:LLC|Ltd|Inc|GmbH|Corp|S\.A|B\.V|LLP|PLC)\b\.?)")
_POSITION = re.compile(
    r"директор|менеджер|руководител|начальник|маркетолог|специалист|владелец|основатель|инженер|бухгалтер|секретар"
    r"|администратор|аналитик"
    r"|помощник|ассистент|главный|заместител|президент|предпринимател|\bCEO\b|\bCTO\b|\bCMO\b|\bCOO\b|\bCFO\b"
    r"|director|manager|head of|founder|owner"
    r"|engineer|officer|president|assistant|marketing|sales", re.I)
_NAME = re.compile(r"(?:[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?|[А-ЯЁ]\.)(?:\s*(?:[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?|[А-ЯЁ]\.)){0,2}"
                   r"|[A-Z][a-z]+(?:[ -][A-Z][a-z.]+){1,2}|[А-ЯЁ]{2,}(?:\s+[А-ЯЁ]{2,}){1,2}")


def offered(signature: str, known_name: str, known: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """What a signature holds beyond what is ``known`` (addresses by value): pairs of ``offer_<what>`` and what is written."""
    text = signature[:LONGEST]
    lines = [line.strip(" \t*_|,•") for line in text.split("\n")]
    found: list[tuple[str, str]] = []
    name = next(_names(lines), "")
    if name and not known_name:
        found.append(("offer_name", contact.person_name(name)))
    titles = (line for line in lines if len(line) <= 80 and _POSITION.search(line) and not CLOSING_WORDS.fullmatch(line))
    position = next(titles, "")
    if position:
        found.append(("offer_position", position))
    if company := _COMPANY.search(text):
        found.append(("offer_company", " ".join(company[1].split()).rstrip(".,;")))
    for address in (*contact.phones_in(text), *contact.emails_in(text)):
        if address.value not in known:
            said = address.value + (f" доб. {address.extension}" if address.extension else "")
            found.append((f"offer_{address.kind}", said))
    return tuple(found[:MOST + 3])


def _names(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if DELIMITER.fullmatch(line):
            continue
        for piece in re.split(r"\s*[,;|]\s*", CLOSING_WORDS.sub("", line, count=1)):
            piece = piece.strip(" ,")
            if _NAME.fullmatch(piece) and not _POSITION.search(piece):
                yield piece
