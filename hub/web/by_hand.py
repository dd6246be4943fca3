"""A card opened by hand: what somebody typed, or a program sent, as a delivery (R1). For the page and for the API alike."""

from __future__ import annotations

from hub.domain import contact
from hub.domain.delivery import Address, Delivery
from hub.domain.errors import Refused, sentences

sentences(
    say_who=(
        "Укажите телефон, почту или имя: иначе карточку ни с кем не связать.",
        "Give a phone, an e-mail or a name: otherwise the card belongs to nobody.",
    ),
)


def delivery_by_hand(*, channel: str, name: str, phone: str, email: str, company: str, text: str, timezone: str) -> Delivery:
    """Refused without anybody to write or call to, and where an address or a zone is none."""
    addresses: list[Address] = []
    for kind, given, read in (("phone", phone.strip(), contact.phone), ("email", email.strip(), contact.email)):
        if given:
            found = read(given)
            if found is None:
                raise Refused(f"bad_{kind}", rule="R3", field=kind, given=given[:60])
            addresses.append(found)
    if not addresses and not name.strip():
        raise Refused("say_who", rule="R1", field="phone")
    if timezone and not contact.is_zone(timezone):
        raise Refused("bad_timezone", rule="R3", field="timezone", given=timezone[:60])
    return Delivery(channel=channel, source="by_hand", source_title="вручную", name=name.strip(), text=text.strip(),
                    company=company.strip(), addresses=tuple(addresses), timezone=timezone)
