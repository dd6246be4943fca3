"""The documents say what is there: make targets, commands, rules, links, events, files, examples."""

from __future__ import annotations

import argparse
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from hub.__main__ import _parser
from hub.domain.guards import RULES
from hub.domain.lead import COMMANDS
from hub.domain.process_check import read_process

ROOT = Path(__file__).parents[1]
DOCS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCS]
PROCESS = ROOT / "hub" / "domain" / "process.toml"


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code(page: str) -> str:
    """What a page says as code: spans and blocks, a line each."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", page, re.M | re.S) + re.findall(r"^    (.*)$", page, re.M)
    return "\n".join([*re.findall(r"`([^`\n]+)`", page), *blocks])


def make_events() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_events", ROOT / "docs" / "make_events.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def actions(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The subcommands of a parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def commands(parser: argparse.ArgumentParser, before: str = "hub") -> Iterator[str]:
    """Every whole command, such as ``hub user add``."""
    for name, sub in actions(parser).items():
        if actions(sub):
            yield from commands(sub, f"{before} {name}")
        else:
            yield f"{before} {name}"


def unknown_words(words: list[str]) -> list[str]:
    """What of ``hub a b …`` the command line does not know: a command, or an option of it."""
    parser = _parser()
    rest = words[1:]
    while rest and (known := actions(parser)):
        if rest[0] not in known:
            return [f"{' '.join(words)}: no {rest[0]!r}"]
        parser = known[rest.pop(0)]
    options = {option for action in parser._actions for option in action.option_strings}
    return [f"{' '.join(words)}: no {word!r}" for word in rest if word.startswith("--") and word.strip("[]") not in options]


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_that_is_named_is_in_the_makefile(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.M))
    assert set(re.findall(r"\bmake ([a-z]+)", code(text(name)))) <= targets


def test_readme_names_the_two_commands_it_begins_with() -> None:
    assert {"run", "test", "demo"} <= set(re.findall(r"\bmake ([a-z]+)", code(text("README.md"))))


@pytest.mark.parametrize("name", NAMES)
def test_every_hub_command_that_is_named_can_be_parsed(name: str) -> None:
    said = re.findall(r"^(?:\.venv/bin/)?hub ([a-z][^#\n]*)", code(text(name)), re.M)
    assert [fault for line in said for fault in unknown_words(["hub", *line.replace("[", "").replace("]", "").split()])] == []


def test_a_command_that_there_is_not_is_found() -> None:
    assert unknown_words(["hub", "fly"])
    assert unknown_words(["hub", "user", "rename"])
    assert unknown_words(["hub", "demo", "--slow"])
    assert not unknown_words(["hub", "demo", "--fresh"])


def test_readme_tells_every_command() -> None:
    section = text("README.md").partition("## Command line")[2].partition("\n## ")[0]
    told = {" ".join(re.findall(r"^hub(?: [a-z]+(?:-[a-z]+)*)+", line)[0].split())
            for line in re.findall(r"^\| `(hub [^`]*)`", section, re.M)}
    assert told == set(commands(_parser()))


def test_the_process_page_tells_all_rules_in_order_each_once() -> None:
    """R0 to R34."""
    rules = re.findall(r"^###? R(\d+) ", text("docs/process.md"), re.M)
    assert [int(rule) for rule in rules] == list(range(35))


def test_the_process_page_names_every_guard_and_every_command_of_a_lead() -> None:
    """Notes and titles belong to no rule."""
    page = code(text("docs/process.md"))
    said = set(re.findall(r"\w+", page))
    assert set(RULES) <= said
    assert set(COMMANDS) - {"name_lead", "note"} <= said


def test_the_process_page_names_only_what_is_in_the_process_file() -> None:
    process = tomllib.loads(PROCESS.read_text(encoding="utf-8"))
    for section, id in re.findall(r"`\[\[(\w+)\]\](?: (\w+))?`", text("docs/process.md")):
        assert section in process, section
        known = {entry.get("id") for entry in process[section]} | {key for entry in process[section] for key in entry}
        assert not id or id in known, f"[[{section}]] {id}"


def test_the_process_page_names_only_events_that_exist() -> None:
    classes = {cls.__name__ for cls in make_events().all_events().values()}
    assert set(re.findall(r"(?<!\*)\*([A-Z][A-Za-z]+)\*(?!\*)", text("docs/process.md"))) <= classes


def test_the_process_file_page_tells_every_section() -> None:
    page = text("docs/process-file.md")
    for name, value in tomllib.loads(PROCESS.read_text(encoding="utf-8")).items():
        if name != "name_en":
            shown = f"`[[{name}]]`" if isinstance(value, list) else f"`[{name}]`" if isinstance(value, dict) else f"`{name}`"
            assert shown in page, shown


def test_the_examples_of_the_process_file_page_are_valid() -> None:
    """R0, R2, R7, R25: the four examples, put into the packaged file together."""
    minutes, stall, stage, holidays = re.findall(r"^```toml\n(.*?)^```", text("docs/process-file.md"), re.M | re.S)
    process = PROCESS.read_text(encoding="utf-8")
    assert "minutes = 20" in minutes
    new_stage, moves = stage.split("\n\n", 1)
    process = re.sub(r'(id = "take"\n(?:.*\n)*?)minutes = 15', r"\1minutes = 20", process, count=1)
    process = process.replace('[[stages]]\nid = "follow_up"', f'{new_stage}\n[[stages]]\nid = "follow_up"')
    process = process.replace('"presentation", "follow_up"]', '"presentation", "follow_up", "legal"]')
    for line in holidays.splitlines()[1:]:
        process = re.sub(rf"^{line.partition(' ')[0]} = .*$", line, process, count=1, flags=re.M)
    read = read_process(f"{process}\n{moves}\n{stall}")
    assert read.deadlines[0].minutes == 20
    assert "legal" in {s.id for s in read.stages} & {s for e in read.endings for s in e.sources}
    assert "budget_round" in {s.id for s in read.stalls}
    assert len(read.calendar.days_off) == 2


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        if not found.exists() or (anchor and anchor not in _anchors(found)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """The anchors that code hosts make of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_page_of_events_is_up_to_date() -> None:
    """Run ``python docs/make_events.py`` when it is not."""
    assert text("docs/events.md") == make_events().page()


def test_the_page_of_events_has_every_event_and_its_personal_fields() -> None:
    page = text("docs/events.md")
    events = make_events()
    for topic, cls in events.all_events().items():
        rows = [line for line in page.splitlines() if line.startswith(f"| `{topic}` |")]
        assert len(rows) == 1, topic
        personal = rows[0].split(" | ")[3]
        assert set(re.findall(r"`(\w+)`", personal)) == set(events.personal_fields(cls)), topic


def test_every_file_of_the_layout_exists() -> None:
    """A line is a path and what it is; indented ones lie in the domain. Files named in the words lie beside it."""
    layout = re.search(r"^```text\n(.*?)^```", text("docs/architecture.md").partition("## Layout")[2], re.M | re.S)
    assert layout
    paths = []
    for line in layout[1].splitlines():
        name, words = line.split(maxsplit=1)
        path = ROOT / ("hub/domain" if line.startswith(" ") else "") / name
        folder = path if name.endswith("/") else path.parent
        paths += [path, *(folder / other for other in re.findall(r"\b[a-z_]+\.(?:py|toml|md)\b", words))]
    assert len(paths) > 30
    assert [str(path) for path in paths if not path.exists()] == []


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_files_that_are_named_exist(path: Path) -> None:
    named = re.findall(r"`((?:hub|tests|docs|templates|tools)/[a-z_./-]+)`", path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
