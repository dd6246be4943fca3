"""A website form: who may post to it, what its visitors agreed to, and when its silence is worth a look."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from msgspec import Struct, structs

from hub.domain import contact
from hub.domain.aggregate import Aggregate, Stamp
from hub.domain.errors import Conflict, NotFound, Refused, sentences
from hub.domain.event import Event, topic

sentences(
    form_id_bad=("Адрес формы «{id}» не подходит: латинские строчные буквы, цифры и дефис, до 48 знаков, например main-site.",
                 "“{id}” cannot be a form's address: use small latin letters, digits and hyphens, at most 48, as in main-site."),
    form_id_taken=("Форма с адресом «{id}» уже есть: откройте её или выберите другой адрес.",
                   "There already is a form “{id}”: open it or choose another address."),
    form_missing=("Такой формы нет: выберите форму из списка.", "There is no such form: choose one from the list."),
    form_is_retired=("Форма «{id}» снята с сайта: сначала верните её в работу.",
                     "Form “{id}” is retired: restore it first."),
    form_not_retired=("Форма «{id}» и так работает: возвращать её не нужно.",
                      "Form “{id}” is in use: it needs no restoring."),
    form_name_empty=("У формы нет названия: напишите, как её узнать, например «Сайт, шапка».",
                     "The form has no name: say how to recognise it, as in “Site, header”."),
    form_origin_bad=("«{origin}» не адрес сайта: нужен вид https://example.ru, без пути после имени.",
                     "“{origin}” is not a site's address: write it as https://example.com with nothing after the host."),
    form_alias_bad=("Поле «{name}» не с чем связать: «{target}» не одно из наших полей ({fields}).",
                    "Field “{name}” has nothing to stand for: “{target}” is not one of our fields ({fields})."),
    form_thank_you_bad=("«{url}» не годится для страницы «спасибо»: нужен полный адрес, начиная с https://.",
                        "“{url}” cannot be a thank-you page: give the whole address, starting with https://."),
    form_phone_bad=("«{phone}» не похож на номер телефона: напишите его с кодом, например 8 800 555-35-35.",
                    "“{phone}” does not look like a phone number: write it with its code, as in +7 800 555-35-35."),
    form_number_bad=("{ru}: {value} не годится, допустимо от {low} до {high}.",
                     "{en}: {value} is out of range, use {low} to {high}."),
)

FIELDS = ("name", "last_name", "phone", "email", "text", "company", "budget", "region", "timezone", "convenient_time",
          "subject", "contact")
"""What a field of a form may stand for. ``contact`` is one field for "phone or e-mail"."""

HONEYPOT = "hub_topic"
"""The field that a person does not see; whoever fills it is likely a program. No browser fills this name by itself."""
TOKEN = "hub_token"
"""The field with the signed time at which a visitor opened the form (the script fills it)."""

_NAMESPACE = UUID("6f0f8a4e-6f3c-5c0b-9f57-0a4a3f7d1c52")
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_LOCAL = ("localhost", "127.0.0.1")

RANGES: dict[str, tuple[int, int, str, str]] = {
    "min_fill_seconds": (0, 60, "Секунд на заполнение", "Seconds to fill in"),
    "max_age_hours": (1, 720, "Часов до отправки", "Hours until sending"),
    "rate_per_minute": (1, 1000, "Заявок в минуту с адреса до карантина", "Requests a minute from one address before quarantine"),
    "rate_cap_per_minute": (1, 10000, "Заявок в минуту с адреса до отказа", "Requests a minute from one address before refusal"),
    "silence_days": (0, 365, "Дней тишины до тревоги", "Days of silence before an alarm"),
}
"""Bounds and titles (Russian, English) of the numbers of a form."""


class FormSettings(Struct, frozen=True, kw_only=True):
    """What the administrator decides about a form.

    ``origins`` are the sites whose pages may post (``https://host[:port]``, exact); a request from a
    server names none. ``aliases`` pairs a field name of the site with one of :data:`FIELDS`.
    ``thank_you_urls`` are the only addresses that a visitor is sent to afterwards, the first by default.
    ``phone_shown`` is what the visitor may call when the hub cannot be reached.
    A submission filled in faster than ``min_fill_seconds`` or sent later than ``max_age_hours`` after
    the form was opened is looked at by a person first; so is one above ``rate_per_minute`` from one IP,
    and above ``rate_cap_per_minute`` the answer is 429. ``silence_days`` = 0 watches nothing.
    """

    name: str
    origins: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    thank_you_urls: tuple[str, ...] = ()
    thank_you: str = ""
    phone_shown: str = ""
    consent_text: str = ""
    min_fill_seconds: int = 3
    max_age_hours: int = 72
    rate_per_minute: int = 10
    rate_cap_per_minute: int = 60
    silence_days: int = 7


class FormState(FormSettings, frozen=True, kw_only=True):
    """A form as its events left it. ``id`` is ``""`` before it is made.

    ``consent_texts`` holds every text that was ever shown; its length is the version in force.
    ``live_since`` is when the form was made or last restored.
    """

    name: str = ""
    id: str = ""
    consent_texts: tuple[str, ...] = ()
    retired: bool = False
    live_since: datetime | None = None
    tested_at: datetime | None = None

    @property
    def consent_version(self) -> int:
        """The version of the consent text in force, from 1; 0 when the form asks for none."""
        return len(self.consent_texts) if self.consent_text else 0

    def settings(self) -> FormSettings:
        """The settings alone, as the administrator's page edits them."""
        return FormSettings(**{name: getattr(self, name) for name in FormSettings.__struct_fields__})


@topic("form.made")
class FormMade(Event, frozen=True, kw_only=True):
    """The administrator made a form; its address ``form`` never changes."""

    form: str
    settings: FormSettings


@topic("form.edited")
class FormEdited(Event, frozen=True, kw_only=True):
    """Its settings are these from now on. A changed consent text is a new version."""

    settings: FormSettings


@topic("form.retired")
class FormRetired(Event, frozen=True, kw_only=True):
    """The form left its site. What still arrives is kept for a person to look at."""


@topic("form.restored")
class FormRestored(Event, frozen=True, kw_only=True):
    """The form is in use again."""


@topic("form.tested")
class FormTested(Event, frozen=True, kw_only=True):
    """A test submission was sent through the form; ``receipt`` is the number it was given."""

    receipt: str


class Form(Aggregate[FormState]):
    """One website form. Who may do this is the application's matter."""

    EMPTY = FormState()

    @staticmethod
    def evolve(state: FormState, event: Event) -> FormState:
        """The form after ``event``."""
        match event:
            case FormMade(form=form, settings=settings, at=at):
                return _with(structs.replace(state, id=form, live_since=at), settings)
            case FormEdited(settings=settings):
                return _with(state, settings)
            case FormRetired():
                return structs.replace(state, retired=True)
            case FormRestored(at=at):
                return structs.replace(state, retired=False, live_since=at)
            case FormTested(at=at):
                return structs.replace(state, tested_at=at)
            case _:
                return state

    @classmethod
    def at_address(cls, form: str, stamp: Stamp) -> Form:
        """The empty form at the address ``form``, ready to be made; refused when the address is not one."""
        if not _ID.fullmatch(form):
            raise Refused("form_id_bad", field="id", id=form)
        return cls(form_stream(form), stamp)

    def make(self, form: str, settings: FormSettings) -> None:
        """Make the form at ``form``; refused when it exists or a setting is wrong."""
        if self.state.id:
            raise Conflict("form_id_taken", field="id", id=form)
        if not _ID.fullmatch(form) or form_stream(form) != self.id:
            raise Refused("form_id_bad", field="id", id=form)
        self.record(FormMade, form=form, settings=checked(settings))

    def edit(self, settings: FormSettings) -> None:
        """Change the settings; the same settings again change nothing."""
        self._in_use()
        settings = checked(settings)
        if settings != self.state.settings():
            self.record(FormEdited, settings=settings)

    def retire(self) -> None:
        """Take the form out of use."""
        self._in_use()
        self.record(FormRetired)

    def restore(self) -> None:
        """Take a retired form back into use."""
        self._made()
        if not self.state.retired:
            raise Refused("form_not_retired", id=self.state.id)
        self.record(FormRestored)

    def note_test(self, receipt: str) -> None:
        """Note that a test submission came through as ``receipt``."""
        self._in_use()
        self.record(FormTested, receipt=receipt)

    def _made(self) -> None:
        if not self.state.id:
            raise NotFound("form_missing")

    def _in_use(self) -> None:
        self._made()
        if self.state.retired:
            raise Refused("form_is_retired", id=self.state.id)


def form_stream(form: str) -> UUID:
    """The stream of the form at the address ``form``: two forms cannot share one."""
    return uuid5(_NAMESPACE, f"form/{form}")


def silent(state: FormState, last_submission_at: datetime | None, now: datetime) -> bool:
    """Whether the form has been silent for longer than its ``silence_days`` and someone should look at the site."""
    if state.retired or not state.silence_days or state.live_since is None:
        return False
    heard = max(state.live_since, last_submission_at) if last_submission_at else state.live_since
    return now - heard > timedelta(days=state.silence_days)


def consent_sha256(text: str) -> str:
    """How a consent text is told apart for good: sha256 of its UTF-8, in hexadecimal; ``""`` for no text."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def checked(settings: FormSettings) -> FormSettings:
    """``settings`` in their one spelling, or :class:`Refused` with the field at fault."""
    for name, (low, high, ru, en) in RANGES.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise Refused("form_number_bad", field=name, ru=ru, en=en, value=value, low=low, high=high)
    if not settings.name.strip():
        raise Refused("form_name_empty", field="name")
    if settings.phone_shown.strip() and contact.phone(settings.phone_shown) is None:
        raise Refused("form_phone_bad", field="phone_shown", phone=settings.phone_shown)
    return structs.replace(
        settings,
        name=settings.name.strip(), phone_shown=settings.phone_shown.strip(), thank_you=settings.thank_you.strip(),
        consent_text=settings.consent_text.strip(),
        origins=tuple(dict.fromkeys(map(origin, settings.origins))),
        thank_you_urls=tuple(dict.fromkeys(map(_thank_you_url, settings.thank_you_urls))),
        aliases=tuple(dict.fromkeys(map(_alias, settings.aliases))),
    )


def origin(text: str) -> str:
    """A site's origin as browsers send it (``https://host[:port]``, host in punycode), or :class:`Refused`.

    ``http`` is only for a site on this machine.
    """
    try:
        parts = urlsplit(text.strip())
        host = (parts.hostname or "").encode("idna").decode("ascii").lower()
        port = parts.port
    except ValueError:
        raise Refused("form_origin_bad", field="origins", origin=text) from None
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if not plain or not _HOST.fullmatch(host) or not _safe_scheme(parts.scheme, host):
        raise Refused("form_origin_bad", field="origins", origin=text)
    default = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != default else "")


def _thank_you_url(text: str) -> str:
    text = text.strip()
    try:
        parts = urlsplit(text)
        good = bool(parts.hostname) and _safe_scheme(parts.scheme, parts.hostname or "") and "@" not in parts.netloc
    except ValueError:
        good = False
    if not good or not text.isprintable() or " " in text or "\\" in text:
        raise Refused("form_thank_you_bad", field="thank_you_urls", url=text)
    return text


def _alias(pair: tuple[str, str]) -> tuple[str, str]:
    name, target = pair[0].strip(), pair[1].strip()
    if not name or target not in FIELDS:
        raise Refused("form_alias_bad", field="aliases", name=name, target=target, fields=", ".join(FIELDS))
    return name, target


def _safe_scheme(scheme: str, host: str) -> bool:
    return scheme == "https" or (scheme == "http" and host in _LOCAL)


def _with(state: FormState, settings: FormSettings) -> FormState:
    texts, text = state.consent_texts, settings.consent_text
    if text and (not texts or texts[-1] != text):
        texts = (*texts, text)
    return structs.replace(state, consent_texts=texts, **structs.asdict(settings))
