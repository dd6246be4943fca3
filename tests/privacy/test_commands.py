"""``hub person …``: found, given out, erased in two calls, kept out of a restore; refusals are sentences."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from tests.whole_hub import ERASED, Commands, Site, hub

__all__ = ["hub"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "one")
    site.furnish(leads=3)
    return site


def found(hub: Commands, site: Site, who: str) -> str:
    """The id of the one person whom these words find."""
    said = hub(site, "person", "find", who)
    assert said.code == 0, said
    (line,) = said.out.splitlines()
    return line.split()[0]


def test_erasing_takes_two_calls_and_the_second_reports(hub: Commands, site: Site) -> None:
    person = found(hub, site, "L-2")
    shown = hub(site, "person", "erase", person, "--why", "отзыв согласия")
    assert (shown.code, shown.err) == (0, "")
    assert "This cannot be undone." in shown.out
    assert ERASED not in site.texts(), "looking erases nothing"
    code = re.search(r"--confirm (\w+)", shown.out)
    assert code is not None
    done = hub(site, "person", "erase", person, "--why", "отзыв согласия", "--confirm", code[1])
    assert (done.code, done.err) == (0, "")
    assert "Still to be done by people:" in done.out
    assert "Files that still hold something: 0" in done.out
    assert [text == ERASED for text in site.texts()] == [False, True, False]
    assert "(done)  отзыв согласия" in hub(site, "person", "erasures").out
    again = hub(site, "person", "erase", person, "--why", "отзыв согласия")
    assert again.code == 1
    assert "erased already" in again.err


def test_an_old_code_erases_nothing(hub: Commands, site: Site) -> None:
    person = found(hub, site, "L-2")
    said = hub(site, "person", "erase", person, "--why", "так", "--confirm", "0" * 32)
    assert said.code == 1
    assert "confirm again" in said.err
    assert ERASED not in site.texts()


def test_who_is_not_there_is_told_so(hub: Commands, site: Site) -> None:
    nobody = hub(site, "person", "find", "никто-никогда")
    assert (nobody.code, nobody.out) == (1, "")
    assert "Nobody is found" in nobody.err
    assert "Find them by phone" in hub(site, "person", "erase", "никто-никогда", "--why", "так").err
    assert "several people" in hub(site, "person", "erase", "Иван", "--why", "так").err


def test_the_archive_is_written_once(hub: Commands, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "person.zip"
    said = hub(site, "person", "export", "L-2", "-o", file, "--why", "запрос")
    assert (said.code, said.err) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "index.html" in zipfile.ZipFile(file).namelist()
    assert "there is a file" in hub(site, "person", "export", "L-2", "-o", file, "--why", "запрос").err
    assert "there is no folder" in hub(site, "person", "export", "L-2", "-o", tmp_path / "no" / "x.zip", "--why", "запрос").err


def test_nobody_who_was_erased_comes_back_by_a_restore(hub: Commands, site: Site, tmp_path: Path) -> None:
    """An old backup and the list of the newest erasures: the card is there, the person is not, and what was written later is."""
    old, names, other = tmp_path / "old.backup", tmp_path / "erased.txt", Site(tmp_path / "other")
    assert hub(site, "backup", old, "--quick").code == 0
    person = found(hub, site, "L-2")
    code = re.search(r"--confirm (\w+)", hub(site, "person", "erase", person, "--why", "так").out)
    assert code is not None
    assert hub(site, "person", "erase", person, "--why", "так", "--confirm", code[1]).code == 0
    assert hub(site, "backup", "--erasure-list", names).code == 0
    assert hub(other, "restore", old, "--erased", names).code == 0
    assert [text == ERASED for text in other.texts()] == [False, True, False]
    newer, third = tmp_path / "newer.backup", Site(tmp_path / "third")
    assert hub(site, "backup", newer).code == 0
    assert hub(third, "restore", newer).code == 0
    assert third.rows() == site.rows()
    assert third.views() == site.views()


def test_the_rules_are_shown_and_run(hub: Commands, site: Site) -> None:
    shown = hub(site, "person", "retention")
    assert (shown.code, shown.err) == (0, "")
    assert "0 people are due. Nothing erases them by itself: privacy.runs is false." in shown.out
    assert "0 people are erased." in hub(site, "person", "retention", "--run").out
