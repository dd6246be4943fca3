"""Pages of long work: how far it is, cancelling, going on, and the files that came of it. See :mod:`hub.jobs`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from uuid import UUID

from flask import Blueprint, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.errors import NotFound
from hub.jobs import Job
from hub.web.admin.base import done
from hub.web.desk import may, me, now, signed_in, the_hub
from hub.web.frame import language
from hub.web.words import plural

bp = Blueprint("jobs", __name__, url_prefix="/jobs")

LISTED = 50

PANELS: dict[str, str] = {}
"""Templates of what a kind has to say of its jobs besides how far they are, by kind; given ``job`` and ``shown``.
A page of a kind puts its own here, beside its blueprint: ``PANELS["import"] = "imports/_report.html"``."""


@dataclass(frozen=True)
class Shown:
    """A job as its page tells it. ``served`` is False where no worker would take it up or go on with it."""

    job: Job
    title: str
    words: str
    rate: str
    left: str
    served: bool
    resumable: bool
    panel: str
    kept_days: int

    @property
    def waits_for_worker(self) -> bool:
        """Whether it stands still because no worker is there."""
        return self.job.open and not self.served


def shown(job: Job) -> Shown:
    """``job`` in the reader's language."""
    hub = the_hub()
    kind = hub.jobs.kinds.get(job.kind)
    title = kind.title[0 if language() == "ru" else 1] if kind else job.kind
    return Shown(job, title, job.say(language()), _rate(job), _left(job.left),
                 not job.open or hub.jobs.worked_on(job.id) or hub.jobs.served(),
                 bool(kind and kind.resumable and job.inside and job.state in ("cancelled", "failed")),
                 PANELS.get(job.kind, ""), kind.kept.days if kind else 0)


def _rate(job: Job) -> str:
    if job.rate is None or job.state != "running":
        return ""
    if job.rate >= 1:
        return str(_("%(number)s в секунду", number=round(job.rate)))
    return str(_("%(number)s в минуту", number=max(1, round(job.rate * 60))))


def _left(left: timedelta | None) -> str:
    if left is None:
        return ""
    seconds = round(left.total_seconds())
    if seconds < 60:
        length = plural(max(1, seconds), _("секунда"), _("секунды"), _("секунд"))
    elif seconds < 3600:
        length = plural(round(seconds / 60), _("минута"), _("минуты"), _("минут"))
    else:
        length = plural(round(seconds / 3600), _("час"), _("часа"), _("часов"))
    return str(_("ещё около %(length)s", length=length) if seconds >= 60 else _("ещё %(length)s", length=length))


def found(job: UUID) -> Job:
    """A job that the signed-in person may see: their own, any for administrators. Others' are as if they were not there."""
    there = the_hub().jobs.one(job)
    if there.actor.id != me().id and not may("admin"):
        raise NotFound("no_such_job")
    return there


@bp.get("")
@signed_in
def index() -> str:
    """One's own long works; administrators see everybody's."""
    everybody = may("admin")
    names = {f"user:{id}": user.name for id, user in the_hub().users().items()}
    return render_template("jobs/index.html", everybody=everybody, names=names,
                           jobs=[shown(job) for job in the_hub().jobs.of("" if everybody else me().id, limit=LISTED)])


@bp.get("/<uuid:job>")
@signed_in
def page(job: UUID) -> str:
    """One job. The page looks again by itself; it may be closed."""
    return render_template("jobs/page.html", shown=shown(found(job)), job=job)


@bp.get("/<uuid:job>/state")
@signed_in
def state(job: UUID) -> str:
    """The part of the page that changes."""
    return render_template("jobs/_state.html", shown=shown(found(job)), job=job)


@bp.post("/<uuid:job>/cancel")
@signed_in
def cancel(job: UUID) -> Response:
    """Stop it. What it has done so far stays."""
    the_hub().jobs.cancel(found(job).id, now())
    return done(url_for(".page", job=job))


@bp.post("/<uuid:job>/resume")
@signed_in
def resume(job: UUID) -> Response:
    """Go on where it stopped."""
    allow(found(job))
    the_hub().jobs.resume(job)
    return done(url_for(".page", job=job))


@bp.get("/<uuid:job>/file")
@signed_in
def file(job: UUID) -> Response:
    """A result (``name``), as a download. Who may not start such work any more gets no file of it."""
    there, name = found(job), request.args.get("name", "")
    allow(there)
    known = next((one for one in there.results if one.name == name), None)
    if known is None:
        raise NotFound("no_such_result")
    data = BytesIO(the_hub().jobs.read(there, name))
    answer: Response = send_file(data, known.media_type, as_attachment=True, download_name=name)
    return answer


def allow(job: Job) -> None:
    """Refuse who may not start such work (any more)."""
    kind = the_hub().jobs.kinds.get(job.kind)
    if kind is None:
        raise NotFound("no_such_job")
    the_hub().allow(f"job.{job.kind}", None, *kind.permissions, actor=me().actor, at=now())
