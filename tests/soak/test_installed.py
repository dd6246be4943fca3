"""The wheel and the sdist in an empty virtual environment with what they ask for, outside any checkout: a hub that works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.serving import Serving, ask, make_form, submit
from tests.soak.front import ROOT

pytestmark = pytest.mark.soak

NO_INDEX = re.compile("No matching distribution|Failed to establish a new connection")

NOT_COPIED = shutil.ignore_patterns(".*", "data", "data-demo", "build", "dist", "*.egg-info", "__pycache__")
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2]))"


def run(*command: str | Path, cwd: Path) -> str:
    """What a program says that must succeed; without a package index the test is left out, and says so."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HUB_"))}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=clean, capture_output=True, text=True, timeout=900, check=False)
    said = done.stdout + done.stderr
    if done.returncode and NO_INDEX.search(said) and "CI" not in os.environ:
        pytest.skip("THE INSTALLATION WAS NOT TESTED: there is no package index")
    assert done.returncode == 0, said[-5000:]
    return said


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_installed_into_an_empty_environment_it_serves_signs_in_and_takes_a_form(tmp_path: Path, kind: str) -> None:
    tree, place, data = tmp_path / "tree", tmp_path / "place", tmp_path / "data"
    shutil.copytree(ROOT, tree, ignore=NOT_COPIED)
    place.mkdir()
    data.mkdir()
    run(sys.executable, "-c", BUILD, kind, place, cwd=tree)
    shutil.rmtree(tree)
    (package,) = place.iterdir()
    if kind == "sdist":
        with tarfile.open(package) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        assert {"deploy/nginx.conf", "docs/deploy.md", "templates", "tests/serving.py", "Makefile", "CHANGELOG.md"} <= names
    run(sys.executable, "-m", "venv", place / "venv", cwd=place)
    binaries = place / "venv" / "bin"
    run(binaries / "pip", "install", "--quiet", "--disable-pip-version-check", package, cwd=place)
    where = run(binaries / "python", "-c", "import hub; print(hub.__file__)", cwd=place).strip()
    assert where.startswith(str(place / "venv"))
    assert "No broken requirements" in run(binaries / "pip", "check", "--disable-pip-version-check", cwd=place)

    make_form(data)
    with Serving(data, [str(binaries / "hub"), "serve"]).start() as hub:
        assert submit(hub.port, "once", "+79121234567").status == 202
        assert ask(hub.port, "GET", "/static/app.css").status == 200
        page = ask(hub.port, "GET", "/sign-in")
        token = re.search(r'name="csrf-token" content="([^"]+)"', page.body.decode())
        password = re.search(r"one-time password +(\S+)", hub.said())
        assert token
        assert password
        form = urlencode({"login": "admin", "password": password[1], "csrf_token": token[1]}).encode()
        signed = ask(hub.port, "POST", "/sign-in", form, {"Content-Type": "application/x-www-form-urlencoded",
                                                          "Cookie": page.headers["set-cookie"].partition(";")[0]})
        assert signed.status == 303
        cookie = signed.headers["set-cookie"].partition(";")[0]
        assert ask(hub.port, "GET", "/password", headers={"Cookie": cookie}).status == 200  # one's own is chosen first
        assert hub.stop() == 0
    print(f"\n{kind}: {package.name}, {package.stat().st_size} bytes, installed and served from {binaries}")
