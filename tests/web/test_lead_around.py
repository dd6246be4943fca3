"""What the card shows around the story: neighbours in the list one came from, like requests, files, versions, plays."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from uuid import UUID

from hub.domain.delivery import File
from hub.domain.fact import Fact
from hub.projections.lead_similar import similar
from hub.web.lead.deal import PLAYS
from tests.web.house import House
from tests.web.test_lead_walks import MIDDLE, PLUS, Desk, to_proposal, to_scoring

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
PDF = b"%PDF-1.7\n%%EOF"


def test_neighbours_are_those_of_the_list_that_one_came_from(house: House) -> None:
    leads = [house.receive(f"Клиент {n}", f"+7912000000{n}") for n in range(4)]
    desk = Desk(house, "manager")
    for lead in leads[:3]:
        desk.do(lead, "take")
    mine = [row["id"] for row in house.hub.views.leads.rows(
        "is_open = 1 AND owner = ?", (f"user:{house.users['manager']}",))]

    def around(lead: str, address: str) -> str:
        return desk.client.get(f"/leads/{UUID(lead)}/around", query_string={"from": address}).get_data(as_text=True)

    first, middle, last = (around(id, "/leads?show=mine") for id in mine)
    assert "2 из 3 в «Мои»" in middle
    assert re.findall(r'href="/leads/([0-9a-f-]+)"[^>]*data-key="(\w+)"', middle) == [
        (str(UUID(mine[0])), "KeyK"), (str(UUID(mine[2])), "KeyJ")]
    assert "KeyK" not in first
    assert "KeyJ" not in last
    assert 'href="/leads?show=mine"' in middle
    other = around(leads[3].hex, "/?show=mine")
    assert "«Мои», всего 3" in other, "a card that is not in the list has no place there"
    for address in ("", "/my", "https://elsewhere.example/leads", "/settings"):
        assert not around(mine[0], address).strip()


def test_like_requests_share_rare_words_and_say_how_they_ended(house: House) -> None:
    about = "Личный кабинет перевозчика с накладными"
    old = house.receive("Транзит", "+79120000001", text=about)
    house.receive("Пекарня", "+79120000002", text="Кабинет")
    lead = house.receive("Вагон", "+79120000003", text="Нужен личный кабинет для перевозчика: накладные, слежение")
    desk = Desk(house, "manager")
    for one, words in ((old, about), (lead, "Кабинет перевозчика, накладные")):
        desk.do(one, "take")
        desk.do(one, "name_lead", about=words)
    desk.do(old, "lose", reason="price", closeness="considered")
    page = desk.get(f"/leads/{lead}").partition("Похожие заявки")[2]
    assert page
    assert re.findall(r"L-(\d+) Транзит", page) == ["1"]
    assert "проигран" in page
    assert "Пекарня" not in page
    with house.store.views.reading() as c:
        assert similar(c, 3, "нет таких слов совсем", 5) == []


def test_like_requests_are_looked_up_by_an_index(house: House) -> None:
    asked: list[tuple[str, Any]] = []

    class Heard:
        """A cursor that keeps what it is asked."""

        def __init__(self, cursor: Any) -> None:
            self.cursor = cursor

        def execute(self, sql: str, values: Any) -> None:
            asked.append((sql, values))
            self.cursor.execute(sql, values)

        def fetchall(self) -> Any:
            return self.cursor.fetchall()

    for n in range(3):
        house.receive(f"Клиент {n}", f"+7912000000{n}")
        desk = Desk(house, "manager")
        lead = house.hub.views.leads.by_number(n + 1)
        assert lead
        desk.do(lead, "take")
        desk.do(lead, "name_lead", about="Кабинет перевозчика накладные")
    with house.store.views.reading() as c:
        assert len(similar(Heard(c), 1, "Кабинет перевозчика накладные", 5)) == 2  # type: ignore[arg-type]
        assert len(asked) == 3
        for sql, values in asked:
            c.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            assert not [row["detail"] for row in c.fetchall() if row["detail"].startswith("SCAN")], sql


def test_pictures_and_pdfs_are_looked_at_and_nothing_else(house: House) -> None:
    files = (File("макет.png", "text/html", PNG), File("бриф.pdf", "application/pdf", PDF),
             File("злой.png", "image/png", b"<script>alert(1)</script>"))
    lead = house.receive(files=files)
    desk = Desk(house, "manager")
    page = desk.get(f"/leads/{lead}")
    looks = dict(reversed(found) for found in re.findall(r'href="(/leads/[^"]+/look)"[^>]*aria-label="Посмотреть ([^"]+)"', page))
    assert set(looks) == {"макет.png", "злой.png"}
    assert "от клиента: Иван Петренко" in page
    picture = desk.client.get(looks["макет.png"])
    assert picture.mimetype == "image/png"
    assert picture.data == PNG
    assert picture.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert "script-src" not in picture.headers["Content-Security-Policy"]
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    evil = desk.client.get(looks["злой.png"])
    assert evil.mimetype == "application/octet-stream"
    assert evil.headers["Content-Disposition"].startswith("attachment")
    document = re.search(r'href="(/leads/[^"]+/look)"[^>]*><svg[^>]*>.*?</svg>Открыть', page)
    assert document
    assert desk.client.get(document[1]).mimetype == "application/pdf"
    assert "макет.png" in desk.get(f"/leads/{lead}?show=file").partition('class="timeline"')[2]


def test_a_version_says_who_made_it_what_changed_and_whether_it_was_opened_R18(house: House) -> None:
    lead, desk, head = house.receive(), Desk(house, "manager"), Desk(house, "head")
    to_scoring(desk, lead, PLUS)
    to_proposal(desk, head, lead)
    desk.client.post(f"/leads/{lead}/do/draft_proposal", data={
        "csrf_token": desk.token, "amount": "3000000", "currency": "RUB", "vat": "с НДС", "valid_until": desk.day(30),
        "note": "Дешевле", "file": (BytesIO(PDF), "кп-2.pdf")})
    page = desk.get(f"/leads/{lead}")
    assert "Часть РОПа, Роман Орлов: Разбить на два этапа" in page
    assert "Ждём часть РОПа: без неё не показать и не отправить" in page
    assert re.search(r"<del class=\"muted\">3.200.000,50", page)
    assert "кп-2.pdf" in page
    head.do(lead, "contribute", proposal="2", text="Скидка за предоплату")
    desk.do(lead, "add_address", kind="email", value="olga@example.ru")
    desk.do(lead, "send_proposal", proposal="2", way="email", to="olga@example.ru", without_presentation="1")
    page = desk.get(f"/leads/{lead}")
    assert re.search(r"Мария Котова: письмо, olga@example\.ru\. <span class=\"\">открыли ли, неизвестно", page)


def test_a_version_that_was_opened_says_when(house: House) -> None:
    lead, desk, head = house.receive(), Desk(house, "manager"), Desk(house, "head")
    to_scoring(desk, lead, MIDDLE)
    to_proposal(desk, head, lead)
    desk.client.post(f"/leads/{lead}/do/draft_proposal", data={
        "csrf_token": desk.token, "amount": "3000000", "currency": "RUB", "valid_until": desk.day(30),
        "file": (BytesIO(PDF), "кп.pdf")})
    desk.do(lead, "add_address", kind="email", value="olga@example.ru")
    sending = {"proposal": 2, "way": "email", "to": "olga@example.ru", "account": "mail", "subject": "КП", "text": "Добрый день"}
    house.hub.do(lead, "send_proposal", sending, actor=house.actor("manager"), at=house.clock())
    assert re.search(r"письмо, olga@example\.ru\. <span class=\"\">уходит", desk.get(f"/leads/{lead}"))
    house.hub.find_out(lead, lambda found: found.message_sent(1, ("<a@b>",)), at=house.clock())
    at = house.clock.advance(minutes=7)
    house.hub.find_out(lead, lambda found: found.hear(Fact(about="<a@b>", kind="message", status="read")), at=at)
    page = desk.get(f"/leads/{lead}")
    assert re.search(r'Мария Котова: письмо, olga@example\.ru\. <span class="ok">открыто 24.ноября, \d\d:\d\d', page)


def test_a_play_is_shown_as_what_to_do_and_ticked_off_R25(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    to_scoring(desk, lead, MIDDLE)
    to_proposal(desk, Desk(house, "head"), lead)
    desk.do(lead, "send_proposal", proposal="1", way="telegram", without_presentation="1")
    desk.do(lead, "find_stall", reason="waiting_decision", who="Учредитель", involved="no")
    page = desk.get(f"/leads/{lead}")
    assert f'href="/leads/{lead}/do/change_decision_maker" data-act>Сменить ЛПР' in page
    assert f'href="/leads/{lead}/do/add_person" data-act>Добавить человека' in page
    assert "В шаги" in page, "an action without a form of its own becomes the next step"
    desk.do(lead, "play_stall", stall="1", action="contacts", result="Телефон дал секретарь")
    page = desk.get(f"/leads/{lead}")
    assert "Телефон дал секретарь" in page
    assert f'href="/leads/{lead}/do/add_person" data-act>Добавить человека' not in page
    known = {action.id for stall in house.hub.process.stalls.values() for action in stall.play}
    assert set(PLAYS) <= known


def test_a_partner_that_was_offered_and_the_hand_over_are_told_by_name_R13_R30(house: House) -> None:
    lead, desk, head = house.receive(), Desk(house, "manager"), Desk(house, "head")
    to_scoring(desk, lead, PLUS)
    to_proposal(desk, head, lead)
    desk.do(lead, "win", contract_number="7", amount="100", currency="RUB", signed_on=desk.day(0))
    head.do(lead, "hand_over", account_manager=f"user:{house.users['account']}", note="Звонить до обеда")
    page = Desk(house, "account").get(f"/leads/{lead}")
    assert "Передал сделку: Роман Орлов" in page
    assert "Звонить до обеда" in page
