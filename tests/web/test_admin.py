"""The index of the settings, the first steps, partners (R13) and the refusal letter's wording (R12)."""

from __future__ import annotations

from typing import Any

import pytest

from hub.web.letters import default_template
from tests.web.admin_pages import Browser, error_at, words
from tests.web.house import House

PARTNER: dict[str, Any] = {"name": "Студия «Берег»", "prices": ["low", "middle"], "technologies": "Tilda, 1С-Битрикс ,",
                           "site": "https://bereg.example", "contact": "Юрий", "about": "Держат сроки"}
LETTER = "/settings/templates"


@pytest.fixture
def head(house: House) -> Browser:
    return Browser(house, "head")


# ── the index ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("login", "there", "absent"), [
    ("administrator", ("Люди", "Формы на сайтах", "Карантин", "Тексты писем", "Мой аккаунт"), ()),
    ("head", ("Люди", "Карантин", "Тексты писем"), ("Формы на сайтах", "С чего начать")),
    ("manager", ("Карантин", "Партнёры", "Процесс продаж"), ("Люди", "Формы на сайтах", "Тексты писем")),
    ("auditor", ("Партнёры", "Мой аккаунт"), ("Люди", "Карантин", "Формы на сайтах", "Тексты писем"))])
def test_the_index_names_what_the_role_may_open(house: House, login: str, there: tuple[str, ...],
                                                absent: tuple[str, ...]) -> None:
    shown = words(Browser(house, login).get("/settings"))

    assert all(title in shown for title in there)
    assert not any(title in shown for title in absent)


def test_a_stranger_is_asked_to_sign_in(house: House) -> None:
    stranger = house.app.test_client()

    for path in ("/settings", "/settings/users", "/settings/forms", "/partners", LETTER, "/quarantine"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in"), path


def test_the_first_steps_lead_to_the_first_lead_and_then_go_away(house: House) -> None:
    admin = Browser(house, "administrator")

    def now() -> str:
        page = admin.get("/settings")
        return words(page[page.index('aria-current="step"'):])[:60]

    assert "2. Создайте форму" in now()
    house.make_form()
    assert "3. Отправьте тест" in now()
    admin.done("/settings/forms/main/test")
    assert "5. Примите первую заявку" in now()
    house.receive()
    assert "Первые шаги" not in admin.get("/settings")


def test_alone_in_the_hub_the_first_step_is_people(house: House) -> None:
    admin = Browser(house, "administrator")
    for login in house.users:
        if login != "administrator":
            admin.done(f"/settings/users/{house.users[login]}/disable")

    page = admin.get("/settings")
    assert "1. Добавьте людей" in words(page[page.index('aria-current="step"'):])[:60]


# ── partners ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("login", ["administrator", "head"])
def test_a_partner_is_added_by_who_keeps_the_directory_and_read_by_all(house: House, login: str) -> None:
    Browser(house, login).done("/partners/new", **PARTNER)

    shown = words(Browser(house, "trainee").get("/partners"))
    for expected in ("Студия «Берег»", "До 300 тыс. ₽", "1С-Битрикс", "bereg.example", "Держат сроки"):
        assert expected in shown, expected
    assert "Изменить" not in shown


def test_partners_are_filtered_by_price_and_technology_together(head: Browser) -> None:
    head.done("/partners/new", **PARTNER)
    head.done("/partners/new", **{**PARTNER, "name": "Веб-цех", "prices": ["low"], "technologies": "tilda, Vue"})
    head.done("/partners/new", **{**PARTNER, "name": "Вектор", "prices": ["high"], "technologies": "Vue"})
    head.get("/partners")  # takes the flashes away

    def found(query: str) -> set[str]:
        page = words(head.get(f"/partners?{query}"))
        return {name for name in ("Студия «Берег»", "Веб-цех", "Вектор") if name in page}

    assert found("price=low") == {"Студия «Берег»", "Веб-цех"}
    assert found("technology=Tilda") == {"Студия «Берег»", "Веб-цех"}
    assert found("price=low&technology=vue") == {"Веб-цех"}
    assert found("price=middle&technology=Vue") == set()


@pytest.mark.parametrize(("field", "value", "told"), [("name", "", "Укажите имя"), ("prices", [], "хотя бы один"),
                                                      ("site", "javascript:alert(1)", "начинается с https://")])
def test_a_wrong_partner_is_told_at_the_field(house: House, head: Browser, field: str, value: Any, told: str) -> None:
    """R13."""
    answer = head.post("/partners/new", **{**PARTNER, field: value})

    assert answer.status_code == 422
    assert told in error_at(answer.get_data(as_text=True), field)
    assert "Держат сроки" in answer.get_data(as_text=True)
    house.settle()
    assert not house.hub.partners()


def test_a_partner_is_edited_retired_and_restored_and_never_lost(house: House, head: Browser) -> None:
    """R13."""
    head.done("/partners/new", **PARTNER)
    house.settle()
    page = f"/partners/{next(iter(house.hub.partners()))}"
    assert 'value="Tilda, 1С-Битрикс"' in head.get(page)

    head.done(page, **{**PARTNER, "name": "Берег и партнёры"})
    head.done(f"{page}/retire", why="закрылись")
    assert "не предлагаем" in words(head.get("/partners"))
    assert "Берег и партнёры" in head.get("/partners")

    head.done(f"{page}/restore")
    assert "не предлагаем" not in words(head.get("/partners"))


@pytest.mark.parametrize("login", ["manager", "trainee", "account", "auditor"])
def test_others_only_read_partners(house: House, head: Browser, login: str) -> None:
    head.done("/partners/new", **PARTNER)
    house.settle()
    page = f"/partners/{next(iter(house.hub.partners()))}"
    browser = Browser(house, login)

    assert browser.status("/partners") == 200
    assert [browser.status(p) for p in ("/partners/new", page)] == [403, 403]
    assert [browser.post(p, **PARTNER).status_code for p in (page, f"{page}/retire", "/partners/new")] == [403] * 3


def test_what_is_written_of_a_partner_is_shown_as_text(head: Browser) -> None:
    evil = "<img src=x onerror=alert(1)>"
    head.done("/partners/new", **{**PARTNER, "name": evil, "about": evil, "technologies": evil, "contact": evil})

    assert "<img" not in head.get("/partners")


# ── the refusal letter ───────────────────────────────────────────────────────────


def test_the_letter_is_the_packaged_one_until_it_is_rewritten(house: House, head: Browser) -> None:
    """R12."""
    with house.app.app_context():
        default = default_template("refusal")
    assert default.subject_line == "О вашей заявке"
    assert "{reasons}" in default.body
    assert default.subject_line in head.get(LETTER)

    head.done(LETTER, act="save", subject_line="Ваша заявка", body="{name}, увы.\r\n{reasons}")

    written = house.hub.template("refusal", default)
    assert (written.subject_line, written.body) == ("Ваша заявка", "{name}, увы.\n{reasons}")


def test_there_is_no_default_for_a_letter_that_does_not_exist(house: House) -> None:
    with house.app.app_context(), pytest.raises(KeyError):
        default_template("../layout")


def test_a_preview_fills_the_places_and_saves_nothing(house: House, head: Browser) -> None:
    """R12."""
    answer = head.post(LETTER, act="preview", subject_line="Тема для {name}", body="От {manager}:\n{partners}")

    shown = words(answer.get_data(as_text=True))
    assert "Тема для Иван" in shown
    assert "От Роман Орлов: — Студия «Первая»" in shown
    assert "Текст не сохранён" in shown
    assert "Тема для" not in head.get(LETTER)


def test_an_unknown_place_is_refused_before_it_reaches_a_client(head: Browser) -> None:
    """R12."""
    answer = head.post(LETTER, act="save", subject_line="Тема", body="Здравствуйте, {client}")

    assert answer.status_code == 422
    assert "нет места {client}" in error_at(answer.get_data(as_text=True), "body")
    assert "Здравствуйте, {client}</textarea>" in answer.get_data(as_text=True)


@pytest.mark.parametrize(("name", "place"), [("proposal", "manager"), ("invitation", "when"), ("acknowledgement", "agency"),
                                             ("acknowledgement.en", "agency")])
def test_every_letter_has_its_wording_its_places_and_its_preview(house: House, head: Browser, name: str, place: str) -> None:
    """R19, R26."""
    page = f"{LETTER}/{name}"
    answer = head.post(page, act="preview", subject_line="Новая тема", body=f"Так: {{{place}}}")
    shown = words(answer.get_data(as_text=True).partition('id="preview"')[2])
    assert "Новая тема" in shown
    assert shown.partition("Так: ")[2][:1] not in ("", "{")
    head.done(page, act="save", subject_line="Новая тема", body=f"Так: {{{place}}}")
    with house.app.app_context():
        assert house.hub.template(name, default_template(name)).subject_line == "Новая тема"
    assert "изменено" in head.get(page)
    answer = head.post(page, act="save", subject_line="Про {partners}", body="Текст")
    assert "нет места {partners}" in error_at(answer.get_data(as_text=True), "subject_line")
    answer = head.post(page, act="save", subject_line="Тема", body="Для {name")
    assert "без пары" in error_at(answer.get_data(as_text=True), "body")


def test_a_letter_that_there_is_not_is_a_sentence(head: Browser) -> None:
    assert "Такого письма нет" in head.get(f"{LETTER}/love", 404)


def test_the_first_wording_comes_back(house: House, head: Browser) -> None:
    head.done(LETTER, act="save", subject_line="Ваша заявка", body="{name}, увы.")

    head.done(LETTER, act="reset")

    with house.app.app_context():
        default = default_template("refusal")
    assert house.hub.template("refusal", default) == default
    assert "Вернуть исходный текст" not in words(head.get(LETTER))


@pytest.mark.parametrize("login", ["manager", "auditor"])
def test_the_wording_is_the_heads_and_the_administrators(house: House, login: str) -> None:
    browser = Browser(house, login)

    assert browser.status(LETTER) == 403
    assert browser.post(LETTER, act="save", subject_line="Тема", body="Текст").status_code == 403


def test_a_letter_with_markup_is_shown_as_text(head: Browser) -> None:
    evil = "</textarea><script>alert(1)</script>"

    head.done(LETTER, act="save", subject_line=evil, body=evil)

    assert "<script>alert" not in head.get(LETTER)
