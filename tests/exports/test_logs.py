"""XES and OCEL as another program reads them (r4pm), what they do not tell of people, and who may take them away."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
import r4pm

from hub.application import THE_HUB
from hub.config import PACKAGED_PROCESS
from hub.domain.audit import AUDIT_STREAM, LogExported
from hub.domain.errors import NotAllowed, NotFound, Refused
from hub.domain.event import personal_fields
from hub.domain.events import LeadLost, LeadScored, MessageReceived
from hub.exports import giving
from hub.exports.activities import ACTIVITIES, LIFECYCLE, Names
from hub.exports.giving import KIND, parameters, pieces, recorded
from hub.exports.reading import Reader, Scope
from hub.jobs import JobRunner
from tests.exports.deals import FRACTION, NAME, QUOTE, furnish
from tests.golden.samples import CLASSES, sample
from tests.house import Department, actor, after, days, form, phone, user

NOW = after(days=40)
BINDINGS = "process_mining::bindings::"
LINKED = f"{BINDINGS}slim_ocel_bindings::"
PROJECTION = "process_mining::core::event_data::case_centric::utils::activity_projection::"
XES = "{http://www.xes-standard.org/}"


class Told:
    """The department and its deals."""

    def __init__(self, house: Department) -> None:
        house.hub.jobs.prepare()
        house.hub.jobs.register(giving.kind(house.hub))
        self.house, self.deals = house, furnish(house)
        self.numbers = {name: house.views.leads.one(lead)["number"] for name, lead in self.deals.items()}

    def written(self, format: str, **scope: Any) -> bytes:
        return b"".join(pieces(self.house.hub, format, Scope(at=NOW, **scope)))

    def stored(self) -> dict[str, list[Any]]:
        """All events of all leads, as the store has them, by the lead's name."""
        return {f"L-{row['number']}": self.house.store.read(UUID(row["id"])) for row in self.house.leads()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with Department(tmp_path_factory.mktemp("told")).begin() as house:
        yield Told(house)


def ask(binding: str, **arguments: Any) -> Any:
    return json.loads(r4pm.call_binding(binding, json.dumps(arguments)))


@pytest.fixture(scope="module")
def xes(told: Told, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, list[dict[str, str]]]]:
    """The XES after another program has read it and written it again: its id there, and its traces."""
    folder = tmp_path_factory.mktemp("xes")
    (folder / "leads.xes").write_bytes(told.written("xes"))
    read = r4pm.import_item("EventLog", str(folder / "leads.xes"))
    r4pm.export_item(read, str(folder / "again.xes"))
    traces = {}
    for trace in ElementTree.parse(folder / "again.xes").getroot().iter(f"{XES}trace"):
        name = next(part.get("value", "") for part in trace if part.get("key") == "concept:name")
        traces[name] = [{str(part.get("key")): str(part.get("value")) for part in event} for event in trace.iter(f"{XES}event")]
    return read, traces


@pytest.fixture(scope="module")
def ocel(told: Told, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """The OCEL read by another program, linked, and written again."""
    folder = tmp_path_factory.mktemp("ocel")
    (folder / "leads.json").write_bytes(told.written("ocel"))
    read = r4pm.import_item("OCEL", str(folder / "leads.json"))
    r4pm.export_item(read, str(folder / "again.json"))
    return ask(f"{BINDINGS}slim_link_ocel", ocel=read), json.loads((folder / "again.json").read_text(encoding="utf-8"))


# ── XES ──────────────────────────────────────────────────────────────────────────


def test_every_event_of_every_lead_comes_back_in_its_order(told: Told, xes: tuple[str, Any]) -> None:
    stored = told.stored()
    assert {name: [event["identity:id"] for event in trace] for name, trace in xes[1].items()} == \
        {name: [str(event.event_id) for event in events] for name, events in stored.items()}
    for trace in xes[1].values():
        assert [int(event["event_number"]) for event in trace] == list(range(1, len(trace) + 1))
        times = [datetime.fromisoformat(event["time:timestamp"]) for event in trace]
        assert times == sorted(times)
    assert ask(f"{PROJECTION}get_num_cases", projection=ask(f"{PROJECTION}log_to_activity_projection", log=xes[0])) == len(stored)


def test_times_are_the_stored_ones_to_the_microsecond_and_never_go_back(told: Told, xes: tuple[str, Any]) -> None:
    late = 0
    for name, events in told.stored().items():
        for event, seen in zip(events, xes[1][name], strict=True):
            assert datetime.fromisoformat(seen.get("true_at", seen["time:timestamp"])) == event.at
            if event.recorded_at is not None:
                assert datetime.fromisoformat(seen["recorded_at"]) == event.recorded_at
            late += "true_at" in seen
    assert late, "a meeting that was written down after a note stands where it was recorded, with its own time beside"
    assert any(f".{FRACTION}" in seen["time:timestamp"] for trace in xes[1].values() for seen in trace)


def test_who_did_it_is_told_by_pseudonym_and_role_of_that_day(told: Told, xes: tuple[str, Any]) -> None:
    by = {(event["org:resource"], event.get("org:role", "")) for trace in xes[1].values() for event in trace}
    assert {role for resource, role in by if resource.startswith("user-")} == {"manager", "head"}
    assert {resource for resource, role in by if not role} == {"hub", "channel:website"}
    assert not any(user(name) in told.written("xes").decode() for name in ("anna", "vera", "boris"))


def test_a_colleagues_roles_are_those_of_the_moment(told: Told) -> None:
    reader = Reader(told.house.hub, Scope(at=NOW))
    assert [reader._role(user("boris"), at) for at in (after(days=-30), after(), after(days=1))] == ["", "manager", "head"]


def test_steps_are_what_the_process_draws_and_an_undone_move_is_none(told: Told) -> None:
    steps = ElementTree.fromstring(told.written("xes", steps=True))
    names = {trace[0].get("value"): [event[0].get("value") for event in trace.iter(f"{XES}event")]
             for trace in steps.iter(f"{XES}trace")}
    assert {name for trace in names.values() for name in trace} <= Names(told.house.hub.process).steps
    mine = {name: names[f"L-{number}"] for name, number in told.numbers.items()}
    assert mine["won"] == ["Новый", "Контакт", "Первичный отсев", "Скоринг", "Подготовка к интервью", "Глубинное интервью",
                           "Подготовка КП", "Презентация КП", "Дожим", "Договор"]
    assert mine["back"][-4:] == ["Проигран", "Возвращена в работу", "Дожим", "Проигран"]
    assert mine["reopened"][-3:] == ["Проигран", "Возвращена в работу", "Договор"]
    assert mine["undone"] == ["Новый", "Контакт", "Первичный отсев", "Проигран"]
    assert "Возвращена в работу" not in mine["slept"]
    assert mine["merged"][-1] == "Объединена с другой карточкой"
    assert mine["split"][-3:] == ["Объединена с другой карточкой", "Возвращена в работу", "Проигран"]


def test_activities_are_in_the_language_that_was_asked_for(told: Told) -> None:
    english = told.written("xes", language="en", leads=(told.deals["won"],)).decode()
    assert re.findall(r'key="concept:name" value="(Won|Screening|Meeting held)"', english)
    assert "Первичный отсев" not in english


def test_a_stage_that_is_called_like_an_event_is_told_apart(told: Told) -> None:
    process = told.house.hub.process
    names = Names(process)
    assert len(names.steps) == len(process.stages) + len(process.endings) + 2
    assert set(ACTIVITIES) == {cls for topic, cls in CLASSES.items() if topic.startswith("lead.")}, "an event without an activity"


def test_the_page_about_exports_has_every_event() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    rows = {line for line in page.splitlines() if line.startswith("| `lead.")}
    assert rows == {f"| `{kind.TOPIC}` | {russian} | {english} | {LIFECYCLE.get(kind, 'complete')} |"
                    for kind, (russian, english) in ACTIVITIES.items()}


def test_what_xml_cannot_hold_is_replaced_and_markup_is_text(told: Told, tmp_path: Path) -> None:
    with Department(tmp_path).begin() as house:
        house.new_lead(form(phone(7_100_001), text='<b>"&\x00\x1b\ud800</b>\n\t'.encode("utf-8", "replace").decode()))
        house.runner.catch_up()
        whole = b"".join(pieces(house.hub, "xes", Scope(at=NOW, personal=True)))
    texts = [part.get("value") for part in ElementTree.fromstring(whole).iter(f"{XES}string") if part.get("key") == "text"]
    assert texts
    assert texts[0] is not None
    assert texts[0].startswith('<b>"&')


# ── OCEL ─────────────────────────────────────────────────────────────────────────


def test_another_program_reads_the_same_events_and_objects(told: Told, ocel: tuple[str, Any]) -> None:
    linked, again = ocel
    stored = told.stored()
    assert ask(f"{BINDINGS}num_events", ocel=linked) == sum(map(len, stored.values()))
    written = json.loads(told.written("ocel"))
    assert [event["id"] for event in again["events"]] == [event["id"] for event in written["events"]]
    assert Counter(o["type"] for o in again["objects"]) == Counter(o["type"] for o in written["objects"])
    assert set(ask(f"{LINKED}get_object_ids_of_type", ocel=linked, ob_type="lead")) == set(stored)


def test_ids_sort_as_the_events_happened_and_times_keep_their_fraction(told: Told, ocel: tuple[str, Any]) -> None:
    by_lead: dict[str, list[dict[str, Any]]] = {}
    for event in ocel[1]["events"]:
        by_lead.setdefault(event["id"].split("/")[0], []).append(event)
    for lead, events in told.stored().items():
        ids = [event["id"] for event in by_lead[lead]]
        assert ids == sorted(ids)
        for seen, event in zip(by_lead[lead], events, strict=True):
            said = {a["name"]: a["value"] for a in seen["attributes"]}
            assert said["event_number"] == event.originator_version
            assert datetime.fromisoformat(said.get("true_at", seen["time"])) == event.at
    assert any(f".{FRACTION}" in event["time"] for event in ocel[1]["events"])


def test_nothing_is_related_to_what_is_not_there(told: Told) -> None:
    for scope in ({}, {"leads": (told.deals["survivor"],)}, {"since": after(minutes=-1)}, {"steps": True}):
        written = json.loads(told.written("ocel", **scope))
        ids = [found["id"] for found in written["objects"]]
        assert len(ids) == len(set(ids)), "every object once"
        for one in (*written["events"], *written["objects"]):
            assert {related["objectId"] for related in one["relationships"]} <= set(ids), one["id"]


def test_meetings_proposals_people_and_colleagues_are_related(told: Told, ocel: tuple[str, Any]) -> None:
    objects = {found["id"]: found for found in ocel[1]["objects"]}
    lead = f"L-{told.numbers['won']}"
    presented = next(e for e in ocel[1]["events"] if e["id"].startswith(f"{lead}/") and e["type"] == "КП показано")
    assert {(r["objectId"], r["qualifier"]) for r in presented["relationships"]} >= {
        (lead, "lead"), (f"{lead}/meeting-2", "meeting"), (f"{lead}/proposal-1", "proposal")}
    related = {r["objectId"] for r in presented["relationships"]}
    assert set(ask(f"{LINKED}get_e2o_ids", ocel=ocel[0], ev_id=presented["id"])) == related
    proposal = {a["name"]: a["value"] for a in objects[f"{lead}/proposal-1"]["attributes"]}
    assert (proposal["amount"], proposal["currency"]) == (1_500_000.5, "RUB")
    assert {(r["objectId"], r["qualifier"]) for r in objects[f"{lead}/proposal-1"]["relationships"]} == {
        (lead, "of"), (f"{lead}/meeting-2", "presented at")}
    meeting = objects[f"{lead}/meeting-1"]
    assert [a["value"] for a in meeting["attributes"] if a["name"] == "status"] == ["planned", "held"]
    assert any(r["qualifier"] == "ours" and r["objectId"].startswith("user-") for r in meeting["relationships"])
    stages = [a["value"] for a in objects[lead]["attributes"] if a["name"] == "stage"]
    assert (stages[0], stages[-1]) == ("new", "follow_up")
    merged = objects[f"L-{told.numbers['merged']}"]
    assert (f"L-{told.numbers['survivor']}", "merged into") in {(r["objectId"], r["qualifier"]) for r in merged["relationships"]}


def test_attributes_are_of_the_types_that_are_declared(told: Told) -> None:
    written = json.loads(told.written("ocel", personal=True))
    kinds = {"string": str, "integer": int, "float": float, "boolean": bool, "time": str}
    for group, types in (("events", "eventTypes"), ("objects", "objectTypes")):
        declared = {t["name"]: {a["name"]: kinds[a["type"]] for a in t["attributes"]} for t in written[types]}
        for one in written[group]:
            for attribute in one["attributes"]:
                assert type(attribute["value"]) is declared[one["type"]][attribute["name"]], (one["id"], attribute)


@pytest.mark.usefixtures("both_stores")
def test_a_person_with_two_leads_is_one_object(tmp_path: Path) -> None:
    with Department(tmp_path).begin() as house:
        first = house.screened_lead(phone(7_200_001))
        house.do(first, "lose", reason="price", closeness="second", at=after(hours=1))
        again = house.new_lead(form(phone(7_200_001)), at=after(days=2))
        assert again != first
        house.runner.catch_up()
        written = json.loads(b"".join(pieces(house.hub, "ocel", Scope(at=NOW))))
    people = [found for found in written["objects"] if found["type"] == "person"]
    assert len(people) == 1
    assert {r["objectId"] for o in written["objects"] if o["id"] == "L-2" for r in o["relationships"]} == {people[0]["id"], "L-1"}


def test_leads_are_counted_and_read_by_indexes(tmp_path: Path) -> None:
    """An export does not look through the whole table before it begins."""
    with Department(tmp_path).begin() as house:
        if house.store.scratch is not None:
            pytest.skip("SQLite's plans")
        house.new_lead()
        house.runner.catch_up()
        where, values = Scope(at=NOW, since=after(days=-1)).where()
        with house.store.views.reading() as c:
            plans = []
            for question, order in (("COUNT(*)", ""), ("*", " ORDER BY number LIMIT 200")):
                condition = f"is_open = 0 AND {where}" if not order else f"number > 0 AND {where}"
                c.execute(f"EXPLAIN QUERY PLAN SELECT {question} FROM leads WHERE {condition}{order}", values)
                plans.append([row["detail"] for row in c.fetchall()])
    assert "COVERING INDEX" in plans[0][0]
    assert plans[1] == ["SEARCH leads USING INDEX sqlite_autoindex_leads_2 (number>?)"]


# ── people ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("format", ["xes", "ocel"])
def test_without_being_asked_for_nothing_personal_is_told(told: Told, format: str) -> None:
    whole = told.written(format).decode()
    for canary in (NAME, QUOTE, "Иван", "Позвонили", "+7912", "+7 912", "8 912", "Anna", "Vera"):
        assert canary not in whole, canary
    asked = told.written(format, personal=True).decode()
    for canary in (QUOTE, "Иван", "+7912", "Anna", NAME):
        assert canary in asked, canary


def test_no_personal_field_of_any_event_is_told(told: Told) -> None:
    """Holds for events of later releases too: the samples are made from the classes."""
    closed, opened = (Reader(told.house.hub, Scope(at=NOW, personal=personal)) for personal in (False, True))
    for cls in ACTIVITIES:
        hidden = personal_fields(cls)
        assert not set(closed.values(sample(cls))) & set(hidden), cls
        told_all = opened.values(sample(cls))
        assert {name for name in hidden if name in told_all or any(key.startswith(name) for key in told_all)} == set(hidden), cls
    scored = opened.values(sample(LeadScored))
    assert any(key.startswith("mark_") and value == 1 for key, value in scored.items())
    assert "debrief" in opened.values(sample(LeadLost))
    assert "text" not in closed.values(sample(MessageReceived))


# ── taking it away ───────────────────────────────────────────────────────────────


def test_what_was_taken_by_whom_is_recorded_first(told: Told) -> None:
    scope = Scope(at=NOW, personal=True, leads=(told.deals["won"], told.deals["lost"]))
    assert recorded(told.house.hub, "ocel", scope, actor("audra"), NOW) == 2
    fact = told.house.store.read(AUDIT_STREAM)[-1]
    assert isinstance(fact, LogExported)
    assert (fact.actor, fact.format, fact.leads, fact.personal, fact.only) == (user("audra"), "ocel", 2, True, scope.leads)


@pytest.mark.parametrize("name", ["vera", "anna", "tim", "olga"])
def test_others_may_not(told: Told, name: str) -> None:
    before = told.house.store.read(AUDIT_STREAM)
    with pytest.raises(NotAllowed):
        recorded(told.house.hub, "xes", Scope(at=NOW), actor(name), NOW)
    assert told.house.store.read(AUDIT_STREAM) == before


@pytest.mark.parametrize(("scope", "kind", "code"), [
    ({"since": after(days=2), "until": after(days=1)}, Refused, "export_time_turned"),
    ({"since": after(days=30)}, NotFound, "no_leads_to_export")])
def test_a_selection_that_holds_nothing_is_refused(told: Told, scope: Any, kind: type[Refused], code: str) -> None:
    with pytest.raises(kind) as refused:
        recorded(told.house.hub, "xes", Scope(at=NOW, **scope), actor("audra"), NOW)
    assert refused.value.code == code


def test_the_past_is_told_as_it_was_known(told: Told) -> None:
    then = ElementTree.fromstring(b"".join(pieces(told.house.hub, "xes", Scope(at=after(hours=30), leads=(told.deals["won"],)))))
    trace = next(then.iter(f"{XES}trace"))
    assert {part.get("key"): part.get("value") for part in trace if part.tag != f"{XES}event"}["stage"] == "proposal"
    assert all(datetime.fromisoformat(str(part.get("value"))) <= after(hours=30) for part in trace.iter(f"{XES}date")
               if part.get("key") == "time:timestamp")


@pytest.mark.parametrize("format", ["xes", "ocel"])
def test_a_long_work_makes_whole_logs_in_parts_and_goes_on_where_it_stopped(
        told: Told, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = told.house.hub
    monkeypatch.setattr(giving, "PART", 5)
    monkeypatch.setattr(giving, "PLAIN", 2)
    scope = Scope(at=NOW)
    count = recorded(hub, format, scope, actor("audra"), NOW)
    job = hub.jobs.start(KIND, parameters(format, scope, count), actor=actor("audra"), at=NOW)
    stop, made = Flag(), []
    real = giving.FORMATS[format]

    def stops_after_the_first(*arguments: Any) -> Iterator[bytes]:
        made.append(1)
        if len(made) == 2:
            stop.set()
        return real.write(*arguments)

    monkeypatch.setitem(giving.FORMATS, format, real._replace(write=stops_after_the_first))
    JobRunner(hub.jobs, lambda: NOW).turn(stop)
    assert hub.jobs.one(job).state == "waiting"
    JobRunner(hub.jobs, lambda: NOW).turn(Flag())
    done = hub.jobs.one(job)
    assert (done.state, done.done, done.facts) == ("done", count, {"leads": count})
    assert len(done.results) == -(-count // 5)
    assert len(made) == len(done.results) + 1, "only the part that was under way was made again"
    parts = [gzip.decompress(hub.jobs.read(done, file.name)).decode() for file in done.results]
    whole = told.written(format).decode()
    mark = "<event>" if format == "xes" else '"qualifier":"lead"'
    assert sum(part.count(mark) for part in parts) == whole.count(mark)
    for part in parts:
        assert ElementTree.fromstring(part) is not None if format == "xes" else json.loads(part)["events"]


def test_the_words_of_an_older_process_are_used_where_asked(told: Told) -> None:
    packaged = PACKAGED_PROCESS.read_text(encoding="utf-8")
    text = packaged.replace('title = "Дожим"', 'title = "Доведение"', 1)
    hub = told.house.hub
    assert "Доведение" not in told.written("xes").decode()
    newest = hub.process.version
    hub.publish_process(text, *days(), actor=THE_HUB, at=NOW)
    hub.streams.forget_all()
    try:
        assert "Доведение" in told.written("xes").decode()
        assert "Доведение" not in told.written("xes", version=newest).decode()
    finally:
        hub.publish_process(packaged, *days(), actor=THE_HUB, at=NOW)
