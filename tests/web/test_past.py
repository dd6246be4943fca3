"""The past of a card on its pages: any moment, read-only; bad moments; differences; «Почему?»; what if; the printed history."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from hub.projections.lead_queries import Wanted
from tests.web.conftest import sign_in
from tests.web.house import PROCESS, Clock, House, days


@pytest.fixture
def deal(house: House, clock: Clock) -> UUID:
    """Taken after five minutes, screened, scored a quarter of an hour later."""
    lead = house.receive()
    clock.advance(minutes=5)
    act(house, lead, "take")
    act(house, lead, "finish_screening", criteria_checked=True)
    clock.advance(minutes=15)
    act(house, lead, "score", marks={p: int(n < 11) for n, p in enumerate(house.hub.process.parameters)})
    return lead


def act(house: House, lead: UUID, command: str, who: str = "manager", **arguments: object) -> None:
    house.hub.do(lead, command, arguments, actor=house.actor(who), at=house.clock())
    house.settle()


def text(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    found = answer.get_data(as_text=True)
    assert answer.status_code == status, found
    return found


def plain(page: str) -> str:
    """What a page says, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\xa0", " ")


def main(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


def test_the_card_reads_as_it_was_at_every_event_and_offers_nothing(client: FlaskClient, house: House, deal: UUID) -> None:
    sign_in(client, "manager")
    count = house.hub.version(deal)
    for version in range(1, count + 1):
        page = text(client, f"/leads/{deal}?at={version}")
        state = house.hub.lead(deal, version=version)
        assert 'class="past"' in page
        assert "только чтение" in plain(page)
        assert "method=\"post\"" not in main(page)
        assert not re.search(r"/do/|data-act|data-live=", main(page))
        assert f"редакция процесса {house.hub.process.version}" in plain(page)
        assert ("Мария Котова" in plain(page).partition("Ответственный")[2][:40]) == bool(state.owner)
        assert ("без оценки" in plain(main(page))) == (state.score is None)
    assert 'class="past"' not in text(client, f"/leads/{deal}")


@pytest.mark.parametrize(("at", "status", "said"), [
    ("99999", 404, "нет события № 99999"), ("0", 404, "Выберите номер от 1"), ("2027-01-01", 422, "ещё не наступил"),
    ("2026-11-23T08:20:00Z%2B", 422, "не время и не номер"), ("вчера", 422, "не время и не номер"), ("-1", 422, "не время"),
    ("1999-01-01T00:00", 404, "она появилась 23.11.2026"), ("2026-11-23T11:00", 404, "появилась"),
    ("0001-01-01", 422, "не время"),
])
def test_a_moment_that_there_is_not_is_refused_with_the_way_out(client: FlaskClient, deal: UUID, at: str, status: int,
                                                                    said: str) -> None:
    sign_in(client, "auditor")
    page = text(client, f"/leads/{deal}?at={at}", status)
    assert said in plain(page)
    assert f'href="/leads/{deal}"' in page
    assert f'href="/leads/{deal}?at=1"' in page


def test_times_name_the_version_that_was_reached(client: FlaskClient, house: House, clock: Clock, deal: UUID) -> None:
    """11:20 in Moscow it came in, taken at 11:25; a day is its end, another zone is the same moment and is explained."""
    sign_in(client, "auditor")
    for at in ("2026-11-23T11:24", "2026-11-23T13:24+05:00", "2026-11-23T13:24%2B05:00", "2026-11-23T08:24:00Z"):
        page = plain(text(client, f"/leads/{deal}?at={at}"))
        assert "Ответственный никто" in page
        assert ("по UTC+0500 — это" in page) == ("+05" in at or "%2B" in at)
    assert "Ответственный Мария Котова" in plain(text(client, f"/leads/{deal}?at=2026-11-23T11:25"))
    clock.advance(days=2)
    sign_in(client, "auditor")
    assert "Ответственный Мария Котова" in plain(text(client, f"/leads/{deal}?at=2026-11-23"))


def test_what_is_posted_from_a_page_of_the_past_changes_nothing(client: FlaskClient, house: House, deal: UUID) -> None:
    token = sign_in(client, "manager")
    before = house.hub.version(deal)
    note = {"text": "из прошлого", "csrf_token": token}
    for path, headers in ((f"/leads/{deal}/do/note?at=3", {}), (f"/leads/{deal}/do/note", {"Referer": f"http://localhost/leads/{deal}?at=3"}),
                          (f"/board/{deal}/move?at=2026-11-23T11:24", {})):
        answer = client.post(path, data=note, headers=headers)
        assert answer.status_code == 422
        assert "на ней ничего не меняют" in answer.get_data(as_text=True)
    assert house.hub.version(deal) == before
    present = {"Referer": f"http://localhost/leads/{deal}"}
    assert client.post(f"/leads/{deal}/do/note", data=note, headers=present).status_code == 303


def test_a_difference_tells_every_field_with_who_and_why(client: FlaskClient, house: House, deal: UUID) -> None:
    sign_in(client, "auditor")
    events = house.hub.history(deal)
    taken = next(e.originator_version for e in events if e.TOPIC == "lead.taken")
    page = plain(text(client, f"/leads/{deal}/difference?old={taken - 1}&new={taken}"))
    assert "Ответственный не было Мария Котова Мария Котова, 23 ноября, 11:25" in page
    whole = plain(text(client, f"/leads/{deal}/difference?old={taken - 1}"))
    assert "Лист оценки №1: сумма не было 11" in whole
    assert "Стадия Новый" in whole
    assert whole.count("Бюджет") >= 1  # a mark of the sheet has its own name
    swapped = plain(text(client, f"/leads/{deal}/difference?old={len(events)}&new={taken - 1}"))
    assert "Лист оценки №1: сумма не было 11" in swapped
    assert "не время и не номер" in plain(text(client, f"/leads/{deal}/difference?old=abc", 422))


def test_why_names_event_author_version_and_rule_of_every_value(client: FlaskClient, house: House, deal: UUID) -> None:
    sign_in(client, "auditor")
    page = plain(text(client, f"/leads/{deal}/why"))
    assert "Лист: плюсов 11, нулей 4, минусов 0, сумма +11. Сегмент A «VIP»: от +10 до +15." in page
    assert "в КП участвует РОП: балл выше 9" in page
    assert "Правило R10, редакция 1" in page
    part = client.get(f"/leads/{deal}/why?group=score", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in part
    assert "Стадия" not in plain(part)
    early = plain(text(client, f"/leads/{deal}/why?at=2026-11-23T11:21"))
    assert "15 минут от 23 ноября, 11:20. Рабочий календарь: 09:00–18:00, Europe/Moscow, без выходных." in early
    assert "Получается 23 ноября, 11:35" in early
    assert "Лист" not in early


def test_another_process_would_have_decided_otherwise(client: FlaskClient, house: House, clock: Clock, deal: UUID) -> None:
    """Under the same file all is as it was; a new one moves A's bound, shortens the first deadline and asks for more."""
    token = sign_in(client, "head")
    assert "всё решилось бы так же" in plain(text(client, f"/leads/{deal}/what-if"))
    newer = PROCESS.read_text(encoding="utf-8").replace("minutes = 15", "minutes = 3", 1)
    newer = re.sub(r'(id = "B".*?to = )9', r"\g<1>11", newer, count=1, flags=re.S)
    newer = re.sub(r'(id = "A".*?from = )10', r"\g<1>12", newer, count=1, flags=re.S)
    clock.advance(minutes=1)
    house.hub.publish_process(newer, *days(), actor=house.actor("administrator"), at=clock())
    page = plain(text(client, f"/leads/{deal}/what-if"))
    assert re.search(r"сегмент A \+11 КП с РОПом сегмент B \+11 КП с РОПом иначе", page), page
    assert "поздно" in page.partition("Сроки")[2]
    assert "редакция процесса 2" in page
    assert "всё решилось бы так же" in plain(text(client, f"/leads/{deal}/what-if?process=1"))
    assert "редакции процесса № 7 не было" in plain(text(client, f"/leads/{deal}/what-if?process=7", 404)).lower()
    sent = client.post(f"/leads/{deal}/what-if", data={"csrf_token": token, "file": (BytesIO("сломан".encode()), "p.toml")})
    assert sent.status_code == 422
    assert "Файл не подходит как процесс" in plain(sent.get_data(as_text=True))
    tried = client.post(f"/leads/{deal}/what-if", data={"csrf_token": token, "file": (BytesIO(newer.encode()), "p.toml")})
    assert "p.toml" in plain(tried.get_data(as_text=True))
    old = plain(text(client, f"/leads/{deal}?at=2026-11-23T11:40"))
    assert "редакция процесса 1" in old


def test_the_printed_history_has_every_event(client: FlaskClient, house: House, deal: UUID) -> None:
    sign_in(client, "auditor")
    page = text(client, f"/leads/{deal}/print")
    count = house.hub.version(deal)
    assert re.findall(r'<li id="p(\d+)"', page) == [str(n) for n in range(1, count + 1)]
    assert "<details" not in page.partition('class="paper"')[2].partition("</main>")[0]
    assert re.findall(r'<li id="p(\d+)"', text(client, f"/leads/{deal}/print?at=4")) == ["1", "2", "3", "4"]


def test_board_list_and_map_are_as_they_were(client: FlaskClient, house: House, clock: Clock, deal: UUID) -> None:
    began = clock() - timedelta(minutes=20)
    clock.advance(days=1)
    act(house, deal, "lose", who="head", reason=next(iter(house.hub.process.loss_reasons)), closeness="never_close")
    clock.advance(days=1)
    sign_in(client, "auditor")
    for path in ("/", "/leads"):
        assert "Иван Петренко" not in main(text(client, path))
        there = main(text(client, f"{path}?at=2026-11-23T11:21"))
        assert "Иван Петренко" in there
        assert f"/leads/{deal}?at=2026-11-23T08%3A21%3A00Z" in there
        assert "только чтение" in plain(there)
        assert 'method="post"' not in there
        assert "data-due=" not in there
        assert "Иван Петренко" not in main(text(client, f"{path}?at=2026-11-23T11:19"))
        assert "Номер события есть только у карточки" in plain(text(client, f"{path}?at=3", 422))
        assert "ещё не наступил" in plain(text(client, f"{path}?at=2030-01-01", 422))
    assert "Мария Котова" in main(text(client, "/leads?at=2026-11-23T11:26"))
    assert "Иван Петренко" in main(text(client, "/leads?show=lost&at=2026-11-24"))
    assert "Иван Петренко" not in main(text(client, "/leads?show=lost&at=2026-11-23"))
    assert "Иван Петренко" not in main(text(client, "/leads?owner=none&at=2026-11-23T12:00"))
    assert house.hub.views.moments.counts(began, Wanted()).places == {"new": 1}
    page = text(client, "/process?at=2026-11-23T11:21")
    assert re.search(r'class="r" data-th="[^"]*">1</td>', page)
    assert "what=open&amp;stage=new" in page


def test_an_erased_person_is_erased_in_every_moment(client: FlaskClient, house: House, deal: UUID) -> None:
    sign_in(client, "auditor")
    count = house.hub.version(deal)
    paths = [*(f"/leads/{deal}?at={n}" for n in range(1, count + 1, 3)), f"/leads/{deal}/difference?old=2", f"/leads/{deal}/why",
             f"/leads/{deal}/print", "/?at=2026-11-23T11:30", "/leads?at=2026-11-23T11:30"]
    assert all("Петренко" in text(client, path) for path in paths[2:])
    house.keys.destroy(house.hub.lead(deal).main_person)
    for path in paths:
        page = plain(main(text(client, path)))
        assert not re.search("Петренко|9123456789|912 345-67-89|интернет-магазин", page), path
    assert "данные удалены" in plain(main(text(client, f"/leads/{deal}/why")))
