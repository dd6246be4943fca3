"""`hub demo`: a made-up department in a folder of its own, made anew each day through the hub's real commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.bootstrap import House, clock, open_house, publish_process
from hub.calendar import russian_days
from hub.config import BadSetting, Settings, load
from hub.demo import past, present, rare, talks
from hub.demo.people import PASSWORD, PEOPLE, settle_in
from hub.demo.simulator import Simulator
from hub.domain.process import Process
from hub.domain.process_check import read_process

FOLDER = "data-demo"
MARK = "demo.json"
"""Marks a folder as the demo's: only what lies beside it is ever removed."""

MADE = ("hub.db", "hub.db-wal", "hub.db-shm", "keys.db", "keys.db-wal", "keys.db-shm", "secret.key", "files")
"""What a hub makes in its folder."""

OF_A_REAL_HUB = {
    "HUB_DATABASE_URL": "the demo keeps its database in its own folder",
    "HUB_PROCESS_FILE": "the demo's stories follow the process that comes with the hub",
}


def prepare(environ: Mapping[str, str], fresh: bool = False, at: datetime | None = None) -> Settings:
    """The settings of the demo, its data being of today; made anew where they are of another day, or wanted ``fresh``.

    ``at`` is the present (the clock's where absent). Raises :class:`BadSetting` for settings of a real hub and for
    a folder with data that the demo did not make.
    """
    settings = demo_settings(environ)
    now = at or clock()
    mark = settings.data_dir / MARK
    made = _made_at(settings)
    today = now.astimezone().date()
    if made is None or fresh or made.astimezone().date() != today:
        if mark.exists():
            print(f"  DEMO: the data of {made:%d.%m.%Y %H:%M} are removed." if made else "  DEMO: unfinished data are removed.")
        _make_anew(settings, now)
        print(f"  DEMO: a department and its leads were made up in {settings.data_dir}.")
    else:
        print(f"  DEMO: the data made at {made:%H:%M} today are used; `hub demo --fresh` makes them anew.")
    print(f"\n  DEMO, made-up people. Everybody's password is  {PASSWORD}\n")
    for login, name, role in PEOPLE:
        print(f"    {login:<10} {name:<18} {role}")
    print(flush=True)
    return settings


def demo_settings(environ: Mapping[str, str]) -> Settings:
    """Settings as :func:`hub.config.load` reads them, with a folder of the demo's own."""
    for name, why in OF_A_REAL_HUB.items():
        if name in environ:
            raise BadSetting(f"{name} is set, but {why}: remove the variable for `hub demo`.")
    return load({"HUB_DATA_DIR": FOLDER, **environ})


def _made_at(settings: Settings) -> datetime | None:
    """When the demo data in the folder were finished; None where there are none. Refuses a folder of somebody else's."""
    mark = settings.data_dir / MARK
    if not mark.exists():
        foreign = [name for name in MADE if (settings.data_dir / name).exists()]
        if foreign:
            raise BadSetting(f"HUB_DATA_DIR is {str(settings.data_dir)!r}, and its {foreign[0]} was not made by the demo: "
                             f"give the demo a folder of its own, or remove the variable to have {FOLDER}.")
        return None
    try:
        said: Any = json.loads(mark.read_text(encoding="utf-8"))["made_at"]
        return datetime.fromisoformat(said) if said and settings.database_path.exists() else None
    except (ValueError, KeyError, TypeError):
        return None


UNSEEN = 4
"""How many notices each person has not looked at yet: they read their notices like everybody."""


def _make_anew(settings: Settings, now: datetime) -> None:
    """The mark comes first, so that a making that was cut off is known as the demo's own, and is done again."""
    mark = settings.make_data_dir() / MARK
    _write(mark, None)
    for name in MADE:
        path: Path = settings.data_dir / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    with closing(open_house(settings)) as house:
        make(house, now)
    _write(mark, now)


def _write(mark: Path, made_at: datetime | None) -> None:
    mark.write_text(json.dumps({"made_by": "hub demo", "made_at": made_at.isoformat() if made_at else None,
                                "note": "Made-up data; this folder is emptied by hub demo."}) + "\n", encoding="utf-8")


def make(house: House, now: datetime) -> None:
    """Three months of the department up to ``now``, told by stories through the hub's own commands."""
    file = read_process(house.settings.process_file.read_text(encoding="utf-8"))
    process = Process(file, 0, *russian_days(range(now.year - 1, now.year + 2), file.calendar.country))
    sim = Simulator(house.hub, house.runner, process, now)
    publish_process(house, sim.clock)
    settle_in(house, sim.clock)
    for story in (*past.stories(sim, house), *present.stories(sim, house), *rare.stories(sim, house),
                  *talks.stories(sim, house)):
        sim.tell(story)
    sim.run()
    for user in house.hub.users():
        newest = house.hub.views.notices.of(f"user:{user}", limit=UNSEEN + 1)
        if len(newest) > UNSEEN:
            house.access.see_notices(user, newest[-1]["position"])
