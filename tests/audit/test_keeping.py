"""Keys, checkpoints and where they go: the worker's part, by hand."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from hub.accounts import Accounts
from hub.audit.findings import STAMP
from hub.audit.keeping import Audit, Options
from hub.audit.publishing import LEASE_NAME, Keeper, Letter, Mail
from hub.audit.signing import Custody, NoKey, Signer
from hub.audit.stamping import Stamps
from hub.audit.verifier import Bad, read_checkpoint, read_key, signer
from hub.channels.base import Place
from hub.channels.email import Email
from hub.channels.email_settings import EmailSettings
from hub.domain.audit import AUDIT_STREAM
from hub.traffic.audit_mail import mailer
from tests.audit.authority import authority
from tests.channels.smtp_server import USER, mail_server
from tests.house import MONDAY, Department, form, phone


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.at = MONDAY

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def department(tmp_path: Path) -> Iterator[Department]:
    with Department(tmp_path) as department:
        department.hub.audit.ledger.prepare()
        department.begin("anna", "adam")
        department.hub.audit.options = Options(Custody(tmp_path), tmp_path / "checkpoints", "hub.example", timedelta(hours=24))
        yield department


@pytest.fixture
def audit(department: Department) -> Audit:
    return department.hub.audit


def keeper(department: Department, clock: Clock, mail: Mail | None = None) -> Keeper:
    return Keeper(department.hub.audit, department.hub.audit_record(), mail, clock)


def set_options(department: Department, **fields: object) -> None:
    options = department.hub.audit.options
    assert options is not None
    department.hub.audit.options = replace(options, **fields)  # type: ignore[arg-type]


# ── signed notes ─────────────────────────────────────────────────────────────────

def test_the_example_of_the_standard_is_read() -> None:
    """C2SP signed-note: its example key and signature."""
    key = read_key("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    assert key.id.hex() == "530d903a"
    signature = base64.b64decode("Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXm"
                                 "RKuwHjG1Yu72IneyaQM=")
    frame = "a\n1\n" + base64.b64encode(bytes(32)).decode() + "\n\n— a AAAAAAA=\n"
    example = read_checkpoint(frame)._replace(
        text="This is an example message.\n", signatures=(("example.com/foo", signature[:4], signature[4:]),))
    assert signer(example, [key]) == key


def test_a_checkpoint_of_the_standard_is_parsed() -> None:
    """C2SP tlog-checkpoint: its example."""
    found = read_checkpoint("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
                            "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2"
                            "q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n")
    assert (found.origin, found.size, found.signatures[0][1].hex()) == ("example.com/behind-the-sofa", 20852163, "033de0ae")


def test_our_own_checkpoint_is_three_lines_and_a_signature() -> None:
    own = Signer("hub.example/log", b"k" * 32)
    note = own.checkpoint(7, b"r" * 32)
    assert note.split("\n")[:4] == ["hub.example/log", "7", base64.b64encode(b"r" * 32).decode(), ""]
    assert signer(read_checkpoint(note), [read_key(own.vkey)]).name == "hub.example/log"


@pytest.mark.parametrize("note", ["", "x", "a\n1\n", "a\n01\nAAAA\n\n— a AAAAAAA=\n", "a\n1\nAAAA\n\n— a AAAAAAA=\n",
                                  "a\n-1\n" + "A" * 43 + "=\n\n— a AAAAAAA=\n", "a\n1\n" + "A" * 43 + "=\n\na AAAAAAA=\n",
                                  "a\n1\n" + "A" * 43 + "=\n\n— a AAAAAAA="])
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(Bad):
        read_checkpoint(note)


# ── the key ──────────────────────────────────────────────────────────────────────

def test_the_key_is_made_at_the_first_checkpoint_and_is_in_no_event(department: Department, audit: Audit,
                                                                    tmp_path: Path) -> None:
    record = department.hub.audit_record()
    first = audit.sign(record, MONDAY)
    assert first is not None
    private = (tmp_path / "audit.key").read_bytes().strip()
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600
    states = [row.state for row in department.store.tail(0, 10_000)]
    assert all(private not in state and base64.b64decode(private) not in state for state in states)
    (known,) = audit.keys().keys
    assert read_key(known.vkey).name.startswith("hub.example/lead-hub/")
    assert audit.sign(record, MONDAY) == first, "nothing came since"


def test_a_key_that_was_replaced_stays_good_for_what_it_signed(department: Department, audit: Audit) -> None:
    record = department.hub.audit_record()
    old = audit.sign(record, MONDAY)
    with pytest.raises(Exception, match="Say why"):
        audit.rotate(record, " ", MONDAY)
    vkey = audit.rotate(record, "Плановая замена", MONDAY)
    new = audit.sign(record, MONDAY)
    assert old is not None
    assert new is not None
    keys = [read_key(known.vkey) for known in audit.keys().keys]
    assert read_key(vkey) == keys[1]
    assert keys[0].name == keys[1].name == read_checkpoint(new.note).origin
    assert [signer(read_checkpoint(kept.note), keys) for kept in (old, new)] == keys
    assert audit.run(record, lambda: MONDAY).good
    events = department.store.read(AUDIT_STREAM)
    assert [getattr(event, "why", None) for event in events] == ["", "Плановая замена"]


def test_a_refused_rotation_leaves_the_old_key_in_force(department: Department, audit: Audit) -> None:
    record = department.hub.audit_record()
    audit.sign(record, MONDAY)
    with pytest.raises(Exception, match="Say why"):
        audit.rotate(record, "", MONDAY)
    department.receive(form(phone(1)))
    assert audit.sign(record, MONDAY) is not None


def test_a_rotation_that_was_cut_off_after_its_event_ends_at_the_next_signature(department: Department, audit: Audit,
                                                                               tmp_path: Path) -> None:
    record = department.hub.audit_record()
    audit.sign(record, MONDAY)
    name = read_key(audit.keys().keys[0].vkey).name
    vkey = Custody(tmp_path).next(name).vkey
    record(lambda log: log.put_in_force(vkey, "Замена"), MONDAY)
    kept = audit.sign(record, MONDAY)
    assert kept is not None
    assert signer(read_checkpoint(kept.note), [read_key(vkey)])
    assert not (tmp_path / "audit.key.next").exists()


@pytest.mark.parametrize("harm", ["missing", "other", "damaged"])
def test_without_the_key_in_force_nothing_is_signed_and_the_check_says_so(department: Department, audit: Audit, tmp_path: Path,
                                                                          harm: str) -> None:
    record, path = department.hub.audit_record(), tmp_path / "audit.key"
    audit.sign(record, MONDAY)
    if harm == "missing":
        path.unlink()
    else:
        path.write_text(base64.b64encode(b"o" * 32).decode() if harm == "other" else "no key", encoding="ascii")
    department.receive(form(phone(1)))
    with pytest.raises(NoKey, match=r"rotate-key|bring the file back"):
        audit.sign(record, MONDAY)
    assert [finding.code for finding in audit.run(record, lambda: MONDAY).findings] == ["key"]


def test_a_key_of_the_environment_is_used_and_replaced_by_the_next_one(department: Department, audit: Audit,
                                                                       tmp_path: Path) -> None:
    record = department.hub.audit_record()
    first, second = (base64.b64encode(letter * 32).decode() for letter in (b"1", b"2"))
    set_options(department, custody=Custody(tmp_path, first))
    audit.sign(record, MONDAY)
    set_options(department, custody=Custody(tmp_path, second))
    department.receive(form(phone(1)))
    with pytest.raises(NoKey, match="HUB_AUDIT_KEY"):
        audit.sign(record, MONDAY)
    audit.rotate(record, "Новый ключ", MONDAY)
    assert audit.sign(record, MONDAY) is not None
    assert not (tmp_path / "audit.key").exists()


# ── the schedule ─────────────────────────────────────────────────────────────────

def test_the_worker_hashes_signs_writes_and_checks_by_itself(department: Department, audit: Audit, tmp_path: Path) -> None:
    clock = Clock()
    working = keeper(department, clock)
    working.turn()
    (kept,) = audit.ledger.kept()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [f"checkpoint-{kept.size:012}.txt"]
    state = audit.state(fresh=True)
    assert state.last is not None
    assert state.last.good
    department.receive(form(phone(1)))
    clock.at += timedelta(hours=23)
    working.turn()
    assert audit.ledger.size()[1] == department.store.head(), "the tree grows all the time"
    assert len(audit.ledger.kept()) == 1
    clock.at += timedelta(hours=1)
    working.turn()
    assert len(audit.ledger.kept()) == 2
    assert len(audit.checks()) == 2
    assert audit.run(department.hub.audit_record(), clock).good


def test_of_two_workers_one_keeps_the_tree_and_appends_wait_for_none(department: Department, audit: Audit) -> None:
    stop = Flag()
    threads = [Thread(target=keeper(department, Clock()).run, args=(stop,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(5):
        department.receive(form(phone(n)))
    while audit.ledger.size()[1] < department.store.head() or audit.state(fresh=True).good is None:
        stop.wait(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert LEASE_NAME not in department.store.leases.holders()
    assert audit.run(department.hub.audit_record(), Clock()).good
    assert len(audit.keys().keys) == 1


def test_a_check_that_a_killed_worker_left_is_run_again(department: Department, audit: Audit) -> None:
    audit.ask("user:x", MONDAY)
    with department.store.writing() as cursor:
        cursor.execute("UPDATE audit_checks SET state = 'running'")
    keeper(department, Clock()).turn()
    assert [check.state for check in audit.checks()] == ["done"]


def test_a_rewound_store_is_noticed_by_the_next_turn(department: Department, audit: Audit) -> None:
    clock = Clock()
    working = keeper(department, clock)
    working.turn()
    assert audit.state(fresh=True).good is not None
    with department.store.writing() as cursor:
        cursor.execute("UPDATE audit_tiles SET hashes = ? WHERE level = 0", (b"x" * 32 * audit.ledger.size()[0],))
    working.turn()
    assert audit.state(fresh=True).failed


# ── where checkpoints go ─────────────────────────────────────────────────────────

def test_a_checkpoint_in_the_folder_is_never_written_over(department: Department, audit: Audit, tmp_path: Path) -> None:
    clock = Clock()
    kept = audit.sign(department.hub.audit_record(), MONDAY)
    assert kept is not None
    there = tmp_path / "checkpoints" / f"checkpoint-{kept.size:012}.txt"
    there.parent.mkdir()
    there.write_text("something else", encoding="utf-8")
    keeper(department, clock).turn()
    assert there.read_text(encoding="utf-8") == "something else"
    assert "move it away" in audit.ledger.kept()[0].trouble
    there.unlink()
    clock.at += timedelta(minutes=6)
    keeper(department, clock).turn()
    assert there.read_text(encoding="utf-8") == kept.note
    assert audit.ledger.kept()[0].trouble == ""


def account(port: int) -> Accounts:
    settings = EmailSettings(address=USER, smtp="127.0.0.1", smtp_port=port, smtp_security="none")
    return Accounts({"email/main": Email(Place("email/main", "Почта", "http://localhost"), settings)})


def test_a_checkpoint_is_mailed_and_what_failed_is_tried_again(department: Department, audit: Audit) -> None:
    clock = Clock()
    set_options(department, mail=("notary@outside.example", "director@home.example"))
    with mail_server() as server:
        server.says["DATA"] = ["451 not now"]
        mail = mailer(account(server.port))
        working = keeper(department, clock, mail)
        working.turn()
        (kept,) = audit.ledger.kept()
        assert kept.mailed_at is None
        assert "451" in kept.trouble
        clock.at += timedelta(minutes=6)
        working.turn()
        (kept,) = audit.ledger.kept()
        assert (kept.mailed_at, kept.trouble) == (clock.at, "")
        assert {came.to for came in server.came} == {("notary@outside.example",), ("director@home.example",)}
        letter = server.came[-1].letter
        (attached,) = letter.iter_attachments()
        assert attached.get_content() == kept.note.encode()
        assert kept.note in letter.get_body(("plain",)).get_content().replace("\r\n", "\n")  # type: ignore[union-attr]
        ids = {came.to: str(came.letter["Message-ID"]) for came in server.came}
        assert len(set(ids.values())) == 2
        working.turn()
        sent = len(server.came)
        clock.at += timedelta(minutes=6)
        working.turn()
        assert len(server.came) == sent, "once is enough"


def test_mail_without_an_account_is_said(department: Department, audit: Audit) -> None:
    assert mailer(Accounts()) is None
    set_options(department, mail=("notary@outside.example",))
    keeper(department, Clock()).turn()
    assert "e-mail account" in audit.ledger.kept()[0].trouble


def test_a_server_that_cannot_be_reached_is_said_without_a_fault() -> None:
    mail = mailer(account(1))
    assert mail is not None
    assert "127.0.0.1" in mail(Letter("a@b.example", 3, MONDAY, "note", "origin", None))


def test_checkpoints_are_time_stamped_and_stamps_checked(department: Department, audit: Audit, tmp_path: Path) -> None:
    """RFC 3161, against an authority on this machine."""
    clock, record = Clock(), department.hub.audit_record()
    with authority(tmp_path / "tsa") as tsa:
        set_options(department, stamps=Stamps(tsa.url, tsa.roots))
        tsa.says = (503, b"")
        working = keeper(department, clock)
        working.turn()
        assert "cannot be reached" in audit.ledger.kept()[0].trouble
        tsa.says = (200, b"no stamp at all")
        clock.at += timedelta(minutes=6)
        working.turn()
        assert "cannot be read" in audit.ledger.kept()[0].trouble
        tsa.says = None
        clock.at += timedelta(minutes=6)
        working.turn()
        (kept,) = audit.ledger.kept()
        assert kept.stamp is not None
        assert kept.stamped_at is not None
        assert kept.trouble == ""
        assert (tmp_path / "checkpoints" / f"checkpoint-{kept.size:012}.tsr").read_bytes() == kept.stamp
        assert audit.run(record, clock).good
        department.receive(form(phone(1)))
        clock.at += timedelta(hours=24)
        working.turn()
        newest, oldest = audit.ledger.kept()
        with department.store.writing() as cursor:
            cursor.execute("UPDATE audit_checkpoints SET stamp = ? WHERE size = ?", (oldest.stamp, newest.size))
        assert {finding.by for finding in audit.run(record, clock).findings} == {STAMP}


def test_a_stamp_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    with authority(tmp_path / "one") as one, authority(tmp_path / "two") as two:
        stamp, _ = Stamps(one.url, one.roots).stamp("a note")
        assert Stamps(one.url, one.roots).fault("a note", stamp) == ""
        assert Stamps(one.url, one.roots).fault("another note", stamp)
        assert Stamps(two.url, two.roots).fault("a note", stamp)
