"""What can be opened behind the numbers: the address of each figure's leads, and what the list is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hub.domain.process import Process
from hub.projections.reports_cohorts import SOURCE
from hub.projections.reports_lists import FIGURES, Figure
from hub.projections.reports_over import NONE
from hub.web.board.cards import due_title
from hub.web.lead.words import CHANCES, OUTCOMES, said, titled
from hub.web.reports import say
from hub.web.reports.filter import Chosen

PATH = "/reports/leads"
REFUSAL = "refusal"
"""The stage beside the way to a contract: who is refused has got no further than before it."""

TITLES = {
    "taken": _l("Взяты в работу"), "in_time": _l("Взяты в срок"), "not_in_time": _l("Взяты поздно или ещё ждут после срока"),
    "untaken": _l("Никто не взял"), "kept": _l("Сроки выполнены вовремя"), "missed": _l("Сроки пропущены"),
    "reached": _l("Дошли до стадии"), "were": _l("Были в стадии"), "dropped": _l("Дальше не прошли"),
    "stayed": _l("Вышли из стадии"), "scored": _l("Оценены"), "rescored": _l("Оценены не раз"),
    "chances_won": _l("Продали после договора"), "chances_lost": _l("Не продали после договора"),
    "lost": _l("Проиграны"), "refused": _l("Отказали мы"), "won": _l("Договоры"), "requests": _l("Пришли заявки"),
    "qualified": _l("Прошли оценку"), "sold": _l("Договоры из заявок"), "talks": _l("Итоги встреч и разговоров"),
    "late": _l("Просрочены сейчас"), "returns": _l("Вернутся сами"),
}
LEFT = {"lost": _l("проиграны"), "refused": _l("отказали мы"), "asleep": _l("отложены"), "open": _l("в работе")}
"""What became of leads that got no further."""


def steps(process: Process) -> list[str]:
    """The stages of the funnel, in order."""
    return [stage for stage in process.stages if stage != REFUSAL]


def worked(process: Process) -> list[str]:
    """Segments that qualify: those that are not answered with a refusal (R12)."""
    return [segment.id for segment in process.segments.values() if not segment.refuse]


def url(chosen: Chosen, name: str, **more: str) -> str:
    """The leads behind a figure; ``owner`` and ``channel`` narrow the filter."""
    for key in ("owner", "channel", "segment"):
        if key in more and not more[key]:
            more[key] = NONE
    if chosen.own:
        more.pop("owner", None)
    return chosen.url(PATH, **{"figure": name, **more})


def source_of(args: Mapping[str, str]) -> tuple[str, ...]:
    """The six names of a source in an address; none where it does not name one."""
    return tuple(args.get(f"s_{name}", "").replace("\x00", "") for name in SOURCE) if "s_channel" in args else ()


def read(args: Mapping[str, str], process: Process) -> Figure | None:
    """The figure of an address, or None where there is no such one."""
    name = args.get("figure", "")
    known = {"step": {*steps(process), "won"}, "how": set(LEFT), "outcome": set(OUTCOMES)}
    keys = ("kind", "step", "how", "stage", "reason", "closeness", "currency", "outcome")
    found = {key: args.get(key, "")[:80].replace("\x00", "") for key in keys}
    if name not in FIGURES or any(found[key] and found[key] not in ids for key, ids in known.items()):
        return None
    needs = {"reached": "step", "were": "step", "stayed": "stage"}
    if name in needs and not found[needs[name]]:
        return None
    return Figure(name=name, back=args.get("back") == "1", source=source_of(args), **found)


def about(figure: Figure, process: Process) -> list[str]:
    """What narrows the figure, in words."""
    said_of: dict[str, Callable[[str], str]] = {
        "kind": lambda id: due_title(id, process),
        "step": lambda id: process.stages[id].title if id in process.stages else str(_("Договор")),
        "how": lambda id: str(LEFT[id]),
        "stage": lambda id: process.stages[id].title if id in process.stages else id,
        "reason": lambda id: reason(id, figure.name, process),
        "closeness": lambda id: process.closeness[id].title if id in process.closeness else id,
        "outcome": lambda id: said(OUTCOMES, id),
        "currency": lambda id: id,
    }
    if figure.name.startswith("chances"):
        said_of["kind"] = lambda id: said(CHANCES, id)
    if figure.name in ("scored", "rescored"):
        said_of["kind"] = lambda id: str(_("сначала сегмент %(id)s", id=id))
    found = [words(getattr(figure, key)) for key, words in said_of.items() if getattr(figure, key)]
    if figure.back:
        found.append(str(_("потом вернулись в работу")))
    return found + [part for part in figure.source if part]


def reason(id: str, how: str, process: Process) -> str:
    """Why a lead was lost, or by what we refused it."""
    if id in ("", NONE):
        return str(_("по листу оценки") if how == "refused" else _("не названа"))
    return titled(process.hard_criteria if how == "refused" else process.loss_reasons, id)


def person_of(chosen: Chosen) -> str:
    """Whose figures these are, in words; an empty text for everybody's."""
    if not chosen.owner:
        return ""
    return say.person("" if chosen.owner == NONE else chosen.owner)
