"""The one contract of all channels: what a channel is given and what it gives back. No channel knows the store, flask or a lead.

In: everything is a :class:`Request`, whether a webhook brought it or a poll fetched it. :meth:`Channel.verify` says
whether it is genuine, :meth:`Channel.read` what it holds; neither calls anybody. What cannot be read is kept whole by
the core. Out: :meth:`Channel.send` tries one part of a message once and says what is known of it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event as Flag
from typing import Any, ClassVar, Protocol
from urllib.parse import quote
from uuid import UUID

from msgspec import Struct

from hub.channels.base_out import Failed, Fetched, NotThere, Outgoing, Result, Retry, Sent, Trouble, Unknown
from hub.domain.delivery import Address, Delivery, Later
from hub.domain.errors import sentences
from hub.domain.fact import Fact
from hub.domain.phone import PhonePlan

sentences(
    hook_forged=("Запрос не подписан или подпись не та: проверьте секрет канала {account}.",
                 "The request is not signed, or its signature is wrong: check the secret of channel {account}."),
    hook_method=("Сюда присылают только {methods}.", "Only {methods} is taken here."),
    suspect_automatic=("автоматический ответ, и ни к одной открытой карточке он не относится",
                       "an automatic answer that belongs to no open card"),
    unread_unreadable=("не удалось разобрать", "it could not be read"),
    unread_fault=("разобрали, но не смогли сохранить: это наша ошибка", "it was read and could not be stored: a fault of ours"),
    out_no_account=("Этот канал больше не настроен: выберите другой.", "This channel is not set up any more: choose another."),
    out_not_taken=("Канал не принял сообщение.", "The channel did not take the message."),
    out_call_too_late=("Звонок не начали: прошло больше двух минут, и вы могли отойти. Позвоните ещё раз.",
                       "The call was not begun: more than two minutes had passed, and you might have left. Call again."),
    out_tried_long=("Не удалось отправить за много попыток.", "It could not be sent in many tries."),
    out_provider=("Оператор связи сообщил, что не доставил.", "The provider says that it was not delivered."),
    out_file_gone=("Файл к сообщению не найден: приложите его заново.", "A file of the message is gone: attach it again."),
    out_cut=("Связь оборвалась, когда сообщение уже уходило: неизвестно, получил ли его клиент.",
             "The connection broke while the message was leaving: nobody knows whether the client has it."),
    out_crashed=("Хаб остановился, когда сообщение уже уходило: неизвестно, получил ли его клиент.",
                 "The hub stopped while the message was leaving: nobody knows whether the client has it."),
    out_not_there=("Человек отметил, что сообщение не дошло.", "A person says that it did not arrive."),
    fetch_gone=("файл больше не доступен в канале", "the channel does not have the file any more"),
    fetch_too_large=("файл слишком большой, откройте его в самом канале", "the file is too large: open it in the channel itself"),
    fetch_tried_long=("файл не удалось получить за много попыток", "the file could not be fetched in many tries"),
)


# ── in ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Request:
    """One inbound request, plain. Header names are lower case; ``query`` is the raw query string.

    ``base`` is the hub's public address and ``tail`` what follows the account in the path (``status``, ``dial/1``).
    What a poll fetched has the method :data:`FETCHED`, the item as its body and in ``tail`` where it lay.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    remote_addr: str
    at: datetime
    query: str = ""
    base: str = ""
    tail: str = ""

    @property
    def url(self) -> str:
        """The address as the provider called it: built from our own public one, never from headers of the request."""
        return self.base + quote(self.path, safe="/:@!$&'()*+,;=-._~%") + (f"?{self.query}" if self.query else "")


REMOVAL = "removal"
"""The way of a message that asks a provider to delete something, what :meth:`Channel.removable` gave as its ``to``."""
FETCHED = "FETCHED"
KEPT_HEADERS = ("content-type", "user-agent")
"""Headers that a dead letter keeps: what reading may need, and never a secret."""


def fetched(body: bytes, at: datetime, tail: str = "") -> Request:
    """What a poll found, as a request."""
    return Request(FETCHED, "", {}, body, "", at, tail=tail)


def as_text(request: Request) -> str:
    """A request as a dead letter keeps it: readable where it is text."""
    headers = {name: value for name, value in request.headers.items() if name in KEPT_HEADERS}
    kept: dict[str, Any] = {"method": request.method, "path": request.path, "tail": request.tail, "query": request.query,
                            "headers": headers, "at": request.at.isoformat()}
    try:
        kept["body"] = request.body.decode()
    except UnicodeDecodeError:
        kept["base64"] = base64.b64encode(request.body).decode()
    return json.dumps(kept, ensure_ascii=False, sort_keys=False)


def from_text(text: str) -> Request:
    """The request that :func:`as_text` kept."""
    kept = json.loads(text)
    body = base64.b64decode(kept["base64"]) if "base64" in kept else kept["body"].encode()
    return Request(kept["method"], kept["path"], kept["headers"], body, "", datetime.fromisoformat(kept["at"]),
                   kept["query"], tail=kept["tail"])


@dataclass(frozen=True)
class Answer:
    """What a provider is answered with."""

    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200


@dataclass(frozen=True)
class Accepted:
    """The request is genuine. ``deliveries`` and ``facts`` may be empty (a connection test, something of no interest).

    ``response`` is what a webhook is answered once everything is stored; ``answer`` is the website's own.
    """

    deliveries: tuple[Delivery, ...] = ()
    answer: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    response: Answer = Answer()


class Rejected(Exception):
    """The request is refused with an HTTP ``status``; nothing is stored. ``code`` names a sentence (errors.py)."""

    def __init__(self, status: int, code: str, **params: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.params = params


class Unreadable(Exception):
    """The request is genuine and makes no sense. ``code`` is a sentence ``unread_<code>``; any other error is ``unreadable``."""

    def __init__(self, code: str = "unreadable") -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Stored:
    """What became of a request: ``leads`` its cards in the order of its deliveries (None for one in the quarantine), and
    ``first_at``, when it first came: a repeat has the time of the first, so that it is answered the same."""

    leads: tuple[UUID | None, ...]
    first_at: datetime
    repeated: bool


@dataclass(frozen=True)
class Batch:
    """What a poll found. ``position`` is where to go on from, saved once all ``items`` are stored, and only then ``done`` is
    called (mark or move letters). ``more``: poll again at once."""

    items: tuple[Request, ...] = ()
    position: str = ""
    done: Callable[[], None] = lambda: None
    more: bool = False


@dataclass(frozen=True)
class Check:
    """One thing that ``hub channels check`` tried: what, whether it went well, what came back. No secrets in it."""

    what: str
    ok: bool
    said: str = ""


# ── a channel ────────────────────────────────────────────────────────────────────


class House(Protocol):
    """What a channel may ask about us, for an answer that depends on it (who rings, whether we are open)."""

    def is_open(self, at: datetime) -> bool:
        """Whether we work at ``at``, by the calendar of the process."""

    def at_work(self, at: datetime) -> tuple[str, ...]:
        """Who of ours is there at ``at``, by login, whose turn it is first."""

    def phone_plan(self, account: str) -> PhonePlan:
        """How a telephone line of ours is answered."""

    def talks(self, call: str) -> bool:
        """Whether one of ours has answered the call of this name."""

    def client_of(self, id: UUID) -> str:
        """The client's number of the call from a card with this fixed id; empty where there is none."""


@dataclass(frozen=True)
class Place:
    """What every account is made with: its id (``telegram/main``), the name that people see, and our public address."""

    account: str
    title: str
    public_url: str = ""

    @property
    def hook(self) -> str:
        """The address that the provider calls, without a slash at its end."""
        return f"{self.public_url}/hooks/{self.account}"


class Channel:
    """One account of one kind of channel. Subclasses set the class variables and override what they can do.

    An instance is used by one polling thread, one sending thread and all threads of the web at once.
    """

    kind: ClassVar[str]
    """As in the channels file and in ``/hooks/<kind>/<name>``."""
    title: ClassVar[str]
    """What people call this kind of channel."""
    Settings: ClassVar[type[Struct]]
    """The account's settings in the channels file; unknown names there are refused."""
    ways: ClassVar[tuple[str, ...]] = ()
    """The ways of writing that it sends by, as commands name them: ``telegram``, ``email``, ``sms``."""
    calls: ClassVar[bool] = False
    """Whether it places calls from the card: messages of the way ``call``, to one of ours with the client's number as text."""
    repeatable: ClassVar[bool] = False
    """Whether the provider itself recognises a repeat by the fixed id: then what is unknown is simply sent again."""
    accepts: ClassVar[tuple[str, ...]] = ("POST",)
    """HTTP methods of its webhook."""
    largest: ClassVar[int] = 1_000_000
    """Bytes of a webhook's body that are read."""

    def __init__(self, place: Place, settings: Any) -> None:
        self.place = place
        self.settings = settings

    @property
    def account(self) -> str:
        """The account's id, ``Delivery.source`` of everything that it brings."""
        return self.place.account

    # in

    @property
    def hooked(self) -> bool:
        """Whether the provider calls us."""
        return True

    @property
    def polled(self) -> bool:
        """Whether we ask the provider."""
        return False

    def verify(self, request: Request) -> None:
        """Raise :class:`Rejected` (4xx) unless the request is genuine. Called for webhooks only; never for what we fetched."""
        raise NotImplementedError

    def read(self, request: Request) -> Accepted:
        """What a genuine request holds. Pure; whatever it raises makes the request a dead letter, whole and visible."""
        raise NotImplementedError

    def accept(self, request: Request) -> Accepted:
        """Verify and read."""
        self.verify(request)
        return self.read(request)

    def acknowledge(self, request: Request) -> Answer:
        """The answer to a request that was kept as a dead letter: the provider must not repeat it."""
        return Answer()

    def keeps(self, request: Request) -> Request:
        """What a dead letter keeps of a request: all of it but secrets of ours that it carried."""
        return request

    def respond(self, accepted: Accepted, stored: Stored, house: House) -> Answer:
        """The answer to a request, once it is stored. The same for a repeat: decide by ``stored.first_at``."""
        return accepted.response

    def poll(self, position: str) -> Batch:
        """What is new since ``position`` ("" at first). May wait for up to a minute; raises :class:`Trouble` when it cannot."""
        raise NotImplementedError

    def rest(self, stop: Flag, seconds: float) -> None:
        """Wait between two polls; a channel with a wake-up hint (IDLE) returns earlier."""
        stop.wait(seconds)

    pause: ClassVar[float] = 1.0
    """Seconds between two polls that found nothing."""

    def fetch(self, item: Later) -> Fetched:
        """Fetch what a delivery left behind. Raises :class:`NotThere` for ever, :class:`Trouble` for now."""
        raise NotThere

    # out

    def reaches(self, way: str, address: Address) -> bool:
        """Whether a message by ``way`` can go to this address."""
        return way in self.ways and address.kind == way

    def parts(self, message: Outgoing) -> int:
        """In how many requests the message leaves; each is claimed by itself, so that a crash repeats none."""
        return 1

    def send(self, message: Outgoing, part: int) -> Result:
        """Try one part (0, 1, …) once. Raises :class:`Trouble` only where nothing can have left."""
        raise NotImplementedError

    def removable(self, name: str) -> str:
        """What the provider is asked to delete where a person is erased, by the name of a message, a call or a recording
        (``recording/<id>``): the address of a message of the way :data:`REMOVAL`. Empty where it deletes nothing for us."""
        return ""

    def call_me(self, number: str, plan: PhonePlan) -> None:
        """Call one of ours and say what callers of a line hear. Raises :class:`Trouble`. For channels with ``calls`` only."""
        raise NotImplementedError

    def was_sent(self, message: Outgoing, part: int) -> Result | None:
        """After a crash between claim and mark: ask the provider. None where it cannot be asked."""
        return None

    # both

    def check(self) -> list[Check]:
        """Try the account: what was tried and what came back. Sends nothing to a client."""
        return []

    def connect(self) -> list[Check]:
        """Tell the provider our address, where it is told by a program rather than on its pages."""
        return []

    def close(self) -> None:
        """Let connections go."""


_SECRETS = re.compile(r"(bot)?\d{5,}:[A-Za-z0-9_-]{20,}|(?<=[?&])(access_token|key|token)=[^&\s]+", re.I)


def said(error: BaseException, *secrets: str) -> str:
    """An error in one line, without these secrets and what looks like one."""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return _SECRETS.sub("***", text)


__all__ = ["FETCHED", "REMOVAL", "Accepted", "Answer", "Batch", "Channel", "Check", "Failed", "Fetched", "House", "NotThere",
           "Outgoing", "Place", "Rejected", "Request", "Result", "Retry", "Sent", "Stored", "Trouble", "Unknown", "Unreadable",
           "as_text", "fetched", "from_text", "said"]
