"""Leads in and out as tables: strangers' files read within limits, rows in exactly once, an import taken back, leads out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from uuid import UUID

import pytest
from openpyxl import Workbook, load_workbook

from hub.domain import events as e
from hub.domain.errors import Refused
from hub.domain.importing import ImportBegun, ImportFinished, ImportUndone, LeadsTaken
from hub.jobs import Job, JobRunner
from hub.projections.lead_queries import Wanted
from hub.sheets import csvs, exporting, importing, mapping, reading, remembered, undoing, workbook
from hub.sheets.importing import FILE, Options
from hub.sheets.mapping import Source
from tests.house import MONDAY, Department, actor, after, form, phone

HEADER = "ФИО;Телефон;E-mail;Компания;Комментарий;Дата\r\n"
ROWS = ("Иван Петренко;8 912 345-67-89;;Меридиан;Нужен сайт;01.10.2026\r\n"
        "Анна Гусева;+7 (916) 000-11-22, 8 916 000-11-33;guseva@example.ru;;;02.10.2026\r\n"
        ";нет;;;;\r\n"
        ";;;;Только комментарий;\r\n")


def book(*rows: tuple[object, ...]) -> bytes:
    made = Workbook()
    for row in rows:
        made.active.append(row)
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


# ── reading ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("data", "told"), [
    ((HEADER + ROWS).encode(), "utf-8 ;"),
    ((HEADER + ROWS).encode("utf-8-sig"), "utf-8-sig ;"),
    ((HEADER + ROWS).encode("cp1251"), "cp1251 ;"),
    ((HEADER + ROWS).encode("utf-16"), "utf-16 ;"),
    (HEADER.replace(";", "\t").encode() + ROWS.replace(";", "\t").encode(), "utf-8 tab"),
    (("sep=;\r\n" + HEADER + ROWS).encode("cp1251"), "cp1251 ;"),
    (("\r\n\r\n" + HEADER + ROWS).encode(), "utf-8 ;"),
])
def test_a_table_is_read_in_any_encoding_with_any_delimiter(data: bytes, told: str) -> None:
    sheet = reading.read(data)
    assert sheet.told == told
    assert sheet.header == ("ФИО", "Телефон", "E-mail", "Компания", "Комментарий", "Дата")
    assert [cells[0] for _, cells in sheet.rows] == ["Иван Петренко", "Анна Гусева", "", ""]


def test_rows_have_the_numbers_that_a_spreadsheet_shows() -> None:
    sheet = reading.read("имя,телефон\n\nИван,89123456789\n,\n\"Анна\nГусева\",89160001122\n".encode())
    assert [number for number, _ in sheet.rows] == [3, 5]


def test_a_workbook_is_read_as_people_see_it() -> None:
    sheet = reading.read(book(("Имя", "Телефон", "Дата"), ("Иван", 79123456789.0, MONDAY.replace(tzinfo=None)),
                              (None, None, None), ("Анна", 7.5, True)))
    assert (sheet.told, sheet.header) == ("xlsx", ("Имя", "Телефон", "Дата"))
    assert sheet.rows == ((2, ("Иван", "79123456789", "2026-11-16 07:00")), (4, ("Анна", "7.5", "да")))


def zipped(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return target.getvalue()


@pytest.mark.parametrize(("data", "code"), [
    (b"", "no_file"), (b"x" * (reading.MAX_FILE + 1), "sheet_too_large"), (b"\xd0\xcf\x11\xe0" + b"0" * 99, "sheet_old"),
    (b"a;b\n", "sheet_empty"), (b"\n\n", "sheet_empty"), (b"PK\x03\x04broken", "sheet_broken"), (zipped(a=b"1"), "sheet_broken"),
    (b"a;b\n1\x002;3\n", "sheet_encoding"), (b"\xff\xfea", "sheet_encoding"),
    ((";".join(f"c{n}" for n in range(101)) + "\n1\n").encode(), "sheet_too_wide"),
    (zipped(**{"xl/workbook.xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}), "sheet_broken"),
])
def test_what_is_no_table_is_refused_with_a_way_out(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        reading.read(data)
    assert refused.value.code == code
    assert refused.value.field == "file"


def test_a_zip_bomb_is_refused_while_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(Refused, match="unpacks to more"):
        reading.read(zipped(**{"xl/a.xml": b"0" * 1_000_001}))
    lying = bytearray(zipped(**{"xl/a.xml": b"0" * 1_000_001}))
    place = lying.rindex(b"PK\x01\x02")
    lying[place + 24:place + 28] = (5).to_bytes(4, "little")  # the directory says that the part has five bytes
    with pytest.raises(Refused):
        reading.read(bytes(lying))


def test_more_rows_than_the_hub_takes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    assert len(reading.read(b"a\n1\n2\n3\n").rows) == 3
    with pytest.raises(Refused, match="more than 3 rows"):
        reading.read(b"a\n1\n2\n3\n4\n")


# ── columns ──────────────────────────────────────────────────────────────────────


def test_columns_are_guessed_by_heading_and_by_what_stands_in_them() -> None:
    assert mapping.guessed(("ФИО", "Моб. телефон", "E-mail", "Организация", "Комментарий менеджера", "Город", "№ карты"),
                           [("", "", "", "", "", "", "7")]) == ("name", "phone", "email", "company", "text", "region", "field")
    rows = [("a@b.ru", "8 912 345-67-89", "", "x"), ("c@d.ru", "+79160001122", "", "y")]
    assert mapping.guessed(("c1", "c2", "c3", "c4"), rows) == ("email", "phone", "skip", "field")
    assert mapping.guessed(("Имя", "ФИО"), [("a", "b")]) == ("name", "field")


def test_a_mapping_needs_somebody_and_one_place_for_a_name() -> None:
    with pytest.raises(Refused, match="belongs to nobody"):
        mapping.checked(("text", "field"), {})
    with pytest.raises(Refused, match="one column only"):
        mapping.checked(("name", "name"), {})
    assert mapping.checked(("phone", "phone", "nonsense"), {}) == ("phone", "phone", "skip")


COLUMNS = ("name", "phone", "email", "company", "text", "field")
SOURCE = Source("website", "Выставка")


def test_a_row_becomes_a_delivery_word_for_word() -> None:
    sheet = reading.read((HEADER + ROWS).encode())
    came = mapping.delivery(sheet.header, sheet.rows[1][1], COLUMNS, SOURCE)
    assert [(a.kind, a.value) for a in came.addresses] == [("phone", "+79160001122"), ("phone", "+79160001133"),
                                                          ("email", "guseva@example.ru")]
    assert (came.source, came.source_title, came.fields, came.quiet) == ("import", "Выставка", (("Дата", "02.10.2026"),), True)
    for row, code in ((2, "row_bad_phone"), (3, "row_nobody")):
        with pytest.raises(Refused) as refused:
            mapping.delivery(sheet.header, sheet.rows[row][1], COLUMNS, SOURCE)
        assert refused.value.code == code


# ── importing ────────────────────────────────────────────────────────────────────


@pytest.fixture
def house(tmp_path: Path, both_stores: None) -> Iterator[Department]:
    with Department(tmp_path) as house:
        house.begin()
        house.hub.jobs.prepare()
        house.hub.jobs.register(importing.kind(house.hub), undoing.kind(house.hub), exporting.kind(house.hub))
        yield house


def begin(house: Department, data: bytes, columns: tuple[str, ...] = COLUMNS, known: str = "add", *, quiet: bool = True) -> UUID:
    options = Options(columns, Source("website", "Выставка", quiet), known)
    return house.hub.jobs.start("import", options.told(), actor=actor("vera"), at=MONDAY, name="b.csv",
                                files={FILE: ("text/csv", data)})


def work(house: Department) -> None:
    assert JobRunner(house.hub.jobs, lambda: MONDAY).turn(Flag())
    house.runner.catch_up()


def bring_in(house: Department, data: bytes, **how: object) -> Job:
    job = begin(house, data, **how)  # type: ignore[arg-type]
    work(house)
    return house.hub.jobs.one(job)


def of(house: Department, kind: type) -> list[object]:
    return [event for _, event in house.store.log(0, 10_000) if isinstance(event, kind)]


FILE_OF_FOUR = (HEADER + ROWS).encode()


def test_rows_come_in_quietly_and_what_was_left_out_is_told(house: Department) -> None:
    done = bring_in(house, FILE_OF_FOUR)
    assert (done.state, done.done, done.total) == ("done", 4, 4)
    assert (done.facts["began"], done.facts["added"], done.facts["skipped"]) == (2, 0, 2)
    assert done.facts["reasons"] == {"row_bad_phone": 1, "row_nobody": 1}
    report = house.hub.jobs.read(done, "пропущенные-строки.csv").decode("utf-8-sig")
    assert "4;телефон не разобрать: нет;" in report
    assert "5;нет ни телефона, ни почты, ни имени;" in report
    assert "Только комментарий" in report
    rows = house.leads()
    assert [(row["company"], row["source_title"], row["due_at"]) for row in rows] == [
        ("Меридиан", "Выставка", None), ("", "Выставка", None)]
    assert of(house, e.DeadlineSet) == of(house, e.LeadOffered) == []
    assert [(ev.turn, ev.rows) for ev in of(house, ImportBegun)] == [(1, 4)]  # type: ignore[attr-defined]
    assert [(ev.began, ev.skipped) for ev in of(house, ImportFinished)] == [(2, 2)]  # type: ignore[attr-defined]


def test_where_it_is_asked_for_the_clocks_start_R2(house: Department) -> None:
    bring_in(house, FILE_OF_FOUR, quiet=False)
    assert len(of(house, e.LeadOffered)) == 2
    assert len(of(house, e.DeadlineSet)) == 4


def test_the_same_file_again_brings_nothing(house: Department) -> None:
    bring_in(house, FILE_OF_FOUR)
    again = bring_in(house, FILE_OF_FOUR)
    assert (again.state, again.said[0]) == ("failed", "imported_already")
    assert len(house.leads()) == 2


@pytest.mark.parametrize(("known", "cards", "messages", "skipped"), [("add", 2, 2, 2), ("skip", 2, 1, 3), ("new", 3, 1, 2)])
def test_a_client_with_a_card_is_added_left_out_or_begun_anew(house: Department, known: str, cards: int, messages: int,
                                                              skipped: int) -> None:
    card = house.new_lead(form(phone(3456789)))  # Ivan of the first row
    done = bring_in(house, FILE_OF_FOUR, known=known)
    assert len(house.leads()) == cards
    assert len(house.hub.lead(card).messages) == messages
    assert done.facts["skipped"] == skipped


def test_killed_in_the_middle_it_goes_on_and_every_row_is_there_once(house: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "SAVED_EVERY", 3)
    data = ("имя;телефон\n" + "".join(f"Клиент {n};+7912{n:07d}\n" for n in range(10)) + ";\n;плохо\n").encode()
    receive, came = house.hub.receive, []

    class Killed(BaseException):
        """As kill -9."""

    def receiving(delivery: object, *, at: object) -> object:
        came.append(delivery)
        got = receive(delivery, at=at)  # type: ignore[arg-type]
        if len(came) == 8:
            raise Killed
        return got

    monkeypatch.setattr(house.hub, "receive", receiving)
    job = begin(house, data, ("name", "phone"))
    with pytest.raises(Killed):
        JobRunner(house.hub.jobs, lambda: MONDAY).turn(Flag())
    work(house)
    done = house.hub.jobs.one(job)
    assert (done.state, done.facts["began"], done.facts["added"], done.facts["skipped"]) == ("done", 10, 0, 1)
    assert len(house.leads()) == 10
    assert len(came) == 12  # two rows after the last cursor came once more, and were known


def test_stopped_and_continued_it_is_whole(house: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.jobs.work.WRITTEN_EVERY", 0.0)
    receive, jobs = house.hub.receive, house.hub.jobs

    def receiving(delivery: object, *, at: object) -> object:
        if not stopped:
            stopped.append(job)
            jobs.cancel(job, MONDAY)
        return receive(delivery, at=at)  # type: ignore[arg-type]

    stopped: list[UUID] = []
    monkeypatch.setattr(house.hub, "receive", receiving)
    job = begin(house, FILE_OF_FOUR)
    work(house)
    half = jobs.one(job)
    assert (half.state, half.facts["began"], len(house.leads())) == ("cancelled", 1, 1)
    jobs.resume(job)
    work(house)
    assert (jobs.one(job).state, jobs.one(job).facts["began"], len(house.leads())) == ("done", 2, 2)


# ── undoing ──────────────────────────────────────────────────────────────────────


def test_undone_as_a_whole_touched_cards_stay_and_are_listed_and_the_file_may_come_again(house: Department) -> None:
    card = house.new_lead(form(phone(3456789)))
    data = FILE_OF_FOUR + "Олег;8 917 000-00-01;;;;\r\nЮлия;8 917 000-00-02;;;;\r\n".encode()
    imported = bring_in(house, data)
    assert imported.facts["began"] == 3
    taken = UUID(house.leads()[2]["id"])
    house.do(taken, "take")
    undo = house.hub.jobs.start("import_undo", undoing.parameters(imported), actor=actor("vera"), at=after(hours=1))
    work(house)
    done = house.hub.jobs.one(undo)
    assert (done.state, done.facts["withdrawn"], done.facts["left_count"]) == ("done", 2, 2)
    assert sorted(done.facts["left"]) == [[1, "joined"], [3, "touched"]]
    assert "3;с заявкой уже работали" in house.hub.jobs.read(done, "осталось.csv").decode()
    assert [row["ended"] for row in house.leads()] == ["", "refused", "", "refused"]
    assert house.hub.lead(card).open
    assert [ev.withdrawn for ev in of(house, ImportUndone)] == [2]  # type: ignore[attr-defined]
    house.hub.jobs.start("import_undo", undoing.parameters(imported), actor=actor("vera"), at=after(hours=1))
    work(house)
    assert house.hub.jobs.of(kind="import_undo")[0].said[0] in ("import_undone_already", "")
    again = bring_in(house, data)
    assert (again.state, again.facts["turn"], again.facts["began"]) == ("done", 2, 2)


def test_a_running_import_cannot_be_undone(house: Department) -> None:
    job = begin(house, FILE_OF_FOUR)
    with pytest.raises(Refused, match="still running"):
        undoing.parameters(house.hub.jobs.one(job))


# ── exporting ────────────────────────────────────────────────────────────────────


FOUR = ("number", "company", "phones", "stage")
ALL = Wanted()


def take_out(house: Department, format: str, columns: tuple[str, ...] = FOUR, wanted: Wanted = ALL) -> Job:
    job = exporting.start(house.hub, wanted, columns, format, site="https://hub.example", language="ru", actor=actor("anna"),
                          at=MONDAY)
    work(house)
    return house.hub.jobs.one(job)


def test_leads_are_exported_with_nothing_to_calculate_in_them_and_it_is_recorded(house: Department) -> None:
    house.new_lead(form(phone(1), company="=HYPERLINK(\"http://evil\")"))
    house.new_lead(form(phone(2), company="ООО; «Ромашка»\x01"))
    house.runner.catch_up()
    done = take_out(house, "csv")
    (file,) = done.results
    text = house.hub.jobs.read(done, file.name).decode("utf-8-sig")
    assert text.splitlines()[0] == "№;Компания;Телефоны;Стадия"
    assert "1;\"'=HYPERLINK(\"\"http://evil\"\")\";+79120000001;Новый" in text
    assert '2;"ООО; «Ромашка»\x01";+79120000002' in text
    done = take_out(house, "xlsx")
    sheet = load_workbook(io.BytesIO(house.hub.jobs.read(done, done.results[0].name))).active
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["№", "Компания", "Телефоны", "Стадия"], [1, "=HYPERLINK(\"http://evil\")", "+79120000001", "Новый"],
        [2, "ООО; «Ромашка»", "+79120000002", "Новый"]]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s", "n"}
    assert [(ev.format, ev.leads, ev.columns) for ev in of(house, LeadsTaken)] == [  # type: ignore[attr-defined]
        (format, 2, FOUR) for format in ("csv", "xlsx")]


def test_what_is_filtered_is_exported_and_the_words_of_the_search_stay_out_of_the_record(house: Department) -> None:
    house.new_lead(form(phone(1), company="Ромашка"))
    house.new_lead(form(phone(2), company="Василёк"))
    house.runner.catch_up()
    done = take_out(house, "csv", wanted=Wanted(words="ромашка"), columns=("company",))
    assert house.hub.jobs.read(done, done.results[0].name).decode("utf-8-sig").split() == ["Компания", "Ромашка"]
    assert [ev.chosen for ev in of(house, LeadsTaken)] == ["show=all&q=%E2%80%A6"]  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="No lead is in this selection"):
        take_out(house, "csv", wanted=Wanted(words="лютик"))
    for columns, format in (((), "csv"), (("company",), "pdf")):
        with pytest.raises(Refused):
            take_out(house, format, columns=columns)


@pytest.mark.parametrize(("value", "written"), [
    ("=1+1", "'=1+1"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("@SUM(A1)", "'@SUM(A1)"), ("-2+3+A1", "'-2+3+A1"),
    ("\t=1", "'\t=1"), ("+79123456789", "+79123456789"), ("-12,5", "-12,5"), ("текст", "текст"), (5, 5)])
def test_a_cell_is_never_a_formula(value: str | int, written: str | int) -> None:
    assert csvs.guarded(value) == written


def test_columns_are_remembered_by_their_heading(house: Department) -> None:
    assert remembered.recall(house.store, ("А", "Б")) is None
    remembered.remember(house.store, ("А", "Б"), ("name", "skip"))
    remembered.remember(house.store, ("А", "Б"), ("name", "phone"))
    assert remembered.recall(house.store, (" а ", "Б.")) == ("name", "phone")
    assert remembered.recall(house.store, ("Б", "А")) is None
