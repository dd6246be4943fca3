"""Subscriptions of other programs: which events of leads are sent where, how they arrive, and what could not be delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import SENTENCES, Refused
from hub.domain.webhook import FAILING, GONE, Webhook, WebhookState, lead_topics
from hub.web.admin.base import done, found, lines, refused_page, whole
from hub.web.desk import me, needs, now, settle, the_hub
from hub.web.frame import language
from hub.webhooks import Delivery, Standing

bp = Blueprint("webhooks", __name__, url_prefix="/settings/webhooks")

EDIT = "admin/webhook_edit.html"
SHOWN = 50
"""Deliveries of each kind on a subscription's page, the newest first."""


@dataclass(frozen=True)
class Line:
    """A subscription in the list. ``mood``: active | failing | person | gone | failed (the last three are paused)."""

    id: UUID
    state: WebhookState
    does: Standing
    mood: str
    last: Delivery | None
    """The newest delivery that failed, where one waits or is a dead letter."""


def listed() -> list[Line]:
    """Every subscription that has not ended, by name."""
    lines = [_line(id, state) for id, state in the_hub().webhooks().items() if not state.removed]
    return sorted(lines, key=lambda line: line.state.name.casefold())


def _line(id: UUID, state: WebhookState) -> Line:
    outbox = the_hub().outgoing.outbox
    does = outbox.standing(id, state.after)
    mood = {"": "failing" if does.failing_since else "active", FAILING: "failed", GONE: "gone"}.get(state.paused, "person")
    tried = [d for d in outbox.listed(id, ("waiting", "dead"), SHOWN) if d.fault]
    return Line(id, state, does, mood, max(tried, key=lambda d: str(d.tried)) if tried else None)


@bp.app_template_filter("fault")
def fault(code: str) -> str:
    """Why a message did not arrive, as a sentence."""
    words = SENTENCES.get(code)
    return code if words is None else words.en if language() == "en" else words.ru


def _there(webhook: UUID) -> WebhookState:
    return found({id: state for id, state in the_hub().webhooks().items() if not state.removed}, webhook)


@bp.get("")
@needs("admin")
def index() -> str:
    """All subscriptions and how they do."""
    return render_template("admin/webhooks.html", lines=listed())


def _typed() -> dict[str, Any]:
    return {"name": request.form.get("name", ""), "url": request.form.get("url", "").strip(),
            "topics": "\n".join(lines("topics")), "personal": "personal" in request.form,
            "start": request.form.get("start", "now"), "after": request.form.get("after", "")}


def _after(start: str) -> int | None:
    return None if start == "now" else 0 if start == "all" else whole("after")


@bp.route("/new", methods=("GET", "POST"))
@needs("admin")
def new() -> Response:
    """A new subscription; its secret is on the page that answers and nowhere else."""
    typed = _typed()
    page: dict[str, Any] = {"typed": typed, "state": None, "webhook": None, "known": lead_topics()}
    if request.method == "GET":
        return make_response(render_template(EDIT, errors={}, **page))
    try:
        id, secret = the_hub().add_webhook(typed["name"], typed["url"], lines("topics"), personal=typed["personal"],
                                           after=_after(typed["start"]), actor=me().actor, at=now())
    except Refused as refused:
        return refused_page(EDIT, refused, **page)
    settle()
    return _with_secret(id, secret, added=True)


def _with_secret(id: UUID, secret: str, *, added: bool = False, keep_old: bool = False) -> Response:
    answer = make_response(render_template("admin/webhook_secret.html", webhook=id, state=_there(id), secret=secret, added=added,
                                           keep_old=keep_old))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/<uuid:webhook>")
@needs("admin")
def one(webhook: UUID) -> str:
    """A subscription: how it does, its dead letters, what was sent lately."""
    line = _line(webhook, _there(webhook))
    outbox = the_hub().outgoing.outbox
    return render_template("admin/webhook.html", webhook=webhook, line=line, state=line.state, errors={}, shown=SHOWN,
                           dead=outbox.listed(webhook, ("dead",), SHOWN),
                           recent=outbox.listed(webhook, ("waiting", "sent", "dropped"), SHOWN))


@bp.route("/<uuid:webhook>/edit", methods=("GET", "POST"))
@needs("admin")
def edit(webhook: UUID) -> Response:
    """What is sent, and where."""
    state = _there(webhook)
    page: dict[str, Any] = {"state": state, "webhook": webhook, "known": lead_topics()}
    if request.method == "GET":
        shown = {"name": state.name, "url": state.url, "topics": "\n".join(state.topics), "personal": state.personal}
        return make_response(render_template(EDIT, errors={}, typed=shown, **page))
    typed = _typed()
    try:
        the_hub().edit_webhook(webhook, typed["name"], typed["url"], lines("topics"), typed["personal"], actor=me().actor,
                               at=now())
    except Refused as refused:
        return refused_page(EDIT, refused, typed=typed, **page)
    flash(_("Сохранено. Действует со следующего события."), "ok")
    return done(url_for(".one", webhook=webhook))


@bp.post("/<uuid:webhook>/secret")
@needs("admin")
def secret(webhook: UUID) -> Response:
    """Another secret; the old one goes on signing for a day unless it leaked."""
    _there(webhook)
    keep_old = "leaked" not in request.form
    made = the_hub().renew_webhook_secret(webhook, keep_old=keep_old, actor=me().actor, at=now())
    return _with_secret(webhook, made, keep_old=keep_old)


@bp.post("/<uuid:webhook>/test")
@needs("admin")
def test(webhook: UUID) -> Response:
    """Send a test message now and tell what the receiver answered."""
    _there(webhook)
    answer = the_hub().test_webhook(webhook, actor=me().actor, at=now())
    if not answer.fault:
        flash(_("Тест дошёл: получатель ответил %(status)s.", status=answer.status), "ok")
    else:
        told = f"{fault(answer.fault)} {answer.status or ''} {answer.said}".strip()
        flash(_("Тест не дошёл. %(why)s", why=told), "bad")
    return done(url_for(".one", webhook=webhook))


@bp.post("/<uuid:webhook>/pause")
@needs("admin")
def pause(webhook: UUID) -> Response:
    """Send nothing for now."""
    _there(webhook)
    the_hub().change(Webhook, webhook, lambda w: w.pause(), actor=me().actor, at=now())
    flash(_("Отправка остановлена. События не потеряются: они уйдут, когда вы её возобновите."), "ok")
    return done(url_for(".one", webhook=webhook))


@bp.post("/<uuid:webhook>/resume")
@needs("admin")
def resume(webhook: UUID) -> Response:
    """Send again, beginning with what waits."""
    _there(webhook)
    the_hub().resume_webhook(webhook, actor=me().actor, at=now())
    flash(_("Отправка возобновлена с того места, где остановилась."), "ok")
    return done(url_for(".one", webhook=webhook))


@bp.post("/<uuid:webhook>/remove")
@needs("admin")
def remove(webhook: UUID) -> Response:
    """End the subscription."""
    name = _there(webhook).name
    the_hub().remove_webhook(webhook, actor=me().actor, at=now())
    flash(_("Подписка «%(name)s» удалена.", name=name), "ok")
    return done(url_for(".index"))


@bp.post("/<uuid:webhook>/dead/<int:position>/again")
@needs("admin")
def again(webhook: UUID, position: int) -> Response:
    """Send a dead letter again."""
    return _settle(webhook, position, _("Событие снова в очереди."), again=True)


@bp.post("/<uuid:webhook>/dead/<int:position>/drop")
@needs("admin")
def drop(webhook: UUID, position: int) -> Response:
    """Give a dead letter up."""
    return _settle(webhook, position, _("Событие снято с отправки."), again=False)


def _settle(webhook: UUID, position: int, words: str, *, again: bool) -> Response:
    _there(webhook)
    if position >= 2**63:
        raise Refused("webhook_not_dead")
    the_hub().settle_dead(webhook, position, again=again, actor=me().actor, at=now())
    flash(words, "ok")
    return done(url_for(".one", webhook=webhook))
