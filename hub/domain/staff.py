"""The company's own people: who they are, what they may do, when they are at work (R34)."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.aggregate import Aggregate
from hub.domain.errors import NotFound, Refused, sentences
from hub.domain.event import Event, topic
from hub.domain.process import Process

USERS = UUID("7d1c4b6e-6f0f-5a39-9d43-2f6b6f2d9a11")

sentences(
    no_such_user=("Такого сотрудника нет. Проверьте логин.", "There is no such user. Check the login."),
    login_taken=("Логин «{login}» занят. Выберите другой.", "The login “{login}” is taken. Choose another."),
    bad_login=("Логин — от 2 до 40 латинских букв, цифр, точек и дефисов, например anna.k.",
               "A login is 2 to 40 Latin letters, digits, dots and dashes, such as anna.k."),
    no_roles=("Выберите хотя бы одну роль.", "Choose at least one role."),
    no_such_role=("Нет роли «{role}». Есть: {known}.", "There is no role “{role}”. There are: {known}."),
    user_disabled=("Сотрудник отключён. Сначала включите его.", "The user is disabled. Enable them first."),
    last_administrator=("Это последний администратор. Сначала назначьте другого.",
                        "This is the last administrator. Appoint another first."),
    bad_absence=("Отсутствие заканчивается не раньше, чем начинается. Исправьте даты.",
                 "An absence does not end before it begins. Mend the dates."),
    bad_shift=("Смена — время с и по, например 09:00–18:00.", "A shift has a beginning and an end, such as 09:00–18:00."),
)


def user_stream(login: str) -> UUID:
    """The stream of a login: two people cannot have the same."""
    return uuid5(USERS, login.strip().lower())


class Absence(Struct, frozen=True):
    """Days away, both included."""

    since: date
    until: date
    why: str = ""


@topic("user.added")
class UserAdded(Event, frozen=True, kw_only=True):
    """A colleague may sign in."""

    login: str
    name: str
    roles: tuple[str, ...]


@topic("user.renamed")
class UserRenamed(Event, frozen=True, kw_only=True):
    """A colleague's name was corrected."""

    name: str


@topic("user.roles_changed")
class RolesChanged(Event, frozen=True, kw_only=True):
    """A colleague may do other things from now on."""

    roles: tuple[str, ...]


@topic("user.password_changed")
class PasswordChanged(Event, frozen=True, kw_only=True):
    """A password was set; ``temporary`` where it must be changed at the next sign-in. It is nowhere in the log itself."""

    temporary: bool = False


@topic("user.disabled")
class UserDisabled(Event, frozen=True, kw_only=True):
    """A colleague may not sign in any more."""


@topic("user.enabled")
class UserEnabled(Event, frozen=True, kw_only=True):
    """A colleague may sign in again."""


@topic("user.shifts_set")
class ShiftsSet(Event, frozen=True, kw_only=True):
    """Hours of work by ISO weekday, "09:00-18:00"; days that are not named are free. Empty: the company's hours."""

    shifts: dict[int, str]


@topic("user.absence_recorded")
class AbsenceRecorded(Event, frozen=True, kw_only=True):
    """A colleague is away."""

    absence: Absence


@topic("user.absence_withdrawn")
class AbsenceWithdrawn(Event, frozen=True, kw_only=True):
    """A colleague is not away after all, or came back."""

    since: date


class UserState(Struct, frozen=True):
    """A colleague."""

    login: str = ""
    name: str = ""
    roles: tuple[str, ...] = ()
    disabled: bool = False
    temporary_password: bool = False
    shifts: dict[int, str] = {}
    absences: tuple[Absence, ...] = ()

    def absent_on(self, day: date) -> Absence | None:
        """The absence that covers ``day``, if any."""
        return next((a for a in self.absences if a.since <= day <= a.until), None)

    def at_work(self, at: datetime, process: Process) -> bool:
        """Whether the colleague works at ``at``: not away, and on shift where shifts are set."""
        local = at.astimezone(ZoneInfo(process.file.calendar.timezone))
        if self.disabled or self.absent_on(local.date()):
            return False
        if not self.shifts:
            return True
        begin, _, end = self.shifts.get(local.isoweekday(), "00:00-00:00").partition("-")
        return time.fromisoformat(begin) <= local.time() < time.fromisoformat(end)


class User(Aggregate[UserState]):
    """A colleague's account."""

    EMPTY = UserState()

    @staticmethod
    def evolve(state: UserState, event: Event) -> UserState:
        match event:
            case UserAdded():
                return UserState(event.login, event.name, event.roles)
            case UserRenamed():
                return replace(state, name=event.name)
            case RolesChanged():
                return replace(state, roles=event.roles)
            case PasswordChanged():
                return replace(state, temporary_password=event.temporary)
            case UserDisabled():
                return replace(state, disabled=True)
            case UserEnabled():
                return replace(state, disabled=False)
            case ShiftsSet():
                return replace(state, shifts=event.shifts)
            case AbsenceRecorded():
                return replace(state, absences=(*state.absences, event.absence))
            case AbsenceWithdrawn():
                return replace(state, absences=tuple(a for a in state.absences if a.since != event.since))
        return state

    def _exists(self) -> None:
        if not self.state.login:
            raise NotFound("no_such_user")

    def add(self, login: str, name: str, roles: tuple[str, ...], process: Process) -> None:
        """A new colleague."""
        login = login.strip().lower()
        if self.state.login:
            raise Refused("login_taken", field="login", login=login)
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,39}", login):
            raise Refused("bad_login", field="login")
        if not name.strip():
            raise Refused("say_name", field="name")
        self.record(UserAdded, login=login, name=name.strip(), roles=_roles(roles, process))

    def rename(self, name: str) -> None:
        """Correct the name."""
        self._exists()
        if not name.strip():
            raise Refused("say_name", field="name")
        if name.strip() != self.state.name:
            self.record(UserRenamed, name=name.strip())

    def change_roles(self, roles: tuple[str, ...], process: Process) -> None:
        """What the colleague may do from now on."""
        self._exists()
        wanted = _roles(roles, process)
        if wanted != self.state.roles:
            self.record(RolesChanged, roles=wanted)

    def password_changed(self, temporary: bool) -> None:
        """The fact that a password was set; the hash is kept outside the log."""
        self._exists()
        self.record(PasswordChanged, temporary=temporary)

    def disable(self) -> None:
        """No more sign-in. Nothing happens when already disabled."""
        self._exists()
        if not self.state.disabled:
            self.record(UserDisabled)

    def enable(self) -> None:
        """Sign-in again."""
        self._exists()
        if self.state.disabled:
            self.record(UserEnabled)

    def set_shifts(self, shifts: dict[int, str]) -> None:
        """Hours of work by ISO weekday, "09:00-18:00" (R34)."""
        self._exists()
        for day, hours in shifts.items():
            found = re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", hours)
            if day not in range(1, 8) or not found or hours[:5] >= hours[6:]:
                raise Refused("bad_shift", rule="R34", field="shifts")
        if shifts != self.state.shifts:
            self.record(ShiftsSet, shifts=shifts)

    def record_absence(self, since: date, until: date, why: str = "") -> None:
        """Days away, both included (R34)."""
        self._exists()
        if until < since:
            raise Refused("bad_absence", rule="R34", field="until")
        self.record(AbsenceRecorded, absence=Absence(since, until, why.strip()))

    def withdraw_absence(self, since: date) -> None:
        """Not away after all."""
        self._exists()
        if any(a.since == since for a in self.state.absences):
            self.record(AbsenceWithdrawn, since=since)


def _roles(roles: tuple[str, ...], process: Process) -> tuple[str, ...]:
    if not roles:
        raise Refused("no_roles", field="roles")
    for role in roles:
        if role not in process.roles:
            raise Refused("no_such_role", field="roles", role=role, known=", ".join(process.roles))
    return tuple(r for r in process.roles if r in roles)
