"""One lead's history as a file that proves itself: what it holds, what its verifier finds, and that it needs nothing else."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from hub.audit import verifier
from hub.audit.export import NotExported, Request, export
from hub.audit.keeping import Options
from hub.audit.ledger import Kept
from hub.audit.signing import Custody, Signer
from hub.audit.verifier import Bad, read_key
from hub.domain.event import ERASED
from tests.house import MONDAY, Department, form, phone

Export = dict[str, Any]


class Desk:
    """A department with two leads, two checkpoints and a replaced key between them."""

    def __init__(self, department: Department, folder: Path) -> None:
        self.department, self.folder = department, folder
        self.hub, self.audit = department.hub, department.hub.audit
        self.audit.ledger.prepare()
        self.audit.options = Options(Custody(folder), folder / "checkpoints", "hub.example", timedelta(hours=24))
        self.record = self.hub.audit_record()
        department.begin("anna", "adam")
        lead = department.receive(form(phone(1), text="Нужен сайт")).lead
        assert lead is not None
        self.lead = lead
        self.first = self.sign()
        self.audit.rotate(self.record, "Замена", MONDAY)
        department.receive(form(phone(2)))
        department.receive(form(phone(1), text="Ещё вопрос"))
        self.second = self.sign()

    def sign(self) -> Kept:
        kept = self.audit.sign(self.record, MONDAY)
        assert kept is not None
        return kept

    def write(self, kept: Kept | None = None, against: str = "") -> bytes:
        """An export of the first lead."""
        file = io.BytesIO()
        export(self.audit.ledger, kept or self.second, Request(self.lead, 1, MONDAY, lambda actor: f"<{actor}>", against), file)
        return file.getvalue()


@pytest.fixture
def desk(tmp_path: Path, both_stores: None) -> Iterator[Desk]:
    with Department(tmp_path) as department:
        yield Desk(department, tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str, str]:
    """An export, the checkpoint before its own, and the key in force."""
    folder = tmp_path_factory.mktemp("made")
    with Department(folder) as department:
        desk = Desk(department, folder)
        return desk.write(), desk.first.note, desk.audit.keys().keys[-1].vkey


def members(file: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def opened(file: bytes) -> tuple[Export, str]:
    inside = members(file)
    return json.loads(inside["export.json"]), inside["history.txt"].decode()


def test_an_export_holds_its_events_its_rules_its_keys_and_its_own_verifier(desk: Desk) -> None:
    inside = members(desk.write())
    assert {"export.json", "history.txt", "checkpoint.txt", "verify.py", "FORMAT.md"} == set(inside)
    assert inside["checkpoint.txt"].decode() == desk.second.note
    whole, history = opened(desk.write())
    parts = [event["part"] for event in whole["events"]]
    stored = desk.department.store.raw(desk.lead)
    assert parts == ["lead"] * len(stored) + ["process"] + ["key"] * 2
    assert [base64.b64decode(event["state"]) for event in whole["events"][:len(stored)]] == [row.state for row in stored]
    assert "Нужен сайт" in history
    assert "<channel:website>" in history
    assert "+79120000001" in history
    found = verifier.verify(whole, history)
    assert (found.events, found.all_events, found.older) == (len(stored), len(stored) + 3, (desk.first.size,))
    assert found.key == read_key(desk.audit.keys().keys[-1].vkey)


def test_what_came_after_the_checkpoint_is_not_in_it(desk: Desk) -> None:
    before, after = opened(desk.write(desk.first)), opened(desk.write())
    assert [len([e for e in whole["events"] if e["part"] == "lead"]) for whole, _ in (before, after)] == [
        verifier.verify(*before).events, verifier.verify(*after).events]
    assert verifier.verify(*before).events < verifier.verify(*after).events
    with pytest.raises(NotExported, match="no event of this lead"):
        export(desk.audit.ledger, desk.first, Request(uuid4(), 9, MONDAY, str), io.BytesIO())


def test_an_erased_person_breaks_no_proof(desk: Desk) -> None:
    """The sealed bytes are what is hashed: without the key they are the same bytes."""
    whole, history = opened(desk.write())
    for subject in {event.subject for event in desk.department.store.read(desk.lead) if event.subject is not None}:
        desk.department.keys.destroy(subject)
    erased, erased_history = opened(desk.write())
    assert "+79120000001" in history
    assert "+79120000001" not in erased_history
    assert ERASED in erased_history
    assert [e["state"] for e in erased["events"]] == [e["state"] for e in whole["events"]]
    assert verifier.verify(erased, erased_history).events == verifier.verify(whole, history).events
    assert desk.audit.run(desk.record, lambda: MONDAY).good


def test_an_older_checkpoint_that_the_hub_has_lost_is_proven_on_request(desk: Desk) -> None:
    with desk.department.store.writing() as cursor:
        cursor.execute("DELETE FROM audit_checkpoints WHERE size = ?", (desk.first.size,))
    whole, history = opened(desk.write())
    with pytest.raises(Bad, match="--against"):
        verifier.verify(whole, history, desk.first.note)
    proven, proven_history = opened(desk.write(against=desk.first.note))
    assert verifier.verify(proven, proven_history, desk.first.note).older == (desk.first.size,)
    with pytest.raises(NotExported, match="was cut"):
        desk.write(desk.first, against=desk.second.note)


def test_a_log_rewritten_and_signed_anew_does_not_hold_against_a_checkpoint_kept_elsewhere(tmp_path: Path) -> None:
    """Two hubs whose signing key is the same, as if one was rewritten by whoever stole it."""
    files = []
    for name, text in (("a", "Нужен сайт"), ("b", "Нужен магазин")):
        (tmp_path / name).mkdir()
        with Department(tmp_path / name) as department:
            department.hub.audit.ledger.prepare()
            own = Signer("hub.example/log", b"s" * 32)
            department.begin("anna")
            department.hub.audit_record()(lambda log, own=own: log.put_in_force(own.vkey), MONDAY)  # type: ignore[misc]
            lead = department.receive(form(phone(1), text=text)).lead
            assert lead is not None
            custody = Custody(tmp_path / name, base64.b64encode(b"s" * 32).decode())
            department.hub.audit.options = Options(custody, tmp_path / name, "hub.example", timedelta(hours=24))
            kept = department.hub.audit.sign(department.hub.audit_record(), MONDAY)
            assert kept is not None
            file = io.BytesIO()
            export(department.hub.audit.ledger, kept, Request(lead, 1, MONDAY, str), file)
            files.append((opened(file.getvalue()), kept.note))
    (true, note), (rewritten, _) = files
    assert verifier.verify(*true, note)
    assert verifier.verify(*rewritten), "by itself it is consistent"
    with pytest.raises(Bad, match="does not begin with"):
        verifier.verify(*rewritten, note)


def lead_event(whole: Export, n: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = [e for e in whole["events"] if e["part"] == "lead"][n]
    return found


def flipped(text: str) -> str:
    """Base64 with its first byte changed."""
    data = bytearray(base64.b64decode(text))
    data[0] ^= 1
    return base64.b64encode(data).decode()


def swap(whole: Export) -> None:
    a, b = lead_event(whole, 1), lead_event(whole, 2)
    a["state"], b["state"] = b["state"], a["state"]


TAMPERINGS: dict[str, Callable[[Export], object]] = {
    "a byte of a state": lambda w: lead_event(w).update(state=flipped(lead_event(w)["state"])),
    "a topic": lambda w: lead_event(w).update(topic="lead.taken"),
    "a version": lambda w: lead_event(w).update(version=99),
    "a stream": lambda w: lead_event(w).update(stream=str(uuid4())),
    "a leaf's number": lambda w: lead_event(w).update(leaf=lead_event(w)["leaf"] + 1),
    "a negative leaf": lambda w: lead_event(w).update(leaf=-1),
    "a proof": lambda w: lead_event(w)["proof"].reverse(),
    "a proof cut": lambda w: lead_event(w)["proof"].pop(),
    "a hash of a proof": lambda w: lead_event(w)["proof"].__setitem__(0, flipped(lead_event(w)["proof"][0])),
    "an event left out": lambda w: w["events"].remove(lead_event(w)),
    "an event twice": lambda w: w["events"].insert(1, lead_event(w)),
    "two states exchanged": swap,
    "two events exchanged": lambda w: w["events"].insert(1, w["events"].pop(2)),
    "the lead's name": lambda w: w["lead"].update(stream=str(uuid4())),
    "the checkpoint's size": lambda w: w.update(checkpoint=w["checkpoint"].replace("\n", "\n1", 1)),
    "the checkpoint's origin": lambda w: w.update(checkpoint="x" + w["checkpoint"]),
    "the checkpoint's signature": lambda w: w.update(checkpoint=w["checkpoint"][:-6] + "AAA=\n"),
    "no checkpoint": lambda w: w.pop("checkpoint"),
    "the key's event left out": lambda w: [w["events"].remove(e) for e in list(w["events"]) if e["part"] == "key"],
    "another key": lambda w: w["events"][-1].update(state=base64.b64encode(json.dumps(
        {"vkey": Signer("hub.example/log", b"f" * 32).vkey}).encode()).decode()),
    "an older checkpoint's proof": lambda w: w["earlier"][0]["proof"].reverse(),
    "an older checkpoint": lambda w: w["earlier"][0].update(checkpoint=w["earlier"][0]["checkpoint"].replace("\n", "\n1", 1)),
    "what people read": lambda w: lead_event(w).update(title="Something else"),
    "a personal text that people read": lambda w: next(e for e in w["events"] if e["personal"])["personal"].update(name="Пётр"),
    "a stream passed off as the lead's": lambda w: w["events"][-1].update(part="lead"),
    "a format that nobody knows": lambda w: w.update(events=None),
    "events of another kind": lambda w: w.update(events=[1, 2]),
    "no events": lambda w: w.update(events=[]),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_an_altered_export_is_found(made: tuple[bytes, str, str], what: str) -> None:
    whole, history = opened(made[0])
    verifier.verify(whole, history, made[1], made[2])
    TAMPERINGS[what](whole)
    with pytest.raises(Bad):
        verifier.verify(whole, history)


def test_a_key_that_did_not_sign_is_refused(made: tuple[bytes, str, str]) -> None:
    whole, history = opened(made[0])
    with pytest.raises(Bad, match="no key that is known"):
        verifier.verify(whole, history, vkey=Signer("hub.example/other", b"f" * 32).vkey)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip"])
def test_what_is_no_export_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert verifier.main([str(path)]) == 1
    assert verifier.main([str(tmp_path / "nothing.zip")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(line.startswith("NOT VERIFIED: ") for line in said)


def test_the_verifier_in_the_export_needs_only_python_and_cryptography(made: tuple[bytes, str, str], tmp_path: Path) -> None:
    """In a folder of its own, isolated from the hub; nothing of ours can be imported."""
    inside = members(made[0])
    for name, content in (("verify.py", inside["verify.py"]), ("export.zip", made[0]), ("old.txt", made[1].encode())):
        (tmp_path / name).write_bytes(content)
    program = ("import runpy, sys; sys.modules['hub'] = sys.modules['eventsourcing'] = sys.modules['msgspec'] = None; "
               "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')")
    given = ["verify.py", "export.zip", "--checkpoint", "old.txt", "--key", made[2], "--history"]
    done = subprocess.run([sys.executable, "-I", "-c", program, *given], cwd=tmp_path, capture_output=True, text=True,
                          check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Verified: ")
    assert "Нужен сайт" in done.stdout
