"""Forms of what people do on the board: tags, and taking back a move."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from hub.web.lead.form import Ctx, Field, Option, form


def tags(ctx: Ctx) -> list[Option]:
    """The tags that the lead has."""
    return [(tag, tag) for tag in ctx.state.tags]


form(
    "tag",
    _l("Поставить метку"),
    _l("Поставить"),
    "lead",
    "tag",
    (
        Field(
            "tag",
            _l("Метка"),
            required=True,
            help=_l("Слово или два, например «тендер». Телефоны и имена клиентов сюда не пишут."),
        ),
    ),
)
form(
    "untag",
    _l("Снять метку"),
    _l("Снять"),
    "lead",
    "tag",
    (Field("tag", _l("Метка"), "select", tags, required=True),),
    when=lambda s: bool(s.tags),
)
form(
    "undo_move",
    _l("Отменить перевод"),
    _l("Отменить перевод"),
    "lead",
    "undo-2",
    when=lambda s: s.moved is not None,
)
