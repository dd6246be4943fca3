"""The usual changes of the process as fields of a form: bounds, what counts, deadlines, the calendar, texts of stages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l

from hub.domain.errors import Refused, sentences
from hub.domain.process import ProcessFile
from hub.domain.process_edit import UNITS, Edits, Hours, ascending, unit_of
from hub.web.process.words import WEEKDAYS

sentences(
    bound_wrong=("Граница сегмента — целое число от −15 до 15.", "A segment's bound is a whole number from -15 to 15."),
    bounds_cross=("Границы сегментов идут снизу вверх и не совпадают: исправьте одну из них.",
                  "Bounds of segments go up and never coincide: change one of them."),
    length_wrong=("Длина срока — целое число, не меньше нуля.", "A deadline's length is a whole number, zero or more."),
    unit_wrong=("Выберите, в чём считать срок.", "Choose what the deadline is counted in."),
    own_day_wrong=("День «{given}» не понять. Пишите по дню на строку: 2026-12-30.",
                   "The day “{given}” makes no sense. Write a day on each line, as 2026-12-30."),
    stage_needs_title=("Назовите стадию.", "Give the stage a title."),
)

UNIT_WORDS = {"minutes": _l("рабочих минут"), "hours": _l("рабочих часов"), "working_days": _l("рабочих дней"),
              "plain_minutes": _l("минут подряд"), "plain_hours": _l("часов подряд"), "days": _l("суток подряд")}
assert set(UNIT_WORDS) == set(UNITS)


def fields_of(file: ProcessFile) -> dict[str, Any]:
    """What the form shows of a file."""
    c = file.calendar
    return {"bounds": ascending(file.segments)[::-1], "head_above": file.proposal.head_above, "blocks": file.blocks,
            "deadlines": [(d, *unit_of(d)) for d in file.deadlines], "units": [(k, str(v)) for k, v in UNIT_WORDS.items()],
            "stages": file.stages, "calendar": c, "weekdays": [(n, WEEKDAYS[n - 1], n in c.weekdays) for n in range(1, 8)],
            "lunch": c.lunch or ("", ""), "days_off": "\n".join(map(str, c.days_off)),
            "working_days": "\n".join(map(str, c.working_days))}


def edits_of(file: ProcessFile, form: Mapping[str, str] | None = None) -> Edits:
    """What the sent form says; parts that it does not hold stay. Refused at the field that makes no sense."""
    sent = request.form if form is None else form
    order = ascending(file.segments)
    bounds = {s.id: _bound(sent[f"from-{s.id}"], f"from-{s.id}") for s in order[1:] if f"from-{s.id}" in sent}
    lows = [bounds.get(s.id, s.low) for s in order]
    if any(a >= b for a, b in zip(lows, lows[1:], strict=False)):
        raise Refused("bounds_cross", rule="R10", field=f"from-{order[-1].id}")
    deadlines = {d.id: (_length(sent[f"length-{d.id}"], d.id), _unit(sent.get(f"unit-{d.id}", ""), d.id))
                 for d in file.deadlines if f"length-{d.id}" in sent}
    return Edits(bounds=bounds, head_above=_bound(sent["head_above"], "head_above") if "head_above" in sent else None,
                 counts=frozenset(request.form.getlist("counts")) if "has-counts" in sent else None, deadlines=deadlines,
                 hours=_hours(sent) if "opens" in sent else None,
                 stages={s.id: (_title(sent[f"title-{s.id}"], s.id), sent.get(f"hint-{s.id}", "").strip())
                         for s in file.stages if f"title-{s.id}" in sent})


def _bound(text: str, field: str) -> int:
    text = text.strip().replace("−", "-")
    if not text.lstrip("-").isdecimal() or not text.isascii() or not -15 <= int(text) <= 15:
        raise Refused("bound_wrong", rule="R10", field=field)
    return int(text)


def _length(text: str, id: str) -> int:
    if not text.strip().isdecimal() or not text.isascii() or len(text.strip()) > 7:
        raise Refused("length_wrong", field=f"length-{id}")
    return int(text)


def _unit(text: str, id: str) -> str:
    if text not in UNITS:
        raise Refused("unit_wrong", field=f"length-{id}")
    return text


def _title(text: str, id: str) -> str:
    if not text.strip():
        raise Refused("stage_needs_title", field=f"title-{id}")
    return text.strip()


def _hours(sent: Mapping[str, str]) -> Hours:
    lunch = tuple(sent.get(name, "")[:5] for name in ("lunch_from", "lunch_to"))
    return Hours(opens=sent["opens"][:5], closes=sent.get("closes", "")[:5], lunch=lunch if any(lunch) else (),
                 weekdays=tuple(int(n) for n in request.form.getlist("weekdays") if n in "1234567" and len(n) == 1),
                 days_off=_days(sent, "days_off"), working_days=_days(sent, "working_days"))


def _days(sent: Mapping[str, str], name: str) -> tuple[date, ...]:
    found = []
    for line in sent.get(name, "").replace(",", "\n").splitlines():
        if line.strip():
            try:
                found.append(date.fromisoformat(line.strip()))
            except ValueError:
                raise Refused("own_day_wrong", rule="R7", field=name, given=line.strip()[:40]) from None
    return tuple(dict.fromkeys(found))
