"""Erasing a person: nothing of theirs is left in any file, and everything else is as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from hub.domain import events as e
from hub.domain.aggregate import Stamp
from hub.domain.delivery import Address
from hub.domain.errors import Conflict, NotAllowed, NotFound, Refused
from hub.domain.event import ERASED
from hub.domain.fact import Fact, own_name
from hub.domain.lead import Lead
from hub.domain.privacy import ErasureBegun
from hub.domain.staff import user_stream
from hub.store import Conflict as Taken
from tests.house import MONDAY, Department, actor, after, form, phone
from tests.privacy.clinic import ADDRESSES, EMAIL, NAME, PHONE, Clinic, delivery, furnish, held_by
from tests.stores.projection_contract import dump

on_both_stores = pytest.mark.usefixtures("both_stores")


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with Department(tmp_path) as house:
        yield Clinic(house.begin())


def code(call: object, *arguments: object, **more: object) -> str:
    """The code of the refusal that a call ends in."""
    assert callable(call)
    with pytest.raises(Refused) as refused:
        call(*arguments, **more)
    return refused.value.code


@on_both_stores
def test_afterwards_no_copy_is_in_any_file_of_the_databases(clinic: Clinic) -> None:
    lead = furnish(clinic)
    before = {canary for held in held_by(clinic.house).values() for canary in held}
    assert before >= {NAME, "оранжерея-канарейки", "шаг-канарейка"}, "the test looks in the wrong files"
    log = clinic.house.store.tail(0, 10_000)

    erasure = clinic.erase(clinic.person(lead))

    assert held_by(clinic.house) == {}
    assert clinic.house.store.tail(0, 10_000)[:len(log)] == log, "the log's bytes never change"
    finished = clinic.eraser.state(erasure).finished
    assert finished is not None
    assert finished.again == ()
    reached = {count.what: count.n for count in finished.reached}
    assert reached["cards"] == reached["people"] == reached["card_texts"] == 1
    assert reached["files"] == 1
    assert reached["deliveries"] == 3, "the form, the one in quarantine, the dead letter"
    assert {"backups", "erasure_list", "staff", "open_cards"} <= set(finished.left)


def test_the_timeline_and_the_numbers_stay_and_the_fields_read_erased(clinic: Clinic) -> None:
    lead = furnish(clinic)
    before = clinic.house.hub.lead(lead)
    topics = clinic.house.topics(lead)

    clinic.erase(clinic.person(lead))

    state = clinic.house.hub.lead(lead)
    assert clinic.house.topics(lead)[:len(topics)] == topics
    assert (state.stage, state.owner, state.score and state.score.total) == (before.stage, before.owner, 11)
    assert state.person.name == state.company == state.messages[0].text == ERASED
    assert state.person.addresses == ()
    assert [row["name"] for row in clinic.house.leads() if row["id"] == lead.hex] == [ERASED]


@on_both_stores
def test_other_people_keep_everything(clinic: Clinic) -> None:
    lead = furnish(clinic)
    others = [UUID(row["id"]) for row in clinic.house.leads() if row["id"] != lead.hex]
    before = [clinic.house.hub.lead(other) for other in others]
    clinic.erase(clinic.person(lead))
    assert [clinic.house.hub.lead(other) for other in others] == before


def test_the_search_finds_nobody_and_others_still(clinic: Clinic) -> None:
    lead = furnish(clinic)
    other = clinic.house.new_lead(form(phone(1)))
    clinic.house.runner.catch_up()
    found = clinic.house.views.leads.found
    assert [row["id"] for row in found(PHONE)] == [row["id"] for row in found("Канарейкин")] == [lead.hex]
    clinic.erase(clinic.person(lead))
    assert found(PHONE) == found("Канарейкин") == found(EMAIL) == []
    assert [row["id"] for row in found(phone(1).value)] == [other.hex]


@on_both_stores
def test_read_models_made_anew_are_the_same(clinic: Clinic) -> None:
    lead = furnish(clinic)
    clinic.erase(clinic.person(lead))
    clinic.house.runner.catch_up()
    for projection in clinic.house.views.all:
        incremental = dump(clinic.house.store, projection)
        clinic.house.runner.rebuild(projection.name)
        assert dump(clinic.house.store, projection) == incremental, projection.name


@on_both_stores
def test_another_process_forgets_without_a_restart(clinic: Clinic, tmp_path: Path) -> None:
    lead = furnish(clinic)
    with Department(tmp_path) as other:
        assert other.hub.lead(lead).person.name == NAME
        clinic.erase(clinic.person(lead))
        assert other.hub.lead(lead).person.name == ERASED
        assert other.hub.lead(lead).messages[0].text == ERASED
        assert NAME not in repr(other.hub.streams._states)
        assert NAME not in repr(other.views.leads._states._states)


@on_both_stores
def test_a_command_in_another_process_at_that_moment_puts_nothing_back(clinic: Clinic, tmp_path: Path) -> None:
    """It was decided on what could be read before: it is refused its turn, and decided again on the erased card."""
    lead = furnish(clinic)
    with Department(tmp_path) as other:
        decided = Lead(lead, Stamp(actor("anna"), after(hours=1), uuid4()), other.hub.lead(lead), other.hub.version(lead),
                       process=other.hub.process)
        decided.note("заметка-канарейка снова")
        clinic.erase(clinic.person(lead))
        with pytest.raises(Taken):
            other.hub.streams.save([decided])
        assert other.hub.lead(lead).person.name == ERASED
    assert held_by(clinic.house) == {}


# ── who comes back ───────────────────────────────────────────────────────────────────


@on_both_stores
def test_a_new_request_from_the_same_address_starts_anew(clinic: Clinic) -> None:
    lead = furnish(clinic)
    person = clinic.person(lead)
    clinic.erase(person)
    came = clinic.house.receive(delivery("Снова я"), after(days=2))
    state = clinic.house.hub.lead(came.lead)  # type: ignore[arg-type]
    assert came.began
    assert (came.lead != lead, state.main_person != person, state.previous_lead) == (True, True, None)
    assert state.messages[0].text == "Снова я"
    assert {a.value for a in state.person.addresses} == {PHONE, EMAIL}
    again = clinic.house.receive(delivery("И ещё"), after(days=2, minutes=1))
    assert again.lead == came.lead, "from then on they are known again, as anybody"
    ties = [ev for _, ev in clinic.house.store.log(0, 10_000) if ev.TOPIC == "contact.tied" and ev.person_id == state.main_person]  # type: ignore[attr-defined]
    severed = {ev.originator_id for _, ev in clinic.house.store.log(0, 10_000) if ev.TOPIC == "contact.severed"}
    assert not severed & {ev.originator_id for ev in ties}, "no stream tells that it is the same address"


def test_an_answer_to_an_old_message_starts_anew_too(clinic: Clinic) -> None:
    """Another channel, and not by an address but by the thread of a message of ours."""
    house = clinic.house
    mail = replace(form(ADDRESSES[1], text="Письмо"), channel="email", source="email/main", names=("<one@kanareika.example>",))
    lead = house.new_lead(mail)
    clinic.erase(clinic.person(lead))
    answer = replace(form(ADDRESSES[1], text="Ответ"), channel="email", source="email/main", names=("<two@kanareika.example>",),
                     threads=("<one@kanareika.example>",))
    came = house.receive(answer, after(days=2))
    assert came.began
    assert house.hub.lead(came.lead).previous_lead is None  # type: ignore[arg-type]


def test_the_same_delivery_repeated_brings_nothing_back(clinic: Clinic) -> None:
    first = delivery("Нужна оранжерея-канарейки", id="one-and-only")
    lead = clinic.house.new_lead(first)
    clinic.erase(clinic.person(lead))
    again = clinic.house.receive(first, after(days=2))
    assert (again.duplicate, again.lead) == (True, lead)
    clinic.house.runner.catch_up()
    assert held_by(clinic.house) == {}


def test_what_a_provider_says_later_of_their_messages_is_not_kept(clinic: Clinic) -> None:
    lead = furnish(clinic)
    fixed = clinic.house.hub.lead(lead).outgoing[1].fixed_id
    clinic.erase(clinic.person(lead))
    head = clinic.house.store.head()
    fact = Fact(about=own_name(fixed), kind="message", status="failed", why=f"{PHONE} зов-канарейка")
    assert clinic.house.hub.hear(fact, channel="twilio", at=after(days=2)) is None
    assert clinic.house.store.head() == head


# ── several people, several cards ────────────────────────────────────────────────────


def test_all_cards_of_a_person_are_reached(clinic: Clinic) -> None:
    house = clinic.house
    first = house.new_lead(delivery("Раз"))
    house.do(first, "take")
    house.do(first, "lose", reason=next(iter(house.hub.process.loss_reasons)), closeness="unknown")
    second = house.new_lead(delivery("Два"), after(days=1))
    assert first != second
    clinic.erase(clinic.person(second))
    for lead in (first, second):
        assert house.hub.lead(lead).messages[0].text == ERASED


def test_who_has_the_same_address_and_name_on_another_card_is_the_same_person(clinic: Clinic) -> None:
    house = clinic.house
    lead = house.new_lead(delivery())
    other = house.new_lead(form(phone(1)))
    house.do(other, "take")
    house.do(other, "add_person", name=NAME, email=EMAIL)
    house.do(other, "add_person", name="Секретарь", phone=PHONE)
    house.runner.catch_up()
    reach = clinic.eraser.reaching.of(clinic.person(lead))
    assert sorted(client.name for client in reach.clients) == [NAME, NAME]
    assert sorted(twin.name for twin in reach.twins) == [NAME, "Секретарь"], "somebody who shares a telephone is only shown"
    clinic.erase(clinic.person(lead))
    names = sorted(p.name for p in house.hub.lead(other).people.values())
    assert names == sorted([ERASED, "Иван", "Секретарь"])


def shared(clinic: Clinic, note: str) -> UUID:
    """A card of Ivan's, on which the person is another contact."""
    house = clinic.house
    card = house.new_lead(form(phone(7), text="Нужен склад"))
    house.do(card, "take")
    house.do(card, "add_person", name=NAME, email=EMAIL)
    house.do(card, "note", text=note)
    house.runner.catch_up()
    return card


def by_name(clinic: Clinic, lead: UUID) -> UUID:
    return next(p.id for p in clinic.house.hub.lead(lead).people.values() if p.name == NAME)


def test_another_persons_card_keeps_its_texts_where_they_do_not_name_the_erased_one(clinic: Clinic) -> None:
    card = shared(clinic, "Иван любит зелёный")
    reach = clinic.eraser.reaching.of(by_name(clinic, card))
    assert [(r.others, r.mentions, r.texts) for r in reach.cards] == [(("Иван",), 0, False)]
    clinic.erase(by_name(clinic, card))
    notes = [ev.text for ev in clinic.house.hub.history(card) if isinstance(ev, e.NoteAdded)]
    assert notes == ["Иван любит зелёный"]
    assert clinic.house.hub.lead(card).messages[0].text == "Нужен склад"
    assert clinic.house.hub.lead(card).open
    assert clinic.house.hub.lead(card).dues, "work goes on with the other one"
    assert held_by(clinic.house) == {}


@pytest.mark.parametrize("keep", [False, True])
def test_texts_that_name_the_person_go_unless_somebody_wants_to_keep_them(clinic: Clinic, keep: bool) -> None:
    card = shared(clinic, f"{NAME} заметка-канарейка")
    erasure = clinic.erase(by_name(clinic, card), shared_texts=not keep)
    notes = [ev.text for ev in clinic.house.hub.history(card) if isinstance(ev, e.NoteAdded)]
    assert notes == [f"{NAME} заметка-канарейка" if keep else ERASED]
    finished = clinic.eraser.state(erasure).finished
    assert finished is not None
    assert ("shared_texts" in finished.left) == keep


@on_both_stores
def test_a_merged_card_is_reached_with_the_one_it_went_into(clinic: Clinic) -> None:
    house = clinic.house
    survivor, other = house.new_lead(form(phone(3))), house.new_lead(delivery())
    for lead in (survivor, other):
        house.do(lead, "take")
    house.hub.merge(survivor, other, "та же просьба", actor=actor("anna"), at=MONDAY)
    house.runner.catch_up()
    clinic.erase(clinic.person(other))
    assert house.hub.lead(other).messages[0].text == ERASED
    assert NAME not in {p.name for p in house.hub.lead(survivor).people.values()}
    assert house.hub.lead(survivor).person.name == "Иван"
    assert held_by(house) == {}


# ── what is under way ────────────────────────────────────────────────────────────────


def test_what_was_asked_and_has_not_left_is_not_sent(clinic: Clinic) -> None:
    lead = furnish(clinic)
    clinic.erase(clinic.person(lead))
    message = clinic.house.hub.lead(lead).outgoing[1]
    assert (message.status, message.code) == ("failed", "erased")
    assert clinic.house.views.outbox.waiting() == {}


@on_both_stores
def test_what_is_leaving_at_that_moment_is_said_to_be_unknown_until_the_provider_answers(clinic: Clinic) -> None:
    lead = furnish(clinic)
    house = clinic.house
    fixed = house.hub.lead(lead).outgoing[1].fixed_id
    with house.store.writing() as cursor:
        cursor.execute("INSERT INTO outbox_tries VALUES (?, 'email/main', 'claimed', 0, '[]', 1, ?, NULL, '')",
                       (fixed, MONDAY.isoformat()))
    clinic.erase(clinic.person(lead))
    assert house.hub.lead(lead).outgoing[1].status == "unknown"
    house.hub.find_out(lead, lambda one: one.message_sent(1, ("<left@kanareika.example>",)), at=after(days=1, minutes=1))
    house.runner.catch_up()
    assert house.hub.lead(lead).outgoing[1].status == "sent"
    assert held_by(house) == {}, "what the provider calls it is sealed under a key that nobody has"


def test_what_staff_write_on_the_card_later_is_kept(clinic: Clinic) -> None:
    lead = furnish(clinic)
    clinic.erase(clinic.person(lead))
    clinic.house.do(lead, "note", at=after(days=2), text="Закрыли по просьбе")
    clinic.house.do(lead, "lose", at=after(days=2), reason=next(iter(clinic.house.hub.process.loss_reasons)), closeness="unknown",
                    debrief="клиент отозвал согласие")
    notes = [ev.text for ev in clinic.house.hub.history(lead) if isinstance(ev, e.NoteAdded)]
    assert notes == [ERASED, "Закрыли по просьбе"]
    assert clinic.house.hub.lead(lead).losses[0].debrief == "клиент отозвал согласие"


def test_nobody_adds_to_an_erased_person(clinic: Clinic) -> None:
    lead = furnish(clinic)
    clinic.erase(clinic.person(lead))
    do = clinic.house.do
    assert code(do, lead, "add_address", at=after(days=2), kind="phone", value=PHONE) == "person_was_erased"
    assert code(do, lead, "capture_contact", at=after(days=2), phone=PHONE) == "person_was_erased"
    assert clinic.house.hub.lead(lead).dues == {}, "nobody is left to call: no deadline runs"


# ── who may, and what is refused ─────────────────────────────────────────────────────


def test_only_an_administrator_may_and_the_attempt_is_kept(clinic: Clinic) -> None:
    lead = clinic.house.new_lead(delivery())
    clinic.house.runner.catch_up()
    with pytest.raises(NotAllowed):
        clinic.eraser.erase(clinic.person(lead), "так", actor=actor("anna"), at=MONDAY)
    attempt = clinic.house.store.log(0, 10_000)[-1][1]
    assert (attempt.TOPIC, attempt.command) == ("attempt.refused", "person.erase")  # type: ignore[attr-defined]
    assert clinic.house.hub.lead(lead).person.name == NAME


def test_refusals_say_the_way_out(clinic: Clinic) -> None:
    lead = clinic.house.new_lead(delivery())
    person = clinic.person(lead)
    assert code(clinic.erase, person, "  ") == "say_why_erased"
    assert code(clinic.erase, person, "х" * 301) == "reason_too_long"
    assert code(clinic.erase, person, f"просил {NAME}") == "reason_names_person"
    assert code(clinic.erase, person, "звонил с 8 (916) 123-45-67") == "reason_names_person"
    assert code(clinic.erase, uuid4()) == "no_such_client"
    assert code(clinic.erase, user_stream("anna")) == "not_a_client"
    with pytest.raises(NotFound):
        clinic.eraser.state(uuid4())
    clinic.erase(person)
    assert code(clinic.erase, person) == "client_erased"


def test_what_was_shown_is_what_is_erased(clinic: Clinic) -> None:
    lead = clinic.house.new_lead(delivery())
    clinic.house.runner.catch_up()
    shown = clinic.eraser.reaching.of(clinic.person(lead))
    clinic.house.receive(delivery("Ещё одно"), after(minutes=1))
    with pytest.raises(Conflict) as refused:
        clinic.erase(clinic.person(lead), seal=shown.seal)
    assert refused.value.code == "reach_changed"
    assert clinic.house.hub.lead(lead).person.name == NAME
    clinic.erase(clinic.person(lead), seal=clinic.eraser.reaching.of(clinic.person(lead)).seal)
    assert clinic.house.hub.lead(lead).person.name == ERASED


# ── cut short ────────────────────────────────────────────────────────────────────────


@on_both_stores
@pytest.mark.parametrize("cut", ["_sever", "_tell", "_clean"])
def test_an_erasure_that_was_cut_short_is_gone_on_with(clinic: Clinic, cut: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    lead = furnish(clinic)
    with monkeypatch.context() as patch:
        patch.setattr("hub.privacy.erasing.Eraser." + cut, die)
        with pytest.raises(Killed):
            clinic.erase(clinic.person(lead))
    clinic.house.runner.catch_up()
    assert clinic.eraser.go_on(after(days=1), after=after(days=1) - after(hours=23)) == 0, "the one who began may still be at it"
    assert clinic.eraser.go_on(after(days=1, minutes=5)) == 1
    clinic.house.runner.catch_up()
    assert clinic.eraser.go_on(after(days=1, minutes=6)) == 0
    assert held_by(clinic.house) == {}
    assert clinic.house.topics(lead).count("lead.person_erased") == 1


def test_the_erasure_names_nobody(clinic: Clinic) -> None:
    lead = furnish(clinic)
    erasure = clinic.erase(clinic.person(lead))
    begun = clinic.house.store.read(erasure)[0]
    assert isinstance(begun, ErasureBegun)
    assert (begun.reason, begun.actor) == ("отзыв согласия", actor("adam").id)
    text = json.dumps([str(row.state) for row in clinic.house.store.raw(erasure)], ensure_ascii=False)
    assert not any(canary in text for canary in (NAME, PHONE, EMAIL))


def test_two_telephones_of_one_name_are_two_people(clinic: Clinic) -> None:
    """Only an address ties; who is merely called the same stays."""
    house = clinic.house
    one = house.new_lead(delivery())
    namesake = house.new_lead(replace(form(Address("phone", "+79990001122", "")), name=NAME))
    house.runner.catch_up()
    clinic.erase(clinic.person(one))
    assert house.hub.lead(namesake).person.name == NAME
