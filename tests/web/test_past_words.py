"""Every value of a lead has a name that people know it by: a new field of the state asks for one."""

from __future__ import annotations

import pytest
from msgspec import Struct

from hub.domain import state
from hub.domain.call import Call
from hub.domain.outgoing import Outgoing
from hub.domain.state import LeadState
from hub.web.lead.past_words import BOOK_KEEPING, BOOK_KEEPING_PARTS, FIELDS, GROUPS, ITEMS, PARTS

KINDS: dict[str, type[Struct]] = {
    "people": state.Person, "dues": state.Due, "checks": state.Check, "sheets": state.Sheet, "meetings": state.Meeting,
    "questions": state.Question, "needs": state.Need, "proposals": state.Proposal, "requests": state.ClientRequest,
    "stalls": state.StallState, "letters": state.Letter, "messages": state.Message, "outgoing": Outgoing, "calls": Call,
    "losses": state.Loss, "chances": state.Chance, "win": state.Win, "refusal": state.Refusal}


def test_every_field_of_a_lead_is_named_or_book_keeping() -> None:
    kept = {name.rstrip(".") for name in BOOK_KEEPING}
    named = {key.partition(".")[0] for key in FIELDS} | set(ITEMS) | kept | {"last_at"}
    assert set(LeadState.__struct_fields__) <= named
    assert set(KINDS) == set(ITEMS)
    assert {group for group, _ in (*FIELDS.values(), *ITEMS.values())} == set(GROUPS)


@pytest.mark.parametrize("family", KINDS)
def test_every_part_of_it_is_named_or_book_keeping(family: str) -> None:
    assert set(KINDS[family].__struct_fields__) <= {*PARTS, *BOOK_KEEPING_PARTS}
