"""Which columns the list of leads can show. Its first column, the lead itself, always stands there."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l

TITLES = {
    "number": _l("№"), "stage": _l("Стадия"), "score": _l("Оценка"), "due": _l("Срок, закрыта"), "next": _l("Дальше, почему"),
    "tags": _l("Метки"), "owner": _l("Ответственный"), "channel": _l("Источник"), "company": _l("Компания"),
    "money": _l("Бюджет или сумма"), "deferrals": _l("Отсрочки"), "received": _l("Пришла"),
}
"""What can be chosen, in the order in which it stands."""
COLUMNS = ("number", "stage", "score", "due", "next", "owner", "channel", "received")
"""What is shown until somebody chooses; tags are shown beside the name then."""


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """``names`` that there are, in their order in the table."""
    wanted = set(names)
    return tuple(name for name in TITLES if name in wanted)
