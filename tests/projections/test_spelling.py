"""What the search forgives: the other keyboard layout, the other alphabet, slips of the finger, cases of Russian words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from hub.domain.delivery import Address
from hub.projections import lead_words, spelling, texts
from tests.house import Department, form, phone

on_both = pytest.mark.usefixtures("both_stores")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as house:
        yield house.begin()


@pytest.mark.parametrize(("typed", "meant"), [
    ("bdfyjd", "иванов"), ("[hjvjd", "хромов"), (",jhbcjd", "борисов"), ("ivanov", "иванов"), ("shcherbakov", "щербаков"),
    ("evgeny", "евгений"), ("sergey", "сергей"), ("rybin", "рыбин"), ("yulia", "юлия"), ("diana", "диана"),
    ("tsvetkov", "цветков"),
    ("иванов", "ivanov"), ("шштщ", "iino"), ("хохлова", "khokhlova"),
])
def test_a_word_in_the_other_layout_or_alphabet_is_known(typed: str, meant: str) -> None:
    assert meant in spelling.other_spellings(typed)


@pytest.mark.parametrize("typed", ["ab", "8912", "иva", "a1b2c3", ""])
def test_what_cannot_be_meant_otherwise_is_left(typed: str) -> None:
    assert spelling.other_spellings(typed) == []


@pytest.mark.parametrize(("one", "other", "far"), [
    ("иванов", "иванов", 0), ("иваноф", "иванов", 1), ("ивнаов", "иванов", 1), ("иванв", "иванов", 1), ("ииванов", "иванов", 1),
    ("ивоноф", "иванов", 2), ("петров", "иванов", 3), ("и", "иванов", 3),
])
def test_slips_are_counted(one: str, other: str, far: int) -> None:
    assert spelling.distance(one, other, 2) == far


def test_cases_of_a_word_share_their_beginning() -> None:
    assert {spelling.stem(word) for word in ("договор", "договора", "договором", "договоры", "договорами")} == {"договор"}
    assert spelling.stem("дом") == "дом"


def found(house: Department, words: str, how: str) -> list[int]:
    with house.store.views.reading() as cursor:
        asked = lead_words.meaning(words, lead_words.BOTH) if how == "meaning" else lead_words.matching(words, lead_words.BOTH)
        return [] if asked is None else [row["number"] for row in cursor.execute(asked[0], asked[1]).fetchall()]


def corrected(house: Department, words: str) -> list[str]:
    with house.store.views.reading() as cursor:
        return lead_words.corrected(cursor, words)


@on_both
def test_names_are_found_in_any_layout_and_alphabet_and_with_slips(house: Department) -> None:
    house.new_lead(form(phone(1), company="Пётр Преображенский"))
    house.new_lead(form(phone(2), Address("email", "klimova@example.ru", "klimova@example.ru"), company="ООО «Ромашка»"))
    house.runner.catch_up()
    for words, number in (("gtnh", 1), ("ghtj,hf;tycrbq", 1), ("preobrazhensky", 1), ("петр preobr", 1), ("климова", 2),
                          ("romashka", 2), ("hjvfirf", 2)):
        assert found(house, words, "meaning") == [number], words
    for words, meant in (("преображенскый", "преображенский"), ("ромажка", "ромашка"), ("Ромашак", "ромашка"),
                         ("пётр приображенский", "петр преображенский"), ("hjvfrif", "ромашка")):
        assert meant in corrected(house, words), words
    for words in ("зззззз", "петр зззззз", "", "1"):
        assert corrected(house, words) == [], words


@on_both
def test_a_name_that_nobody_has_any_more_is_no_guess(house: Department) -> None:
    lead = house.new_lead(form(phone(1), company="Ромашка"))
    other = house.new_lead(form(phone(2), company="Ромашка"))
    house.runner.catch_up()

    def known() -> dict[str, int]:
        with house.store.views.reading() as cursor:
            rows = cursor.execute("SELECT word, n FROM known_words WHERE word IN ('ромашка', 'василек')").fetchall()
        return {row["word"]: row["n"] for row in rows}

    assert known() == {"ромашка": 2}
    for one in (lead, other):
        house.do(one, "take")
        house.do(one, "name_company", name="Василёк")
        house.runner.catch_up()
    assert known() == {"василек": 2}
    assert corrected(house, "ромажка") == []
    with house.store.views.reading() as cursor:
        assert cursor.execute("SELECT word FROM known_grams WHERE word = 'ромашка'").fetchall() == []


@on_both
def test_letters_and_notes_are_found_by_their_words(house: Department) -> None:
    lead = house.new_lead(form(phone(1), text="Нужен портал для аптечной сети"))
    other = house.new_lead(form(phone(2), text="Портал закупок"))
    house.do(lead, "take")
    house.do(lead, "note", text="Просит договор в двух экземплярах")
    house.runner.catch_up()

    def leads(words: str) -> list[UUID]:
        return house.views.texts.found(words, 10)

    assert leads("портал") == [other, lead]
    assert leads("порталы аптечной") == [lead]
    assert leads("договоры экземпляр") == [lead]
    assert leads("ДОГОВОРОМ") == [lead]
    assert leads("портал") == leads("Портала")
    for words in ("", "в", "счёт", "портал счёт", "%"):
        assert leads(words) == [], words
    assert house.views.texts.found("портал", 1) == [other]


@on_both
@pytest.mark.parametrize("looked_at", [1, 2, 500])
def test_several_words_are_found_however_many_leads_have_one_of_them(house: Department, looked_at: int,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LOOKED_AT", looked_at)
    leads = [house.new_lead(form(phone(n), text=f"Нужен портал закупок {word}"))
             for n, word in enumerate(("мебель", "аптека", "мебель", "склад"))]
    house.runner.catch_up()
    assert house.views.texts.found("порталом мебели", 10) == [leads[2], leads[0]]
    assert house.views.texts.found("портал мебель", 1) == [leads[2]]
    assert house.views.texts.found("портал книги", 10) == []


def test_the_questions_of_the_search_never_read_a_whole_table(house: Department) -> None:
    if house.store.scratch is not None:
        return  # PostgreSQL tells its plans otherwise
    for number in range(50):
        house.new_lead(form(phone(number), text="Портал"))
    house.runner.catch_up()
    asked = [lead_words.matching("иван +7912", lead_words.BOTH), lead_words.meaning("bdfy gtnh", lead_words.BOTH),
             texts.question(texts.wanted("портал аптека"))]
    with house.store.views.reading() as cursor:
        for question in asked:
            assert question is not None
            plan = [row["detail"] for row in cursor.execute(f"EXPLAIN QUERY PLAN {question[0]}", question[1]).fetchall()]
            assert [line for line in plan if line.startswith("SCAN") and "_words" in line] == [], plan


