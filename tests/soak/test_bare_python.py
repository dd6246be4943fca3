"""A lead's export, verified by the program inside it on a Python that has nothing but ``cryptography``, outside any checkout."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit.test_export import Desk
from tests.house import Department
from tests.soak.test_installed import run

pytestmark = pytest.mark.soak

Members = dict[str, bytes]


def export_of(members: Members, change: Callable[[dict[str, Any]], None]) -> Members:
    """The same with its ``export.json`` changed."""
    whole = json.loads(members["export.json"])
    change(whole)
    return {**members, "export.json": json.dumps(whole, ensure_ascii=False).encode()}


def other_state(whole: dict[str, Any]) -> None:
    state = bytearray(base64.b64decode(whole["events"][2]["state"]))
    state[len(state) // 2] ^= 1
    whole["events"][2]["state"] = base64.b64encode(state).decode()


ALTERED: dict[str, Callable[[Members], Members]] = {
    "a byte of an event": lambda m: export_of(m, other_state),
    "an event left out": lambda m: export_of(m, lambda whole: whole["events"].pop(1)),
    "two events exchanged": lambda m: export_of(m, lambda whole: whole["events"].insert(0, whole["events"].pop(1))),
    "another history to read": lambda m: {**m, "history.txt": m["history.txt"].replace("сайт".encode(), "лист".encode(), 1)},
}


def test_an_export_is_verified_and_altered_ones_are_refused_on_a_bare_python(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    with Department(tmp_path / "hub") as department:
        desk = Desk(department, tmp_path / "hub")
        good = desk.write()
        (tmp_path / "old.txt").write_text(desk.first.note, encoding="utf-8")
    place = tmp_path / "auditor"
    place.mkdir()
    (place / "good.zip").write_bytes(good)
    with zipfile.ZipFile(place / "good.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
        archive.extract("verify.py", place)
    run(sys.executable, "-m", "venv", place / "venv", cwd=place)
    python = place / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "cryptography", cwd=place)
    there = {line.split()[0].lower() for line in run(python, "-m", "pip", "list", "--disable-pip-version-check", "--format",
                                                     "freeze", cwd=place).replace("==", " ").splitlines() if line.strip()}
    assert there <= {"cryptography", "cffi", "pycparser", "pip", "setuptools", "wheel", "typing_extensions"}

    def verify(name: str) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-I", str(place / "verify.py"), str(place / name), "--checkpoint", str(tmp_path / "old.txt")]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HUB_"))}
        return subprocess.run(command, cwd=place, env=clean, capture_output=True, text=True, timeout=120, check=False)

    verified = verify("good.zip")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert verified.stdout.startswith("Verified: ")
    print(f"\n{verified.stdout.splitlines()[0]}")
    for what, alter in ALTERED.items():
        with zipfile.ZipFile(place / "altered.zip", "w") as archive:
            for name, data in alter(members).items():
                archive.writestr(name, data)
        refused = verify("altered.zip")
        assert refused.returncode == 1, (what, refused.stdout, refused.stderr)
        assert "Verified" not in refused.stdout
        assert "Traceback" not in refused.stderr, refused.stderr
        print(f"{what}: {(refused.stderr or refused.stdout).strip().splitlines()[0]}")
