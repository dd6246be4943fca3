"""Deliveries come in exactly once, and one person has one open card (R1, R3, R6, R29, R34)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from hub.application import THE_HUB
from hub.domain.delivery import Address, Consent, Delivery, File
from hub.domain.errors import Conflict, NotAllowed, Refused
from hub.domain.staff import User, user_stream
from hub.intake import DUPLICATE_WINDOW
from tests.house import MONDAY, Department, actor, after, form, phone, user

EMAIL = Address("email", "ivan@example.ru", "Ivan@Example.ru")
TELEGRAM = Address("telegram", "ivan_ivanov", "@Ivan_Ivanov")


pytestmark = pytest.mark.usefixtures("both_stores")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house.begin()


# ── once ─────────────────────────────────────────────────────────────────────────


def test_the_first_delivery_begins_a_lead_with_its_clocks(house: Department) -> None:
    """R1, R2, R4: taken within 15 minutes, first contact within 30; both run from receipt."""
    received = house.receive(form(phone(1)))
    assert (received.began, received.duplicate, received.quarantined) == (True, False, False)
    assert received.lead is not None
    state = house.hub.lead(received.lead)
    assert {key: due.due_at for key, due in state.dues.items()} == {"take": after(minutes=15), "contact": after(minutes=30)}
    assert (state.stage, state.received_at, len(state.messages)) == ("new", MONDAY, 1)
    assert house.store.position(received.lead, house.hub.version(received.lead)) <= received.position <= house.store.head()


def test_the_same_delivery_again_answers_as_the_first_time_and_adds_nothing(house: Department) -> None:
    first = house.receive(form(phone(1), id="key-1"))
    stored = house.store.count()
    again = house.receive(form(phone(1), id="key-1"), after(days=3))
    assert again.duplicate
    assert (again.receipt, again.lead) == (first.receipt, first.lead)
    assert house.store.count() == stored


def test_the_same_delivery_again_is_known_by_another_opening_of_the_database(house: Department, tmp_path: Path) -> None:
    first = house.receive(form(phone(1), id="key-1"))
    with Department(tmp_path) as another:
        stored = another.store.count()
        assert another.receive(form(phone(1), id="key-1")).lead == first.lead
        assert another.store.count() == stored


def test_the_same_id_with_another_payload_is_refused(house: Department) -> None:
    house.receive(form(phone(1), id="key-1", text="Нужен сайт"))
    stored = house.store.count()
    with pytest.raises(Conflict) as refusal:
        house.receive(form(phone(1), id="key-1", text="Нужен магазин"))
    assert refusal.value.code == "same_key_other_payload"
    assert house.store.count() == stored


def test_the_same_id_from_another_source_is_another_delivery(house: Department) -> None:
    house.receive(form(phone(1), id="1"))
    other = house.receive(replace(form(phone(2), id="1"), source="landing"))
    assert other.began


def test_deliveries_without_an_id_are_never_taken_for_one(house: Department) -> None:
    assert {house.receive(form(phone(1), id="")).duplicate for _ in range(3)} == {False}
    [row] = house.leads()
    assert len(house.views.receipts.of_lead(house.hub.views.leads.by_number(row["number"]))) == 3


def test_the_same_content_within_the_window_is_marked_and_not_dropped(house: Department) -> None:
    sent = replace(form(phone(1), id=""), fingerprint="the same words")
    lead = house.receive(sent).lead
    assert lead is not None
    house.receive(sent, MONDAY + DUPLICATE_WINDOW)
    house.receive(sent, MONDAY + 2 * DUPLICATE_WINDOW + timedelta(seconds=1))
    assert [house.message(lead, n).possible_duplicate for n in (1, 2, 3)] == [False, True, False]


# ── whose (R6) ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("address", "channel"), [(phone(1), "phone"), (EMAIL, "email"), (TELEGRAM, "social")],
                         ids=["phone", "email", "telegram"])
def test_a_second_channel_of_the_same_person_joins_the_open_card(house: Department, address: Address, channel: str) -> None:
    """R6, by each kind of address; the first card had all three."""
    card = house.new_lead(form(phone(1), EMAIL, TELEGRAM))
    second = house.receive(Delivery(channel=channel, source="line", delivery_id="1", addresses=(address,)), after(minutes=2))
    assert (second.lead, second.began) == (card, False)
    state = house.hub.lead(card)
    assert len(state.messages) == 2
    assert len(state.people) == 1
    assert len(house.leads()) == 1


def test_an_address_that_a_manager_wrote_down_ties_the_next_delivery(house: Department) -> None:
    """R6: the manager learns the phone number, then the client calls from it."""
    card = house.new_lead(form(EMAIL))
    house.do(card, "take")
    house.do(card, "add_address", kind="phone", value=phone(7).value)
    assert house.receive(form(phone(7)), after(minutes=5)).lead == card


def test_known_addresses_of_two_people_go_to_one_card_and_the_other_keeps_its_own(house: Department) -> None:
    """R6: a delivery names Ivan's phone and Pyotr's mailbox. The phone decides; Pyotr's next letter still finds Pyotr's card."""
    ivan, pyotr = house.new_lead(form(phone(1))), house.new_lead(form(EMAIL))
    both = house.receive(form(phone(1), EMAIL), after(minutes=1))
    assert both.lead == ivan
    assert len(house.hub.lead(pyotr).messages) == 1
    assert house.receive(form(EMAIL), after(minutes=2)).lead == pyotr


def test_an_unknown_address_beside_a_known_one_is_learned(house: Department) -> None:
    """R6: phone known, e-mail new; the e-mail alone finds the card next time."""
    card = house.new_lead(form(phone(1)))
    house.receive(form(phone(1), EMAIL))
    assert house.receive(form(EMAIL)).lead == card


def test_after_a_loss_a_new_lead_is_linked_to_the_old_one(house: Department) -> None:
    """R29: what the client sends by itself after an end opens a new lead."""
    old = house.new_lead(form(phone(1)))
    house.do(old, "take")
    house.do(old, "lose", reason="price", closeness="considered", at=after(minutes=5))
    new = house.receive(form(phone(1)), after(days=1))
    assert new.began
    assert new.lead is not None
    assert new.lead != old
    assert house.hub.lead(new.lead).previous_lead == old
    assert house.receive(form(phone(1)), after(days=1, minutes=1)).lead == new.lead, "the new card is the open one"
    assert house.hub.lead(new.lead).main_person == house.hub.lead(old).main_person, "it is the same person"


def _won(house: Department) -> UUID:
    won = house.screened_lead(phone(1))
    house.score(won)
    house.do(won, "win", contract_number="1/26", amount="1500000", signed_on=MONDAY.date())
    house.do(won, "hand_over", account_manager=user("olga"), who="vera")
    return won


def test_a_client_with_a_won_deal_reaches_the_account_manager(house: Department) -> None:
    """R29, R30: the delivery goes to the won lead, and its account manager is told and has a reply due."""
    won = _won(house)
    again = house.receive(form(phone(1)), after(days=1))
    assert (again.lead, again.began) == (won, False)
    assert "reply" in house.hub.lead(won).dues
    house.leads()
    assert "written" in [notice["kind"] for notice in house.views.notices.of(user("olga"))]


def test_the_account_manager_opens_a_new_request_of_a_client(house: Department) -> None:
    """R29: a new lead, linked, with the same person; the next delivery of the client joins it."""
    won = _won(house)
    pressed = uuid4()
    opened = house.hub.open_request(won, "Ещё один сайт", actor=actor("olga"), at=after(days=1), request=pressed)
    again = house.hub.open_request(won, "Ещё один сайт", actor=actor("olga"), at=after(days=1), request=pressed)
    new = opened.lead
    assert new is not None
    assert (opened.began, again.lead, again.duplicate, len(house.hub.lead(won).opened_requests)) == (True, new, True, 1)
    state = house.hub.lead(new)
    assert (state.previous_lead, state.by_hand) == (won, True)
    assert new in house.hub.lead(won).opened_requests
    assert house.receive(form(phone(1)), after(days=2)).lead == new


def test_a_request_is_not_opened_by_a_trainee_and_not_without_words(house: Department) -> None:
    """R29."""
    won = _won(house)
    with pytest.raises(NotAllowed):
        house.hub.open_request(won, "Сайт", actor=actor("tim"), at=after(days=1))
    with pytest.raises(Refused) as refusal:
        house.hub.open_request(won, "  ", actor=actor("olga"), at=after(days=1))
    assert refusal.value.code == "say_text"


def test_a_client_who_writes_wakes_a_sleeping_card(house: Department) -> None:
    """R28, R29: asleep until its date, or until the client writes."""
    card = house.new_lead(form(phone(1)))
    house.do(card, "take")
    house.do(card, "sleep", until=after(days=30).date(), why="проект отложен")
    assert house.hub.lead(card).asleep_until is not None
    house.receive(form(phone(1)), after(days=2))
    state = house.hub.lead(card)
    assert state.asleep_until is None
    assert "reply" in state.dues


def test_deliveries_to_a_merged_card_land_on_the_survivor_and_after_a_split_on_their_own(house: Department) -> None:
    """R6: a wrong merge is split and nothing of either history is lost."""
    survivor, other = house.new_lead(form(phone(1))), house.new_lead(form(EMAIL))
    house.hub.merge(survivor, other, "один человек", actor=actor("anna"), at=after(minutes=1))
    assert house.receive(form(EMAIL), after(minutes=2)).lead == survivor
    house.hub.unmerge(survivor, other, "разные люди", actor=actor("anna"), at=after(minutes=3))
    assert house.receive(form(EMAIL), after(minutes=4)).lead == other
    assert house.receive(form(phone(1)), after(minutes=5)).lead == survivor
    assert len(house.hub.lead(survivor).messages) == 3
    assert len(house.hub.lead(other).messages) == 2


def test_a_manager_opens_a_card_by_hand(house: Department) -> None:
    """R1: for somebody who came past the channels; an auditor may not; a double click makes one card."""
    delivery = replace(form(phone(1), id=""), suspicion="honeypot")
    click = uuid4()
    opened = house.hub.open_by_hand(delivery, actor=actor("anna"), at=MONDAY, receipt=click)
    assert opened.began
    assert not opened.quarantined, "what a colleague types in is not suspect"
    assert house.hub.open_by_hand(delivery, actor=actor("anna"), at=MONDAY, receipt=click).lead == opened.lead
    with pytest.raises(NotAllowed):
        house.hub.open_by_hand(delivery, actor=actor("audra"), at=MONDAY)


def test_what_a_delivery_told_need_not_be_asked(house: Department) -> None:
    """R3: phone, time zone, company, consent and a time to call are taken from the delivery."""
    card = house.new_lead(replace(form(phone(1), EMAIL), timezone="Asia/Omsk", company="ООО Ромашка", convenient_time="утром",
                                  consent=Consent("1", "ab", True)))
    state = house.hub.lead(card)
    assert (state.person.timezone, state.company, state.person.call_words) == ("Asia/Omsk", "ООО Ромашка", "утром")
    assert {a.kind for a in state.person.addresses} == {"phone", "email"}


# ── quarantine ───────────────────────────────────────────────────────────────────


def suspect(id: str = "bad-1") -> Delivery:
    return replace(form(phone(1), id=id), suspicion="honeypot", files=(File("a.txt", "text/plain", b"hello"),))


def test_a_suspect_delivery_waits_whole_and_its_repeat_adds_nothing(house: Department) -> None:
    first = house.receive(suspect())
    assert (first.lead, first.quarantined) == (None, True)
    stored = house.store.count()
    again = house.receive(suspect())
    assert (again.duplicate, again.quarantined, again.receipt) == (True, True, first.receipt)
    assert house.store.count() == stored
    assert house.leads() == []
    assert house.views.receipts.waiting() == 1
    assert house.hub.quarantined(first.receipt).raw == "Нужен сайт"


def test_a_released_delivery_becomes_one_lead_once(house: Department) -> None:
    receipt = house.receive(suspect()).receipt
    released = house.hub.release(receipt, actor=actor("anna"), at=after(hours=1))
    assert released.began
    assert released.lead is not None
    state = house.hub.lead(released.lead)
    assert state.dues["take"].due_at == after(hours=1, minutes=15), "the clocks start when a person let it in"
    [file] = house.message(released.lead).files
    assert house.files.get(file.digest, receipt) == b"hello", "under the key that it came in with"
    with pytest.raises(Refused) as refusal:
        house.hub.release(receipt, actor=actor("boris"), at=after(hours=2))
    assert refusal.value.code == "not_in_quarantine"
    again = house.receive(suspect(), after(hours=3))
    assert (again.duplicate, again.quarantined, again.lead) == (True, False, released.lead)
    assert len(house.leads()) == 1
    assert house.views.receipts.waiting() == 0


def test_a_released_delivery_joins_the_open_card_of_its_person(house: Department) -> None:
    """R6."""
    receipt = house.receive(suspect()).receipt
    card = house.new_lead(form(phone(1)), after(minutes=1))
    assert house.hub.release(receipt, actor=actor("anna"), at=after(hours=1)).lead == card


def test_a_dismissed_delivery_is_kept_and_needs_a_reason(house: Department) -> None:
    receipt = house.receive(suspect()).receipt
    with pytest.raises(Refused) as refusal:
        house.hub.dismiss(receipt, " ", actor=actor("anna"), at=after(hours=1))
    assert refusal.value.code == "say_why_dismissed"
    house.hub.dismiss(receipt, "реклама", actor=actor("anna"), at=after(hours=1))
    assert house.hub.quarantined(receipt).raw == "Нужен сайт"
    with pytest.raises(Refused):
        house.hub.release(receipt, actor=actor("anna"), at=after(hours=2))
    assert house.receive(suspect()).duplicate
    assert house.leads() == []


def test_a_delivery_of_which_nothing_was_understood_is_released_as_what_came(house: Department) -> None:
    broken = Delivery(channel="website", source="main", delivery_id="b", raw="{broken", suspicion="broken_json")
    released = house.hub.release(house.receive(broken).receipt, actor=actor("anna"), at=MONDAY)
    assert released.lead is not None
    assert house.message(released.lead).text == "{broken"


def test_only_those_who_may_open_the_quarantine(house: Department) -> None:
    receipt = house.receive(suspect()).receipt
    with pytest.raises(NotAllowed):
        house.hub.release(receipt, actor=actor("audra"), at=MONDAY)


# ── what lies on the disk ────────────────────────────────────────────────────────

SECRETS = ("Иннокентий", "+79120000042", "inno@example.ru", "совершенно особый текст", "договор.txt", "содержимое файла",
           "сырой запрос", "ООО Лютик")


@pytest.mark.parametrize("database_url", [""])  # it looks into the files
def test_personal_data_is_in_the_clear_in_no_stored_event(house: Department, tmp_path: Path) -> None:
    """Every field of a delivery, accepted and quarantined, and what people write afterwards; log file and WAL included."""
    name, number, mail, text, file_name, content, raw, company = SECRETS
    sent = replace(form(Address("phone", number, number), Address("email", mail, mail), text=text), name=name, raw=raw,
                   company=company, fields=(("имя", name),), files=(File(file_name, "text/plain", content.encode()),))
    card = house.new_lead(sent)
    house.receive(replace(sent, delivery_id="q", suspicion="links"))
    house.do(card, "take")
    house.do(card, "note", text=f"Звонил {name}, {number}")
    states = b"\n".join(row.state for row in house.store.tail(0, 10_000))
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert (tmp_path / "hub-views.db").exists()
    assert len(states) > 2_000
    for secret in SECRETS:
        for form_ in (secret.encode(), secret.encode("unicode_escape"), secret.encode("utf-16-le")):
            assert form_ not in states, f"{secret} is in a stored event"
            assert form_ not in kept, f"{secret} is in a file, with the read models not yet caught up"


def test_files_are_stored_encrypted_and_can_be_read(house: Department, tmp_path: Path) -> None:
    data = "совершенно секретно".encode() * 100
    card = house.new_lead(replace(form(phone(1)), files=(File("../../тз.pdf", "application/pdf", data),)))
    [file] = house.message(card).files
    assert (file.name, file.size) == ("../../тз.pdf", len(data))
    assert house.files.get(file.digest, house.hub.lead(card).main_person) == data
    stored = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert len(stored) == 1
    assert data[:50] not in stored[0].read_bytes()


def test_without_the_key_the_lead_is_still_there_and_the_person_is_not(house: Department, tmp_path: Path) -> None:
    card = house.new_lead(form(phone(1)))
    house.keys.destroy(house.hub.lead(card).main_person)
    with Department(tmp_path) as later:
        state = later.hub.lead(card)
        assert state.stage == "new"
        assert state.person.name == "[erased]"


# ── whose turn (R34) ─────────────────────────────────────────────────────────────


def offered(house: Department, n: int, start: int = 0, *, catch_up: bool = True) -> list[str]:
    """Who gets the next ``n`` leads."""
    names = {user(name): name for name in ("anna", "boris", "vera")}
    got = []
    for i in range(start, start + n):
        lead = house.new_lead(form(phone(100 + i)), after(minutes=i))
        got.append(names[house.hub.lead(lead).offered_to[0]])
        if catch_up:
            house.runner.catch_up()
    return got


def test_leads_go_round_among_those_at_work(house: Department) -> None:
    """R34: 20 leads, ten each, never twice in a row."""
    got = offered(house, 20)
    assert Counter(got) == {"anna": 10, "boris": 10}
    assert all(a != b for a, b in zip(got, got[1:], strict=False))


def test_a_burst_goes_round_as_well_before_the_read_models_have_caught_up(house: Department) -> None:
    """R34."""
    assert Counter(offered(house, 20, catch_up=False)) == {"anna": 10, "boris": 10}


def test_who_is_away_gets_no_turn_and_no_pile_afterwards(house: Department) -> None:
    """R34: Anna is away for ten leads; then both go on by turns."""
    house.absent("anna", MONDAY, MONDAY)
    house.runner.catch_up()
    assert Counter(offered(house, 10)) == {"boris": 10}
    house.hub.change(User, user_stream("anna"), lambda u: u.withdraw_absence(MONDAY.date()), actor=THE_HUB, at=MONDAY)
    house.runner.catch_up()
    assert Counter(offered(house, 10, start=10)) == {"anna": 5, "boris": 5}


def test_out_of_shift_is_not_at_work(house: Department) -> None:
    """R34: Anna works mornings of Tuesdays only; this is a Monday."""
    house.hub.change(User, user_stream("anna"), lambda u: u.set_shifts({2: "09:00-12:00"}), actor=THE_HUB, at=MONDAY)
    house.runner.catch_up()
    assert Counter(offered(house, 4)) == {"boris": 4}


def test_with_nobody_at_work_the_head_is_offered_the_lead(house: Department) -> None:
    """R34."""
    for name in ("anna", "boris"):
        house.absent(name, MONDAY, MONDAY)
    house.runner.catch_up()
    assert Counter(offered(house, 2)) == {"vera": 2}


def test_a_disabled_colleague_gets_nothing(house: Department) -> None:
    """R34."""
    house.hub.disable_user(user_stream("anna"), actor=actor("adam"), at=MONDAY)
    house.runner.catch_up()
    assert Counter(offered(house, 3)) == {"boris": 3}
