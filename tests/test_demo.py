"""The demo: a whole department, made through the hub's commands, in a folder that is nobody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from hub.bootstrap import House, open_house
from hub.config import BadSetting, Settings
from hub.demo import MARK, prepare
from hub.demo.clients import CLIENTS
from hub.demo.people import PASSWORD, PEOPLE
from hub.domain import contact
from hub.domain import events as lead_events
from hub.domain.event import TOPICS, Event
from hub.domain.lead import Lead
from hub.domain.lead.people import inn_is_valid
from hub.domain.staff import user_stream
from hub.domain.state import LeadState
from hub.projections.leads import columns

TUESDAY = datetime.fromisoformat("2026-11-24T11:20+03:00")
SUNDAY = datetime.fromisoformat("2026-11-29T03:10+03:00")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A demo that was started on a Tuesday morning."""
    return prepare({"HUB_DATA_DIR": str(tmp_path_factory.mktemp("demo"))}, at=TUESDAY)


@pytest.fixture(scope="module")
def house(made: Settings) -> Iterator[House]:
    with closing(open_house(made)) as house:
        yield house


@pytest.fixture(scope="module")
def log(house: House) -> list[Event]:
    return [house.store.decode(row) for row in house.store.tail(0, 100_000)]


@pytest.fixture(scope="module")
def leads(house: House) -> list[LeadState]:

    return [house.hub.lead(UUID(row["id"])) for row in house.hub.views.leads.rows("1 = 1", limit=500)]


def test_every_stage_has_open_leads_and_every_ending_has_happened(house: House, leads: list[LeadState]) -> None:
    """R28: won, lost, refused; asleep is open."""
    process = house.hub.process
    assert 60 <= len(leads) <= 90
    assert {s.stage for s in leads if s.open and s.asleep_until is None} == set(process.stages)
    assert {s.ended for s in leads} == {"", *process.endings}
    assert {s.channel for s in leads} == {"phone", "social", "email", "website"}
    assert any(s.by_hand for s in leads)
    assert any(s.open and s.asleep_until for s in leads)
    assert any(s.merged_into for s in leads)
    assert any(s.previous_lead for s in leads)


def test_two_cards_of_one_client_are_proposed_to_be_merged_and_no_others(house: House) -> None:
    """R6."""
    views = house.hub.views.leads
    found = {id: [UUID(row["id"]) for row, _ in views.alike(id, house.hub.lead(id), 5)]
             for id in (UUID(row["id"]) for row in views.rows("1 = 1", limit=500))}
    (one, [other]), (same, [again]) = ((id, twins) for id, twins in found.items() if twins)
    assert (one, other) == (again, same)


def test_calls_and_messages_fared_in_every_way(leads: list[LeadState]) -> None:
    assert {m.status for s in leads for m in s.outgoing.values()} >= {"sent", "delivered", "read", "failed", "unknown"}
    assert {c.outcome for s in leads for c in s.calls.values()} >= {"answered", "missed"}
    assert any("call_back" in s.dues for s in leads)
    talked = [s for s in leads if len({m.way for m in s.outgoing.values()}) > 2 and len({m.source for m in s.messages}) > 2]
    assert talked


def test_every_reason_closeness_stall_and_segment_is_shown(house: House, leads: list[LeadState]) -> None:
    """R10, R25, R28."""
    process = house.hub.process
    assert {loss.reason for s in leads for loss in s.losses} == set(process.loss_reasons)
    assert {loss.closeness for s in leads for loss in s.losses} == set(process.closeness)
    assert {stall.reason for s in leads for stall in s.stalls.values()} == set(process.stalls)
    assert {s.segment for s in leads} == {"", *process.segments}
    assert {r.kind for s in leads for r in s.requests.values()} == set(process.requests)
    assert any(len(s.sheets) > 1 for s in leads)
    assert any(s.ended == "lost" and "wake" in s.dues for s in leads)


def test_every_event_of_a_lead_occurs(log: list[Event]) -> None:
    """Each can be looked at in some card of the demo; only an erased person leaves nothing to look at."""
    happened = {type(event) for event in log}
    of_leads = {kind for kind in TOPICS.values() if kind.__module__.startswith(lead_events.__name__)
                and kind.__module__ != f"{lead_events.__name__}.erasing"}
    assert len(of_leads) > 50
    assert {kind.TOPIC for kind in of_leads - happened} == set()


def test_leads_are_what_their_events_say_and_so_is_the_board(house: House) -> None:

    for row in house.hub.views.leads.rows("1 = 1", limit=500):
        state = Lead.fold(house.hub.history(UUID(row["id"])))
        assert state == house.hub.lead(UUID(row["id"]))
        assert {name: row[name] for name in columns(state)} == columns(state)


def test_time_went_forward_and_stopped_at_the_present(log: list[Event]) -> None:
    recorded = [event.recorded_at or event.at for event in log]
    assert recorded[-1] <= TUESDAY
    assert max(event.at for event in log) <= TUESDAY
    assert recorded == sorted(recorded)
    assert recorded[0] < TUESDAY - timedelta(days=80)


def test_it_is_alive_now(house: House, leads: list[LeadState]) -> None:
    """R2, R26: clocks run, meetings lie ahead, something is late, something was late long ago."""
    assert house.hub.views.deadlines.due(TUESDAY) == []
    running = [d for s in leads for d in s.dues.values() if d.kind == "take" and not d.missed]
    assert running
    assert all(d.due_at - TUESDAY <= timedelta(minutes=15) for d in running)
    ahead = [m for s in leads for m in s.planned_meetings if TUESDAY < m.starts_at < TUESDAY + timedelta(days=5)]
    assert len(ahead) >= 5
    assert any(d.missed for s in leads for d in s.dues.values() if s.open)
    assert any(at < TUESDAY - timedelta(days=40) for s in leads for _, at in s.missed)
    assert any("head_opinion" in key for s in leads for key in s.dues)
    assert any(s.proposal and s.proposal.needs_head and not s.proposal.head_part for s in leads)


def test_the_quarantine_waits_for_a_person(house: House) -> None:
    receipts = house.hub.views.receipts
    assert len({row["reason"] for row in receipts.quarantine()}) >= 3
    assert receipts.quarantine("released")
    assert receipts.quarantine("dismissed")


def test_letters_brought_files_that_can_be_read(house: House, log: list[Event]) -> None:
    found = [(e, f) for e in log if isinstance(e, lead_events.MessageReceived) for f in e.files]
    assert len({e.originator_id for e, _ in found}) == 3
    for event, file in found:
        assert event.subject is not None
        data = house.hub.files.get(file.digest, event.subject)
        assert data is not None
        assert len(data) == file.size


def test_everybody_can_sign_in(house: House) -> None:
    assert {u.login for u in house.hub.users().values()} == {login for login, _, _ in PEOPLE}
    for login, _, role in PEOPLE:
        assert house.access.verify(user_stream(login), PASSWORD)
        assert not house.access.temporary(user_stream(login))
        assert house.hub.users()[user_stream(login)].roles == (role,)


def test_clients_cannot_be_real() -> None:
    for client in CLIENTS.values():
        found = contact.phone(client.phone)
        assert found is not None
        assert found.value.startswith("+7900000")
        assert client.email.endswith(".example")
        assert inn_is_valid(client.inn)
        assert contact.is_zone(client.zone)


# ── whose folder it is ───────────────────────────────────────────────────────────

def test_the_data_of_today_are_kept(made: Settings, house: House, capsys: pytest.CaptureFixture[str]) -> None:
    head, mark = house.store.head(), (made.data_dir / MARK).read_bytes()
    prepare({"HUB_DATA_DIR": str(made.data_dir)}, at=TUESDAY + timedelta(hours=4))
    assert house.store.head() == head
    assert (made.data_dir / MARK).read_bytes() == mark
    assert PASSWORD in capsys.readouterr().out


def test_the_data_of_another_day_are_made_anew_at_any_hour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A making that was cut off is the demo's own too, and what else lies in the folder stays."""
    (tmp_path / MARK).write_text(json.dumps({"made_at": TUESDAY.isoformat()}))
    (tmp_path / "hub.db").write_bytes(b"cut off")
    (tmp_path / "mine.txt").write_text("stays")
    settings = prepare({"HUB_DATA_DIR": str(tmp_path)}, at=SUNDAY)
    assert "24.11.2026" in capsys.readouterr().out
    assert (tmp_path / "mine.txt").read_text() == "stays"
    assert json.loads((tmp_path / MARK).read_text())["made_at"] == SUNDAY.isoformat()
    with closing(open_house(settings)) as house:
        untaken = house.hub.views.leads.rows("stage = 'new' AND ended = ''")
        assert untaken
        assert all(row["due_missed"] or row["due_at"].startswith("2026-11-30T06:15") for row in untaken)


def test_a_folder_of_a_real_hub_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"somebody's log")
    for fresh in (False, True):
        with pytest.raises(BadSetting, match="not made by the demo.*folder of its own"):
            prepare({"HUB_DATA_DIR": str(tmp_path)}, fresh=fresh, at=TUESDAY)
    assert [path.name for path in tmp_path.iterdir()] == ["hub.db"]
    assert (tmp_path / "hub.db").read_bytes() == b"somebody's log"


@pytest.mark.parametrize("name", ["HUB_DATABASE_URL", "HUB_PROCESS_FILE"])
def test_settings_of_a_real_hub_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=f"{name} is set.*remove"):
        prepare({"HUB_DATA_DIR": str(tmp_path / "demo"), name: "sqlite:///data/hub.db"}, at=TUESDAY)
    assert not (tmp_path / "demo").exists()
