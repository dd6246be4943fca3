"""The audit trail: everything is in it, it is found by who, what, when and lead, and it is taken away as files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import UUID

import pytest

from hub.application import THE_HUB
from hub.domain.access import SignedIn, SignedOut, SignInFailed
from hub.domain.audit import AUDIT_STREAM, TrailExported
from hub.domain.errors import Refused
from hub.domain.event import TOPICS
from hub.domain.privacy import DataRead
from hub.domain.staff import User
from hub.jobs import JobRunner
from hub.projections.trail import FIRST, Place, Trail, Wanted, micros
from hub.sheets import csvs
from hub.web.audit import trail, trail_files
from hub.web.audit.trail_kinds import GROUPS, KINDS
from hub.web.sessions import TOLD_AN_HOUR
from tests.web.admin_pages import Browser, error_at, words
from tests.web.api_house import person
from tests.web.conftest import csrf_of
from tests.web.house import MONDAY, PASSWORD, House, ready_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = ready_house(tmp_path)
    yield house
    house.close()


@pytest.fixture
def auditor(house: House) -> Browser:
    return Browser(house, "auditor")


def shown(browser: Browser, **asked: str) -> list[str]:
    """The lines of a page of the trail."""
    page = browser.client.get("/audit/trail", query_string=asked).get_data(as_text=True)
    return [words(row) for row in re.findall(r"<tr data-row.*?</tr>", page, re.S)]


def positions(page: str) -> list[int]:
    return [int(n) for n in re.findall(r'<tr data-row id="p(\d+)"', page)]


def events(house: House, kind: type) -> list[object]:
    return [event for _, event in house.store.log(0, 100_000) if isinstance(event, kind)]


# ── what is in it ────────────────────────────────────────────────────────────────


def test_every_kind_of_event_has_its_words_and_its_group() -> None:
    ours = {topic for topic, cls in TOPICS.items() if cls.__module__.startswith("hub.")}
    assert ours - set(KINDS) == set(), "name them in hub/web/audit/trail_kinds.py"
    assert len(KINDS) == sum(len(group.kinds) for group in GROUPS.values()), "a kind stands in two groups"


def test_what_happened_is_told_with_who_and_what_was_there_before(house: House, auditor: Browser) -> None:
    admin = Browser(house, "administrator")
    lead = house.receive()
    Browser(house, "manager").done(f"/leads/{lead}/do/take")
    user = house.users["second"]
    house.hub.edit_user(user, "Пётр Лисин", ("head",), actor=house.actor("administrator"), at=house.clock())
    house.make_form()
    admin.post("/settings/forms/main/retire")
    lines = shown(auditor)
    roles = next(line for line in lines if "Изменены роли сотрудника" in line)
    assert "Алла Админова" in roles
    assert "Сотрудник: Пётр Лисин" in roles
    assert "Роли: Менеджер продаж → Руководитель отдела продаж" in roles
    taken = next(line for line in lines if "взял" in line.lower())
    assert "Мария Котова" in taken
    assert f"L-1 событие {house.hub.version(lead)}" in " ".join(lines)
    assert any("Создана форма сайта" in line and "Форма: Сайт, шапка" in line for line in lines)


def test_a_line_leads_to_the_moment_on_the_card(house: House, auditor: Browser) -> None:
    lead = house.receive()
    page = auditor.get(f"/audit/trail?lead={lead}&what=lead.received")
    assert f'href="/leads/{lead}?at=1"' in page
    assert auditor.status(f"/leads/{lead}?at=1") == 200


def test_a_refused_attempt_is_told_with_its_sentence(house: House, auditor: Browser) -> None:
    lead = house.receive()
    with pytest.raises(Refused):
        house.hub.do(lead, "take", {}, actor=house.actor("account"), at=house.clock())
    (line,) = shown(auditor, what="refused")
    assert "Анна Белова" in line
    assert "Отказано: " in line
    assert "не для вашей роли" in line or "может" in line
    assert "L-1" in line


def test_the_number_of_the_leaf_is_told_once_the_event_is_hashed(house: House, auditor: Browser) -> None:
    house.receive()
    assert all("ещё без листа" in line for line in shown(auditor))
    house.hub.audit.ledger.catch_up()
    page = auditor.get("/audit/trail?what=user.added")
    with house.store.reading() as cursor:
        for position in positions(page):
            leaf = house.hub.audit.ledger.leaf_at(cursor, position)
            assert leaf is not None
            assert f"лист {leaf.number}" in page
        every = range(1, house.store.head() + 1)
        found = house.hub.audit.ledger.leaf_numbers(cursor, every)
        assert found == {n: leaf.number for n in every if (leaf := house.hub.audit.ledger.leaf_at(cursor, n))}
    assert len(found) == len(every)


def test_what_is_personal_reads_as_on_the_card(house: House, auditor: Browser) -> None:
    lead = house.receive("Аркадий Канарейкин")
    person_id = next(iter(house.hub.lead(lead).people))
    assert "Аркадий Канарейкин" in " ".join(shown(auditor, lead="1"))
    house.store.keys.destroy(person_id)
    lines = " ".join(shown(auditor, lead="L-1"))
    assert "Аркадий" not in lines
    assert "данные удалены" in lines


# ── signing in and out ───────────────────────────────────────────────────────────


def try_in(house: House, login: str, password: str = "не тот") -> int:
    client = house.app.test_client()
    return client.post("/sign-in", data={"login": login, "password": password, "csrf_token": csrf_of(client)}).status_code


def test_sign_ins_and_sign_outs_are_facts(house: House, auditor: Browser) -> None:
    manager = Browser(house, "manager")
    manager.post("/sign-out")
    user = house.users["manager"]
    (begun,) = [e for e in events(house, SignedIn) if getattr(e, "user", None) == user]
    (ended,) = [e for e in events(house, SignedOut) if getattr(e, "user", None) == user]
    assert isinstance(begun, SignedIn)
    assert isinstance(ended, SignedOut)
    assert (begun.actor, begun.ip, ended.what) == (f"user:{user}", "127.0.0.1", "this")
    lines = shown(auditor, what="access", who=f"user:{user}")
    assert [next(w for w in ("Выход", "Вход") if w in line) for line in lines] == ["Выход", "Вход"]


def test_sessions_ended_elsewhere_say_which(house: House) -> None:
    one, other = Browser(house, "manager"), Browser(house, "manager")
    key = re.findall(r"/account/sessions/(\w+)/close", one.get("/account"))[0]
    one.post(f"/account/sessions/{key}/close")
    other = Browser(house, "manager") if other.status("/account") != 200 else other
    other.post("/account/sign-out-everywhere")
    assert [getattr(e, "what", "") for e in events(house, SignedOut)] == ["other", "all"]


def test_a_failed_sign_in_holds_no_secret_and_no_login_that_nobody_has(house: House, auditor: Browser) -> None:
    assert try_in(house, "manager", "мой-тайный-пароль") == 422
    assert try_in(house, "пароль-вместо-логина") == 422
    known, unknown = events(house, SignInFailed)
    assert isinstance(known, SignInFailed)
    assert isinstance(unknown, SignInFailed)
    assert (known.user, known.why, known.actor, known.ip) == (house.users["manager"], "wrong", "hub", "127.0.0.1")
    assert unknown.user is None
    stored = b"".join(row.state for row in house.store.tail(0, 100_000))
    for secret in ("мой-тайный-пароль", "пароль-вместо-логина", "127.0.0.1"):
        assert secret.encode() not in stored
        assert json.dumps(secret)[1:-1].encode() not in stored
    lines = shown(auditor, what="access.sign_in_failed")
    assert ["Мария Котова" in line for line in lines] == [False, True]
    assert "такого логина нет" in lines[0]


def test_a_wrong_password_of_one_who_is_signed_in_is_told_too(house: House) -> None:
    browser = Browser(house, "manager")
    browser.post("/password", current="не тот", password="новый длинный пароль", again="новый длинный пароль")
    (failed,) = events(house, SignInFailed)
    assert isinstance(failed, SignInFailed)
    assert (failed.user, failed.why) == (house.users["manager"], "own")


def test_a_flood_of_failures_does_not_fill_the_log(house: House) -> None:
    """All are counted; those beyond the first are told together."""
    told = [house.access.failures_to_tell(None, MONDAY) for _ in range(5_000)]
    assert told[:TOLD_AN_HOUR] == [1] * TOLD_AN_HOUR
    assert sum(1 for times in told if times) == TOLD_AN_HOUR + 8  # 32, 64, … 4096
    assert sum(told) == 4096
    assert house.access.failures_to_tell(house.users["manager"], MONDAY) == 1, "another login is another count"
    assert house.access.failures_to_tell(None, MONDAY + timedelta(hours=1)) == 5_000 - 4096 + 1, "nothing is lost with the hour"


def test_a_throttled_login_says_that_it_waits(house: House) -> None:
    for _ in range(11):
        try_in(house, "manager")
    failed = events(house, SignInFailed)
    assert [getattr(e, "why", "") for e in failed] == ["wrong"] * 10 + ["waits"]


# ── who may see it, and that this is recorded ────────────────────────────────────


@pytest.mark.parametrize("login", ["head", "manager", "trainee", "account"])
def test_others_see_nothing_of_it(house: House, login: str) -> None:
    browser = Browser(house, login)
    assert browser.status("/audit/trail") == 403
    assert browser.post("/audit/trail/export", format="csv").status_code == 403
    assert person(house, login).get("/audit/trail").status_code == 403
    assert house.hub.jobs.of() == []


def test_an_auditors_look_is_recorded_once_with_the_leads_that_were_on_the_page(house: House, auditor: Browser) -> None:
    one, other = house.receive(), house.receive("Ольга", "+79990001122")
    auditor.get("/audit/trail")
    auditor.get("/audit/trail")
    (read,) = events(house, DataRead)
    assert isinstance(read, DataRead)
    assert (read.actor, read.what, set(read.leads)) == (f"user:{house.users['auditor']}", "trail", {one, other})
    auditor.get("/audit/trail?what=people")
    Browser(house, "administrator").get("/audit/trail")
    assert len(events(house, DataRead)) == 1
    person(house, "auditor").get(f"/audit/trail?lead={other}")
    assert [getattr(e, "leads", ()) for e in events(house, DataRead)][1:] == [(other,)]


# ── filters and pages ────────────────────────────────────────────────────────────


@pytest.fixture
def busy(house: House) -> House:
    """A day of work by several people."""
    for n in range(6):
        lead = house.receive(f"Клиент {n}", f"+7912345600{n}")
        house.clock.advance(minutes=7)
        house.hub.do(lead, "take", {}, actor=house.actor("manager" if n % 2 else "second"), at=house.clock())
        house.hub.do(lead, "note", {"text": f"Заметка {n}"}, actor=house.actor("head"), at=house.clock())
        house.clock.advance(hours=5)
    house.settle()
    return house


FILTERS: dict[str, Callable[[Any, UUID], bool]] = {
    "who": lambda e, lead: e.actor == "hub", "what": lambda e, lead: e.TOPIC == "lead.note_added",
    "group": lambda e, lead: e.TOPIC in GROUPS["intake"].kinds,
    "who and what": lambda e, lead: e.TOPIC == "lead.taken" and e.actor.startswith("user:"),
    "lead": lambda e, lead: lead in (e.originator_id, getattr(e, "lead", None)),
    "lead and what": lambda e, lead: e.originator_id == lead and e.TOPIC == "lead.deadline_set",
    "when": lambda e, lead: MONDAY + timedelta(hours=6) <= (e.recorded_at or e.at) < MONDAY + timedelta(hours=17),
    "nothing": lambda e, lead: False, "all": lambda e, lead: True,
}


def wanted(house: House, name: str, lead: UUID) -> Wanted:
    return {
        "who": Wanted(who="hub"), "what": Wanted(topics=("lead.note_added",)),
        "group": Wanted(topics=tuple(GROUPS["intake"].kinds)),
        "who and what": Wanted(topics=("lead.taken",)), "lead": Wanted(lead=lead),
        "lead and what": Wanted(lead=lead, topics=("lead.deadline_set",), who="hub"),
        "when": Wanted(since=MONDAY + timedelta(hours=6), until=MONDAY + timedelta(hours=17)),
        "nothing": Wanted(who="user:nobody"), "all": Wanted(),
    }[name]


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_finds_what_it_says_in_one_order_on_every_page(busy: House, name: str) -> None:
    """Against the log itself; pages of seven, forwards and back, have nothing twice and nothing missing."""
    lead = busy.hub.views.leads.by_number(2)
    assert lead is not None
    expected = sorted(((micros(e.recorded_at or e.at), position) for position, e in busy.store.log(0, 10_000)
                       if FILTERS[name](e, lead)), reverse=True)
    if name == "lead and what":
        expected = [place for place in expected if busy.store.log(place[1] - 1, 1)[0][1].actor == "hub"]
    ask, seen = wanted(busy, name, lead), list[Place]()
    trail_view = busy.hub.views.trail
    while page := trail_view.places(ask, 7, before=seen[-1] if seen else None):
        seen += page
    assert seen == expected
    assert trail_view.places(ask, 10_000, after=Place(FIRST, 0)) == expected[::-1]
    assert trail_view.count(ask, 10_000) == len(expected)
    assert bool(expected) is (name != "nothing")


def test_no_question_reads_the_whole_table_or_sorts_it(busy: House) -> None:
    """Each way of asking goes by an index, and reads as many rows as it shows for each kind of event at most."""
    asked: list[str] = []
    view = busy.hub.views.trail
    lead = busy.hub.views.leads.by_number(1)
    with busy.store.views.reading() as c:
        connection = c.connection  # type: ignore[attr-defined]
        connection.set_trace_callback(asked.append)
    try:
        for who in ("", "hub"):
            for topics in ((), ("lead.note_added",), tuple(GROUPS["work"].kinds)):
                for on in (None, lead):
                    for since, until in ((None, None), (MONDAY, MONDAY + timedelta(days=1))):
                        ask = Wanted(who=who, topics=topics, lead=on, since=since, until=until)
                        view.places(ask, 51)
                        view.places(ask, 51, before=Place(micros(MONDAY), 5))
                        view.places(ask, 51, after=Place(micros(MONDAY), 5))
    finally:
        connection.set_trace_callback(None)
    questions = {sql for sql in asked if sql.startswith("SELECT") and " FROM trail " in sql}
    assert len(questions) > 50
    with busy.store.views.reading() as c:
        for sql in {part for whole in questions for part in re.findall(r"SELECT at, position FROM trail .*? LIMIT \d+", whole)}:
            (step,) = [row["detail"] for row in c.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
            assert step.startswith("SEARCH trail USING") or (" WHERE " not in sql and step == "SCAN trail"), (sql, step)


def test_filters_stand_in_the_address_and_pages_go_both_ways(busy: House, auditor: Browser,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "LISTED", 4)
    first = auditor.get("/audit/trail?what=lead.note_added")
    assert len(positions(first)) == 4
    (older,) = [re.sub("&amp;", "&", url) for url in re.findall(r'rel="next" href="([^"]+)"', first)]
    second = auditor.get(older)
    assert len(positions(second)) == 2
    assert "what=lead.note_added" in older
    (newer,) = [re.sub("&amp;", "&", url) for url in re.findall(r'href="([^"]+)" rel="prev"', second)]
    assert positions(auditor.get(newer)) == positions(first)
    assert 'rel="next"' not in second


def test_a_day_is_the_companys_and_the_last_one_is_included(busy: House, auditor: Browser) -> None:
    """The clock stood at 11:20 in Moscow on 23 November; events went on until the 24th."""
    every = auditor.client.get("/audit/trail?what=lead.note_added").get_data(as_text=True)
    monday = auditor.client.get("/audit/trail?what=lead.note_added&since=2026-11-23&until=2026-11-23").get_data(as_text=True)
    tuesday = auditor.client.get("/audit/trail?what=lead.note_added&since=2026-11-24T00:00").get_data(as_text=True)
    assert positions(tuesday) + positions(monday) == positions(every)
    assert positions(tuesday)
    assert positions(monday)


@pytest.mark.parametrize(("asked", "field", "said"), [
    ("since=вчера", "since", "Выберите день"), ("since=2026-02-30", "since", "Выберите день"),
    ("since=2026-11-24&until=2026-11-23", "until", "Поменяйте их местами"), ("lead=семь", "lead", "L-17"),
    ("lead=99", "lead", "Такой заявки нет"), ("what=lead.none", "what", "Выберите из списка"),
    ("since=0000-01-01", "since", "Выберите день")])
def test_a_filter_that_makes_no_sense_is_refused_at_its_field(auditor: Browser, asked: str, field: str, said: str) -> None:
    answer = auditor.client.get(f"/audit/trail?{asked}")
    assert answer.status_code in (404, 422)
    assert said in error_at(answer.get_data(as_text=True), field)


@pytest.mark.parametrize("place", ["x", "1", "1.x", "9" * 30 + ".1", "²5.1"])
def test_a_place_that_is_none_is_refused(auditor: Browser, place: str) -> None:
    answer = auditor.client.get("/audit/trail", query_string={"before": place})
    assert answer.status_code == 422
    assert "Начните с первой" in answer.get_data(as_text=True)


def test_a_filter_that_finds_nothing_says_what_to_do(auditor: Browser) -> None:
    assert "Таких событий нет" in auditor.get("/audit/trail?who=user:nobody")
    assert "Таких событий нет" in auditor.get("/audit/trail?what=privacy")


# ── taking it away ───────────────────────────────────────────────────────────────


def export(house: House, browser: Browser, **asked: str) -> dict[str, bytes]:
    """Ask for it, let a worker make it, and download every file."""
    where = browser.done("/audit/trail/export", **asked)
    job = UUID(where.rpartition("/")[2])
    assert JobRunner(house.hub.jobs, house.clock).turn(Flag())
    done = house.hub.jobs.one(job)
    assert done.state == "done", done.said
    return {file.name: browser.client.get(f"/jobs/{job}/file", query_string={"name": file.name}).data for file in done.results}


def test_a_table_opens_in_a_spreadsheet_and_holds_no_formula(house: House, auditor: Browser) -> None:
    lead = house.receive("=HYPERLINK(\"http://x\")", "+79123456789", text="=1+1")
    house.hub.do(lead, "take", {}, actor=house.actor("manager"), at=house.clock())
    house.settle()
    (table,) = export(house, auditor, format="csv").values()
    assert table.startswith("\N{ZERO WIDTH NO-BREAK SPACE}Когда;".encode())
    rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len(rows) > 25
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows for cell in row if cell.startswith(csvs.FORMULA)]
    received = next(row for row in rows if row[-1] == "lead.received")
    assert (received[7], received[8], received[3]) == ("L-1", "1", "Пришла заявка")


@pytest.mark.parametrize("cell", ["=1", "+7", "-1", "@x", "\tx", "\rx", "\nx", " =1", "＝1"])
def test_a_cell_that_would_be_calculated_is_guarded(cell: str) -> None:
    assert csvs.guarded(cell, strict=True) == f"'{cell}"
    assert csvs.guarded(f"а{cell}", strict=True) == f"а{cell}"


def test_lines_for_programs_say_what_the_page_says(busy: House, auditor: Browser) -> None:
    (lines,) = export(busy, auditor, format="jsonl", what="lead.note_added", since="2026-11-23").values()
    told = [json.loads(line) for line in lines.decode().splitlines()]
    assert [(t["type"], t["text"], t["who"]) for t in told] == [
        ("lead.note_added", f"Заметка {n}", "Роман Орлов") for n in range(6)]
    assert all(t["number"] == n for n, t in enumerate(told, 1))


def test_who_took_it_away_and_what_of_it_is_recorded(busy: House, auditor: Browser) -> None:
    export(busy, auditor, format="csv", what="work", who=f"user:{busy.users['head']}")
    taken = busy.store.read(AUDIT_STREAM)[-1]
    assert isinstance(taken, TrailExported)
    assert (taken.actor, taken.rows, taken.format) == (busy.actor("auditor").id, 6, "csv")
    assert taken.filters == {"what": "Работа с заявкой", "who": "Роман Орлов"}
    assert any("Выгружен журнал аудита" in line and "Строк: 6" in line for line in shown(auditor, what="exports"))


def test_a_long_trail_comes_in_several_files_and_goes_on_after_a_stop(busy: House, auditor: Browser,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies after the second file; the next one writes the rest, nothing twice and nothing missing."""
    monkeypatch.setattr(trail_files, "PART", 20)
    monkeypatch.setattr(trail_files, "BATCH", 10)
    job = UUID(auditor.done("/audit/trail/export", format="jsonl").rpartition("/")[2])
    made = trail_files._Part.close
    closed: list[int] = []

    def dies(part: trail_files._Part) -> None:
        made(part)
        closed.append(part.number)
        if len(closed) == 3:
            raise KeyboardInterrupt  # as kill -9: nothing below sees it
    monkeypatch.setattr(trail_files._Part, "close", dies)
    before = busy.store.head()
    with pytest.raises(KeyboardInterrupt):
        JobRunner(busy.hub.jobs, busy.clock).turn(Flag())
    assert JobRunner(busy.hub.jobs, busy.clock).turn(Flag())
    done = busy.hub.jobs.one(job)
    assert done.state == "done"
    told = [json.loads(line)["position"] for file in done.results for line in busy.hub.jobs.read(done, file.name).splitlines()]
    assert sorted(told) == list(range(1, before + 1))
    assert [file.name for file in done.results][:2] == ["audit-trail.jsonl", "audit-trail-2.jsonl"]


# ── programs ─────────────────────────────────────────────────────────────────────


def test_programs_read_it_page_by_page(busy: House) -> None:
    program = person(busy, "auditor")
    seen, cursor = list[int](), ""
    while True:
        page = program.get(f"/audit/trail?what=work&limit=5{f'&cursor={cursor}' if cursor else ''}").get_json()
        seen += [item["position"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    every = busy.hub.views.trail.places(Wanted(topics=tuple(GROUPS["work"].kinds)), 1000)
    assert seen == [place.position for place in every]
    note = next(i for i in program.get("/audit/trail?what=lead.note_added").get_json()["items"])
    assert (note["sentence"], note["text"], note["group"], note["readable"]) == ("Заметка", "Заметка 5", "work", True)


@pytest.mark.parametrize(("asked", "code"), [("cursor=x", "bad_cursor"), ("what=none", "no_such_choice"),
                                             (f"lead={UUID(int=7)}", "no_such_lead"), ("limit=0", "bad_request"),
                                             ("since=2026-11-24T00:00:00Z&until=2026-11-23T00:00:00Z", "trail_turned")])
def test_programs_are_refused_what_makes_no_sense(house: House, asked: str, code: str) -> None:
    answer = person(house, "auditor").get(f"/audit/trail?{asked}")
    assert (answer.status_code in (400, 404, 422), answer.get_json()["code"]) == (True, code)


def test_a_program_without_the_right_is_refused(house: House) -> None:
    assert person(house, "auditor", "read").get("/audit/trail").status_code == 403


# ── the read model ───────────────────────────────────────────────────────────────


def test_it_is_made_anew_the_same(busy: House) -> None:
    view = busy.hub.views.trail
    before = (view.places(Wanted(), 10_000), view.names())
    busy.runner.rebuild(Trail.name)
    assert (view.places(Wanted(), 10_000), view.names()) == before


def test_an_event_that_is_learned_of_later_stands_where_it_was_learned(house: House) -> None:
    """A deadline that passed while the worker slept."""
    lead = house.receive()
    house.clock.advance(hours=30)
    house.hub.pass_time(lead, at=house.clock())
    house.settle()
    (line,) = [line for line in shown(Browser(house, "auditor"), what="lead.deadline_missed") if "Взять" in line]
    assert "было" in line


def test_the_last_administrator_who_is_refused_is_in_it(house: House, auditor: Browser) -> None:
    with pytest.raises(Refused):
        house.hub.disable_user(house.users["administrator"], actor=THE_HUB, at=house.clock())
    house.hub.change(User, house.users["second"], lambda u: u.disable(), actor=THE_HUB, at=house.clock())
    house.settle()
    lines = shown(auditor)
    assert any("Отказано: Изменить сотрудника" in line and "последний администратор" in line for line in lines)
    assert any("Сотрудник отключён" in line for line in lines)
    assert PASSWORD not in " ".join(lines)
