"""The command line: ``hub`` or ``python -m hub``. Exit code 0 is done, 1 refused, 2 misused."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from hub import __version__
from hub.commands import GROUPS
from hub.commands.base import Run, Stop
from hub.config import BadSetting
from hub.domain.errors import Refused
from hub.domain.process_check import BadProcess
from hub.projections.rebuild import RebuildFailed
from hub.store import DAMAGED, NotMigrated, Unavailable, WrongSecret


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    arguments = _parser().parse_args(argv)
    try:
        command: Run = arguments.run
        return command(arguments)
    except (BadSetting, BadProcess, Stop, WrongSecret) as error:
        print(f"hub: {error}", file=sys.stderr)
    except Refused as refused:
        print(f"hub: {refused.say('en')}", file=sys.stderr)
    except NotMigrated as error:
        print(f"hub: {error}. Run `hub migrate` once, then start again.", file=sys.stderr)
    except RebuildFailed as error:
        print(f"hub: the read model was not rebuilt, the old one serves on: {error}. Mend the program, or decide that the read "
              "model does without this event: hub projections skip.", file=sys.stderr)
    except Unavailable as error:
        print(f"hub: the database cannot be used now ({error}). Check the disk, or with PostgreSQL its server and "
              "HUB_DATABASE_URL, and try again.", file=sys.stderr)
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
    for module in GROUPS:
        module.register(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
