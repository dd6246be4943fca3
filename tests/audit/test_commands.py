"""``hub audit …`` as people type it, on a whole hub."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.whole_hub import Commands, Site, hub

__all__ = ["hub"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "hub")
    site.furnish(2)
    return site


def test_the_way_of_an_auditor(hub: Commands, site: Site, tmp_path: Path) -> None:
    """Check, sign, replace the key, export, verify without the hub."""
    first = hub(site, "audit", "verify")
    assert (first.code, "No checkpoint was signed yet" in first.out) == (0, True)
    signed = hub(site, "audit", "checkpoint")
    (written,) = (site.folder / "checkpoints").iterdir()
    assert (signed.code, signed.out) == (0, written.read_text(encoding="utf-8"))
    old = tmp_path / "old.txt"
    old.write_bytes(written.read_bytes())
    assert hub(site, "audit", "rotate-key", "--why", "Плановая замена").code == 0
    keys = hub(site, "audit", "keys").out.splitlines()
    assert len(keys) == 2
    assert hub(site, "audit", "export", "1", "-o", tmp_path / "1.zip", "--against", old).code == 0
    found = hub(site, "audit", "verify-file", tmp_path / "1.zip", "--checkpoint", old, "--key", keys[1].split()[-1])
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("Verified: ")
    assert hub(site, "audit", "verify-file", tmp_path / "1.zip", "--key", keys[0].split()[-1]).code == 1
    assert hub(site, "audit", "verify", "--checkpoint", old).code == 0


def test_the_trail_is_written_and_that_is_recorded(hub: Commands, site: Site, tmp_path: Path) -> None:
    said = hub(site, "audit", "trail", "-o", tmp_path / "all.csv")
    assert said.code == 0, said.err
    table = (tmp_path / "all.csv").read_text(encoding="utf-8-sig")
    assert table.startswith("Когда;Произошло;Кто;Что;")
    assert "Пришла заявка" in table
    programs = ("audit", "trail", "--format", "jsonl", "-o")
    assert hub(site, *programs, tmp_path / "one.jsonl", "--lead", "L-1", "--what", "intake").code == 0
    lines = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["number"] for line in lines} == {1}
    assert {line["group"] for line in lines} == {"intake"}
    assert hub(site, *programs, tmp_path / "own.jsonl", "--what", "audit.trail_exported").code == 0
    told = [json.loads(line) for line in (tmp_path / "own.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["changes"][0]["after"] for line in told] == ["csv", "jsonl"]
    assert "give another name" in hub.refused(site, "audit", "trail", "-o", tmp_path / "all.csv")
    assert "Choose a day" in hub.refused(site, "audit", "trail", "-o", tmp_path / "x.csv", "--from", "вчера")
    assert "no such kind" in hub.refused(site, "audit", "trail", "-o", tmp_path / "x.csv", "--what", "nothing")
    assert list(tmp_path.glob("*x.csv*")) == []


def test_refusals_name_the_way_out(hub: Commands, site: Site, tmp_path: Path) -> None:
    assert "nothing to replace" in hub.refused(site, "audit", "rotate-key", "--why", "x")
    (tmp_path / "there.zip").write_bytes(b"")
    assert "give another name" in hub.refused(site, "audit", "export", "1", "-o", tmp_path / "there.zip")
    assert "There is no such lead" in hub.refused(site, "audit", "export", "99", "-o", tmp_path / "x.zip")
    assert "cannot be read as a checkpoint" in hub.refused(site, "audit", "export", "1", "-o", tmp_path / "x.zip", "--against",
                                                           tmp_path / "nothing")
    assert "give the file" in hub.refused(site, "audit", "verify", "--checkpoint", tmp_path / "nothing")
    assert not (tmp_path / "x.zip").exists()


def test_an_altered_event_is_named_and_ends_with_one(hub: Commands, site: Site) -> None:
    assert hub(site, "audit", "checkpoint").code == 0
    with closing(sqlite3.connect(site.folder / "hub.db")) as file, file:
        file.execute("UPDATE stored_events SET originator_version = 90 WHERE rowid = 20")
    said = hub(site, "audit", "verify")
    assert said.code == 1
    assert "Event 20 (leaf 19) was changed" in said.err
    assert "NOT VERIFIED" in said.err
