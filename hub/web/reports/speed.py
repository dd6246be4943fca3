"""Speed to lead, and the share of deadlines that are met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from flask_babel import gettext as _

from hub.projections.reports_cohorts import Speed
from hub.projections.reports_days import Kept
from hub.web import words
from hub.web.board.cards import due_title
from hub.web.desk import the_hub
from hub.web.process.words import length
from hub.web.reports import say
from hub.web.reports.figures import url
from hub.web.reports.filter import Chosen
from hub.web.reports.tables import Bar, Block, Cell, Column, Columns, Page, Tile, number


def speed(chosen: Chosen) -> Page:
    """How soon leads are taken (R2)."""
    process = chosen.process
    found = the_hub().views.reports.speeds(chosen.over, process.calendar)
    limit = length(process.deadlines["take"])
    total = found[""][0] if found[""] else None
    how = _("Заявки, которые пришли за период. Время — от получения до «взять в работу», рабочее: часы, когда отдел закрыт, "
            "не считаются (R7). «По часам» — с ночами и выходными. В срок — взяты не позже срока R2 (%(limit)s). Человек — кто "
            "взял первым. p90 — время, в которое уложились 9 из 10.", limit=limit)
    blocks = (
        _speed_block("speed-people", _("Скорость взятия по людям"), how, found["taker"], chosen, "owner"),
        _speed_block("speed-channels", _("Скорость взятия по каналам"), _("То же по каналу, откуда заявка пришла."),
                     found["channel"], chosen, "channel"),
        _weeks_block("speed-weeks", _("Взято в срок по неделям"),
                     _("Доля заявок недели, взятых в срок R2 (%(limit)s).", limit=limit),
                     [(s.by, s.in_time, s.judged) for s in found["week"]], chosen, ("in_time", "not_in_time")),
    )
    tiles = (
        Tile(_("Медиана взятия"), say.duration(total.working.median if total else None).text, _("рабочее время"),
             url(chosen, "taken")),
        Tile(_("9 из 10 взяты за"), say.duration(total.working.p90 if total else None).text, _("рабочее время"),
             url(chosen, "taken")),
        Tile(_("В срок R2"), say.share(total.in_time, total.judged).text if total else say.NOTHING,
             _("%(limit)s рабочего времени", limit=limit), url(chosen, "in_time")),
        Tile(_("Ждут сейчас"), str(total.untaken if total else 0), _("из них уже поздно: %(n)s", n=total.late if total else 0),
             url(chosen, "untaken")),
    )
    return Page(tiles, blocks)


def deadlines(chosen: Chosen) -> Page:
    """The share of deadlines that are met, by person, channel and deadline."""
    turns = the_hub().views.report_turns
    kept, weeks = turns.kept(chosen.over), turns.kept_weeks(chosen.over, chosen.zone)
    total = kept[""][0] if kept[""] else Kept("", 0, 0)
    worst = max(kept["kind"], key=lambda k: k.judged - k.met, default=None)
    tiles = (
        Tile(_("Вовремя"), say.share(total.met, total.judged).text, _("из всех сроков периода"), url(chosen, "kept")),
        Tile(_("Пропущено"), str(total.judged - total.met), _("сроков"), url(chosen, "missed")),
        *([Tile(_("Пропускают чаще всего"), str(worst.judged - worst.met), due_title(worst.by, chosen.process),
                url(chosen, "missed", kind=worst.by))] if worst is not None else []),
    )
    blocks = (
        _kept_block("deadlines-people", _("Сроки по людям"), kept["owner"], chosen, "owner", _deadlines_how()),
        _kept_block("deadlines-channels", _("Сроки по каналам"), kept["channel"], chosen, "channel",
                    _("То же по каналу, откуда заявка пришла.")),
        _kept_block("deadlines-kinds", _("Сроки по видам"), kept["kind"], chosen, "kind", _("То же по виду срока.")),
        _weeks_block("deadlines-weeks", _("Сроки по неделям"), _("Доля сроков недели, выполненных вовремя."),
                     [(w.by, w.met, w.judged) for w in weeks], chosen, ("kept", "missed")),
    )
    return Page(tiles, blocks)


def _weeks_block(id: str, title: str, how: str, weeks: Sequence[tuple[str, int, int]], chosen: Chosen,
                 names: tuple[str, str]) -> Block:
    """``names``: the figures of those in time and of those that were not."""
    def line(by: str, met: int, judged: int) -> tuple[Cell, ...]:
        monday = date.fromisoformat(by)
        days = {"from": max(monday, chosen.since).isoformat(), "to": min(monday + timedelta(days=6), chosen.until).isoformat()}
        return (Cell(say.week(by), say.week(by)), number(met, url(chosen, names[0], **days)),
                number(judged - met, url(chosen, names[1], **days)), say.share(met, judged))
    columns = Column(_("Неделя"), False), Column(_("Вовремя")), Column(_("Поздно")), Column(_("Доля"), unit="%")
    bars = tuple((say.week(by), 100 * met / judged, say.times(met, judged)) for by, met, judged in weeks if judged)
    over_time = Columns(bars, f"100{say.GAP}%") if len(bars) > 1 else None
    return Block(id, title, how, columns, tuple(line(*week) for week in weeks), over_time=over_time, icon="calendar-days",
                 empty=_("За период считать нечего."))


def _deadlines_how() -> str:
    return str(_("Сроки, которые закончились за период: вовремя — сделано до срока; пропущен — время вышло раньше, даже если "
                 "сделали потом. Снятые сроки и возвраты по дате не считаются. Человек и сегмент — какими были тогда."))


def _speed_block(id: str, title: str, how: str, rows: Sequence[Speed], chosen: Chosen, key: str) -> Block:
    shown = [s for s in rows if s.working.n or s.untaken]
    name: Callable[[str], str] = say.person if key == "owner" else words.channel

    def line(s: Speed) -> tuple[Cell, ...]:
        of = {key: s.by}
        return (Cell(name(s.by), name(s.by)), number(s.working.n, url(chosen, "taken", **of)), *say.lengths(s.working),
                *say.lengths(s.plain), say.share(s.in_time, s.judged, url(chosen, "in_time", **of)),
                number(s.judged - s.in_time, url(chosen, "not_in_time", **of)),
                number(s.untaken, url(chosen, "untaken", **of)))
    minutes = _("минут")
    columns = (Column(_("Кто взял") if key == "owner" else _("Канал"), False), Column(_("Взято")),
               Column(_("Медиана"), unit=minutes),
               Column("p90", unit=minutes), Column(_("Медиана по часам"), unit=minutes), Column(_("p90 по часам"), unit=minutes),
               Column(_("В срок"), unit="%"), Column(_("Поздно")), Column(_("Ждут")))
    return Block(id, title, how, columns, tuple(line(s) for s in shown), legend=say.to_nine(),
                 bars=say.middles([(name(s.by), s.working) for s in shown]),
                 empty=_("За период заявок не было."), icon="zap")


def _kept_block(id: str, title: str, rows: Sequence[Kept], chosen: Chosen, key: str, how: str) -> Block:
    def name(by: str) -> str:
        return say.person(by) if key == "owner" else words.channel(by) if key == "channel" else due_title(by, chosen.process)

    def line(k: Kept) -> tuple[Cell, ...]:
        of = {key: k.by}
        return (Cell(name(k.by), name(k.by)), number(k.met, url(chosen, "kept", **of)),
                number(k.judged - k.met, url(chosen, "missed", **of)), say.share(k.met, k.judged))
    shown = sorted(rows, key=lambda k: (k.met / k.judged, -k.judged))
    bars = tuple(Bar(name(k.by), say.times(k.met, k.judged), (("ok", 100 * k.met / k.judged, _("вовремя")),
                                                              ("bad", 100 - 100 * k.met / k.judged, _("пропущено"))))
                 for k in shown)
    first = {"owner": _("Ответственный"), "channel": _("Канал"), "kind": _("Срок")}[key]
    columns = (Column(first, False), Column(_("Вовремя")), Column(_("Пропущено")), Column(_("Доля"), unit="%"))
    return Block(id, title, how, columns, tuple(line(k) for k in shown), bars=bars, icon="timer",
                 layout="beside" if key == "kind" else "half", legend=(("ok", _("вовремя")), ("bad", _("пропущено"))),
                 empty=_("За период сроки не заканчивались."))

