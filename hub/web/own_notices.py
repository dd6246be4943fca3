"""One's own notices beside the browser (R34): by which ways, in which hours not, a chat linked by a code, a test."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.delivery import Address
from hub.domain.errors import SENTENCES, Refused
from hub.domain.telling import CODE_LIVES, Telling, Told, telling_stream
from hub.traffic.staff import ANYBODY, mailbox, make_code, send_test, telling
from hub.web.desk import me, now, parts, settle, signed_in, the_hub
from hub.web.errors import status_of
from hub.web.frame import language

bp = Blueprint("own_notices", __name__, url_prefix="/account/notices")

ANY_CHAT = Address("telegram", "1")
SHOWN = 10


def why_not(told: Told) -> str:
    """Why a message did not leave, as a sentence; empty where it left."""
    known = SENTENCES.get(f"out_{told.code}")
    if known is None:
        return told.code
    return known.en if language() == "en" else known.ru


def _page(refused: Refused | None = None, code: str = "") -> Response:
    state, accounts = telling(the_hub(), me().stream), parts().accounts
    typed = request.form if refused is not None else None
    values = {"telegram": typed.get("telegram") == "1" if typed else state.telegram,
              "by_email": typed.get("by_email") == "1" if typed else bool(state.email),
              "email": typed.get("email", "") if typed else state.email,
              "quiet_from": typed.get("quiet_from", "") if typed else state.quiet_from,
              "quiet_until": typed.get("quiet_until", "") if typed else state.quiet_until}
    page = render_template(
        "access/notices.html", state=state, values=values, code=code, minutes=int(CODE_LIVES.total_seconds() // 60),
        errors={refused.field: refused.say(language())} if refused else {}, last=list(reversed(state.last))[:SHOWN],
        why_not=why_not, bots=[c.place.title for c in accounts.values() if c.reaches("telegram", ANY_CHAT)],
        mail=bool(mailbox(accounts, "anybody@example.org")))
    return make_response(page, status_of(refused) if refused else 200)


@bp.get("")
@signed_in
def index() -> Response:
    """The page."""
    return _page()


@bp.post("")
@signed_in
def save() -> Response:
    """Keep what was chosen."""
    form, user, head = request.form, me().stream, the_hub().store.head()

    def act(found: Telling) -> None:
        found.set_ways(user, telegram=form.get("telegram") == "1", by_email=form.get("by_email") == "1",
                       address=form.get("email", ""), quiet_from=form.get("quiet_from", ""),
                       quiet_until=form.get("quiet_until", ""), language=language(), head=head)
    try:
        the_hub().change(Telling, telling_stream(user), act, actor=me().actor, at=now(), permissions=ANYBODY)
    except Refused as refused:
        return _page(refused)
    flash(_("Настройки уведомлений сохранены."), "ok")
    return redirect(url_for(".index"), 303)


@bp.post("/code")
@signed_in
def code() -> Response:
    """A one-time code to send to the bot; it is shown here and nowhere else."""
    return _page(code=make_code(the_hub(), me().stream, actor=me().actor, at=now()))


@bp.post("/unlink")
@signed_in
def unlink() -> Response:
    """No more notices to the chat."""
    the_hub().change(Telling, telling_stream(me().stream), lambda t: t.unlink(), actor=me().actor, at=now(), permissions=ANYBODY)
    flash(_("Telegram отключён от уведомлений."), "ok")
    return redirect(url_for(".index"), 303)


@bp.post("/test")
@signed_in
def test() -> Response:
    """Send a test by every way."""
    try:
        sent = send_test(the_hub(), parts().accounts, me().stream, actor=me().actor, at=now())
    except Refused as refused:
        return _page(refused)
    settle()
    flash(_("Отправляем проверку, способов: %(n)s. Что из этого вышло, будет ниже.", n=sent), "ok")
    return redirect(url_for(".index"), 303)
