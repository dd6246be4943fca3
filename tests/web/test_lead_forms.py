"""Every command of the domain is a form of the card: the same fields, drawn, refused in place, only for those who may."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from hub.domain.lead import COMMANDS
from hub.web.lead.form import FORMS, GROUPS
from hub.web.lead.view import REGISTERED
from tests.web.house import House
from tests.web.test_lead_walks import MIDDLE, PLUS, Desk, errors, to_proposal, to_scoring

XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def test_every_command_has_a_form_with_exactly_its_arguments() -> None:
    assert REGISTERED
    assert set(FORMS) == set(COMMANDS)
    for name, info in COMMANDS.items():
        asked = [f.name for f in FORMS[name].fields]
        assert sorted(asked) == sorted(info.arguments.__struct_fields__), name
        assert FORMS[name].group in GROUPS, name


def test_every_form_page_renders_for_those_who_may_give_it(house: House) -> None:
    lead = house.receive()
    desks = [Desk(house, login) for login in ("manager", "head", "account")]
    for name in COMMANDS:
        answers = [d.client.get(f"/leads/{lead}/do/{name}") for d in desks]
        shown = [a.get_data(as_text=True) for a in answers if a.status_code == 200]
        assert shown, name
        for page in shown:
            assert f'action="/leads/{lead}/do/{name}"' in page, name
            assert 'name="csrf_token"' in page, name


def test_every_form_is_a_fragment_for_the_window_of_the_card(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    answer = desk.client.get(f"/leads/{lead}/do/plan_meeting?purpose=call", headers={"HX-Request": "true"})
    page = answer.get_data(as_text=True)
    assert page.lstrip().startswith("<form")
    assert "hx-post" in page
    assert re.search(r'value="call" checked', page)
    desk.do(lead, "take")
    refused = desk.client.post(
        f"/leads/{lead}/do/plan_meeting",
        data={"csrf_token": desk.token, "purpose": "call", "goal": "Узнать бюджет", "starts_at": "2020-01-01T10:00"},
        headers={"HX-Request": "true"},
    )
    assert refused.status_code == 422
    assert refused.get_data(as_text=True).lstrip().startswith("<form")
    accepted = desk.client.post(
        f"/leads/{lead}/do/plan_meeting",
        data={"csrf_token": desk.token, "purpose": "call", "goal": "Узнать бюджет", "starts_at": desk.at(hours=2)},
        headers={"HX-Request": "true"},
    )
    assert accepted.headers["HX-Redirect"] == f"/leads/{lead}"


@pytest.mark.parametrize(
    ("command", "values", "field", "sentence"),
    [
        ("finish_screening", {"progress": "meeting"}, "criteria_checked", "Сначала проверьте стоп-критерии"),
        ("score", {"mark-budget": "1"}, "top", "Сначала завершите первичный отсев"),
        ("name_company", {"name": "Ромашка", "inn": "1234567890"}, "inn", "ИНН"),
        ("plan_meeting", {"purpose": "meeting", "starts_at": "2026-11-30T10:00", "goal": ""}, "goal", "цель"),
        (
            "plan_meeting",
            {"purpose": "meeting", "starts_at": "", "goal": "Познакомиться"},
            "starts_at",
            "Заполните поле «Начало»",
        ),
        ("plan_step", {"step": "Позвонить", "due_at": "2020-01-01T10:00"}, "due_at", "прошл"),
        ("capture_contact", {"phone": "12"}, "phone", "не похоже на телефон"),
        ("reassign", {"owner": "user:nobody", "why": "отпуск"}, "owner", "Такого сотрудника нет"),
        (
            "draft_proposal",
            {"amount": "100", "currency": "RUB", "valid_until": "2026-12-31"},
            "top",
            "КП готовят начиная со стадии «Глубинное интервью»",
        ),
        ("win", {"contract_number": "1", "amount": "1", "currency": "RUB", "signed_on": "2026-11-23"}, "top", ""),
        ("move", {"to": "proposal"}, "to", "нельзя"),
    ],
)
def test_a_refusal_stands_in_its_place_with_what_was_typed(
    house: House, command: str, values: dict[str, str], field: str, sentence: str
) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    desk.do(lead, "take")
    version = house.hub.version(lead)
    page = desk.refused(lead, command, **values)
    found = errors(page)
    assert len(found) == 1, found
    if field == "top":
        assert 'class="notice bad"' in page
    else:
        assert f'id="do-{field}-error"' in page
    if sentence and command != "move":
        assert sentence.lower() in found[0].lower()
    for name, value in values.items():
        if value and not name.startswith("mark-") and name not in ("to", "owner"):
            assert value in page, f"{name} was forgotten"
    assert house.hub.version(lead) == version, "a refused form changes nothing"


def test_a_guard_is_said_before_the_move_is_tried_and_the_head_may_lift_it_R32(house: House) -> None:
    lead, desk, head = house.receive(), Desk(house, "manager"), Desk(house, "head")
    to_scoring(desk, lead, MIDDLE)
    page = desk.get(f"/leads/{lead}")
    assert "сначала: назначена встреча" in page
    assert errors(desk.refused(lead, "move", to="preparation")) == ["Сначала назначьте встречу с целью и временем."]
    assert "Снять условие" not in page
    desk.get(f"/leads/{lead}/do/override", 403)
    head.do(lead, "override", guard="meeting_agreed", reason="Клиент ждёт нас завтра у себя")
    desk.do(lead, "move", to="preparation")
    assert desk.state(lead).stage == "preparation"
    assert "РОП снял" in desk.get(f"/leads/{lead}")


def test_an_auditor_reads_the_card_and_is_shown_no_form_of_it(house: House) -> None:
    lead, desk, auditor = house.receive(), Desk(house, "manager"), Desk(house, "auditor")
    to_scoring(desk, lead, PLUS)
    page = auditor.get(f"/leads/{lead}")
    assert "/do/" not in page
    assert "Заполнили лист оценки" in page
    for path in ("do/note", "refusal", "merge"):
        auditor.get(f"/leads/{lead}/{path}", 403)
    version = house.hub.version(lead)
    answer = auditor.post(f"/leads/{lead}/do/note", 403, text="Я тут был")
    assert "Это может сделать" in answer.get_data(as_text=True)
    assert house.hub.version(lead) == version
    auditor.get("/leads/new", 403)


def test_a_trainee_works_segment_C_and_what_was_given_to_them_R12(house: House) -> None:
    lead, desk, trainee = house.receive(), Desk(house, "manager"), Desk(house, "trainee")
    to_scoring(desk, lead, MIDDLE)
    assert "/do/" not in trainee.get(f"/leads/{lead}")
    page = trainee.get(f"/leads/{lead}/do/log_contact", 403)
    assert "Вы ведёте сегмент C" in page
    desk.do(lead, "reassign", owner=f"user:{house.users['trainee']}", why="Учится")
    assert "/do/log_contact" in trainee.get(f"/leads/{lead}")
    trainee.do(lead, "log_contact", way="phone", direction="in", text="Позвонил сам")


def test_what_another_changed_meanwhile_is_not_overwritten_unseen(house: House) -> None:
    lead, desk, other = house.receive(), Desk(house, "manager"), Desk(house, "second")
    desk.do(lead, "take")
    version = str(house.hub.version(lead))
    other.do(lead, "name_company", name="Ромашка", version=version)
    page = desk.refused(lead, "name_company", 409, name="Василёк", version=version)
    assert "карточку изменили" in errors(page)[0]
    assert "Василёк" in page
    assert "Ромашка" not in desk.state(lead).title
    assert desk.state(lead).company == "Ромашка"
    newer = re.search(r'name="version" value="(\d+)"', page)
    assert newer
    assert int(newer[1]) > int(version)
    desk.post(f"/leads/{lead}/do/name_company", name="Василёк", version=newer[1])
    assert desk.state(lead).company == "Василёк"
    desk.post(f"/leads/{lead}/do/note", text="Заметка", version=version)  # a note overwrites nothing


def test_words_of_clients_and_staff_are_shown_as_text(house: House) -> None:
    lead = house.receive(
        XSS,
        text=XSS,
        company=XSS,
        source_title=XSS,
        fields=((XSS, XSS),),
        attribution=(("utm_source", XSS),),
        convenient_time=XSS,
    )
    desk, head = Desk(house, "manager"), Desk(house, "head")
    desk.do(lead, "take")
    desk.do(lead, "note", text=XSS)
    desk.do(lead, "name_lead", title=XSS, about=XSS)
    desk.do(lead, "add_person", name=XSS, position=XSS, telegram=XSS)
    desk.do(lead, "check_item", checklist="screening", item="client", done="1", note=XSS)
    desk.do(lead, "finish_screening", criteria_checked="1", progress="none", note=XSS)
    desk.do(lead, "score", **PLUS, **{"note-budget": XSS, "comment": XSS})
    to_proposal(desk, head, lead)
    desk.do(lead, "find_stall", reason="chose_others", debrief=XSS, closeness="second", competitor=XSS, why=XSS)
    desk.do(lead, "plan_meeting", purpose="meeting", starts_at=desk.at(hours=3), goal=XSS, place=XSS, theirs=XSS)
    desk.do(lead, "ask_letter", kind="free", way="email", to="a@example.ru", subject=XSS, body=XSS)
    pages = [
        desk.get(f"/leads/{lead}?all=1"),
        desk.get(f"/leads/{lead}/live/story?all=1"),
        desk.get(f"/leads/{lead}/merge?other={quote(XSS)}", 422),
        desk.refused(lead, "plan_meeting", purpose="meeting", goal=XSS, place=XSS, starts_at=XSS),
    ]
    pages += [
        desk.get(f"/leads/{lead}/do/{c}")
        for c in ("edit_person", "name_lead", "score", "hold_meeting", "mark_letter", "play_stall")
    ]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "javascript:" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[0]


def test_a_command_that_there_is_not_and_a_lead_that_there_is_not(house: House) -> None:
    lead, desk = house.receive(), Desk(house, "manager")
    assert "Нет такого действия" in desk.get(f"/leads/{lead}/do/explode", 404)
    desk.get("/leads/00000000-0000-4000-8000-000000000000", 404)
    desk.get("/leads/999", 404)
    answer = desk.client.get("/leads/1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/leads/{lead}"
