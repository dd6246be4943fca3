"""The command line: ``hub`` or ``python -m hub``. Exit code 0 is done, 1 refused, 2 misused."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import Event as Flag
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from hub import __version__
from hub.application import THE_HUB
from hub.bootstrap import House, clock, first_administrator, one_time_password, open_house, publish_process
from hub.config import PACKAGED_PROCESS, BadSetting, Settings, load
from hub.domain.errors import Refused
from hub.domain.event import Event
from hub.domain.process_check import BadProcess, read_process
from hub.domain.staff import User, user_stream
from hub.store import DAMAGED, Unavailable, WrongSecret


class Stop(Exception):
    """A sentence for the person at the terminal; exit code 1."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    arguments = _parser().parse_args(argv)
    try:
        command: Callable[[argparse.Namespace], int] = arguments.run
        return command(arguments)
    except (BadSetting, BadProcess, Stop, WrongSecret) as error:
        print(f"hub: {error}", file=sys.stderr)
    except Refused as refused:
        print(f"hub: {refused.say('en')}", file=sys.stderr)
    except Unavailable as error:
        print(f"hub: the database cannot be used now ({error}). Check the disk and try again.", file=sys.stderr)
    except DAMAGED as error:
        print(f"hub: the data cannot be read ({error}). Restore them from a backup, or give other ones.", file=sys.stderr)
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        print(f"hub: {error}. Give the hub another folder, or the right to use this one.", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hub", description="An event-sourced inbound lead hub. Settings come from HUB_* variables.")
    parser.add_argument("--version", action="version", version=f"hub {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add(commands, "serve", serve, "serve the web pages and run the worker")
    _add(commands, "work", work, "run the worker alone: deadlines, read models")
    demo_ = _add(commands, "demo", demo, "serve a made-up department from a database of its own (data-demo/)")
    demo_.add_argument("--fresh", action="store_true", help="make the demo data anew even if it is of today")
    demo_.add_argument("--only-make", action="store_true", help="make the data and stop")

    user = commands.add_parser("user", help="people who may sign in").add_subparsers(required=True, metavar="ACTION")
    add = _add(user, "add", user_add, "add a person and print a one-time password")
    add.add_argument("login")
    add.add_argument("name")
    add.add_argument("--role", action="append", required=True, metavar="ROLE", help="may be given several times")
    _add(user, "list", user_list, "list people")
    _add(user, "disable", user_disable, "end a person's access at once").add_argument("login")
    password = _add(user, "password", user_password, "set a password, or print a one-time one")
    password.add_argument("login")
    password.add_argument("--ask", action="store_true", help="type the password instead of having one made")

    process = commands.add_parser("process", help="the sales process").add_subparsers(required=True, metavar="ACTION")
    check = _add(process, "check", process_check, "check a process file and name every fault with its line")
    check.add_argument("file", nargs="?", type=Path, metavar="FILE", help="HUB_PROCESS_FILE when absent")

    projections = commands.add_parser("projections", help="the read models").add_subparsers(required=True, metavar="ACTION")
    _add(projections, "status", projections_status, "how far each read model is")
    _add(projections, "rebuild", projections_rebuild, "make read models anew from the log").add_argument(
        "name", nargs="?", help="one of them; all when absent")

    lead = commands.add_parser("lead", help="look at one lead").add_subparsers(required=True, metavar="ACTION")
    show = _add(lead, "show", lead_show, "a lead as it is, or as it was")
    show.add_argument("id", help="its number or UUID")
    show.add_argument("--at", metavar="WHEN|VERSION", help="a time such as 2026-11-20T14:30, or the number of an event")
    _add(lead, "events", lead_events, "all events of a lead").add_argument("id", help="its number or UUID")
    return parser


def _add(parent: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Callable[[argparse.Namespace], int],
         help: str) -> argparse.ArgumentParser:
    parser = parent.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.set_defaults(run=run)
    return parser


# ── serving ──────────────────────────────────────────────────────────────────────

def serve(_: argparse.Namespace) -> int:
    """Serve pages and run the worker."""
    _serve(load(os.environ))
    return 0


def _serve(settings: Settings) -> None:
    from hub.server import Server, log_to_stderr  # the server alone needs gunicorn

    log_to_stderr()
    with closing(open_house(settings)) as house:
        publish_process(house, clock())
        house.runner.catch_up()
        password = first_administrator(house, clock())
    if password is not None:
        print(f"\n  Sign in as  admin  with the one-time password  {password}\n"
              "  You will choose your own at the first sign-in.\n", flush=True)
    print(f"  The hub is at {settings.public_url} (data in {settings.data_dir}); Ctrl-C stops it.", flush=True)
    Server(settings).run()


def work(_: argparse.Namespace) -> int:
    """Run the worker alone until a signal."""
    from hub.server import log_to_stderr, worker_of

    log_to_stderr()
    stop = Flag()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with closing(open_house(load(os.environ))) as house:
        publish_process(house, clock())
        print("The worker runs; Ctrl-C stops it.", flush=True)
        worker_of(house).run(stop)
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """Serve a made-up department from a database of its own."""
    from hub.demo import prepare

    settings = prepare(os.environ, fresh=arguments.fresh)
    if not arguments.only_make:
        _serve(settings)
    return 0


# ── people ───────────────────────────────────────────────────────────────────────

def _opened() -> closing[House]:
    """The house with its read models up to date and a process in force."""
    house = open_house(load(os.environ))
    try:
        if house.store.head() == 0:
            publish_process(house, clock())
        house.runner.catch_up()
    except Exception:
        house.close()
        raise
    return closing(house)


def user_add(arguments: argparse.Namespace) -> int:
    """Add a person."""
    with _opened() as house:
        user = house.hub.add_user(arguments.login, arguments.name, tuple(arguments.role), actor=THE_HUB, at=clock())
        _one_time_password(house, user, arguments.login)
    return 0


def _one_time_password(house: House, user: UUID, login: str) -> None:
    password = one_time_password(house, user, clock())
    print(f"{login.lower()} signs in with the one-time password  {password}  and then chooses another.")


def user_list(_: argparse.Namespace) -> int:
    """List people."""
    with _opened() as house:
        for user in sorted(house.hub.users().values(), key=lambda u: u.login):
            print(f"{user.login:<20} {user.name:<30} {', '.join(user.roles)}{'  (disabled)' if user.disabled else ''}")
    return 0


def _user(house: House, login: str) -> UUID:
    stream = user_stream(login)
    if stream not in house.hub.users():
        raise Refused("no_such_user")
    return stream


def user_disable(arguments: argparse.Namespace) -> int:
    """End a person's access."""
    with _opened() as house:
        house.hub.disable_user(_user(house, arguments.login), actor=THE_HUB, at=clock())
        house.access.close_all(user_stream(arguments.login))
        print(f"{arguments.login.lower()} is disabled; open sessions have ended.")
    return 0


def user_password(arguments: argparse.Namespace) -> int:
    """Set a password."""
    with _opened() as house:
        user = _user(house, arguments.login)
        if arguments.ask:
            first, second = getpass.getpass("New password: "), getpass.getpass("Once more: ")
            if first != second:
                raise Stop("the two passwords differ; try again.")
            house.access.set_password(user, first, temporary=False, at=clock())
            house.hub.change(User, user, lambda u: u.password_changed(temporary=False), actor=THE_HUB, at=clock())
            print("The password is set.")
        else:
            _one_time_password(house, user, arguments.login)
    return 0


# ── process, read models, leads ──────────────────────────────────────────────────

def process_check(arguments: argparse.Namespace) -> int:
    """Check a process file."""
    file: Path = arguments.file or load(os.environ).process_file
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{file} cannot be read: {error}. Give a TOML file in UTF-8, such as {PACKAGED_PROCESS}.") from error
    try:
        process = read_process(text)
    except BadProcess as bad:
        for fault in bad.faults:
            print(f"{file}:{fault.line}: {fault.sentence}", file=sys.stderr)
        return 1
    print(f"{file} is a valid process: {len(process.stages)} stages, {len(process.transitions)} transitions, "
          f"{len(process.deadlines)} deadlines.")
    return 0


def projections_status(_: argparse.Namespace) -> int:
    """How far each read model is."""
    parked = False
    with closing(open_house(load(os.environ))) as house:
        print(f"{'read model':<14} {'position':>10} {'behind':>8}  state")
        for s in house.runner.status():
            parked |= s.parked_reason is not None
            state = f"parked at {s.parked_at} after {s.retries} tries: {s.parked_reason}" if s.parked_reason else "in order"
            print(f"{s.name:<14} {s.position:>10} {s.lag:>8}  {state}")
    return 1 if parked else 0


def projections_rebuild(arguments: argparse.Namespace) -> int:
    """Make read models anew."""
    with closing(open_house(load(os.environ))) as house:
        names = [s.name for s in house.runner.status()]
        if arguments.name and arguments.name not in names:
            raise Stop(f"there is no read model {arguments.name!r}; there are {', '.join(names)}.")
        for name in [arguments.name] if arguments.name else names:
            print(f"{name}: {house.runner.rebuild(name)} events read")
    return 0


def _lead_id(house: House, text: str) -> UUID:
    number = text.lstrip("LlЛл-№#")
    if number.isdigit():
        found = house.hub.views.leads.by_number(int(number))
        if found is None:
            raise Refused("no_such_lead")
        return found
    try:
        return UUID(text)
    except ValueError as error:
        raise Stop(f"{text!r} is neither a lead's number nor a UUID.") from error


def lead_show(arguments: argparse.Namespace) -> int:
    """A lead as it is, or as it was."""
    with _opened() as house:
        lead = _lead_id(house, arguments.id)
        version, at = None, None
        if arguments.at:
            if arguments.at.isdigit():
                version = int(arguments.at)
            else:
                at = _moment(arguments.at, house)
        state = house.hub.lead(lead, version=version, at=at)
        print(json.dumps(msgspec.to_builtins(state, str_keys=True), ensure_ascii=False, indent=2))
    return 0


def _moment(text: str, house: House) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Stop(f"{text!r} is neither a time such as 2026-11-20T14:30 nor the number of an event.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(house.hub.process.file.calendar.timezone))


def lead_events(arguments: argparse.Namespace) -> int:
    """All events of a lead."""
    with _opened() as house:
        for event in house.hub.history(_lead_id(house, arguments.id)):
            print(_line(event))
    return 0


def _line(event: Event) -> str:
    plain = msgspec.to_builtins(event)
    hidden = set(Event.__struct_fields__)
    said = {k: v for k, v in plain.items() if k not in hidden and v not in ("", None, [], {})}
    late = f" (recorded {event.recorded_at:%Y-%m-%d %H:%M:%S})" if event.recorded_at else ""
    return (f"{event.originator_version:>4}  {event.at:%Y-%m-%d %H:%M:%S}{late}  {event.actor:<44} {event.TOPIC}  "
            f"{json.dumps(said, ensure_ascii=False)}")


if __name__ == "__main__":
    sys.exit(main())
