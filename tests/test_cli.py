"""Every command of ``hub``, run as a person runs it: what it prints, its exit code, and sentences instead of tracebacks."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag

import pytest

from hub import __version__
from hub.application import THE_HUB
from hub.bootstrap import clock, first_administrator, publish_process
from hub.config import PACKAGED_PROCESS
from hub.projections.views import Views
from tests.house import form, phone
from tests.serving import FORM, Serving, ask, environment, make_form, opened, run, submit, until

HUB = str(Path(sys.executable).with_name("hub"))
COMMANDS = [["serve"], ["work"], ["demo"], ["user", "add"], ["user", "list"], ["user", "disable"], ["user", "password"],
            ["process", "check"], ["lead", "show"], ["lead", "events"], ["lead", "what-if"], ["migrate"], ["backup"],
            ["restore"], ["copy"],
            *(["projections", word] for word in ("status", "rebuild", "retry", "skip")),
            *(["token", word] for word in ("add", "list", "revoke")),
            *(["audit", word] for word in ("verify", "checkpoint", "export", "verify-file", "trail", "keys", "rotate-key")),
            *(["export", word] for word in ("xes", "ocel", "bpmn", "leads")), ["import"],
            *(["person", word] for word in ("find", "export", "erase", "erasures", "retention")),
            *(["channels", word] for word in ("check", "connect", "status")),
            *(["webhook", word] for word in ("add", "list", "pause", "resume", "remove", "dead", "resend"))]
PASSWORD = re.compile(r"one-time password +([a-z2-9]{4}(?:-[a-z2-9]{4}){3})\b")


def refused(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """Said no in a sentence on stderr, and nothing else."""
    assert done.returncode == code, done
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two leads and three people in it."""
    folder = tmp_path_factory.mktemp("data")
    for login, name, role in (("vera", "Вера", "head"), ("anna", "Анна", "manager"), ("adam", "Адам", "administrator")):
        assert run(folder, "user", "add", login, name, "--role", role).returncode == 0
    with closing(opened(folder)) as house:
        for n in range(2):
            lead = house.hub.receive(form(phone(n)), at=datetime(2026, 11, 16, 7, n, tzinfo=UTC)).lead
            assert lead is not None
            house.hub.pass_time(lead, at=datetime(2026, 11, 16, 8, n, tzinfo=UTC))
    return folder


# ── help and misuse ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(tmp_path: Path, command: list[str]) -> None:
    done = run(tmp_path, *command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: hub {' '.join(command)}")
    assert list(tmp_path.iterdir()) == [], "asking for help makes no files"


def test_the_list_of_commands_here_is_complete(tmp_path: Path) -> None:
    listed = set(re.findall(r"^    ([a-z]+)(?: |$)", run(tmp_path, "--help").stdout, re.MULTILINE))
    assert listed == {command[0] for command in COMMANDS}


def test_the_installed_script_is_the_module(tmp_path: Path) -> None:
    done = subprocess.run([HUB, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run(tmp_path, "--version").stdout == f"hub {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["dance"], ["user"], ["user", "add", "anna"], ["lead", "show"]], ids=" ".join)
def test_misuse_is_exit_code_2_with_the_usage(tmp_path: Path, arguments: list[str]) -> None:
    refused(run(tmp_path, *arguments), "usage: hub", code=2)


# ── settings ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "value"), [("HUB_PORT", "80000"), ("HUB_PROT", "8000"), ("HUB_SECRET_KEY", "short"),
                                             ("HUB_DATABASE_URL", "mysql:///x"), ("HUB_PROCESS_FILE", "/nowhere.toml")])
def test_a_bad_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    refused(run(tmp_path, "user", "list", **{name: value}), "hub: ", name)


def test_another_secret_than_the_data_were_made_under_is_said(folder: Path) -> None:
    refused(run(folder, "user", "list", HUB_SECRET_KEY="x" * 40), "another HUB_SECRET_KEY", "restore")


def test_a_database_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"this is not a database, it only has its name" * 100)
    refused(run(tmp_path, "user", "list"), "hub: ")


def test_keys_that_are_none_are_said(tmp_path: Path) -> None:
    (tmp_path / "keys.db").write_bytes(b"these are no keys, whatever the name of the file says" * 100)
    refused(run(tmp_path, "user", "list"), "hub: ")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(run(tmp_path / "file" / "data", "user", "list"), "HUB_DATA_DIR")


# ── people ───────────────────────────────────────────────────────────────────────


def test_people_are_added_listed_and_disabled(tmp_path: Path) -> None:
    added = run(tmp_path, "user", "add", "Anna.K", "Анна К.", "--role", "manager", "--role", "head")
    assert added.returncode == 0
    assert PASSWORD.search(added.stdout)
    assert run(tmp_path, "user", "list").stdout.split() == ["anna.k", "Анна", "К.", "head,", "manager"]
    assert run(tmp_path, "user", "disable", "anna.k").stdout.startswith("anna.k is disabled")
    assert "(disabled)" in run(tmp_path, "user", "list").stdout


def test_the_last_administrator_is_not_disabled_from_the_command_line_either(tmp_path: Path) -> None:
    run(tmp_path, "user", "add", "boss", "Босс", "--role", "administrator")
    refused(run(tmp_path, "user", "disable", "boss"), "last administrator")
    assert "(disabled)" not in run(tmp_path, "user", "list").stdout


def test_people_added_before_the_first_start_do_not_stand_in_the_way_of_an_administrator(tmp_path: Path) -> None:
    run(tmp_path, "user", "add", "anna", "Анна", "--role", "manager")
    with closing(opened(tmp_path)) as house:
        house.runner.catch_up()
        assert first_administrator(house, clock())
        house.runner.catch_up()
        assert first_administrator(house, clock()) is None
        assert sorted(user.login for user in house.hub.users().values()) == ["admin", "anna"]


def test_the_same_person_is_not_added_twice(folder: Path) -> None:
    refused(run(folder, "user", "add", "ANNA", "Анна", "--role", "manager"), "anna", "taken")


@pytest.mark.parametrize(("login", "role", "says"), [("a", "manager", "login"), ("zoe", "king", "king")])
def test_a_person_with_a_bad_login_or_role_is_not_added(folder: Path, login: str, role: str, says: str) -> None:
    refused(run(folder, "user", "add", login, "Имя", "--role", role), says)


@pytest.mark.parametrize("action", ["disable", "password"])
def test_somebody_who_is_not_there(folder: Path, action: str) -> None:
    refused(run(folder, "user", action, "nobody"), "There is no such user")


def test_a_new_one_time_password_replaces_the_old_one(folder: Path) -> None:
    first, second = (PASSWORD.search(run(folder, "user", "password", "vera").stdout) for _ in range(2))
    assert first
    assert second
    assert first[1] != second[1]
    assert first[1].encode() not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


# ── process, read models, leads ──────────────────────────────────────────────────


def test_the_packaged_process_is_valid(tmp_path: Path) -> None:
    done = run(tmp_path, "process", "check")
    assert done.returncode == 0
    assert "is a valid process: 10 stages" in done.stdout


def test_a_faulty_process_file_is_named_with_its_line(tmp_path: Path) -> None:
    """R0: for the check and for every other command that would put it in force."""
    text = PACKAGED_PROCESS.read_text(encoding="utf-8")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if row.startswith("from = "))
    bad = tmp_path / "bad.toml"
    bad.write_text(text.replace('from = "new"', 'from = "nowhere"', 1), encoding="utf-8")
    done = run(tmp_path, "process", "check", str(bad))
    refused(done, f"{bad}:{line}:", "nowhere")
    started = run(tmp_path / "data", "serve", HUB_PROCESS_FILE=str(bad))
    assert started.returncode == 1
    assert "Traceback" not in started.stderr
    assert f"{line}" in started.stderr
    assert "nowhere" in started.stderr


def test_a_process_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    refused(run(tmp_path, "process", "check", str(tmp_path / "bad.toml")), "cannot be read")


def test_read_models_are_shown_and_rebuilt(folder: Path) -> None:
    run(folder, "user", "list")  # catches up
    status = run(folder, "projections", "status")
    assert status.returncode == 0
    with closing(opened(folder)) as house:
        head = house.store.head()
        names = [projection.name for projection in Views(house.store).all]
    lines = [line.split() for line in status.stdout.splitlines()[1:]]
    assert [line[0] for line in lines] == names
    assert {(line[1], line[2]) for line in lines} == {(str(head), "0")}
    rebuilt = run(folder, "projections", "rebuild")
    assert [line.split(":")[0] for line in rebuilt.stdout.splitlines()] == names
    assert run(folder, "projections", "rebuild", "leads").stdout == f"leads: {head} events read\n"
    refused(run(folder, "projections", "rebuild", "castles"), "castles", "leads")


def test_a_parked_read_model_is_exit_code_1(tmp_path: Path) -> None:
    run(tmp_path, "user", "add", "anna", "Анна", "--role", "manager")
    with closing(sqlite3.connect(tmp_path / "hub.db")) as database:
        database.execute("UPDATE stored_events SET state = '{}' WHERE topic = 'user.added'")
        database.commit()
    rebuilt = run(tmp_path, "projections", "rebuild", "directory")
    refused(rebuilt, "the old one serves on", "user.added")
    status = run(tmp_path, "projections", "status")
    assert (status.returncode, "rebuild of directory: failed" in status.stdout) == (0, True)
    with closing(sqlite3.connect(tmp_path / "hub-views.db")) as database:
        database.execute("DELETE FROM directory")
        database.execute("UPDATE projection_positions SET position = 0 WHERE name = 'directory'")
        database.commit()
    run(tmp_path, "user", "list")
    status = run(tmp_path, "projections", "status")
    assert status.returncode == 1
    assert "parked at" in status.stdout


def test_a_lead_is_shown_as_it_is_and_as_it_was(folder: Path) -> None:
    now = json.loads(run(folder, "lead", "show", "1").stdout)
    assert now["offered_why"] == "near_deadline"
    assert json.loads(run(folder, "lead", "show", "№1").stdout) == now
    before = json.loads(run(folder, "lead", "show", "1", "--at", "4").stdout)
    assert before["dues"] == {}
    assert json.loads(run(folder, "lead", "show", "1", "--at", "2026-11-16T10:05").stdout)["offered_why"] == "turn", "Moscow time"
    # That the deadline was near became true at 07:10; the worker stood still, and the hub knew of it at 08:00.
    for at, why in (("2026-11-16T07:59:59+00:00", "turn"), ("2026-11-16T08:00:00+00:00", "near_deadline")):
        assert json.loads(run(folder, "lead", "show", "1", "--at", at).stdout)["offered_why"] == why


def test_a_lead_that_was_tampered_with_is_said(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as house:
        publish_process(house, datetime.now(UTC))
        lead = house.hub.receive(form(phone(1)), at=datetime.now(UTC)).lead
    with closing(sqlite3.connect(tmp_path / "hub.db")) as database:
        database.execute("UPDATE stored_events SET state = '{}' WHERE topic = 'lead.person_added'")
        database.commit()
    done = run(tmp_path, "lead", "show", str(lead))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "lead.person_added" in done.stderr.splitlines()[-1]


def test_a_lead_is_shown_by_its_uuid(folder: Path) -> None:
    run(folder, "user", "list")
    with closing(opened(folder)) as house:
        lead = house.hub.views.leads.by_number(2)
    assert run(folder, "lead", "show", str(lead)).stdout == run(folder, "lead", "show", "2").stdout


@pytest.mark.parametrize(("arguments", "says"), [
    (["show", "999"], "no such lead"), (["show", "0c5f439c-e8cb-4f2a-a7f8-61bd1cdadf80"], "no such lead"),
    (["show", "x"], "neither a lead's number"),
    (["events", "999"], "no such lead"), (["show", "1", "--at", "0"], "no event 0"),
    (["show", "1", "--at", "soon"], "neither a time"), (["show", "1", "--at", "2020-01-01"], "it came in on 16.11.2026"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_lead_that_is_not_there_is_said(folder: Path, arguments: list[str], says: str) -> None:
    done = run(folder, "lead", *arguments)
    refused(done)
    assert says.lower() in done.stderr.lower()


def test_another_process_is_tried_on_a_lead(folder: Path, tmp_path: Path) -> None:
    """By its own file nothing is otherwise; by another one the first deadline is; a file that is none is said with its line."""
    own = json.loads(run(folder, "lead", "what-if", "1", "--process", "1").stdout)
    assert [due["due_at"] for due in own["deadlines"]] == [due["was_due_at"] for due in own["deadlines"]]
    file = tmp_path / "process.toml"
    file.write_text(PACKAGED_PROCESS.read_text(encoding="utf-8").replace("minutes = 15", "minutes = 3", 1), encoding="utf-8")
    other = json.loads(run(folder, "lead", "what-if", "1", "--process", str(file), "--at", "2026-11-16T10:30").stdout)
    assert (other["process_version"], other["deadlines"][0]["due_at"]) == (0, "2026-11-16T07:03:00Z")
    file.write_text("name = 3", encoding="utf-8")
    broken = run(folder, "lead", "what-if", "1", "--process", str(file))
    assert broken.returncode == 1
    assert "is no process" in broken.stderr
    refused(run(folder, "lead", "what-if", "1", "--process", "nowhere.toml"), "cannot be read")
    refused(run(folder, "lead", "what-if", "1", "--at", "2999-01-01"), "has not come yet")


def test_the_events_of_a_lead_are_listed_in_order(folder: Path) -> None:
    lines = run(folder, "lead", "events", "1").stdout.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(1, len(lines) + 1))
    assert "lead.received" in lines[0]
    [late] = [line for line in lines if '"key": "take"' in line and "lead.deadline_missed" in line]
    assert "2026-11-16 07:15:00 (recorded 2026-11-16 08:00:00)" in late


def test_a_reader_who_has_seen_enough_is_no_error(folder: Path) -> None:
    done = subprocess.run(f"{sys.executable} -m hub lead events 1 | head -1", shell=True, capture_output=True, text=True,
                          env=environment(folder), check=True)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


# ── the server ───────────────────────────────────────────────────────────────────


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with Serving(tmp_path) as server:
        yield server


def test_the_server_prints_the_one_time_password_once_and_stops_when_told(server: Serving) -> None:
    server.start()
    assert len(PASSWORD.findall(server.said())) == 1
    health = ask(server.port, "GET", "/healthz")
    assert (health.status, health.body) == (200, b"ok\n")
    assert server.stop() == 0
    server.start()
    assert len(PASSWORD.findall(server.said())) == 1, "the second start does not print it"
    assert server.stop() == 0
    assert "Traceback" not in server.said()
    assert '"level":"error"' not in server.said()


def test_a_port_that_is_taken_is_said(server: Serving, tmp_path: Path) -> None:
    server.start()
    done = run(tmp_path / "other", "serve", HUB_PORT=str(server.port))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "in use" in done.stderr
    assert str(server.port) in done.stderr


def test_a_graceful_stop_loses_no_request_that_was_answered(server: Serving, tmp_path: Path) -> None:
    """Four senders while SIGTERM comes: whoever got 202 is stored, and none is stored twice."""
    make_form(tmp_path)
    server.start()
    over, accepted = Flag(), []

    def send(sender: int) -> None:
        for n in range(100_000):
            if over.is_set():
                return
            key = f"{sender}-{n}"
            try:
                if submit(server.port, key, f"+7912{sender}{n:06d}", timeout=20).status == 202:
                    accepted.append(key)
            except OSError:
                if over.wait(0.01):
                    return

    with ThreadPoolExecutor(4) as threads:
        senders = [threads.submit(send, n) for n in range(4)]
        until(lambda: len(accepted) >= 40, why="40 requests are answered")
        code = server.stop()
        over.set()
        for sender in senders:
            sender.result()
    assert code == 0
    with closing(opened(tmp_path)) as house:
        house.runner.catch_up()
        with house.store.views.reading() as cursor:
            stored = cursor.execute("SELECT COUNT(*) AS n FROM receipts WHERE source = ?", (FORM,)).fetchone()["n"]
        leads = house.hub.views.leads.count("1 = 1")
    assert len(set(accepted)) == len(accepted)
    assert len(accepted) <= stored <= len(accepted) + 4  # those under way may be stored unanswered
    assert leads == stored
    assert "Traceback" not in server.said()


def test_the_worker_alone_records_what_is_due_and_stops_when_told(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as house:
        publish_process(house, datetime.now(UTC))
        house.hub.add_user("vera", "Вера", ("head",), actor=THE_HUB, at=datetime.now(UTC))
        house.runner.catch_up()
        lead = house.hub.receive(form(phone(1)), at=datetime(2026, 11, 16, 7, tzinfo=UTC)).lead
        assert lead is not None
        with subprocess.Popen([sys.executable, "-m", "hub", "work"], env=environment(tmp_path), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as worker:
            try:
                until(lambda: house.hub.lead(lead).missed != (), why="the worker records what is late")
            finally:
                worker.send_signal(signal.SIGTERM)
                _, said = worker.communicate(timeout=60)
    assert worker.returncode == 0
    assert "Traceback" not in said
