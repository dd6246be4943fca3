"""Saved views, the view a person begins with, and how each has their list."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from hub.web.board import saved
from tests.web.house import House
from tests.web.test_board import do, listed, page
from tests.web.test_board_acts import Hand, screening


@pytest.fixture
def hand(client: FlaskClient) -> Hand:
    return Hand(client)


def views(html: str) -> list[tuple[str, str]]:
    """(address, name) of the views in the menu."""
    return [(url.replace("&amp;", "&"), name) for url, name in
            re.findall(r'<div class="view"><a href="([^"]+)".*?<span>([^<]+)</span>', html, re.S)]


def save(hand: Hand, name: str, query: str, place: str = "board", **fields: str) -> str:
    answer = hand.post("/views", script=False, name=name, query=query, place=place, **fields)
    assert answer.status_code == 303
    return str(answer.location)


def test_a_view_keeps_filter_sort_and_place_and_is_marked_where_it_is_shown(house: House, hand: Hand) -> None:
    assert save(hand, "Мои телефонные", "show=mine&channel=phone") == "/?show=mine&channel=phone"
    assert save(hand, "По оценке", "sort=-score&segment=A", "list") == "/leads?segment=A&sort=-score"
    html = page(hand.client, "/?channel=phone&show=mine")
    assert views(html) == [("/?show=mine&channel=phone", "Мои телефонные"), ("/leads?segment=A&sort=-score", "По оценке")]
    assert re.findall(r'<div class="view"><a href="[^"]+" aria-current="true">.*?<span>([^<]+)', html, re.S) == ["Мои телефонные"]


def test_words_of_a_search_are_never_kept_in_a_view(house: House, hand: Hand) -> None:
    save(hand, "Поиск", "show=mine&q=Петренко")
    assert views(page(hand.client, "/")) == [("/?show=mine", "Поиск")]
    with house.store.reading() as c:
        assert "Петренко" not in str([tuple(row) for row in c.execute("SELECT * FROM saved_views").fetchall()])


def test_the_same_name_again_replaces_the_view(house: House, hand: Hand) -> None:
    save(hand, "Мои", "show=mine")
    save(hand, "Мои", "show=mine&segment=A")
    assert views(page(hand.client, "/")) == [("/?show=mine&segment=A", "Мои")]


@pytest.mark.parametrize(("name", "fields", "sentence"), [
    (" ", {}, "Назовите вид"), ("а" * 61, {}, "Название длиннее 60"),
    ("Общий", {"shared": "1"}, "Общие виды сохраняет руководитель")])
def test_a_view_that_cannot_be_kept_says_why(hand: Hand, name: str, fields: dict[str, str], sentence: str) -> None:
    back = save(hand, name, "show=mine", **fields)
    html = page(hand.client, back)
    assert sentence in html
    assert views(html) == []


def test_nobody_has_views_without_end(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST", 2)
    for name in ("1", "2", "3"):
        save(hand, name, "show=mine")
    html = page(hand.client, "/")
    assert "У вас уже 2 видов" in html
    assert len(views(html)) == 2


def test_a_shared_view_is_everybodys_and_the_heads_to_delete(house: House, hand: Hand) -> None:
    head = Hand(house.app.test_client(), "head")
    save(head, "Горит у всех", "show=today", shared="1")
    save(head, "Только мой", "show=deferrals")
    html = page(hand.client, "/")
    assert views(html) == [("/?show=today", "Горит у всех")]
    view = saved.View.of(_rows(house)[0])
    assert f"/views/{view.id}/remove" not in html
    assert hand.post(f"/views/{view.id}/remove", script=False).status_code == 403
    assert head.post(f"/views/{view.id}/remove", script=False).status_code == 303
    assert views(page(hand.client, "/")) == []


def _rows(house: House) -> list[object]:
    with house.store.reading() as c:
        return list(c.execute("SELECT * FROM saved_views WHERE shared = 1").fetchall())


def test_the_board_begins_with_the_view_that_a_person_chose_and_all_is_a_press_away(house: House, hand: Hand) -> None:
    lead = screening(house)
    save(hand, "Мои", "show=mine", first="1")
    answer = hand.client.get("/")
    assert (answer.status_code, answer.location) == (302, "/?show=mine")
    html = page(hand.client, "/?show=mine")
    assert re.search(r'href="/\?show=all"[^>]*>Все', html)
    assert "Клиника" in page(hand.client, "/?show=all")
    second = Hand(house.app.test_client(), "second")
    assert second.client.get("/").status_code == 200
    assert hand.post("/views/none/first", script=False).location == "/"
    assert hand.client.get("/").status_code == 200
    assert lead


def test_a_deleted_view_is_nobodys_beginning_any_more(house: House, hand: Hand) -> None:
    head = Hand(house.app.test_client(), "head")
    save(head, "Горит", "show=today", shared="1")
    id = saved.View.of(_rows(house)[0]).id
    assert hand.post(f"/views/{id}/first", script=False).location == "/?show=today"
    assert hand.client.get("/").location == "/?show=today"
    head.post(f"/views/{id}/remove", script=False)
    assert hand.client.get("/").status_code == 200


def test_anothers_own_view_is_not_there(house: House, hand: Hand) -> None:
    second = Hand(house.app.test_client(), "second")
    save(second, "Чужой", "show=mine")
    with house.store.reading() as c:
        id = c.execute("SELECT id FROM saved_views").fetchone()["id"]
    for act in ("first", "remove"):
        assert hand.post(f"/views/{id}/{act}", script=False).status_code == 404


# ── the list as each person has it ───────────────────────────────────────────────


def heads(html: str) -> list[str]:
    table = re.search(r"<thead>.*?</thead>", html, re.S)
    assert table
    return [re.sub(r"<[^>]+>", "", head).strip() for head in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table[0], re.S)]


def test_columns_and_density_are_chosen_and_stay(house: House, hand: Hand) -> None:
    lead = screening(house)
    do(house, lead, "manager", "tag", tag="тендер")
    before = page(hand.client, "/leads")
    assert heads(before) == ["№", "Заявка", "Стадия", "Оценка", "Срок", "Дальше", "Ответственный", "Источник", "Пришла"]
    assert '<span class="tag ">тендер</span>' in before
    answer = hand.post("/leads/look", script=False, column=["tags", "stage", "nonsense", "company"], dense="1", query="sort=name")
    assert answer.location == "/leads?sort=name"
    html = page(hand.client, "/leads")
    assert heads(html) == ["Заявка", "Стадия", "Метки", "Компания"]
    assert "table fold leads dense" in html
    hand.post("/leads/look", script=False)
    assert heads(page(hand.client, "/leads")) == heads(before)
    assert listed(hand.client, "/leads") == ["Клиника"]


def test_the_refreshed_part_of_the_list_is_the_same_page(house: House, hand: Hand) -> None:
    screening(house)
    html = page(hand.client, "/leads?show=mine&sort=name")
    part = re.search(r'id="list" data-live="([^"]+)"', html)
    assert part
    assert part[1].replace("&amp;", "&") == "/leads/part?show=mine&sort=name"
    assert listed(hand.client, part[1].replace("&amp;", "&")) == ["Клиника"]
    assert 'href="/exports/leads?show=mine&amp;sort=name"' in html
