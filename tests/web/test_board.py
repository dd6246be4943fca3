"""The board and the list: what stands where, filters in the address, taking and moving, refusals in their place."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from hub.application import THE_HUB
from hub.projections.lead_queries import OPEN_SHOWS, SORTS, Wanted
from hub.web.board import listing
from tests.web.conftest import sign_in
from tests.web.house import PROCESS, House, days


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def column(html: str, id: str) -> str:
    found = re.search(rf'<section class="col" id="col-{id}".*?</section>', html, re.S)
    assert found, f"no column {id}"
    return found[0]


def names(html: str) -> list[str]:
    return re.findall(r'<h3><a href="/leads/[^"]+">([^<]+)</a>', html)


def do(house: House, lead: UUID, who: str, command: str, **arguments: object) -> None:
    house.hub.do(lead, command, arguments, actor=house.actor(who), at=house.clock())
    house.settle()


def scored(house: House, lead: UUID, total: int, who: str = "manager") -> None:
    """Take a lead as far as its sheet."""
    do(house, lead, who, "take")
    do(house, lead, who, "finish_screening", progress="none", criteria_checked=True)
    parameters = list(house.hub.process.parameters)
    mark = 1 if total > 0 else -1
    do(house, lead, who, "score", marks={p: mark if n < abs(total) else 0 for n, p in enumerate(parameters)})


@pytest.fixture
def manager(client: FlaskClient) -> FlaskClient:
    sign_in(client, "manager")
    return client


def press(client: FlaskClient, path: str, **fields: str) -> object:
    token = re.search(r'name="csrf-token" content="([^"]+)"', page(client, "/"))
    assert token
    return client.post(path, data={"csrf_token": token[1], **fields})


# ── the board ────────────────────────────────────────────────────────────────────


def test_columns_are_the_stages_of_the_process_in_its_order_then_the_sleeping_ones(house: House, manager: FlaskClient) -> None:
    ids = re.findall(r'<section class="col" id="col-(\w+)"', page(manager, "/"))
    assert ids == [*house.hub.process.stages, "asleep"]


def test_what_is_due_first_stands_on_top_of_its_column(house: House, manager: FlaskClient) -> None:
    house.receive("Первый", "+79120000001")
    house.clock.advance(minutes=2)
    house.receive("Второй", "+79120000002")
    assert names(column(page(manager, "/"), "new")) == ["Первый", "Второй"]
    first = house.hub.views.leads.by_number(1)
    assert first
    do(house, first, "manager", "take")
    assert names(column(page(manager, "/"), "new")) == ["Второй"]


def test_a_card_says_what_is_due_the_clients_time_and_its_segment(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника", text="Запись к врачам")
    new = column(page(manager, "/"), "new")
    assert "взять в работу" in new
    assert "у клиента 13:20" in new  # Yekaterinburg, 11:20 in Moscow
    assert "Запись к врачам" in new
    scored(house, lead, 12)
    assert "A +12" in re.sub(r"<[^>]+>", "", column(page(manager, "/"), "scoring"))


def test_a_card_that_was_drawn_before_shows_the_clients_clock_as_it_is_now_and_what_changed(
        house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника", "+73432000000")
    assert "у клиента 13:20" in column(page(manager, "/"), "new")
    house.clock.advance(minutes=2)
    again = column(page(manager, "/"), "new")
    assert "у клиента 13:22" in again
    assert "13:20" not in again
    do(house, lead, "manager", "name_lead", title="Клиника у реки")
    assert "Клиника у реки" in page(manager, "/")


def test_a_late_lead_is_marked_and_burns_on_top_R2(house: House, manager: FlaskClient) -> None:
    house.receive("Клиника")
    house.clock.advance(minutes=14)
    assert '<article class="warn"' in page(manager, "/")
    house.clock.advance(minutes=2)
    assert '<article class="bad"' in page(manager, "/")
    assert 'class="due bad"' in column(page(manager, "/"), "new")


def test_outside_working_hours_the_clock_stands_R7(house: House, manager: FlaskClient) -> None:
    house.clock.advance(hours=9)  # 20:20 in Moscow
    house.receive("Ночная")
    new = column(page(manager, "/"), "new")
    assert 'class="due pause"' in new
    assert "до 24.11 09:00" in new


def test_a_column_holds_25_cards_and_leads_to_the_rest(house: House, manager: FlaskClient) -> None:
    for n in range(27):
        house.receive(f"Клиент {n}", f"+7912000{n:04d}")
    new = column(page(manager, "/"), "new")
    assert len(names(new)) == 25
    assert "ещё 2" in new
    found = re.search(r'<li class="more"><a href="([^"]+)" data-more="([^"]+)"', new)
    assert found
    assert found.groups() == ("/?wide=new.50", "/board/part?wide=new.50")
    for path in found.groups():
        wider = column(page(manager, path), "new")
        assert len(names(wider)) == 27
        assert "ещё" not in wider


def test_a_widened_column_stays_so_after_a_command_and_nonsense_widens_nothing(house: House, manager: FlaskClient) -> None:
    leads = [house.receive(f"Клиент {n}", f"+7912000{n:04d}") for n in range(27)]
    token = re.search(r'name="csrf-token" content="([^"]+)"', page(manager, "/"))
    assert token
    answer = manager.post(f"/board/{leads[0]}/take", data={"filter": "wide=new.50"},
                          headers={"HX-Request": "true", "X-CSRF-Token": token[1]})
    assert len(names(column(answer.get_data(as_text=True), "new"))) == 26
    for wide in ("new.9999", "new.-1", "nope.50", "new", "new.50.50", "," * 100):
        assert len(names(column(page(manager, f"/?wide={wide}"), "new"))) == 25


def test_a_test_lead_is_marked(house: House, manager: FlaskClient) -> None:
    house.receive("Проба", test=True)
    assert '<span class="tag past">тест</span>' in column(page(manager, "/"), "new")


def test_a_sleeping_lead_leaves_its_stage_for_the_last_column_R28(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Отложенный")
    scored(house, lead, 3)
    do(house, lead, "manager", "sleep", until=(house.clock() + timedelta(days=30)).date(), why="весной")
    html = page(manager, "/")
    assert names(column(html, "scoring")) == []
    assert names(column(html, "asleep")) == ["Отложенный"]
    assert re.findall(r'id="col-(\w+)"', page(manager, "/?show=asleep")) == ["asleep"]


def test_chips_count_and_narrow_and_keep_the_other_filters(house: House, manager: FlaskClient) -> None:
    mine, other = house.receive("Моя", "+79120000001"), house.receive("Чужая", "+79120000002")
    do(house, mine, "manager", "take")
    do(house, other, "second", "take")
    html = page(manager, "/?channel=website")
    assert re.search(r'href="/\?show=mine&amp;channel=website">Мои <span class="count">1</span>', html)
    assert set(names(page(manager, "/?show=mine").split('id="columns"')[1])) == {"Моя"}
    assert names(page(manager, "/?channel=phone").split('id="columns"')[1]) == []


def test_no_next_step_is_a_lead_that_only_waits_for_one_R26(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Без шага")
    house.receive("Новая", "+79120000009")
    scored(house, lead, 3)
    assert set(names(page(manager, "/?show=no_step").split('id="columns"')[1])) == {"Без шага"}
    assert "назначить следующий шаг" in column(page(manager, "/"), "scoring")
    do(house, lead, "manager", "plan_step", step="Позвонить", due_at=house.clock() + timedelta(days=1))
    card = column(page(manager, "/"), "scoring")
    assert "Позвонить" in card
    assert "назначить следующий шаг" not in card
    assert names(page(manager, "/?show=no_step").split('id="columns"')[1]) == []


def test_nonsense_in_the_address_is_as_if_it_was_not_there(house: House, manager: FlaskClient) -> None:
    house.receive("Клиника")
    assert "Клиника" in page(manager, "/?show=x&owner='; DROP TABLE leads&segment=Z&stage=nope&page=-1&sort=a;b")
    assert "Клиника" in page(manager, "/leads?sort=number;DROP&page=99999999&show=won%27")


# ── commands from the board ──────────────────────────────────────────────────────


def test_take_from_the_board_comes_back_to_the_same_filter_R2(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    answer = press(manager, f"/board/{lead}/take", filter="channel=website")
    assert (answer.status_code, answer.location) == (303, "/?channel=website")  # type: ignore[attr-defined]
    assert house.hub.lead(lead).owner == f"user:{house.users['manager']}"
    assert "Заявка у вас в работе." in page(manager, "/")


def test_a_refused_move_shows_its_sentence_and_changes_nothing_R9(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    do(house, lead, "manager", "take")
    do(house, lead, "manager", "finish_screening", progress="none", criteria_checked=True)
    answer = press(manager, f"/board/{lead}/move", to="preparation")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "Сначала заполните лист оценки" in answer.get_data(as_text=True)  # type: ignore[attr-defined]
    assert house.hub.lead(lead).stage == "scoring"


def test_by_script_a_refusal_is_a_toast_and_the_board_comes_back(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    token = re.search(r'name="csrf-token" content="([^"]+)"', page(manager, "/"))
    assert token
    answer = manager.post(f"/board/{lead}/move", data={"to": "scoring"}, headers={"HX-Request": "true", "X-CSRF-Token": token[1]})
    assert answer.status_code == 422
    assert answer.headers["HX-Trigger"].isascii()
    assert '"state": "bad"' in answer.headers["HX-Trigger"]
    assert "<html" not in answer.get_data(as_text=True)
    assert 'id="columns"' in answer.get_data(as_text=True)


def test_only_targets_of_the_process_are_offered(house: House, manager: FlaskClient) -> None:
    house.receive("Клиника")
    assert re.findall(r'name="to" value="(\w+)"', column(page(manager, "/"), "new")) == house.hub.process.targets("new")


@pytest.mark.parametrize("login", ["auditor", "account"])
def test_those_who_do_not_work_leads_see_no_commands_and_are_refused(house: House, client: FlaskClient, login: str) -> None:
    lead = house.receive("Клиника")
    sign_in(client, login)
    assert "formaction" not in page(client, "/")
    assert press(client, f"/board/{lead}/take").status_code == 403  # type: ignore[attr-defined]
    assert house.hub.lead(lead).owner == ""


def test_a_trainee_is_offered_commands_only_on_what_they_may_work_R12(house: House, client: FlaskClient) -> None:
    other, theirs = house.receive("Клиника"), house.receive("Пекарня", phone="+7 900 000-00-77")
    do(house, theirs, "head", "reassign", owner=house.actor("trainee").id, why="учится")
    sign_in(client, "trainee")
    html = page(client, "/")
    assert f"/board/{other}/take" not in html
    assert f"/board/{other}/move" not in html
    assert f"/board/{theirs}/move" in html


def test_without_sign_in_there_is_no_board(house: House, client: FlaskClient) -> None:
    house.receive("Клиника")
    for path in ("/", "/board/part", "/leads", "/my", "/search?q=x", "/notices", "/process"):
        answer = client.get(path)
        assert answer.status_code == 303 or answer.status_code == 302
        assert "Клиника" not in answer.get_data(as_text=True)


# ── the list ─────────────────────────────────────────────────────────────────────


def listed(client: FlaskClient, path: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/leads/[^"]+">([^<]+)</a>', page(client, path))


def test_the_list_shows_ended_leads_by_the_way_they_ended_R28(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Проигранная")
    scored(house, lead, 3)
    do(house, lead, "manager", "lose", reason="price", closeness="second")
    assert listed(manager, "/leads") == []
    html = page(manager, "/leads?show=lost")
    assert "Проигранная" in html
    assert "Дорого, были вторыми" in html
    assert "Проигранная" not in page(manager, "/")


def test_the_list_is_sorted_by_the_address_both_ways(house: House, manager: FlaskClient) -> None:
    for n, name in enumerate(("Берёза", "Арбуз", "Вишня")):
        house.receive(name, f"+7912000000{n}")
    assert listed(manager, "/leads?sort=name") == ["Арбуз", "Берёза", "Вишня"]
    assert listed(manager, "/leads?sort=-name") == ["Вишня", "Берёза", "Арбуз"]
    assert 'aria-sort="descending"' in page(manager, "/leads?sort=-name")


def link(html: str, text: str) -> str:
    found = re.search(rf'<a href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?{text}', html)
    assert found, f"no link {text}"
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{sort}" for sort in SORTS)])
def test_the_list_is_read_page_by_page_there_and_back_in_every_order(house: House, manager: FlaskClient, sort: str,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "IN_LIST", 3)
    leads = [house.receive(f"Клиент {n % 3}", f"+7912000{n:04d}", channel="website" if n % 2 else "phone") for n in range(7)]
    for lead in leads[:4]:
        do(house, lead, "manager" if lead == leads[0] else "second", "take")
    show = "all"
    if sort.lstrip("-") == "ended":
        show = "lost"
        for lead in leads:
            if not house.hub.lead(lead).owner:
                do(house, lead, "manager", "take")
            house.clock.advance(minutes=1)
            do(house, lead, "head", "lose", reason="price", closeness="second")
    html, seen = page(manager, f"/leads?show={show}&sort={sort}"), []
    while True:
        seen.append(re.findall(r'<tr data-row id="l(\d+)"', html))
        if "Дальше" not in html.split("<footer")[1]:
            break
        html = page(manager, link(html, "Дальше"))
    assert [len(numbers) for numbers in seen] == [3, 3, 1]
    assert len({number for numbers in seen for number in numbers}) == 7
    for numbers in reversed(seen[:-1]):
        html = page(manager, link(html, "Назад"))
        assert re.findall(r'<tr data-row id="l(\d+)"', html) == numbers
    assert "Назад" not in html


def test_a_page_goes_on_from_its_lead_whatever_came_in_meanwhile(house: House, manager: FlaskClient,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "IN_LIST", 2)
    for n in range(4):
        house.receive(f"Клиент {n}", f"+7912000000{n}")
        house.clock.advance(minutes=1)
    following = link(page(manager, "/leads?sort=-received"), "Дальше")
    house.receive("Новый", "+79120000099")
    assert listed(manager, following) == ["Клиент 1", "Клиент 0"]
    assert listed(manager, "/leads?sort=-received&after=77777") == ["Новый", "Клиент 3"]


# ── speed ────────────────────────────────────────────────────────────────────────


FILTERS = [Wanted(show=show, owner=owner, segment=segment, channel=channel, stage=stage, me="user:x", day_ends="2026-11-24")
           for show in OPEN_SHOWS for owner in ("", "none", "user:y") for segment in ("", "none", "A")
           for channel in ("", "phone") for stage in ("", "new")]


def test_every_question_of_the_board_is_answered_from_an_index_without_sorting(house: House) -> None:
    leads, asked = house.hub.views.leads, []
    with house.store.views.reading() as c:
        connection = c.connection  # type: ignore[attr-defined]
        connection.set_trace_callback(asked.append)
    try:
        for wanted in FILTERS:
            leads.column("new", wanted, 25)
            leads.counts(wanted)
        for owners in ((), ("user:x",), ("user:x", "")):
            leads.hottest("2026-11-23", 4, owners)
        leads.late("2026-11-23", 10)
        leads.late_count("2026-11-23")
        leads.handed_over("user:x", 10)
        leads.tags()
    finally:
        connection.set_trace_callback(None)
    questions = {sql for sql in asked if sql.startswith("SELECT")}
    assert len(questions) >= 2 * len(FILTERS)
    with house.store.views.reading() as c:
        for sql in questions:
            plan = [row["detail"] for row in c.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
            whole = [step for step in plan if "TEMP B-TREE" in step or ("SCAN leads" in step and "INDEX leads_open" not in step)]
            assert whole == [], (sql, plan)


def test_what_burns_for_somebody_is_the_soonest_of_theirs_and_of_the_untaken_then_the_latest_missed(house: House) -> None:
    """R2: what can still be saved first, and room that is left for what was missed last."""
    given = {}
    for n in range(1, 7):
        given[n] = house.receive(f"Клиент {n}", f"+7912000000{n}")
        house.clock.advance(minutes=1)
    for n in (2, 4):
        do(house, given[n], "manager", "take")
        do(house, given[n], "manager", "finish_screening", progress="none", criteria_checked=True)
    do(house, given[5], "second", "take")
    leads, mine = house.hub.views.leads, f"user:{house.users['manager']}"
    by_time = [row["number"] for row in leads.rows() if row["number"] != 5]

    def hottest(after: int, limit: int) -> list[int]:
        since = leads.rows("number = ?", (by_time[after],))[0]["due_sort"]
        return [row["number"] for row in leads.hottest(since, limit, (mine, ""))]
    assert hottest(0, 3) == by_time[:3]
    assert hottest(3, 4) == by_time[1:5]
    assert hottest(3, 9) == by_time
    assert {row["number"] for row in leads.hottest("2026-11-23", 9)} == {*by_time, 5}


# ── a card that was drawn before ─────────────────────────────────────────────────


def one_card(client: FlaskClient, name: str = "Клиника") -> str:
    found = re.search(rf'<li class="card(?:(?!<li class="card).)*?>{name}</a></h3>.*?(?=<li class="card|</section>)',
                      page(client, "/").partition('id="columns"')[2], re.S)
    assert found
    return found[0]


def test_a_kept_card_is_drawn_again_when_anything_that_it_shows_has_changed(house: House, manager: FlaskClient) -> None:
    """What is missing in the key of a kept card would be seen here as it was before."""
    lead = house.receive("Клиника")
    do(house, lead, "manager", "take")
    first = one_card(manager)
    assert one_card(manager) == first
    assert "Мария Котова" in first

    house.hub.edit_user(house.users["manager"], "Мария Лисина", ("manager",), actor=THE_HUB, at=house.clock())
    renamed = one_card(manager)
    assert "Мария Лисина" in renamed
    assert "Котова" not in renamed

    assert 'class="due ok"' in renamed
    house.clock.advance(hours=3)
    late = one_card(manager)
    assert 'class="due bad"' in late

    others = house.app.test_client()
    sign_in(others, "auditor")
    assert "formaction" in late
    assert "formaction" not in one_card(others)


def test_a_kept_card_speaks_by_the_process_in_force_and_the_companys_clock(house: House, manager: FlaskClient) -> None:
    house.receive("Клиника")
    before = one_card(manager)
    assert "23.11 11:35" in before  # a quarter of an hour after 11:20 in Moscow
    text = PROCESS.read_text(encoding="utf-8")
    stage = house.hub.process.stages["screening"].title
    for old, new, shown in (('"Europe/Moscow"', '"Asia/Yekaterinburg"', "23.11 13:35"),
                            (f'title = "{stage}"', 'title = "Первый отсев"', "Перевести в «Первый отсев»")):
        assert old in text
        text = text.replace(old, new)
        house.hub.publish_process(text, *days(), actor=THE_HUB, at=house.clock())
        assert shown not in before
        assert shown in one_card(manager)


def test_a_kept_card_says_the_year_of_what_comes_once_it_is_another_one(house: House, manager: FlaskClient) -> None:
    lead = house.receive("Клиника")
    scored(house, lead, 3)
    do(house, lead, "manager", "sleep", until=date(2026, 12, 31), why="весной")
    house.clock.at = datetime(2026, 12, 31, 20, 59, tzinfo=UTC)  # a minute to midnight in Moscow
    sign_in(late := house.app.test_client(), "manager")
    assert "вернуться 31\u00a0декабря<" in one_card(late)
    house.clock.advance(minutes=2)
    assert "вернуться 31\u00a0декабря 2026" in one_card(late)
