"""``hub person …``: a client's data found, given to them, erased; and the retention rules."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from hub.application import THE_HUB
from hub.bootstrap import House, clock
from hub.commands.base import Stop, add, group, opened
from hub.domain.privacy import ErasureState
from hub.privacy import Clients, Eraser, Reach
from hub.privacy.archive import Archivist
from hub.privacy.retention import Retention
from hub.privacy.words import AGAIN, LEFT, REACHED, said
from hub.transfer import durable

WHO = "a phone, an e-mail address, a name, a card's number or the person's id"


def register(commands: Any) -> None:
    """Add the commands."""
    person = group(commands, "person", "a client's data: find, give out, erase")
    add(person, "find", person_find, "find people and their ids").add_argument("who", help=WHO)
    export = add(person, "export", person_export, "write everything about a person into one archive for them")
    export.add_argument("who", help=WHO)
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the zip to write")
    export.add_argument("--why", required=True, help="which request it is given out for; is recorded")
    erase = add(person, "erase", person_erase, "show what erasing a person would reach; with --confirm, erase them")
    erase.add_argument("who", help=WHO)
    erase.add_argument("--why", required=True, help="why; is recorded for good, so without names and addresses")
    erase.add_argument("--also", action="append", type=UUID, metavar="ID",
                       help="somebody else who is the same person; may be given several times")
    erase.add_argument("--only", action="store_true", help="nobody else, whoever shares an address and is called the same")
    erase.add_argument("--keep-shared-texts", action="store_true", help="keep staff's texts on cards with other people on them")
    erase.add_argument("--confirm", metavar="CODE", help="erase what was shown with this code")
    add(person, "erasures", person_erasures, "list erasures, with what is left to do")
    retention = add(person, "retention", person_retention, "show whose time has come by the rules of the process file")
    retention.add_argument("--run", dest="erase_now", action="store_true", help="erase them now")


def _eraser(house: House) -> Eraser:
    return Eraser(house.hub, house.runner, house.parts.accounts)


def person_find(arguments: argparse.Namespace) -> int:
    """Find people."""
    with opened() as house:
        found = Clients(house.hub).find(arguments.who)
        for client in found:
            cards = ", ".join(f"L-{card.number}" for card in client.cards)
            print(f"{client.id}  {client.name:<30} {', '.join(dict.fromkeys(a.value for a in client.addresses))}  {cards}")
        if not found:
            print(f"Nobody is found by {arguments.who!r}.", file=sys.stderr)
    return 0 if found else 1


def person_export(arguments: argparse.Namespace) -> int:
    """Write a person's archive."""
    with opened() as house:
        if arguments.output.exists():
            raise Stop(f"there is a file {arguments.output} already: give another name.")
        if not arguments.output.absolute().parent.is_dir():
            raise Stop(f"there is no folder {arguments.output.absolute().parent}: make it, or give another one.")
        client = Clients(house.hub).one(arguments.who)
        archive = Archivist(house.hub).give(client.id, arguments.why, actor=THE_HUB, at=clock())
        durable.write(arguments.output.absolute(), archive)
        print(f"Everything about {client.id} is in {arguments.output} ({len(archive):,} bytes); giving it out is recorded.")
    return 0


def person_erase(arguments: argparse.Namespace) -> int:
    """Show, then erase."""
    also = tuple(arguments.also or ()) if arguments.only or arguments.also else None
    with opened() as house:
        eraser = _eraser(house)
        client = eraser.reaching.clients.one(arguments.who)
        options: dict[str, Any] = {"also": also, "shared_texts": not arguments.keep_shared_texts}
        if arguments.confirm is None:
            _show(eraser.reaching.of(client.id, **options))
            return 0
        erasure = eraser.erase(client.id, arguments.why, seal=arguments.confirm, actor=THE_HUB, at=clock(), **options)
        _report(erasure, eraser.state(erasure))
    return 0


def _show(reach: Reach) -> None:
    for client in reach.clients:
        print(f"Erased would be {client.id}  {client.name}  {', '.join(dict.fromkeys(a.value for a in client.addresses))}")
    for twin in reach.twins:
        if twin.id not in reach.taken:
            print(f"Not erased, though an address is the same: {twin.id}  {twin.name}. The same person? Add --also {twin.id}")
    for reached in reach.cards:
        texts = "with all texts of staff" if reached.texts else "the texts of staff stay"
        others = f"; also on it: {', '.join(reached.others)}" if reached.others else ""
        named = f"; {reached.mentions} texts name the person" if reached.others else ""
        print(f"  L-{reached.card.number}  {reached.card.state.stage}{' (open)' if reached.card.state.open else ''}: "
              f"{texts}{others}{named}")
    print(f"  {len(reach.receipts)} raw deliveries, {reach.files} files, {len(reach.entries)} look-up entries, "
          f"{len(reach.subjects)} keys, {len(reach.removals)} copies at providers")
    print("Timelines, numbers, proofs and reports stay; the fields read [erased]. This cannot be undone.")
    print(f"To erase it, give the same command with  --confirm {reach.seal}")


def _report(erasure: UUID, state: ErasureState) -> None:
    assert state.finished is not None
    print(f"Erasure {erasure}:")
    for count in state.finished.reached:
        print(f"  {said(REACHED, count.what, 'en')}: {count.n:,}")
    for code in state.finished.again:
        print(f"  NOT YET: {said(AGAIN, code, 'en')}")
    pending = sum(removal.status == "asked" for removal in state.removals.values())
    failed = sum(removal.status == "failed" for removal in state.removals.values())
    if pending or failed:
        print(f"  Providers: {pending} copies asked for and not answered yet, {failed} not deleted.")
    print("Still to be done by people:")
    for code in state.finished.left:
        print(f"  - {said(LEFT, code, 'en')}")


def person_erasures(_: argparse.Namespace) -> int:
    """List erasures."""
    with opened() as house:
        for row in house.hub.views.persons.erasures():
            state = "not finished" if not row["finished"] else "to be tried again" if row["remains"] else "done"
            print(f"{row['id']}  {row['at'][:16]}  {row['people']} people, {row['leads']} cards, {row['pending']} copies "
                  f"pending  ({state})  {row['rule'] or row['reason']}")
    return 0


def person_retention(arguments: argparse.Namespace) -> int:
    """Show who is due, or erase them."""
    with opened() as house:
        retention, now = Retention(_eraser(house)), clock()
        rules = house.hub.process.file.privacy
        if not rules.rules:
            raise Stop("the process file has no [[privacy.rules]]: add one; docs/privacy.md shows how.")
        if arguments.erase_now:
            print(f"{len(retention.run(now))} people are erased.")
            return 0
        due = retention.due(now)
        for one in due:
            print(f"{one.person}  {one.rule.id:<20} {', '.join(_numbers(house, one.leads))}")
        print(f"{len(due)} people are due. " + ("The worker erases them once a day." if rules.runs else
              "Nothing erases them by itself: privacy.runs is false. Give --run to erase them now."))
    return 0


def _numbers(house: House, leads: tuple[UUID, ...]) -> list[str]:
    rows = [house.hub.views.leads.one(lead) for lead in leads]
    return [f"L-{row['number']}" for row in rows if row is not None]


