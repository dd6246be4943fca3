"""Partner agencies and the refusal letter that offers them (R12, R13)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.aggregate import Aggregate
from hub.domain.errors import NotFound, Refused, sentences
from hub.domain.event import Event, topic
from hub.domain.process import Process
from hub.domain.state import LeadState

TEMPLATES = UUID("c5f1a8a2-7f39-5e61-9a0c-0d9a5f1b7c12")
EVERYWHERE = ("name", "company", "manager", "agency")
PLACES_OF = {"refusal": (*EVERYWHERE, "reasons", "partners"), "invitation": (*EVERYWHERE, "when"),
             "acknowledgement": ("name", "company", "agency"), "acknowledgement.en": ("name", "company", "agency")}
"""What a letter template may name as ``{name}``, where that is not :data:`EVERYWHERE`: nobody signs what leaves by itself, and
only an invitation has a time."""

sentences(
    no_such_partner=("Такого партнёра нет. Обновите страницу.", "There is no such partner. Reload the page."),
    no_such_price=("Нет ценового сегмента «{given}». Есть: {known}.", "There is no price segment “{given}”. There are: {known}."),
    no_price=("Выберите хотя бы один ценовой сегмент.", "Choose at least one price segment."),
    bad_site=("Адрес сайта начинается с https:// или http://.", "A site's address begins with https:// or http://."),
    no_such_place=("В этом письме нет места {{{given}}}. Есть: {known}.",
                   "This letter has no place {{{given}}}. There are: {known}."),
    broken_place=("Фигурная скобка без пары: «{given}». Место пишется так: {{name}}.",
                  "A brace without its pair: “{given}”. A place is written like this: {{name}}."),
    empty_template=("У письма должны быть тема и текст.", "A letter needs a subject and a text."),
)


@topic("partner.added")
class PartnerAdded(Event, frozen=True, kw_only=True):
    """A vetted agency joined the directory."""

    name: str
    prices: tuple[str, ...]
    technologies: tuple[str, ...] = ()
    site: str = ""
    contact: str = ""
    about: str = ""


@topic("partner.edited")
class PartnerEdited(Event, frozen=True, kw_only=True):
    """What is known of a partner changed."""

    name: str
    prices: tuple[str, ...]
    technologies: tuple[str, ...] = ()
    site: str = ""
    contact: str = ""
    about: str = ""


@topic("partner.retired")
class PartnerRetired(Event, frozen=True, kw_only=True):
    """A partner is offered no more."""

    why: str = ""


@topic("partner.restored")
class PartnerRestored(Event, frozen=True, kw_only=True):
    """A partner is offered again."""


class PartnerState(Struct, frozen=True):
    """An agency to offer."""

    name: str = ""
    prices: tuple[str, ...] = ()
    technologies: tuple[str, ...] = ()
    site: str = ""
    contact: str = ""
    about: str = ""
    retired: bool = False


class Partner(Aggregate[PartnerState]):
    """An entry of the partner directory (R13)."""

    EMPTY = PartnerState()

    @staticmethod
    def evolve(state: PartnerState, event: Event) -> PartnerState:
        match event:
            case PartnerAdded() | PartnerEdited():
                return PartnerState(event.name, event.prices, event.technologies, event.site, event.contact, event.about,
                                    state.retired)
            case PartnerRetired():
                return replace(state, retired=True)
            case PartnerRestored():
                return replace(state, retired=False)
        return state

    def write(self, process: Process, name: str, prices: tuple[str, ...], technologies: tuple[str, ...] = (), site: str = "",
              contact: str = "", about: str = "") -> None:
        """Add the partner, or change what is known of it."""
        if not name.strip():
            raise Refused("say_name", field="name")
        if not prices and process.price_segments:
            raise Refused("no_price", rule="R13", field="prices")
        for p in prices:
            if p not in process.price_segments:
                raise Refused("no_such_price", rule="R13", field="prices", given=p, known=", ".join(process.price_segments))
        if site.strip() and not re.match(r"https?://[^\s/]", site.strip()):
            raise Refused("bad_site", field="site")
        new = PartnerState(name.strip(), tuple(prices), tuple(t.strip() for t in technologies if t.strip()), site.strip(),
                           contact.strip(), about.strip(), self.state.retired)
        if new != self.state:
            fields = {f: getattr(new, f) for f in new.__struct_fields__ if f != "retired"}
            self.record(PartnerEdited if self.state.name else PartnerAdded, **fields)

    def retire(self, why: str = "") -> None:
        """Offer the partner no more."""
        self._exists()
        if not self.state.retired:
            self.record(PartnerRetired, why=why.strip())

    def restore(self) -> None:
        """Offer the partner again."""
        self._exists()
        if self.state.retired:
            self.record(PartnerRestored)

    def _exists(self) -> None:
        if not self.state.name:
            raise NotFound("no_such_partner")


def failed(state: LeadState) -> tuple[str, ...]:
    """What the lead failed on: parameters with −1 on the newest sheet, in its order (R12)."""
    return tuple(p for p, mark in state.score.marks.items() if mark < 0) if state.score else ()


def reasons(state: LeadState, process: Process) -> tuple[str, ...]:
    """Why "no", as words for the letter: the hard criterion, then the sheet's −1s that a client may read (R12)."""
    found = []
    if state.disqualified in process.hard_criteria:
        found.append(process.hard_criteria[state.disqualified].title.lower())
    said = {p.id: p for block in process.file.blocks if block.in_letter for p in block.parameters}
    found += [f"{said[p].title.lower()}: {said[p].minus}" for p in failed(state) if p in said]
    return tuple(found)


def fitting(partners: Iterable[tuple[UUID, PartnerState]], state: LeadState, process: Process) -> list[tuple[UUID, PartnerState]]:
    """Partners for what the lead failed on, best first (R13).

    The file says what counts (``partners_by``): the price (the band of the named budget, else the cheapest one), or the
    technologies that the client's words name. Without either kind of failure every partner is offered.
    """
    lost = {*(process.parameters[p].partners_by for p in failed(state) if p in process.parameters),
            *(c.partners_by for c in [process.hard_criteria.get(state.disqualified)] if c is not None)}
    words = " ".join((state.about, state.title, *(m.text for m in state.messages))).lower()
    bands = list(process.price_segments.values())
    band = ""
    if "price" in lost and bands:
        amount = state.budget.amount if state.budget else Decimal(0)
        band = next((b.id for b in bands if b.up_to is None or amount <= b.up_to), bands[-1].id)
    by_technology = "technologies" in lost

    def fit(partner: PartnerState) -> int:
        price = 2 if band and band in partner.prices else 0
        technology = 1 if by_technology and any(t.lower() in words for t in partner.technologies) else 0
        return price + technology

    known = [(id, p) for id, p in partners if not p.retired]
    if band or by_technology:
        known = [(id, p) for id, p in known if fit(p)] or known
    return sorted(known, key=lambda pair: (-fit(pair[1]), pair[1].name))


@topic("template.written")
class TemplateWritten(Event, frozen=True, kw_only=True):
    """The wording of a letter changed."""

    name: str
    subject_line: str
    body: str


class TemplateState(Struct, frozen=True):
    """A letter's wording with places such as ``{name}``."""

    name: str = ""
    subject_line: str = ""
    body: str = ""

    def fill(self, **values: str) -> tuple[str, str]:
        """Subject and text with the places filled; a place without a value becomes empty."""
        def put(text: str) -> str:
            return re.sub(r"\{(\w+)\}", lambda m: values.get(m.group(1), ""), text)
        return put(self.subject_line), put(self.body)


def template_stream(name: str) -> UUID:
    """The stream of a letter's wording."""
    return uuid5(TEMPLATES, name)


class Template(Aggregate[TemplateState]):
    """The wording of one letter."""

    EMPTY = TemplateState()

    @staticmethod
    def evolve(state: TemplateState, event: Event) -> TemplateState:
        return TemplateState(event.name, event.subject_line, event.body) if isinstance(event, TemplateWritten) else state

    def write(self, name: str, subject_line: str, body: str) -> None:
        """Change the wording; a place that does not exist is refused before it reaches a client."""
        if not subject_line.strip() or not body.strip():
            raise Refused("empty_template", rule="R12", field="body")
        known = PLACES_OF.get(name, EVERYWHERE)
        for field, text in (("subject_line", subject_line), ("body", body)):
            for place in re.findall(r"\{([^{}]*)\}", text):
                if place not in known:
                    raise Refused("no_such_place", rule="R12", field=field, given=place[:40],
                                  known=", ".join("{" + p + "}" for p in known))
            alone = re.search(r"[{}].{0,20}", re.sub(r"\{[^{}]*\}", "", text))
            if alone:
                raise Refused("broken_place", rule="R12", field=field, given=alone[0])
        new = TemplateState(name, subject_line.strip(), body.strip())
        if new != self.state:
            self.record(TemplateWritten, name=name, subject_line=new.subject_line, body=new.body)
