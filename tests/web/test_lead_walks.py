"""A lead is walked to a win, a loss and a refusal by the forms of its card alone, as a browser without scripts sends them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.domain import events as e
from hub.domain.partner import PartnerState
from hub.domain.state import LeadState
from tests.web.conftest import sign_in
from tests.web.house import House

PLUS = {
    f"mark-{p}": "1"
    for p in (
        "budget",
        "capacity",
        "profitability",
        "timing",
        "clarity",
        "positioning",
        "workload",
        "experience",
        "technologies",
        "industry",
        "adequacy",
        "digital",
        "brief",
        "decision_access",
        "responsiveness",
    )
}
MINUS = dict.fromkeys(PLUS, "-1")
MIDDLE = {**dict.fromkeys(PLUS, "0"), "mark-budget": "1"}


class Desk:
    """A person of the company at their browser."""

    def __init__(self, house: House, login: str) -> None:
        self.house = house
        self.login = login
        self.client: FlaskClient = house.app.test_client()
        self._arrive()

    def _arrive(self) -> None:
        self.since = self.house.clock()
        self.token = sign_in(self.client, self.login)

    def _come_again(self) -> None:
        """Sessions end overnight; a new day begins with signing in."""
        if self.house.clock() - self.since > timedelta(hours=6):
            self._arrive()

    def get(self, path: str, status: int = 200) -> str:
        self._come_again()
        answer = self.client.get(path)
        page = answer.get_data(as_text=True)
        assert answer.status_code == status, page
        return page

    def post(self, path: str, status: int = 303, **values: object) -> TestResponse:
        self._come_again()
        answer = self.client.post(path, data={"csrf_token": self.token, **values})
        assert answer.status_code == status, f"{answer.status_code}: {errors(answer.get_data(as_text=True))}"
        return answer

    def do(self, lead: UUID, command: str, **values: object) -> None:
        """Send a command's form as its page has it, with these values changed."""
        self.get(f"/leads/{lead}/do/{command}")
        self.post(f"/leads/{lead}/do/{command}", **values)

    def refused(self, lead: UUID, command: str, status: int = 422, **values: object) -> str:
        """Send a form that is refused; the page that comes back."""
        return self.post(f"/leads/{lead}/do/{command}", status, **values).get_data(as_text=True)

    def at(self, **ahead: float) -> str:
        """A moment ahead as a datetime-local input writes it, on the company's clock."""
        return (self.house.clock() + timedelta(**ahead)).astimezone(ZoneInfo("Europe/Moscow")).strftime("%Y-%m-%dT%H:%M")

    def day(self, ahead: int) -> str:
        """A day ahead as a date input writes it."""
        return self.at(days=ahead)[:10]

    def state(self, lead: UUID) -> LeadState:
        return self.house.hub.lead(lead)


def errors(page: str) -> list[str]:
    """The refusals that a page shows."""
    found = re.findall(
        r'<p class="error"[^>]*>.*?</svg>(.*?)</p>|<div class="notice bad"[^>]*>.*?</svg><div>(.*?)</div>', page, re.S
    )
    return [a or b for a, b in found]


def to_scoring(desk: Desk, lead: UUID, marks: dict[str, str]) -> None:
    """Take, screen and score a lead whose phone and time zone came with the form."""
    desk.do(lead, "take")
    desk.do(lead, "finish_screening", criteria_checked="1", progress="meeting", note="Магазин на старой платформе")
    desk.do(lead, "score", **marks)


def to_proposal(desk: Desk, head: Desk, lead: UUID) -> None:
    """From the sheet to a proposal that may be shown."""
    desk.do(
        lead,
        "plan_meeting",
        purpose="interview",
        starts_at=desk.at(days=1),
        goal="Понять, где теряются заказы",
        minutes="90",
        theirs="Ольга Смирнова\nИгорь Ветров",
    )
    users = desk.house.users
    desk.do(lead, "form_group", member=[f"user:{users['manager']}", f"user:{users['second']}"], part=["менеджер", "аналитик"])
    desk.do(lead, "check_item", checklist="preparation", item="competitors", done="1", note="Три конкурента")
    desk.house.clock.advance(days=1, hours=2)
    desk.do(
        lead, "hold_meeting", meeting="1", outcome="advance", step="Прислать КП", step_due=desk.at(days=2), text="Всё обсудили"
    )
    desk.do(lead, "find_need", text="Видеть остатки", explicit="1", quote="Мы не знаем, что на складе")
    desk.do(lead, "ask_question", kind="problem", text="Сколько заказов теряете?", answer="Каждый двенадцатый")
    desk.do(lead, "state_benefit", text="Меньше потерянных заказов", kpi="с 8 % до 1 %")
    desk.do(lead, "promise_proposal", ready_on=desk.day(2), presented="1")
    desk.do(lead, "move", to="proposal")
    desk.do(lead, "draft_proposal", amount="3 200 000,50", currency="RUB", vat="с НДС", valid_until=desk.day(30), note="Первая")
    head.do(lead, "contribute", proposal="1", text="Разбить на два этапа")


def test_a_lead_is_walked_to_a_signed_contract_and_handed_over_R28_R30(house: House) -> None:
    lead, desk, head = house.receive(), Desk(house, "manager"), Desk(house, "head")
    to_scoring(desk, lead, PLUS)
    assert desk.state(lead).segment == "A"
    to_proposal(desk, head, lead)
    desk.do(lead, "plan_meeting", purpose="presentation", starts_at=desk.at(hours=2), goal="Показать КП и назвать дату решения")
    desk.house.clock.advance(hours=3)
    desk.do(lead, "hold_meeting", meeting="2", outcome="closing", decision_date=desk.day(2))
    desk.do(lead, "win", contract_number="Д-17", amount="3200000,5", currency="RUB", vat="с НДС", signed_on=desk.day(0))
    head.do(lead, "hand_over", account_manager=f"user:{house.users['account']}", note="Любят звонки утром")
    account = Desk(house, "account")
    account.do(lead, "record_installed", text="Магазин на 12 000 товаров")
    account.do(lead, "record_chance", kind="upsell", text="Мобильное приложение", amount="900000", currency="RUB")
    won = desk.state(lead)
    assert won.ended == "won"
    assert won.win is not None
    assert str(won.win.money.amount) == "3200000.50"
    assert won.win.money.vat == "с НДС"
    assert won.account_manager == f"user:{house.users['account']}"
    assert won.chances[1].text == "Мобильное приложение"
    page = desk.get(f"/leads/{lead}")
    assert "Договор подписан" in page
    assert "Д-17" in page
    assert "Мобильное приложение" in page
    # R29: the client asks for more, the account manager opens a lead of its own
    answer = account.post(f"/leads/{lead}/request", text="Нужно приложение")
    new = UUID(answer.headers["Location"].rpartition("/")[2])
    assert new != lead
    assert desk.state(new).previous_lead == lead
    assert desk.state(lead).opened_requests == (new,)


def test_a_lead_is_walked_through_follow_up_to_an_explained_loss_and_back_R25_R28_R29(house: House) -> None:
    lead, desk, head = house.receive(), Desk(house, "manager"), Desk(house, "head")
    to_scoring(desk, lead, MIDDLE)
    assert desk.state(lead).segment == "B"
    to_proposal(desk, head, lead)
    desk.do(lead, "send_proposal", proposal="1", way="email", to="olga@example.ru", without_presentation="1")
    assert desk.state(lead).stage == "follow_up"
    desk.do(lead, "open_request", kind="test_task", text="Сверстать главную")
    head.do(lead, "give_opinion", request="1", in_favour="1", resources="Два дня дизайнера", text="Стоит")
    desk.do(lead, "decide_test", request="1", accepted="1")
    desk.do(lead, "close_request", request="1", text="Сверстали", done="1")
    desk.do(lead, "find_stall", reason="waiting_decision", who="Игорь Ветров, директор", involved="no")
    desk.do(lead, "play_stall", stall="1", action="who", result="Директор вернётся в понедельник")
    person = desk.state(lead).main_person
    desk.do(lead, "change_decision_maker", name="Игорь Ветров", position="Директор", phone="8 343 200-77-11")
    assert desk.state(lead).stage == "interview", "R25: a new decision maker leads back to the interview"
    assert desk.state(lead).decision_maker not in (None, person)
    page = desk.refused(lead, "lose", reason="chose_others", competitor="Студия Ы")
    assert errors(page) == ["Заполните поле «Насколько близки были к победе»."]
    assert "Студия Ы" in page
    desk.do(
        lead,
        "lose",
        reason="chose_others",
        closeness="second",
        competitor="Студия Ы",
        competitor_until=desk.day(100),
        debrief="Дороже на треть",
    )
    lost = desk.state(lead)
    assert lost.ended == "lost"
    assert lost.losses[0].return_on is not None
    page = desk.get(f"/leads/{lead}")
    assert "Вернёмся" in page
    assert "Студия Ы" in page
    assert "Дороже на треть" in page
    desk.do(lead, "reopen", why="Позвонили сами")
    assert desk.state(lead).open
    assert desk.state(lead).losses == lost.losses


def test_a_lead_is_walked_to_a_refusal_with_a_letter_and_partners_R12_R13(house: House) -> None:
    hub = house.hub
    kind = next(iter(hub.process.price_segments))
    partner = hub.write_partner(
        None, actor=house.actor("head"), at=house.clock(), name="Бюро «Малое»", prices=(kind,), site="https://small.example"
    )
    other = hub.write_partner(None, actor=house.actor("head"), at=house.clock(), name="Бюро «Другое»", prices=(kind,))
    house.settle()
    assert isinstance(hub.partners()[partner], PartnerState)
    lead, desk = house.receive(), Desk(house, "manager")
    to_scoring(desk, lead, MINUS)
    assert desk.state(lead).stage == "refusal"
    head = Desk(house, "head")  # R12: it went to a trainee who is at work
    page = head.get(f"/leads/{lead}/refusal")
    assert "Бюро «Малое»" in page
    assert "ниже нашего минимума" in page, "the letter says why, from the sheet"
    page = head.get(f"/leads/{lead}/refusal?chosen=1&partner={partner}")
    body = re.search(r"<textarea[^>]*name=\"body\"[^>]*>(.*?)</textarea>", page, re.S)
    assert body
    assert "Малое" in body[1]
    assert "Другое" not in body[1]
    answer = head.post(
        f"/leads/{lead}/refusal",
        422,
        to="a@example.ru",
        subject="О заявке",
        body="Не сможем, но вот кто сможет.",
        way="email",
        partner=str(partner),
    )
    page = answer.get_data(as_text=True)
    assert errors(page) == ["Прочитайте письмо и отметьте это: от вашего имени ничего не уходит непрочитанным."]
    assert "Не сможем, но вот кто сможет." in page
    assert not desk.state(lead).letters
    head.post(
        f"/leads/{lead}/refusal",
        to="a@example.ru",
        subject="О заявке",
        body="Не сможем, но вот кто сможет.",
        way="email",
        partner=str(partner),
        read="1",
    )
    state = desk.state(lead)
    assert state.letters[1].status == "asked"
    assert state.referrals == (partner,)
    assert other not in state.referrals
    named = [ev.partner_name for ev in hub.history(lead) if isinstance(ev, e.PartnerReferred)]
    assert named == ["Бюро «Малое»"]
    assert "запрошено" in desk.get(f"/leads/{lead}")
    assert "Отметить отправленным" in desk.get(f"/leads/{lead}")
    head.do(lead, "mark_letter", letter="1", sent="1")
    head.do(lead, "refuse")
    assert desk.state(lead).ended == "refused"
    assert desk.state(lead).refusal is not None
    assert "Мы отказали" in desk.get(f"/leads/{lead}")


def test_moments_are_company_time_and_sums_may_have_a_comma_R7_R33(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    desk.do(lead, "take")
    desk.do(lead, "plan_step", step="Позвонить", due_at="2026-11-24T10:00")
    desk.do(lead, "name_budget", amount="1 500 000,75", currency="RUB")
    state = desk.state(lead)
    assert state.next_step is not None
    assert state.next_step.due_at == datetime.fromisoformat("2026-11-24T07:00+00:00")
    assert state.budget is not None
    assert str(state.budget.amount) == "1500000.75"
    for value in ("много", "NaN", "1e400"):
        assert desk.refused(lead, "name_budget", amount=value, currency="RUB")
    assert errors(desk.refused(lead, "sleep", until="завтра", why="отпуск")) == [
        "Поле «До какого дня» — это день. Выберите его в календаре."
    ]
