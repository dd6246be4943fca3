"""The durable table of jobs: asked for by pages and commands, shown by pages, worked off by :mod:`hub.jobs.running`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Condition
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec

from hub.domain.aggregate import Actor
from hub.domain.errors import SENTENCES, NotFound, Refused, sentences
from hub.store.base import EventStore
from hub.store.files import FileStore
from hub.store.keys import seal, unseal

if TYPE_CHECKING:
    from hub.jobs.work import Work

TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, who TEXT NOT NULL, roles TEXT NOT NULL, state TEXT NOT NULL, asked TEXT NOT NULL,
    begun TEXT, finished TEXT, alive TEXT, done INTEGER NOT NULL, base INTEGER NOT NULL, total INTEGER, said TEXT NOT NULL,
    takes INTEGER NOT NULL, cancel INTEGER NOT NULL, holder TEXT NOT NULL, personal INTEGER NOT NULL,
    sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, asked);
CREATE INDEX IF NOT EXISTS jobs_by_who ON jobs (who, asked);
"""
"""``state``: filling (its files are being stored) | draft | waiting | running | done | failed | cancelled. ``base``: what was
``done`` when the work was ``begun`` last; ``takes``: how often it was begun since it got on; ``holder``: the try that works on
it; ``said``: code and parameters of a sentence; ``sealed``: :class:`Inside`, under the job's key."""

RUNNING = "running"
OPEN = ("filling", "waiting", RUNNING)
HELD = "job:"
"""Begins the name of the lease of whoever works on a job."""
SERVED = "jobs"
"""The lease of a worker that looks for jobs: who asks sees by it whether there is one."""

sentences(
    no_such_job=("Такой работы нет: её срок хранения прошёл, или она не ваша. Запустите её заново.",
                 "There is no such work: it was kept long enough, or it is not yours. Start it again."),
    no_such_result=("Файла уже нет: срок его хранения прошёл, или он удалён вместе с данными человека. Запустите работу заново.",
                    "The file is gone: it was kept long enough, or went with the data of an erased person. Start again."),
    job_not_open=("Работа уже закончена. Обновите страницу.", "The work has ended already. Reload the page."),
    job_not_resumable=("Эту работу нельзя продолжить. Запустите её заново.", "This work cannot go on. Start it again."),
    job_failed=("Работа прервалась из-за ошибки хаба; она записана в журнал сервера. Запустите работу ещё раз, а если не "
                "поможет — покажите журнал администратору.",
                "The work ended with a fault of the hub, which is in the server's log. Start it again; if that does not help, "
                "show the log to an administrator."),
    job_given_up=("Обработчик {takes} раз останавливался на этой работе, и она снята. Разделите её на части или покажите журнал "
                  "сервера администратору.",
                  "The worker stopped {takes} times at this work, so it was given up. Divide it, or show the server's log to an "
                  "administrator."),
    job_erased=("Файлы этой работы удалены вместе с данными человека: они могли быть и в них. Запустите работу заново.",
                "The files of this work were deleted with a person's data, which may have been in them. Start the work again."),
    job_unknown=("Эта версия хаба не знает такой работы. Запустите её заново.",
                 "This release does not know such work. Start it again."),
)


@dataclass(frozen=True)
class Kind:
    """A kind of long work. ``title`` is (Russian, English); ``run`` does it (see :mod:`hub.jobs`).

    ``permissions``: any one of them is needed to start it and to fetch its files. ``personal``: parameters or files may hold
    something of a person, so an erasure takes them. ``resumable``: may be continued after it was cancelled or failed.
    ``kept``: how long it stays after its end.
    """

    name: str
    title: tuple[str, str]
    run: Callable[[Work], None]
    permissions: tuple[str, ...]
    personal: bool = True
    resumable: bool = False
    kept: timedelta = timedelta(days=7)


class File(msgspec.Struct, frozen=True):
    """A file of a job. ``size`` in bytes; ``result``: to be downloaded, rather than what the work was given."""

    name: str
    media_type: str
    size: int
    digest: str
    result: bool


class Inside(msgspec.Struct, frozen=True):
    """What is sealed of a job."""

    name: str = ""
    parameters: dict[str, Any] = {}
    cursor: Any = None
    facts: dict[str, Any] = {}
    files: tuple[File, ...] = ()


@dataclass(frozen=True)
class Job:
    """A job as it stands. ``name`` is the asker's own (a file's name); ``inside`` is None once its key is destroyed."""

    id: UUID
    kind: str
    actor: Actor
    state: str
    asked: datetime
    begun: datetime | None
    finished: datetime | None
    alive: datetime | None
    done: int
    base: int
    total: int | None
    said: tuple[str, dict[str, Any]]
    takes: int
    cancel: bool
    inside: Inside | None

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN

    @property
    def name(self) -> str:
        """What it works on, in the asker's words."""
        return self.inside.name if self.inside else ""

    @property
    def facts(self) -> dict[str, Any]:
        """What the function told of its work."""
        return self.inside.facts if self.inside else {}

    @property
    def results(self) -> tuple[File, ...]:
        """Files to be downloaded."""
        return tuple(file for file in self.inside.files if file.result) if self.inside else ()

    @property
    def rate(self) -> float | None:
        """Pieces a second since it was begun last; None where that is not known."""
        if self.begun is None or self.alive is None or self.done <= self.base:
            return None
        seconds = (self.alive - self.begun).total_seconds()
        return (self.done - self.base) / seconds if seconds > 0 else None

    @property
    def left(self) -> timedelta | None:
        """How long it will take still; None where that is not known."""
        if self.rate is None or self.total is None or self.state != RUNNING:
            return None
        return timedelta(seconds=max(0, self.total - self.done) / self.rate)

    def say(self, language: str) -> str:
        """The sentence that the work said last, "" where none."""
        code, params = self.said
        words = SENTENCES.get(code)
        return "" if words is None else (words.ru if language == "ru" else words.en).format(**params)


class Jobs:
    """All jobs of a hub. Safe for threads and processes; every method is a transaction of its own."""

    def __init__(self, store: EventStore, files: FileStore) -> None:
        self.store = store
        self.files = files
        self.kinds: dict[str, Kind] = {}
        self.asked = Condition()

    def prepare(self) -> None:
        """Make the table where it is missing."""
        self.store.make_tables(TABLES)

    def register(self, *kinds: Kind) -> None:
        """Say which kinds there are; each name once."""
        for kind in kinds:
            if kind.name in self.kinds:
                raise ValueError(f"the kind {kind.name!r} of long work is there twice")
            self.kinds[kind.name] = kind

    # ── asking ───────────────────────────────────────────────────────────────────

    def start(self, kind: str, parameters: Mapping[str, Any], *, actor: Actor, at: datetime, name: str = "",
              files: Mapping[str, tuple[str, bytes]] | None = None, id: UUID | None = None, draft: bool = False) -> UUID:
        """Ask for work; its job. Whether ``actor`` may is the caller's to check (``Kind.permissions``).

        ``parameters``: JSON. ``name``: what the person calls it. ``files``: by name, (media type, contents) of what it works on;
        the function reads them with :meth:`Work.read`. The same ``id`` again is the same job.
        ``draft``: it waits for :meth:`release`, which may change its parameters after somebody has looked at the files.
        """
        known = self.kinds[kind]
        job = id or uuid4()
        inside = Inside(name[:200], dict(parameters))
        with self.store.writing() as c:  # before the files, so that an erasure finds them
            c.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, 'filling', ?, NULL, NULL, NULL, 0, 0, NULL, '', 0, 0, '', ?, ?) "
                      "ON CONFLICT (id) DO NOTHING",
                      (job.hex, kind, actor.id, ",".join(sorted(actor.roles)), text(at), int(known.personal),
                       self.sealed(job, inside)))
        given = tuple(File(title, media_type, len(data), self.files.put(data, job), False)
                      for title, (media_type, data) in (files or {}).items())
        with self.store.writing() as c:
            c.execute("UPDATE jobs SET state = ?, sealed = ? WHERE id = ? AND state = 'filling'",
                      ("draft" if draft else "waiting", self.sealed(job, msgspec.structs.replace(inside, files=given)), job.hex))
        self._wake()
        return job

    def release(self, job: UUID, parameters: Mapping[str, Any]) -> None:
        """A draft is to be worked on, with these parameters. ``job_not_open`` where it is none any more."""
        found = self.one(job)
        if found.inside is None:
            raise NotFound("no_such_result")
        with self.store.writing() as c:
            c.execute("UPDATE jobs SET state = 'waiting', sealed = ? WHERE id = ? AND state = 'draft'",
                      (self.sealed(job, msgspec.structs.replace(found.inside, parameters=dict(parameters))), job.hex))
            if c.rowcount == 0:
                raise Refused("job_not_open")
        self._wake()

    def cancel(self, job: UUID, at: datetime) -> None:
        """Stop a job: at once where nobody works on it, else when its function next looks. ``job_not_open`` once it has ended."""
        working = self.worked_on(job)
        with self.store.writing() as c:
            if not working:
                c.execute("UPDATE jobs SET state = 'cancelled', finished = ?, said = '' WHERE id = ? AND state IN "
                          "('draft', 'waiting', 'running')", (text(at), job.hex))
            else:
                c.execute("UPDATE jobs SET cancel = 1 WHERE id = ? AND state IN ('waiting', 'running')", (job.hex,))
            if c.rowcount == 0:
                raise Refused("job_not_open")

    def resume(self, job: UUID) -> None:
        """Go on with a job that was cancelled or failed, from its last saved cursor; else ``job_not_resumable``."""
        found = self.one(job)
        kind = self.kinds.get(found.kind)
        if kind is None or not kind.resumable or found.inside is None:
            raise Refused("job_not_resumable")
        with self.store.writing() as c:
            c.execute("UPDATE jobs SET state = 'waiting', finished = NULL, said = '', takes = 0, cancel = 0 "
                      "WHERE id = ? AND state IN ('cancelled', 'failed')", (job.hex,))
            if c.rowcount == 0:
                raise Refused("job_not_resumable")
        self._wake()

    def _wake(self) -> None:
        with self.asked:
            self.asked.notify_all()

    # ── looking ──────────────────────────────────────────────────────────────────

    def one(self, job: UUID) -> Job:
        """A job. ``no_such_job`` where there is none."""
        with self.store.reading() as c:
            row = c.execute("SELECT * FROM jobs WHERE id = ?", (job.hex,)).fetchone()
        if row is None:
            raise NotFound("no_such_job")
        return self._job(row)

    def of(self, who: str = "", kind: str = "", limit: int = 50) -> list[Job]:
        """The newest jobs of ``who`` (of everybody where ""), of one kind where named."""
        wanted = [(column, value) for column, value in (("who", who), ("kind", kind)) if value]
        where = " AND ".join(f"{column} = ?" for column, _ in wanted) or "1 = 1"
        with self.store.reading() as c:
            c.execute(f"SELECT * FROM jobs WHERE {where} ORDER BY asked DESC LIMIT ?", (*(value for _, value in wanted), limit))
            return [self._job(row) for row in c.fetchall()]

    def open(self, limit: int = 100) -> list[UUID]:
        """Jobs to be worked on, or that somebody works on, the oldest first."""
        with self.store.reading() as c:
            c.execute("SELECT id FROM jobs WHERE state IN ('waiting', 'running') ORDER BY asked LIMIT ?", (limit,))
            return [UUID(row["id"]) for row in c.fetchall()]

    def worked_on(self, job: UUID) -> bool:
        """Whether a living worker has the job now."""
        held = self.store.leases.holders().get(HELD + job.hex)
        return held is not None and held.seconds_left > 0

    def served(self) -> bool:
        """Whether a worker is there that takes jobs."""
        held = self.store.leases.holders().get(SERVED)
        return held is not None and held.seconds_left > 0

    def read(self, job: Job, name: str) -> bytes:
        """A file of a job, by its name. ``no_such_result`` where it is gone."""
        file = next((file for file in (job.inside.files if job.inside else ()) if file.name == name), None)
        data = self.files.get(file.digest, job.id) if file is not None else None
        if data is None:
            raise NotFound("no_such_result")
        return data

    # ── ending ───────────────────────────────────────────────────────────────────

    def tidy(self, at: datetime) -> int:
        """Remove jobs that have been kept long enough, with their files and keys; how many."""
        with self.store.reading() as c:
            c.execute("SELECT id, kind, COALESCE(finished, asked) AS ended FROM jobs WHERE state NOT IN ('waiting', 'running')")
            ended = [(UUID(row["id"]), row["kind"], datetime.fromisoformat(row["ended"])) for row in c.fetchall()]
        old = [id for id, kind, ended_at in ended
               if at - ended_at > (self.kinds[kind].kept if kind in self.kinds else Kind.kept)]
        for job in old:
            self._destroy(job)
            with self.store.writing() as c:
                c.execute("DELETE FROM jobs WHERE id = ?", (job.hex,))
        return len(old)

    def forget_people(self, at: datetime) -> int:
        """Destroy what is sealed of every job that may hold something of a person, and its files: somebody is being erased.
        Those that wait or run fail with ``job_erased``. How many jobs; may be repeated."""
        self.prepare()
        with self.store.reading() as c:
            c.execute("SELECT id FROM jobs WHERE personal = 1 AND LENGTH(sealed) > 0")
            reached = [UUID(row["id"]) for row in c.fetchall()]
        for job in reached:
            self._destroy(job)
            with self.store.writing() as c:
                c.execute("UPDATE jobs SET state = 'failed', finished = ? WHERE id = ? "
                          "AND state IN ('filling', 'draft', 'waiting', 'running')", (text(at), job.hex))
                c.execute("UPDATE jobs SET sealed = ?, said = ? WHERE id = ?", (b"", said("job_erased"), job.hex))
        return len(reached)

    def _destroy(self, job: UUID) -> None:
        self.store.keys.destroy(job)
        self.files.remove(job)

    # ── what is sealed ───────────────────────────────────────────────────────────

    def sealed(self, job: UUID, inside: Inside) -> bytes:
        """``inside`` under the job's key."""
        return seal(self.store.keys.create(job), msgspec.json.encode(inside), job.bytes)

    def _job(self, row: Any) -> Job:
        job = UUID(row["id"])
        key = self.store.keys.get(job) if row["sealed"] else None
        plain = unseal(key, bytes(row["sealed"]), job.bytes) if key is not None else None
        code, params = msgspec.json.decode(row["said"], type=tuple[str, dict[str, Any]]) if row["said"] else ("", {})
        return Job(job, row["kind"], Actor(row["who"], frozenset(filter(None, row["roles"].split(",")))), row["state"],
                   datetime.fromisoformat(row["asked"]), _moment(row["begun"]), _moment(row["finished"]), _moment(row["alive"]),
                   row["done"], row["base"], row["total"], (code, params), row["takes"], bool(row["cancel"]),
                   msgspec.json.decode(plain, type=Inside) if plain is not None else None)


def text(at: datetime) -> str:
    """A moment as the table keeps it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def said(code: str, **params: object) -> str:
    """A sentence as the table keeps it; "" for none."""
    return msgspec.json.encode((code, params)).decode() if code else ""


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
