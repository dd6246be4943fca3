"""Pages of the card beyond its commands: a card by hand, merging, files, the window of the phone."""

from __future__ import annotations

import re
from io import BytesIO
from uuid import UUID, uuid4

from msgspec.structs import replace

from hub.domain.delivery import Address, Delivery, File
from tests.web.house import House
from tests.web.test_lead_walks import PLUS, Desk, errors, to_proposal, to_scoring


def lead_of(location: str) -> UUID:
    return UUID(location.rpartition("/")[2])


def test_a_card_opened_by_hand_twice_by_one_form_is_one_card_R1(house: House) -> None:
    desk = Desk(house, "manager")
    page = desk.get("/leads/new")
    receipt = re.search(r'name="receipt" value="([^"]+)"', page)
    assert receipt
    values = {"receipt": receipt[1], "channel": "phone", "phone": "8 (912) 345-67-89", "name": "Иван", "text": "Перезвонить"}
    first = desk.post("/leads/new", **values).headers["Location"]
    again = desk.post("/leads/new", **values).headers["Location"]
    assert first == again
    assert house.hub.views.leads.count() == 1
    state = desk.state(lead_of(first))
    assert state.by_hand
    assert state.address("phone") == "+79123456789"
    assert state.messages[0].text == "Перезвонить"


def test_who_is_known_already_lands_on_their_open_card_and_that_is_said_R6(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    answer = desk.post("/leads/new", receipt=str(uuid4()), channel="phone", phone="+7 912 345 67 89", text="Ещё вопрос")
    assert lead_of(answer.headers["Location"]) == lead
    assert len(desk.state(lead).messages) == 2
    assert "У этого клиента уже есть карточка" in desk.get(f"/leads/{lead}")


def test_a_card_by_hand_is_refused_in_place(house: House) -> None:
    desk = Desk(house, "manager")
    for values, sentence in (
        ({"channel": "phone", "phone": "12"}, "не похоже на телефон"),
        ({"channel": "carrier_pigeon"}, "Выберите, откуда"),
        ({"channel": "email", "text": "Аноним"}, "Укажите телефон"),
        ({"channel": "email", "email": "не почта"}, "почт"),
    ):
        page = desk.post("/leads/new", 422, receipt=str(uuid4()), **values).get_data(as_text=True)
        assert sentence in errors(page)[0]
    assert house.hub.views.leads.count() == 0


def test_two_cards_are_merged_by_number_after_both_were_shown_and_split_again_R6(house: House) -> None:
    first, second = house.receive(), house.receive("Иван П.", "+79990001122")
    desk = Desk(house, "manager")
    number = house.hub.views.leads.one(second)["number"]
    page = desk.get(f"/leads/{first}/merge?other=L-{number}")
    assert "Останется" in page
    assert "Будет присоединена" in page
    assert "+7\u00a0999\u00a0000-11-22" in page
    assert desk.state(first).absorbed == ()
    assert "Второй карточки нет" in errors(desk.get(f"/leads/{first}/merge?other=777", 422))[0]
    assert "саму с собой" in errors(desk.get(f"/leads/{first}/merge?other={first}", 422))[0]
    desk.post(f"/leads/{first}/merge", other=str(second), why="Тот же человек")
    assert desk.state(second).merged_into == first
    page = desk.get(f"/leads/{second}")
    assert "Работа идёт там" in page
    assert "Открыть карточку" in page
    assert "/do/note" not in page
    assert f"L-{number}" in desk.get(f"/leads/{first}")
    page = desk.post(f"/leads/{first}/unmerge/{second}", 422, why="").get_data(as_text=True)
    assert errors(page) == ["Напишите причину."]
    desk.post(f"/leads/{first}/unmerge/{second}", why="Разные фирмы")
    assert desk.state(second).open
    assert desk.state(first).absorbed == ()


def test_files_are_saved_never_shown_and_only_of_this_card(house: House) -> None:
    hub = house.hub
    evil = File("../../etc/па\u202eроль.html", "text/html", b"<script>alert(1)</script>")
    delivery = Delivery(
        channel="website",
        source="main",
        delivery_id=uuid4().hex,
        name="Иван",
        files=(evil,),
        addresses=(Address("phone", "+79123456789"),),
    )
    lead = hub.receive(delivery, at=house.clock()).lead
    other = hub.receive(
        replace(delivery, delivery_id=uuid4().hex, files=(), addresses=(Address("phone", "+79120000000"),)), at=house.clock()
    ).lead
    assert lead
    assert other
    house.settle()
    desk = Desk(house, "manager")
    link = re.search(rf'href="(/leads/{lead}/files/\w+)"', desk.get(f"/leads/{lead}"))
    assert link
    answer = desk.client.get(link[1])
    assert answer.data == evil.data
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "etc" not in answer.headers["Content-Disposition"]
    assert "\u202e" not in answer.headers["Content-Disposition"]
    desk.get(link[1].replace(str(lead), str(other)), 404)
    desk.get(f"/leads/{lead}/files/{'0' * 64}", 404)
    desk.get(f"/leads/{lead}/files/..%2f..%2fkeys.db", 404)


def test_a_proposal_carries_its_file_R18(house: House) -> None:
    lead, desk, head = house.receive(), Desk(house, "manager"), Desk(house, "head")
    to_scoring(desk, lead, PLUS)
    to_proposal(desk, head, lead)
    assert 'enctype="multipart/form-data"' in desk.get(f"/leads/{lead}/do/draft_proposal")
    desk.post(
        f"/leads/{lead}/do/draft_proposal",
        amount="3000000",
        currency="RUB",
        valid_until=desk.day(20),
        file=(BytesIO(b"%PDF-1.7"), "КП.pdf", "application/pdf"),
    )
    kept = desk.state(lead).proposals[2].file
    assert kept is not None
    assert kept.name == "КП.pdf"
    assert kept.size == 8
    assert desk.client.get(f"/leads/{lead}/files/{kept.digest}").data == b"%PDF-1.7"
    large = desk.post(
        f"/leads/{lead}/do/draft_proposal",
        422,
        amount="3000000",
        currency="RUB",
        valid_until=desk.day(20),
        file=(BytesIO(b"0" * (10 * 1024 * 1024 + 1)), "КП.pdf", "application/pdf"),
    )
    assert "больше 10 МБ" in large.get_data(as_text=True)
    large.request.environ["wsgi.input"].close()  # the test client keeps a large body in a file


def test_what_the_client_sent_stands_word_for_word_with_its_marks_and_consent(house: House) -> None:
    lead = house.receive(
        fields=(("Имя", "Иван"), ("Какой-то вопрос", "да & нет")),
        attribution=(("utm_source", "yandex"), ("first_utm_source", "vk")),
    )
    page = Desk(house, "manager").get(f"/leads/{lead}")
    assert "Какой-то вопрос" in page
    assert "да &amp; нет" in page
    assert "yandex" in page
    assert "Источник, первый визит" in page


def test_only_people_who_are_signed_in_see_a_card(house: House) -> None:
    lead = house.receive()
    for path in (f"/leads/{lead}", f"/leads/{lead}/do/note", "/leads/new", f"/leads/{lead}/live/story"):
        answer = house.app.test_client().get(path)
        assert answer.status_code == 302
        assert "/sign-in" in answer.headers["Location"]
