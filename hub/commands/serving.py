"""``hub serve``, ``hub work``, ``hub demo``."""

from __future__ import annotations

import argparse
import os
from contextlib import closing
from typing import Any

from hub import logs
from hub.bootstrap import clock, first_administrator, open_house, publish_process
from hub.commands.base import add
from hub.config import Settings, load


def register(commands: Any) -> None:
    """Add the commands."""
    serve_ = add(commands, "serve", serve, "serve the web pages and run the worker")
    serve_.add_argument("--no-worker", action="store_true", help="only the pages: `hub work` runs elsewhere")
    add(commands, "work", work, "run the worker alone: deadlines, read models")
    demo_ = add(commands, "demo", demo, "serve a made-up department from a database of its own (data-demo/)")
    demo_.add_argument("--fresh", action="store_true", help="make the demo data anew even if it is of today")
    demo_.add_argument("--only-make", action="store_true", help="make the data and stop")


def serve(arguments: argparse.Namespace) -> int:
    """Serve pages and run the worker."""
    _serve(load(os.environ), with_worker=not arguments.no_worker)
    return 0


def _serve(settings: Settings, *, with_worker: bool = True) -> None:
    from hub.server import Server  # the server alone needs gunicorn

    logs.set_up(settings.log)
    with closing(open_house(settings)) as house:
        publish_process(house, clock())
        house.runner.catch_up()
        password = first_administrator(house, clock())
    if password is not None:
        print(f"\n  Sign in as  admin  with the one-time password  {password}\n"
              "  You will choose your own at the first sign-in.\n", flush=True)
    print(f"  The hub is at {settings.public_url} (data in {settings.data_dir}); Ctrl-C stops it.", flush=True)
    Server(settings, with_worker=with_worker).run()


def work(_: argparse.Namespace) -> int:
    """Run the worker alone until a signal."""
    from hub.server import until_told, worker_of

    settings = load(os.environ)
    logs.set_up(settings.log)
    logs.this_process_is("worker")
    with closing(open_house(settings)) as house:
        publish_process(house, clock())
        print("The worker runs; Ctrl-C stops it.", flush=True)
        until_told(worker_of(house).run)
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """Serve a made-up department from a database of its own."""
    from hub.demo import prepare

    settings = prepare(os.environ, fresh=arguments.fresh)
    if not arguments.only_make:
        _serve(settings)
    return 0
