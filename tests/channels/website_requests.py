"""What the tests of the website channel share: a form, requests to it, and what every delivery must keep to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from hub.channels.base import Accepted, Request
from hub.channels.website import Website, fill_token
from hub.domain.delivery import Delivery
from hub.domain.errors import SENTENCES
from hub.domain.form import FormState

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY = b"k" * 32
SITE = "https://agency.ru"
FORM = FormState(
    id="main",
    name="Сайт",
    origins=(SITE,),
    consent_texts=("Старый текст", "Согласен на обработку"),
    consent_text="Согласен на обработку",
    aliases=(("Ваш вопрос №1", "text"),),
    thank_you_urls=("https://agency.ru/thanks", "https://agency.ru/promo"),
)
WEBSITE = Website(KEY, "https://hub.agency.ru")
JSON, URLENCODED = "application/json", "application/x-www-form-urlencoded"


def request(body: bytes, content_type: str = JSON, *, method: str = "POST", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "/f/main", {"content-type": content_type, **named}, body, "203.0.113.7", NOW)


def accept(sent: Request, form: FormState = FORM) -> Accepted:
    return WEBSITE.accept(sent, form, at=NOW)


def one(sent: Request, form: FormState = FORM) -> Delivery:
    (delivery,) = accept(sent, form).deliveries
    return delivery


def posted(fields: Mapping[str, Any], **headers: str) -> Delivery:
    return one(request(json.dumps(fields).encode(), **headers))


def multipart(*parts: tuple[str, bytes], boundary: str = "xYz") -> bytes:
    return (
        b"".join(
            b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (boundary.encode(), head.encode(), data)
            for head, data in parts
        )
        + b"--%s--\r\n" % boundary.encode()
    )


PERSON = {"name": "иван петров", "phone": "8 (900) 123-45-67", "email": "Ivan@Mail.ru", "message": "Нужен сайт"}


def urlencoded(fields: Mapping[str, str], charset: str = "utf-8") -> bytes:
    return "&".join(f"{quote(n, encoding=charset)}={quote(v, encoding=charset)}" for n, v in fields.items()).encode()


def token(seconds_ago: float, form: str = "main", key: bytes = KEY) -> str:
    return fill_token(key, form, NOW - timedelta(seconds=seconds_ago))


def check_person(delivery: Delivery) -> None:
    assert (delivery.name, delivery.text, delivery.suspicion) == ("Иван Петров", "Нужен сайт", "")
    assert [(a.kind, a.value) for a in delivery.addresses] == [("phone", "+79001234567"), ("email", "ivan@mail.ru")]
    assert (delivery.channel, delivery.source, delivery.source_title, delivery.ip) == ("website", "main", "Сайт", "203.0.113.7")


def storable(delivery: Delivery) -> bool:
    """Whether any store can hold it: no NUL anywhere in its texts, nothing that UTF-8 cannot say, its sentences known."""
    texts = [
        delivery.raw,
        delivery.text,
        delivery.name,
        delivery.company,
        delivery.delivery_id,
        delivery.subject_line,
        delivery.content_type,
        *(part for pair in delivery.fields + delivery.attribution for part in pair),
        *(a.raw for a in delivery.addresses),
        *(part for file in delivery.files for part in (file.name, file.content_type)),
    ]
    return (
        not any("\x00" in text for text in texts)
        and all(text.encode() is not None for text in texts)
        and all(f"suspect_{code}" in SENTENCES for code in delivery.suspicion.split())
    )
