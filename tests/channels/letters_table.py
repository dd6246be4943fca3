"""``python -m tests.channels.letters_table``: how the samples of letters come out, as the table of docs/channels/email.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hub.channels.email_kind import kind_of
from hub.channels.email_mime import parse
from tests.channels.test_email_in_letters import INDEX, SETTINGS, sample, test_a_sample_becomes_what_its_index_says

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("charsets, right or wrong", ("charset",)), ("quotes stripped, the writer's words kept", ("quote",)),
    ("signatures", ("signature", "phone")), ("forwarded letters", ("forward",)), ("pages (HTML)", ("html",)),
    ("headers, broken ones too", ("header",)), ("notifications of forms", ("form",)),
    ("bounces and receipts", ("bounce", "receipt")), ("automatic answers", ("auto",)),
    ("lists, robots, our own", ("list", "notification", "own")),
    ("parts, files, invitations", ("attachments", "boundary", "calendar", "multiparts", "nested", "plain", "rfc822", "signed",
                                   "winmail")),
    ("people who write about bounces and leave", ("human",)),
)


def _right(name: str) -> bool:
    try:
        test_a_sample_becomes_what_its_index_says(name)
    except AssertionError:
        return False
    return True


def _count(names: Iterable[str], true: Callable[[str], bool]) -> int:
    return sum(map(true, names))


def table() -> str:
    """The table, in Markdown."""
    lines = ["| letters | samples | exactly as expected |", "|---|---|---|"]
    for title, beginnings in GROUPS:
        names = [name for name in INDEX if name.partition("-")[0] in beginnings]
        lines.append(f"| {title} | {len(names)} | {_count(names, _right)} |")
    people = [name for name in INDEX if INDEX[name]["kind"] in ("human", "form")]
    programs = [name for name in INDEX if name not in people]
    mistaken = _count(people, lambda name: kind_of(parse(sample(name)), SETTINGS) not in ("human", "form"))
    missed = _count(programs, lambda name: kind_of(parse(sample(name)), SETTINGS) in ("human", "form"))
    lines += [f"| a person's letter taken for automatic mail | {len(people)} | {mistaken} mistaken |",
              f"| automatic mail taken for a person's letter | {len(programs)} | {missed} mistaken |"]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
