"""Personal data of clients: find a person, see what an erasure would reach, erase, and how far an erasure is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from hub.domain.delivery import Address
from hub.domain.errors import NotFound
from hub.privacy import Client, Clients, Eraser, Reach
from hub.web.api.base import endpoint
from hub.web.desk import me, now, parts, settle, the_hub

TAG = "Personal data"
MOST_ALSO = 50


class ClientCard(Struct, frozen=True):
    """A card that a person is or was on."""

    lead: UUID
    number: int


class FoundPerson(Struct, frozen=True, kw_only=True):
    """A person of the client's side, over all cards. ``names``: the newest last."""

    id: UUID
    names: tuple[str, ...]
    addresses: tuple[Address, ...]
    cards: tuple[ClientCard, ...]


class FoundPersons(Struct, frozen=True):
    """At most twenty."""

    items: list[FoundPerson]


class PersonsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to find."""

    q: Annotated[str, Meta(min_length=1, max_length=200, description="A phone, an e-mail address, a name or a card's number.")]


class ReachedCard(Struct, frozen=True, kw_only=True):
    """A card that an erasure reaches. ``texts``: what staff wrote on it goes as well; ``others`` are people on it who stay."""

    lead: UUID
    number: int
    open: bool
    texts: bool
    others: tuple[str, ...]
    mentions: int


class ErasureReach(Struct, frozen=True, kw_only=True):
    """What an erasure would reach. ``twins`` share an address and are not taken along. ``code`` confirms exactly this."""

    people: tuple[UUID, ...]
    twins: tuple[UUID, ...]
    cards: tuple[ReachedCard, ...]
    deliveries: int
    files: int
    entries: int
    keys: int
    removals: int
    code: str


class ErasureOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``also``: others who are the same person; null takes those who share an address and are called the same.
    ``shared_texts`` false keeps staff's texts on cards with other people on them."""

    also: Annotated[tuple[UUID, ...], Meta(max_length=MOST_ALSO)] | None = None
    shared_texts: bool = True


class ErasureOrder(ErasureOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``reason`` stays for good and must not quote the person; ``code`` is that of the reach with the same options."""

    reason: Annotated[str, Meta(min_length=1, max_length=300)]
    code: Annotated[str, Meta(max_length=64)]


class ReachedCount(Struct, frozen=True):
    """How many of something."""

    what: str
    n: int


class ErasureReport(Struct, frozen=True, kw_only=True):
    """An erasure. ``left`` is what people must still do, ``again`` what the hub tries again, by codes (docs/privacy.md);
    ``pending`` and ``failed`` count copies at providers."""

    id: UUID
    begun_at: datetime
    reason: str
    rule: str
    finished: bool
    reached: tuple[ReachedCount, ...]
    left: tuple[str, ...]
    again: tuple[str, ...]
    pending: int
    failed: int


def _eraser() -> Eraser:
    here = parts()
    return Eraser(here.hub, here.runner, here.accounts)


def _found(client: Client) -> FoundPerson:
    return FoundPerson(id=client.id, names=client.names, addresses=client.addresses,
                       cards=tuple(ClientCard(card.id, card.number) for card in client.cards))


@endpoint("GET", "/persons", tag=TAG, query=PersonsQuery, gives=FoundPersons, scopes=("admin",))
def find_persons(query: PersonsQuery) -> FoundPersons:
    """People of the client's side; those who were erased are found no more."""
    return FoundPersons([_found(client) for client in Clients(the_hub()).find(query.q.replace("\x00", ""))])


@endpoint("POST", "/persons/<uuid:person>/reach", tag=TAG, body=ErasureOptions, gives=ErasureReach, scopes=("admin",))
def get_reach(person: UUID, body: ErasureOptions) -> ErasureReach:
    """What erasing a person would reach. Nothing is changed."""
    the_hub().allow("person.erase", person, "admin", actor=me().actor, at=now())
    return _told(_eraser().reaching.of(person, body.also, shared_texts=body.shared_texts))


def _told(reach: Reach) -> ErasureReach:
    cards = tuple(ReachedCard(lead=r.card.id, number=r.card.number, open=r.card.state.open, texts=r.texts, others=r.others,
                              mentions=r.mentions) for r in reach.cards)
    twins = tuple(client.id for client in reach.twins if client.id not in reach.taken)
    return ErasureReach(people=tuple(sorted(reach.taken)), twins=twins, cards=cards, deliveries=len(reach.receipts),
                        files=reach.files, entries=len(reach.entries), keys=len(reach.subjects), removals=len(reach.removals),
                        code=reach.seal)


@endpoint("POST", "/persons/<uuid:person>/erase", tag=TAG, body=ErasureOrder, gives=ErasureReport, scopes=("admin",))
def erase_person(person: UUID, body: ErasureOrder) -> ErasureReport:
    """Erase a person: what their reach with this ``code`` said, for good. Where that has changed: 409, and nothing is done."""
    erasure = _eraser().erase(person, body.reason, also=body.also, shared_texts=body.shared_texts, seal=body.code,
                              actor=me().actor, at=now())
    settle()
    return get_erasure(erasure)


@endpoint("GET", "/erasures/<uuid:erasure>", tag=TAG, gives=ErasureReport, scopes=("admin",))
def get_erasure(erasure: UUID) -> ErasureReport:
    """How far an erasure is, and what people must still do."""
    state = _eraser().state(erasure)
    begun, finished = state.begun, state.finished
    if begun is None or state.begun_at is None:
        raise NotFound("no_such_erasure")
    statuses = [removal.status for removal in state.removals.values()]
    return ErasureReport(
        id=erasure, begun_at=state.begun_at, reason=begun.reason, rule=begun.rule, finished=finished is not None,
        reached=tuple(ReachedCount(c.what, c.n) for c in finished.reached) if finished else (),
        left=finished.left if finished else (), again=finished.again if finished else (),
        pending=statuses.count("asked"), failed=statuses.count("failed"))
