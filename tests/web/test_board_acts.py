"""What is done on the board beyond a move: questions first, undo, several at once, tags, a lead in ten seconds."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.projections.lead_queries import Wanted
from tests.web.conftest import sign_in
from tests.web.house import House
from tests.web.test_board import column, do, listed, names, page, scored


class Hand:
    """Somebody's browser with the script in it."""

    def __init__(self, client: FlaskClient, login: str = "manager") -> None:
        self.client = client
        self.token = sign_in(client, login)

    def post(self, path: str, script: bool = True, **fields: Any) -> TestResponse:
        headers = {"X-CSRF-Token": self.token, **({"HX-Request": "true"} if script else {})}
        return self.client.post(path, data=fields, headers=headers)

    def get(self, path: str) -> str:
        answer = self.client.get(path, headers={"HX-Request": "true"})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)


@pytest.fixture
def hand(client: FlaskClient) -> Hand:
    return Hand(client)


def said(answer: TestResponse) -> dict[str, Any]:
    """What the answer tells the script."""
    found: dict[str, Any] = json.loads(answer.headers["HX-Trigger"])
    return found


def screening(house: House, name: str = "Клиника", phone: str = "+79120000001") -> UUID:
    """A lead that the manager has in screening: from there it may go back to contact."""
    lead = house.receive(name, phone)
    do(house, lead, "manager", "take")
    assert house.hub.lead(lead).stage == "screening"
    return lead


# ── undo ─────────────────────────────────────────────────────────────────────────


def test_a_move_can_be_taken_back_from_its_toast_R0(house: House, hand: Hand) -> None:
    lead = screening(house)
    before = page(hand.client, "/board/part")
    moved = said(hand.post(f"/board/{lead}/move", to="contact"))
    assert moved["toast"] == {"text": "Переведено в «Контакт».", "state": "ok", "undo": [str(lead)]}
    house.clock.advance(seconds=9)
    undone = hand.post("/board/undo", lead=str(lead))
    assert undone.status_code == 204
    assert said(undone)["toast"]["text"] == "Перевод отменён."
    assert names(page(hand.client, "/board/part")) == names(before)
    assert house.hub.lead(lead).stage == "screening"


@pytest.mark.parametrize(("what", "sentence"), [("note", "после перевода с заявкой уже что-то произошло"),
                                                ("", "в течение 10 секунд")])
def test_it_is_not_taken_back_once_something_happened_or_it_is_late(house: House, hand: Hand, what: str, sentence: str) -> None:
    lead = screening(house)
    hand.post(f"/board/{lead}/move", to="contact")
    if what:
        do(house, lead, "second", "note", text="звонил клиенту")
    else:
        house.clock.advance(seconds=30)
    refused = hand.post("/board/undo", lead=str(lead))
    assert refused.status_code == 422
    assert sentence in said(refused)["toast"]["text"]
    assert house.hub.lead(lead).stage == "contact"


def test_a_refused_move_offers_no_undo(house: House, hand: Hand) -> None:
    lead = screening(house)
    assert "undo" not in said(hand.post(f"/board/{lead}/move", to="scoring"))["toast"]


# ── questions first ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("what", "field"), [("lose", "closeness"), ("sleep", "until"), ("refuse", "criterion")])
def test_what_is_dropped_at_an_end_is_asked_about_and_nothing_happens_by_asking_R28(house: House, hand: Hand, what: str,
                                                                                    field: str) -> None:
    lead = screening(house)
    version = house.hub.version(lead)
    assert f'name="{field}"' in hand.get(f"/board/{lead}/ask/{what}")
    assert house.hub.version(lead) == version


def test_answers_are_given_and_the_board_is_looked_at_again_R28(house: House, hand: Hand) -> None:
    lead = screening(house)
    refused = hand.post(f"/board/{lead}/ask/lose", reason="price")
    assert refused.status_code == 422
    html = refused.get_data(as_text=True)
    assert re.search(r'value="price" checked|checked[^>]*value="price"', html), "what was chosen stays"
    assert "aria-invalid" in html or "notice bad" in html
    done = hand.post(f"/board/{lead}/ask/lose", reason="price", closeness="second")
    assert (done.status_code, said(done)["toast"]["state"], "board-done" in said(done)) == (204, "ok", True)
    assert house.hub.lead(lead).ended == "lost"


def test_a_refusal_asks_for_the_criterion_and_from_the_refusal_for_the_letter_R8_R12(house: House, hand: Hand) -> None:
    lead = screening(house)
    assert "Отказ начинается с критерия" in hand.get(f"/board/{lead}/ask/refuse")
    do(house, lead, "manager", "finish_screening", progress="none", criteria_checked=True)
    do(house, lead, "manager", "score", marks=dict.fromkeys(house.hub.process.parameters, -1))
    owner = "trainee" if house.hub.lead(lead).owner == house.actor("trainee").id else "manager"
    theirs = Hand(house.app.test_client(), owner)
    assert house.hub.lead(lead).stage == "refusal"
    assert 'name="without_letter"' in theirs.get(f"/board/{lead}/ask/refuse")
    assert theirs.post(f"/board/{lead}/ask/refuse", without_letter="ответили в чате").status_code == 204
    assert house.hub.lead(lead).ended == "refused"


def test_without_the_script_the_questions_are_a_page_that_leads_back(house: House, hand: Hand) -> None:
    lead = screening(house)
    assert "<html" in page(hand.client, f"/board/{lead}/ask/sleep")
    day = (house.clock() + timedelta(days=20)).date().isoformat()
    done = hand.post(f"/board/{lead}/ask/sleep", script=False, until=day, why="весной", back="board")
    assert (done.status_code, done.location) == (303, "/?show=all")
    assert house.hub.lead(lead).asleep_until is not None


def test_the_menu_of_a_card_has_what_drag_has(house: House, hand: Hand) -> None:
    lead = screening(house)
    card = column(page(hand.client, "/"), "screening")
    assert re.findall(rf'/board/{lead}/ask/(\w+)"', card) == ["sleep", "lose", "refuse"]
    scored(house, other := house.receive("Вторая", "+79120000002"), 3)
    card = column(page(hand.client, "/"), "scoring")
    assert re.findall(rf'/board/{other}/ask/(\w+)"', card) == ["sleep", "lose", "refuse", "win"]


def test_who_may_not_work_a_lead_is_asked_nothing(house: House, client: FlaskClient) -> None:
    lead = screening(house)
    auditor = Hand(client, "auditor")
    assert auditor.client.get(f"/board/{lead}/ask/lose").status_code == 403
    assert auditor.post(f"/board/{lead}/ask/lose", reason="price", closeness="second").status_code == 403
    assert auditor.client.get(f"/board/{lead}/ask/nonsense").status_code == 404
    assert 'class="pick"' not in page(auditor.client, "/")


# ── several at once ──────────────────────────────────────────────────────────────


def rows(answer: TestResponse) -> list[tuple[str, bool, str]]:
    """(name, whether it can or was done, what is said of it)."""
    html = answer.get_data(as_text=True)
    found = re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>.*?<span class="fate( no)?">.*?<span>([^<]*)</span>', html, re.S)
    return [(name, not no, text.strip()) for name, no, text in found]


def seen(answer: TestResponse) -> list[str]:
    return re.findall(r'name="seen" value="([^"]+)"', answer.get_data(as_text=True))


def test_several_are_moved_after_a_look_ahead_and_each_says_what_came_of_it(house: House, hand: Hand) -> None:
    one, other, untaken = screening(house), screening(house, "Пекарня", "+79120000002"), house.receive("Новая", "+79120000003")
    do(house, other, "manager", "move", to="contact")
    picked = [str(one), str(other), str(untaken)]
    attempts = house.store.head()
    look = hand.post("/board/bulk", act="move", lead=picked, to="contact")
    assert rows(look)[0] == ("Клиника", True, "Первичный отсев → Контакт")
    assert [(name, able) for name, able, _ in rows(look)] == [("Клиника", True), ("Пекарня", False), ("Новая", False)]
    assert "Сначала возьмите заявку в работу." in rows(look)[2][2]
    assert house.store.head() == attempts, "a look ahead records nothing, not even its refusals"
    done = hand.post("/board/bulk", act="move", lead=picked, to="contact", seen=seen(look), step="do")
    assert rows(done) == [("Клиника", True, "Готово")]
    assert said(done)["toast"] == {"text": "Готово: 1 из 1.", "state": "ok", "undo": [str(one)]}
    assert house.hub.lead(one).stage == "contact"
    assert hand.post("/board/undo", lead=str(one)).status_code == 204
    assert house.hub.lead(one).stage == "screening"


def test_a_lead_that_has_changed_since_the_look_stays_as_it_is_and_says_so(house: House, hand: Hand) -> None:
    one, other = screening(house), screening(house, "Пекарня", "+79120000002")
    picked = [str(one), str(other)]
    look = hand.post("/board/bulk", act="tag", lead=picked, tag="Тендер")
    assert [text for _, _, text in rows(look)] == ["появится метка «тендер»"] * 2
    do(house, one, "second", "note", text="перезвонить")
    done = hand.post("/board/bulk", act="tag", lead=picked, tag="Тендер", seen=seen(look), step="do")
    assert [(name, fine) for name, fine, _ in rows(done)] == [("Клиника", False), ("Пекарня", True)]
    assert "карточку изменили" in rows(done)[0][2]
    assert (house.hub.lead(one).tags, house.hub.lead(other).tags) == ((), ("тендер",))
    assert said(done)["toast"]["text"] == "Готово: 1 из 2."


def test_several_are_given_to_a_colleague_with_a_reason_R31(house: House, hand: Hand) -> None:
    leads = [screening(house), screening(house, "Пекарня", "+79120000002")]
    second = house.actor("second").id
    unsaid = hand.post("/board/bulk", act="assign", lead=[str(x) for x in leads], owner=second)
    assert [able for _, able, _ in rows(unsaid)] == [False, False]
    look = hand.post("/board/bulk", act="assign", lead=[str(x) for x in leads], owner=second, why="отпуск")
    assert rows(look)[0] == ("Клиника", True, "Мария Котова → Пётр Лисин")
    hand.post("/board/bulk", act="assign", lead=[str(x) for x in leads], owner=second, why="отпуск", seen=seen(look), step="do")
    assert {house.hub.lead(lead).owner for lead in leads} == {second}


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"act": "move", "lead": []}, "Сначала отметьте заявки"),
    ({"act": "burn", "lead": ["11111111-1111-1111-1111-111111111111"]}, "Такого действия нет"),
    ({"act": "move", "lead": [f"11111111-1111-1111-1111-{n:012d}" for n in range(101)]}, "За раз можно изменить 100 заявок")])
def test_what_cannot_be_done_to_several_says_why(hand: Hand, fields: dict[str, Any], sentence: str) -> None:
    assert sentence in said(hand.post("/board/bulk", **fields))["toast"]["text"]
    assert hand.post("/board/bulk", script=False, **fields).status_code == 303


def test_without_the_script_several_are_changed_by_pages(house: House, hand: Hand) -> None:
    lead = screening(house)
    look = hand.post("/board/bulk", script=False, act="tag", lead=str(lead), tag="срочно", place="list", query="show=mine")
    assert "<html" in look.get_data(as_text=True)
    done = hand.post("/board/bulk", script=False, act="tag", lead=str(lead), tag="срочно", place="list", query="show=mine",
                     seen=seen(look), step="do")
    assert 'href="/leads?show=mine"' in done.get_data(as_text=True)
    assert house.hub.lead(lead).tags == ("срочно",)


# ── tags ─────────────────────────────────────────────────────────────────────────


def test_leads_are_shown_and_found_by_their_tags(house: House, hand: Hand) -> None:
    one, other = screening(house), screening(house, "Пекарня", "+79120000002")
    do(house, one, "manager", "tag", tag="Тендер")
    do(house, other, "manager", "tag", tag="срочно")
    assert '<span class="tag">тендер</span>' in column(page(hand.client, "/"), "screening")
    html = page(hand.client, "/?tag=ТЕНДЕР")
    assert names(column(html, "screening")) == ["Клиника"]
    assert re.search(r'href="/\?tag=[^"]+"[^>]*>Все <span class="count">1</span>', html)
    assert listed(hand.client, "/leads?tag=срочно") == ["Пекарня"]
    assert '<option value="тендер"' in html
    do(house, one, "manager", "lose", reason="price", closeness="second")
    assert listed(hand.client, "/leads?show=lost&tag=тендер") == ["Клиника"]
    assert listed(hand.client, "/leads?show=lost&tag=срочно") == []
    do(house, one, "manager", "untag", tag="тендер")
    assert '<option value="тендер"' not in page(hand.client, "/")


def test_leads_of_a_tag_are_found_without_reading_all(house: House) -> None:
    leads, asked = house.hub.views.leads, []
    with house.store.views.reading() as c:
        connection = c.connection  # type: ignore[attr-defined]
        connection.set_trace_callback(asked.append)
    try:
        for show in ("all", "lost"):
            wanted = Wanted(show=show, tag="тендер", day_ends="2026-11-24")
            leads.counts(wanted)
            leads.endings(wanted)
            leads.column("new", wanted, 25)
            leads.listed(wanted, "number", 50)
    finally:
        connection.set_trace_callback(None)
    with house.store.views.reading() as c:
        for sql in {sql for sql in asked if sql.startswith("SELECT")}:
            plan = [row["detail"] for row in c.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
            assert [step for step in plan if step.startswith("SCAN leads") and "INDEX" not in step] == [], (sql, plan)


# ── a lead in ten seconds ────────────────────────────────────────────────────────


def test_a_lead_is_opened_from_the_window_once_and_leads_to_its_card_R1(house: House, hand: Hand) -> None:
    receipt = "22222222-2222-4222-8222-222222222222"
    fields = {"channel": "phone", "name": "Илья", "phone": "8 912 777-66-55", "text": "Лендинг", "receipt": receipt}
    first, again = hand.post("/leads/quick", **fields), hand.post("/leads/quick", **fields)
    assert first.status_code == again.status_code == 204
    assert first.headers["HX-Redirect"] == again.headers["HX-Redirect"]
    assert len(house.hub.views.leads.rows()) == 1


def test_a_refused_one_keeps_what_was_typed_and_one_more_empties_the_window(house: House, hand: Hand) -> None:
    refused = hand.post("/leads/quick", channel="phone", name="Илья", phone="12", text="Лендинг")
    html = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert 'value="Илья"' in html
    assert "не похоже на телефон" in html
    stays = hand.post("/leads/quick", channel="email", name="Илья", text="Лендинг", then="stay")
    assert (stays.status_code, said(stays)["toast"]["text"]) == (200, "Карточка открыта.")
    assert 'value="Илья"' not in stays.get_data(as_text=True)
    assert len(house.hub.views.leads.rows()) == 1


def test_who_may_not_open_cards_has_no_window(house: House, client: FlaskClient) -> None:
    trainee = Hand(client, "trainee")
    assert 'id="new"' not in page(client, "/")
    assert trainee.post("/leads/quick", channel="phone", name="Илья").status_code == 403
