"""The company itself: its people, website forms, partner agencies and letter templates (R12, R13, R34)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from hub.audit.keeping import Audit, Record
from hub.domain.access import AccessNote
from hub.domain.aggregate import Actor, Aggregate, Stamp
from hub.domain.attempt import Attempt
from hub.domain.audit import AUDIT_STREAM, AuditLog
from hub.domain.errors import Conflict as Changed
from hub.domain.errors import NotAllowed, Refused, sentences
from hub.domain.event import HUB
from hub.domain.form import Form, FormState, form_stream
from hub.domain.lead import Staff
from hub.domain.partner import Partner, PartnerState, Template, TemplateState, template_stream
from hub.domain.process import Process
from hub.domain.staff import User, UserState, user_stream
from hub.domain.webhook import Webhook, WebhookState
from hub.hearing import Hearing
from hub.jobs import Jobs
from hub.projections.views import Views
from hub.store import Conflict
from hub.store.base import EventStore
from hub.store.files import FileStore
from hub.store.keys import derive
from hub.webhooks import Answer, Outgoing, make_secret

RETRIES = 50
"""How often a command is decided again when others were first; each round somebody's event was stored."""

OLD_SECRET_FOR = timedelta(hours=24)
"""How long a replaced secret of a subscription signs beside the new one, so that its receiver can change over."""

sentences(webhook_not_dead=("Это событие уже отправлено, ждёт или снято. Обновите страницу.",
                            "This event was sent, waits or was dropped already. Reload the page."))

THE_HUB = Actor(HUB)
A = TypeVar("A", bound=Aggregate[Any])


class Company(Hearing):
    """Who we are and what we may use. :class:`hub.application.LeadHub` adds the work on leads."""

    def __init__(self, store: EventStore, files: FileStore, views: Views, index_key: bytes) -> None:
        super().__init__(store, files, views, index_key)
        self._users: tuple[int, dict[UUID, UserState]] = (-1, {})
        self.outgoing = Outgoing(store, derive(index_key, "hub webhook secrets"))
        self.audit = Audit(store)
        self.jobs = Jobs(store, files)
        self.pseudonym_key = derive(index_key, "hub pseudonyms in exports")

    # ── reading ──────────────────────────────────────────────────────────────────

    def users(self) -> dict[UUID, UserState]:
        """Colleagues by stream, disabled ones included."""
        return self._users_at(self.views.directory.stamp())

    def _users_at(self, stamp: int) -> dict[UUID, UserState]:
        known = self._users
        if known[0] != stamp:
            known = self._users = (stamp, self.views.directory.all("user", UserState))
        return known[1]

    def forms(self) -> dict[UUID, FormState]:
        """Website forms by stream."""
        return self.views.directory.all("form", FormState)

    def form(self, form: str) -> FormState | None:
        """A form by its address, or None."""
        state: FormState = self.streams.fresh(Form, form_stream(form))[1]
        return state if state.id else None

    def partners(self) -> dict[UUID, PartnerState]:
        """Partner agencies by stream."""
        return self.views.directory.all("partner", PartnerState)

    def webhooks(self) -> dict[UUID, WebhookState]:
        """Subscriptions of other programs by stream, those that ended included."""
        return self.views.directory.all("webhook", WebhookState)

    def template(self, name: str, default: TemplateState) -> TemplateState:
        """The wording of a letter: the company's own, else ``default``."""
        state: TemplateState = self.streams.fresh(Template, template_stream(name))[1]
        return state if state.name else default

    def staff(self, at: datetime, process: Process | None = None) -> Staff:
        """Who is there at ``at``, whose turn it is first (R34). Outside hours: who is there when work begins."""
        process = process or self.process
        stamp, turns = self.views.directory.turns()
        users = {f"user:{id}": u for id, u in self._users_at(stamp).items() if not u.disabled}
        opening = process.calendar.next_opening(at)
        able = sorted((id for id, u in users.items() if u.at_work(opening, process)),
                      key=lambda id: (max(turns.get(id, 0), self._turns.get(id, 0)), id))
        return Staff(
            at_work={role: tuple(id for id in able if role in users[id].roles) for role in process.roles},
            heads=tuple(id for id, u in users.items() if "head" in u.roles),
            names={id: u.name for id, u in users.items()},
            roles={id: frozenset(u.roles) for id, u in users.items()},
        )

    # ── changing ─────────────────────────────────────────────────────────────────

    def _stamp(self, actor: Actor, at: datetime, correlation: UUID | None = None) -> Stamp:
        return Stamp(actor, at, correlation or uuid4(), self.process.version)

    def _keep_attempt(self, stamp: Stamp, command: str, target: UUID | None, refused: Refused) -> None:
        attempt = Attempt(uuid4(), stamp)
        attempt.refused(command, target, refused.code, refused.rule)
        self.streams.save([attempt])
        self.streams.forget(attempt.id)

    def change(self, kind: type[A], stream: UUID, act: Callable[[A], None], *, actor: Actor, at: datetime,
               permissions: tuple[str, ...] = ("admin",)) -> A:
        """Give a command to a small aggregate; who may is checked here, so that no door goes around it."""
        stamp = self._stamp(actor, at)
        for _ in range(RETRIES):
            version, state = self.streams.fresh(kind, stream)
            found = kind(stream, stamp, state, version)
            try:
                self._authorise(actor, *permissions)
                act(found)
                self.streams.save([found])
                return found
            except Conflict:
                continue
            except Refused as refused:
                self._keep_attempt(stamp, f"{kind.__name__.lower()}", stream, refused)
                raise
        raise Changed("conflict")

    def _authorise(self, actor: Actor, *permissions: str) -> None:
        process = self.process
        if actor is not THE_HUB and not process.permissions(actor.roles) & set(permissions):
            who = ", ".join(r.title for r in process.roles.values() if set(permissions) & set(r.may))
            raise NotAllowed("not_your_role", who=who)

    def allow(self, command: str, target: UUID | None, *permissions: str, actor: Actor, at: datetime) -> None:
        """Refuse who may not, and keep the attempt."""
        try:
            self._authorise(actor, *permissions)
        except NotAllowed as refused:
            self._keep_attempt(self._stamp(actor, at), command, target, refused)
            raise

    def may(self, actor: Actor, *permissions: str) -> bool:
        """Whether one of the actor's roles has one of ``permissions``."""
        return bool(self.process.permissions(actor.roles) & set(permissions))

    def add_user(self, login: str, name: str, roles: tuple[str, ...], *, actor: Actor, at: datetime) -> UUID:
        """A new colleague; the password is set apart."""
        process = self.process
        return self.change(User, user_stream(login), lambda u: u.add(login, name, roles, process), actor=actor, at=at).id

    def edit_user(self, user: UUID, name: str, roles: tuple[str, ...], *, actor: Actor, at: datetime) -> None:
        """A colleague's name and roles, both or neither. The last administrator keeps the role (``last_administrator``)."""
        def act(found: User) -> None:
            found.rename(name)
            if "admin" not in self.process.permissions(frozenset(roles)):
                self._keep_an_administrator(found)
            found.change_roles(roles, self.process)
        self.change(User, user, act, actor=actor, at=at)

    def disable_user(self, user: UUID, *, actor: Actor, at: datetime) -> None:
        """No more sign-in for a colleague; refused as ``last_administrator`` where nobody could administer any more."""
        def act(found: User) -> None:
            self._keep_an_administrator(found)
            found.disable()
        self.change(User, user, act, actor=actor, at=at)

    def _keep_an_administrator(self, leaving: User) -> None:
        """Others are read as they are now, not as the read models last saw them."""
        def administers(state: UserState) -> bool:
            return not state.disabled and "admin" in self.process.permissions(frozenset(state.roles))
        others = (self.streams.fresh(User, id)[1] for id in self.users() if id != leaving.id)
        if administers(leaving.state) and not any(map(administers, others)):
            raise Refused("last_administrator", field="roles")

    def write_partner(self, partner: UUID | None, *, actor: Actor, at: datetime, **fields: Any) -> UUID:
        """Add a partner, or change what is known of one (R13)."""
        process = self.process
        return self.change(Partner, partner or uuid4(), lambda p: p.write(process, **fields), actor=actor, at=at,
                           permissions=("admin", "partners")).id

    # ── the proof of the log ─────────────────────────────────────────────────────

    def audit_record(self, actor: Actor = THE_HUB) -> Record:
        """What gives commands to the audit's own stream, as ``actor``."""
        return lambda act, at: self.change(AuditLog, AUDIT_STREAM, act, actor=actor, at=at, permissions=("admin", "audit"))

    def note_access(self, act: Callable[[AccessNote], None], *, actor: Actor = THE_HUB, at: datetime) -> None:
        """Keep who came in, was not let in, or left. Everybody may: nothing follows from it."""
        note = AccessNote(uuid4(), self._stamp(actor, at))
        act(note)
        self.streams.save([note])
        self.streams.forget(note.id)

    # ── subscriptions of other programs ──────────────────────────────────────────

    def add_webhook(self, name: str, url: str, topics: tuple[str, ...] = (), *, personal: bool = False, after: int | None = None,
                    actor: Actor, at: datetime) -> tuple[UUID, str]:
        """Subscribe to events of leads, all where no ``topics`` are named, from now on or those after position ``after``.

        The stream, and the secret that signs: it is told here and never again.
        """
        id, secret, head = uuid4(), make_secret(), self.store.head()

        def act(webhook: Webhook) -> None:
            self.outgoing.poster.guard.check(url)
            webhook.add(name, url, topics, personal, head if after is None else after, head)
            # Before the event: a subscription that is there can sign.
            self.outgoing.outbox.add_secret(id, secret, at)
        self.change(Webhook, id, act, actor=actor, at=at)
        return id, secret

    def edit_webhook(self, id: UUID, name: str, url: str, topics: tuple[str, ...], personal: bool, *, actor: Actor,
                     at: datetime) -> None:
        """Change what a subscription is sent, or where."""
        def act(webhook: Webhook) -> None:
            self.outgoing.poster.guard.check(url)
            webhook.edit(name, url, topics, personal)
        self.change(Webhook, id, act, actor=actor, at=at)

    def renew_webhook_secret(self, id: UUID, *, keep_old: bool, actor: Actor, at: datetime) -> str:
        """Another secret; the old one signs beside it for a day where ``keep_old``. The new one is told here only."""
        secret, old_until = make_secret(), at + (OLD_SECRET_FOR if keep_old else timedelta(0))

        def act(webhook: Webhook) -> None:
            webhook.secret_renewed(old_until)
            self.outgoing.outbox.add_secret(id, secret, at, old_until)
        self.change(Webhook, id, act, actor=actor, at=at)
        return secret

    def resume_webhook(self, id: UUID, *, actor: Actor, at: datetime) -> None:
        """Send again, beginning with what waits."""
        self.change(Webhook, id, lambda w: w.resume(), actor=actor, at=at)
        self.outgoing.outbox.resumed(id, at)

    def remove_webhook(self, id: UUID, *, actor: Actor, at: datetime) -> None:
        """End a subscription; its secrets and its queue go with it."""
        self.change(Webhook, id, lambda w: w.remove(), actor=actor, at=at)
        self.outgoing.outbox.forget(id)

    def settle_dead(self, id: UUID, position: int, *, again: bool, actor: Actor, at: datetime) -> None:
        """Send a dead letter again with all its tries, or drop it; who decided so is recorded."""
        outbox = self.outgoing.outbox

        def act(webhook: Webhook) -> None:
            webhook.there()
            found = outbox.one(id, position)
            if found is None or found.state != "dead":
                raise Changed("webhook_not_dead")
            (webhook.send_again if again else webhook.drop)(position)
        self.change(Webhook, id, act, actor=actor, at=at)
        (outbox.revive if again else outbox.drop)(id, position, at)

    def test_webhook(self, id: UUID, *, actor: Actor, at: datetime) -> Answer:
        """Send a test message now and wait for the receiver's answer; nothing is recorded."""
        self.allow("webhook.test", id, "admin", actor=actor, at=at)
        state: WebhookState = self.streams.fresh(Webhook, id)[1]
        Webhook(id, self._stamp(actor, at), state).there()
        return self.outgoing.test(id, state, at)
