"""The past for programs: lists, numbers, events and the process of any moment; differences, reasons, what if."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.web.api_house import Program, person
from tests.web.house import PROCESS, House, days


@pytest.fixture
def auditor(house: House) -> Program:
    return person(house, "auditor")


@pytest.fixture
def deal(house: House) -> UUID:
    """Came at 08:20 UTC, taken at 08:25, screened and scored at 08:40."""
    lead = house.receive()
    do(house, lead, "take", minutes=5)
    do(house, lead, "finish_screening", minutes=15, criteria_checked=True)
    do(house, lead, "score", marks={p: int(n < 11) for n, p in enumerate(house.hub.process.parameters)})
    return lead


def do(house: House, lead: UUID, command: str, minutes: int = 0, **arguments: object) -> None:
    house.clock.advance(minutes=minutes)
    house.hub.do(lead, command, arguments, actor=house.actor("manager"), at=house.clock())
    house.settle()


def test_the_list_of_a_moment_has_its_filters_and_pages(house: House, auditor: Program, deal: UUID) -> None:
    later = house.receive("Ольга Сомова", "+79990001122")
    mine = f"user:{house.users['manager']}"

    def found(query: str) -> list[str]:
        answer = auditor.get(f"/leads?{query}")
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json["items"]]
    assert found("at=2026-11-23T08:19:59Z&show=everything") == []
    assert found("at=2026-11-23T08:24:00Z&owner=none") == [str(deal)]
    assert found("at=2026-11-23T08:24:00Z&stage=new") == [str(deal)]
    assert found(f"at=2026-11-23T08:25:00Z&owner={mine}") == [str(deal)]
    assert found("at=2026-11-23T08:30:00Z&segment=A") == []
    assert found("at=2026-11-23T08:40:00Z&segment=A&number=1") == [str(deal)]
    assert found("at=2026-11-23T08:40:00Z&q=сомова") == [str(later)]
    row = auditor.get("/leads?at=2026-11-23T08:24:00Z").json["items"][0]
    assert (row["owner"], row["number"], row["stage"]) == ("", 1, "new")
    for sort in ("number", "-number", "due", "-due", "received", "-received", "updated", "-updated"):
        seen, cursor = [], ""
        while cursor is not None:
            page = auditor.get(f"/leads?at=2026-11-23T08:40:00Z&sort={sort}&limit=1&cursor={cursor}").json
            seen += [one["id"] for one in page["items"]]
            cursor = page["next"]
        assert sorted(seen) == sorted([str(deal), str(later)])
        other = auditor.get(f"/leads?at=2026-11-23T08:39:00Z&sort={sort}&limit=1&cursor=WyJudW1iZXIiXQ")
        assert other.status_code == 422
    ahead = auditor.get("/leads?at=2030-01-01T00:00:00Z")
    assert (ahead.status_code, ahead.json["code"]) == (422, "at_is_ahead")


def test_numbers_events_and_the_process_of_a_moment(house: House, auditor: Program, deal: UUID) -> None:
    house.clock.advance(minutes=1)
    newer = PROCESS.read_text(encoding="utf-8").replace("minutes = 15", "minutes = 3", 1)
    house.hub.publish_process(newer, *days(), actor=house.actor("administrator"), at=house.clock())
    then = auditor.get("/reports/numbers?at=2026-11-23T08:24:00Z").json
    assert {s["stage"]: s["open"] for s in then["stages"] if s["open"]} == {"new": 1}
    assert (then["flows"], then["late"]) == ([], 0)
    assert {"source": "new", "to": "contact", "count": 1} in auditor.get("/reports/numbers?at=2026-11-23T08:26:00Z").json["flows"]
    assert auditor.get("/reports/numbers?at=2026-11-23T08:26:00Z&since=2026-11-23T08:27:00Z").status_code == 422
    assert auditor.get("/process?at=2026-11-23T08:40:59Z").json["version"] == 1
    assert auditor.get("/process").json["version"] == 2
    events = auditor.get(f"/leads/{deal}/events?at=3").json
    assert ([e["version"] for e in events["items"]], events["next"]) == ([1, 2, 3], None)
    assert all(e["at"] < "2026-11-23T08:25" for e in auditor.get(f"/leads/{deal}/events?at=2026-11-23T08:24:00Z").json["items"])
    for path in (f"/leads/{deal}", f"/leads/{deal}/events", f"/leads/{deal}/why", f"/leads/{deal}/what-if"):
        assert auditor.get(f"{path}?at=2030-01-01T00:00:00Z").status_code == 422
        assert auditor.get(f"{path}?at=5000").json["code"] == "no_such_version"
        assert auditor.get(f"{path}?at=вчера").status_code == 400


def test_every_known_value_says_which_event_set_it_and_by_which_rule(house: House, auditor: Program, deal: UUID) -> None:
    found = {item["key"]: item for item in auditor.get(f"/leads/{deal}/why").json["items"]}
    history = {e.originator_version: e for e in house.hub.history(deal)}
    for item in found.values():
        event = history[item["set_by"]["version"]]
        assert (item["set_by"]["type"], item["set_by"]["actor"]) == (event.TOPIC, event.actor)
    score = found["sheets.1.total"]["set_by"]["why"]
    assert (score["rule"], score["score"]["low"], score["score"]["high"], score["score"]["head_joins"]) == ("R10", 10, 15, True)
    early = {i["key"]: i for i in auditor.get(f"/leads/{deal}/why?at=2026-11-23T08:21:00Z&key=dues").json["items"]}
    assert all(key.startswith("dues") for key in early)
    due = early["dues.take.due_at"]
    assert due["value"] == "2026-11-23T08:35:00Z"
    assert due["set_by"]["why"]["deadline"]["counted"]
    assert (due["set_by"]["why"]["rule"], due["set_by"]["why"]["deadline"]["length"]) == ("R2", 15)


def test_a_difference_has_both_values_and_the_event(house: House, auditor: Program, deal: UUID) -> None:
    taken = next(e.originator_version for e in house.hub.history(deal) if e.TOPIC == "lead.taken")
    found = {c["key"]: c for c in auditor.get(f"/leads/{deal}/difference?old={taken - 1}").json["changes"]}
    mine = f"user:{house.users['manager']}"
    assert (found["owner"]["before"], found["owner"]["after"], found["owner"]["set_by"]["version"]) == (None, mine, taken)
    assert found["stage"]["before"] == "new"
    assert "received_at" not in found
    assert auditor.get(f"/leads/{deal}/difference?old={taken}&new=2").json["code"] == "moments_swapped"
    assert auditor.get(f"/leads/{deal}/difference").status_code == 400


def test_what_if_decides_again_by_another_file(house: House, auditor: Program, deal: UUID) -> None:
    same = auditor.get(f"/leads/{deal}/what-if").json
    assert same["refusals"] == []
    assert all(d["due_at"] == d["was_due_at"] for d in same["deadlines"])
    newer = PROCESS.read_text(encoding="utf-8").replace("minutes = 15", "minutes = 3", 1)
    house.clock.advance(minutes=1)
    house.hub.publish_process(newer, *days(), actor=house.actor("administrator"), at=house.clock())
    take = next(d for d in auditor.get(f"/leads/{deal}/what-if").json["deadlines"] if d["key"] == "take")
    assert (take["was_due_at"], take["due_at"]) == ("2026-11-23T08:35:00Z", "2026-11-23T08:23:00Z")
    assert (take["was_late"], take["late"], take["done_at"]) == (False, True, "2026-11-23T08:25:00Z")
    assert auditor.get(f"/leads/{deal}/what-if?process=1").json["deadlines"] == same["deadlines"]
    assert auditor.get(f"/leads/{deal}/what-if?process=9").status_code == 404
