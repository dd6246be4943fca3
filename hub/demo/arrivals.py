"""How a made-up client's request comes in: by each channel as its adapter would hand it over."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.channels.base import Request
from hub.channels.website import Website, fill_token
from hub.domain import contact
from hub.domain.delivery import Address, Delivery, File, Later

if TYPE_CHECKING:
    from hub.bootstrap import House
    from hub.demo.clients import Client

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
CAMPAIGNS = ("utm_source=yandex&utm_medium=cpc&utm_campaign=razrabotka", "utm_source=vc&utm_medium=article&utm_campaign=cases",
             "", "utm_source=google&utm_medium=organic", "utm_source=telegram&utm_medium=post&utm_campaign=kanal")
SOCIAL = {"telegram": "Telegram @studio_t", "vk": "ВКонтакте «Студия Т»", "whatsapp": "WhatsApp"}


def website(house: House, client: Client, at: datetime, *, text: str = "", form: str = "main-site", filled_in: int = 74,
            **fields: str) -> Delivery:
    """A submission of a form, read by the website's own adapter. ``fields`` are added to those of the form."""
    found = house.hub.form(form)
    assert found is not None
    page = f"https://studio-t.example/{'calc' if form == 'calculator' else 'contacts'}?{CAMPAIGNS[client.number % 5]}"
    sent = {"name": client.name, "email": client.email, "message": text or client.text, "timezone": client.zone, "page": page,
            "ym_client_id": f"17{client.number:08d}31",
            "hub_token": fill_token(house.parts.form_key, form, at - timedelta(seconds=filled_in))}
    if client.gives_phone:
        sent |= {"phone": client.phone}
    if found.consent_text:
        sent |= {"consent": "yes", "consent_version": str(found.consent_version)}
    body = json.dumps({**sent, **fields}, ensure_ascii=False).encode()
    request = Request("POST", f"/f/{form}", {"content-type": "application/json", "user-agent": BROWSER,
                                             "idempotency-key": f"demo-{client.key}-{at:%Y%m%d%H%M%S}"},
                      body, f"203.0.113.{client.number % 250 + 1}", at)
    return Website(house.parts.form_key, house.parts.public_url).accept(request, found, at=at).deliveries[0]


def phone(client: Client, at: datetime, text: str = "") -> Delivery:
    """A call to the office line."""
    return Delivery(channel="phone", source="office", source_title="Офис, +7 900 000-00-10", delivery_id=_id(client, at),
                    names=(f"call/{_id(client, at)}",), text=text, addresses=_phone(client),
                    timezone=client.zone if client.number % 2 else "",
                    fields=(("line", "+79000000010"), ("seconds", str(60 + client.number * 7))))


def social(client: Client, at: datetime, text: str = "", kind: str = "telegram", later: tuple[Later, ...] = ()) -> Delivery:
    """A message to one of the company's accounts: a nickname, no number."""
    handle = Address(kind, client.nick.lower(), "@" + client.nick)
    return Delivery(channel="social", source=kind, source_title=SOCIAL[kind], delivery_id=_id(client, at), name=client.name,
                    names=(f"{kind}/{_id(client, at)}",), later=later,
                    text=text or client.text, addresses=(handle, *contact.phones_in(text or client.text)))


def email(client: Client, at: datetime, text: str = "", files: tuple[File, ...] = (), subject: str = "") -> Delivery:
    """A letter to the common mailbox; a number in its signature is found."""
    signature = f"\n\n--\n{client.name}\n{client.position}, {client.company}"
    signature += f"\nтел. {client.phone}" if client.gives_phone else ""
    body = (text or client.text) + signature
    return Delivery(channel="email", source="hello@studio-t.example", source_title="hello@studio-t.example",
                    delivery_id=f"<{_id(client, at)}@mail.{client.domain}>", name=client.name, text=body,
                    names=(f"<{_id(client, at)}@mail.{client.domain}>",),
                    subject_line=subject or client.subject, files=files,
                    addresses=(Address("email", client.email, client.email), *contact.phones_in(body)))


def by_hand(client: Client) -> Delivery:
    """What a manager writes down after a talk at a conference or a recommendation."""
    return Delivery(channel="phone", source="manual", source_title="Вручную", name=client.name, company=client.company,
                    text=client.text, addresses=_phone(client), timezone=client.zone)


def _id(client: Client, at: datetime) -> str:
    return f"{client.key}-{at:%Y%m%d%H%M%S}"


def _phone(client: Client) -> tuple[Address, ...]:
    found = contact.phone(client.phone)
    assert found is not None
    return (found,)


BRIEF = File("Бриф на разработку.txt", "text/plain", """БРИФ НА РАЗРАБОТКУ

1. О компании. Производим и продаём оборудование, 14 филиалов, дилерская сеть в 40 городах.
2. Что есть сейчас. Сайт 2017 года, заявки приходят на общую почту, дилеры заказывают по телефону.
3. Что нужно. Личный кабинет дилера: каталог с ценами дилера, заказ, статус отгрузки, документы.
4. С чем связать. 1С:УТ 11, телефония, служба доставки.
5. Когда. Первая очередь к началу сезона.
6. Как будем выбирать. Опыт в B2B-кабинетах, понятный план работ, цена владения за три года.
""".encode())
PRICES = File("Ассортимент и остатки.csv", "text/csv", "артикул;название;остаток;цена\n".encode("utf-8-sig") + "".join(
    f"KT-{n:04d};Комплектующая {n};{n * 7 % 90};{n * 130 + 990}\n" for n in range(1, 61)).encode())
"""Two files that clients attach."""
