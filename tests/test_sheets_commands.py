"""``hub import`` and ``hub export leads``, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.__main__ import main

SECRET = "a secret of the tests that is long enough"
TABLE = "ФИО;Телефон;Заметка\nПётр;8 911 111-22-33;x\nАнна;нет;y\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUB_SECRET_KEY", SECRET)
    monkeypatch.setenv("HUB_PUBLIC_URL", "https://hub.example")
    file = tmp_path / "base.csv"
    file.write_text(TABLE, encoding="utf-8")
    return file


def test_a_file_is_looked_at_imported_and_taken_out_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(place), "--look"]) == 0
    said = capsys.readouterr().out
    for words in ("ФИО: name", "Телефон: phone", "row 2: a new lead", "row 3: no phone number: нет", "nothing was imported"):
        assert words in said
    assert main(["import", str(place), "--title", "Выставка"]) == 0
    said = capsys.readouterr().out
    assert "1 new leads, 0 rows added to cards, 1 left out." in said
    assert "3;телефон не разобрать: нет;Анна" in place.with_name("base-пропущенные-строки.csv").read_text(encoding="utf-8-sig")
    target = place.with_name("leads.csv")
    assert main(["export", "leads", "-o", str(target), "--columns", "person,phones,source,url"]) == 0
    lines = target.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "Контактное лицо;Телефоны;Источник;Ссылка"
    assert lines[1].startswith("Пётр;+79111112233;Выставка;https://hub.example/leads/")
    assert main(["export", "leads", "-o", str(target)]) == 1
    assert main(["import", str(place)]) == 1
    assert "imported on" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "said"), [
    (["import", "missing.csv"], "cannot be read"), (["import", "{file}", "--columns", "name"], "has 3 columns"),
    (["import", "{file}", "--columns", "skip,skip,skip"], "belongs to nobody"),
    (["export", "leads", "-o", "{file}.pdf"], "csv or xlsx"),
])
def test_what_is_wrong_is_said(place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main([argument.format(file=place) for argument in arguments]) == 1
    assert said in capsys.readouterr().err
