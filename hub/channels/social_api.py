"""Calls to VK by ``vk_api``: with time limits, without its own retries, and with what an error means for a message of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from jconfig.memory import MemoryConfig  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from vk_api import ApiError, ApiHttpError, VkApiGroup  # type: ignore[import-untyped]
from vk_api.bot_longpoll import VkBotLongPoll  # type: ignore[import-untyped]

from hub.channels.base import Failed, Fetched, NotThere, Result, Retry, Trouble, Unknown, said
from hub.channels.base_http import Cut, Http, TooLarge, Unsent
from hub.domain import contact
from hub.domain.delivery import File, Later
from hub.domain.errors import sentences

API = "https://api.vk.ru"
"""What vk_api calls, whatever it is told."""
VERSION = "5.199"
LONG_POLL = 25
"""Seconds that VK holds a poll open."""
CONNECT, READ = 5.0, 20.0
LARGEST_FILE = 50_000_000
"""Bytes of a client's file that are fetched."""
MOST_HOPS = 3
"""Redirects on the way to a file."""
HOSTS = ("vk.com", "vk.ru", "userapi.com", "vk.me", "vkuser.net", "vkuseraudio.net", "vkuseraudio.com", "mycdn.me")
"""Where files of messages lie. Nothing else is called for a client's sake."""

sentences(
    out_vk_not_allowed=("Клиент не разрешил сообществу писать ему: напишите другим способом.",
                        "The client has not allowed the community to write: write another way."),
    out_vk_denied=("ВКонтакте не разрешает сообществу это сообщение: проверьте, что сообщения сообщества включены, "
                   "а у ключа есть право на сообщения.",
                   "VK does not let the community send this: see that its messages are on and its key may use them."),
    out_vk_blocked=("Клиент в чёрном списке сообщества или сам его запретил: напишите другим способом.",
                    "The client is blocked by the community or has blocked it: write another way."),
    out_vk_privacy=("Настройки приватности клиента не пускают сообщения: напишите другим способом.",
                    "The client's privacy settings let no message in: write another way."),
    out_vk_gone=("Страница клиента удалена или закрыта: напишите другим способом.",
                 "The client's page is deleted or closed: write another way."),
    out_vk_long=("Сообщение слишком длинное для ВКонтакте: сократите его.", "The message is too long for VK: shorten it."),
    out_vk_file=("ВКонтакте не принимает такой файл: дайте ссылку.", "VK does not take such a file: give a link."),
)

FAILED = {7: "vk_denied", 18: "vk_gone", 900: "vk_blocked", 901: "vk_not_allowed", 902: "vk_privacy", 914: "vk_long",
          917: "vk_gone", 927: "vk_gone", 936: "vk_gone", 945: "vk_gone", 983: "vk_not_allowed"}
"""Errors of one message that will not pass."""
RESTS = {6: 1.0, 9: 60.0, 14: 300.0, 29: 3600.0}
"""Errors that pass by themselves, and after how many seconds: too fast, too much of the same, captcha, day's limit."""
ACCOUNT = {5: "VK не принимает ключ сообщества: проверьте token", 15: "у ключа сообщества нет этого права",
           17: "VK требует подтвердить вход", 27: "VK не принимает ключ сообщества: проверьте token",
           28: "VK не принимает ключ сообщества: проверьте token", 203: "у ключа сообщества нет прав управления",
           14: "VK просит ввести код с картинки: подождите или выпустите новый ключ",
           9: "VK считает, что одинаковых действий слишком много", 29: "дневной предел VK исчерпан"}
"""Errors of the account as a whole, in words."""
PASSING = (1, 5, 6, 9, 10, 14, 17, 27, 28, 29)
"""Errors that say nothing about the message or the file: VK's own faults, its limits, and a key that it does not take."""


class Refusal(Exception):
    """VK answered with an error of its own."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code} {why}")
        self.code = code
        self.why = why


class _Wire(HTTPAdapter):
    """Every request has a time limit and a connection of its own, and goes to ``base`` where that is not VK's place."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base.rstrip("/")

    def send(self, request: requests.PreparedRequest, *rest: Any, **more: Any) -> requests.Response:
        if request.url and self._base != API:
            request.url = request.url.replace(API, self._base, 1)
        # One that was kept and has just been closed over there would look like a cut.
        self.poolmanager.clear()
        more["timeout"] = more.get("timeout") or (CONNECT, READ)
        return super().send(request, *rest, **more)


def session(base: str) -> requests.Session:
    """A session that follows no redirects and keeps no connections. For one thread."""
    made = requests.Session()
    for place in ("https://", "http://"):
        made.mount(place, _Wire(base))
    made.max_redirects = 0
    made.trust_env = False
    made.headers["Connection"] = "close"
    return made


class Api:
    """VK's methods for one community. One for each thread that calls: vk_api holds a lock for the length of a call."""

    def __init__(self, base: str, token: str) -> None:
        self._base, self._token = base, token
        self.vk = VkApiGroup(token=token, config=MemoryConfig, api_version=VERSION, session=session(base))
        # Its own handlers repeat without end.
        self.vk.error_handlers = {}

    def call(self, method: str, **values: Any) -> Any:
        """A method's result.

        :raises Unsent: VK was not reached; :raises Cut: no whole answer came; :raises Refusal: an error of VK's own.
        """
        try:
            return self.vk.method(method, values)
        except ApiError as error:
            raise Refusal(int(error.code), str(error.error.get("error_msg", ""))[:300]) from None
        except ApiHttpError as error:
            raise Cut(str(error.response.status_code)) from None
        except requests.RequestException as error:
            raise (Unsent if unsent(error) else Cut)(type(error).__name__) from None
        except (ValueError, KeyError, TypeError) as error:
            raise Cut(type(error).__name__) from None

    def ask(self, method: str, **values: Any) -> Any:
        """As :meth:`call`, for what may be repeated; raises :class:`Trouble`."""
        try:
            return self.call(method, **values)
        except Refusal as refusal:
            raise trouble(method, refusal) from refusal
        except (Unsent, Cut) as error:
            raise Trouble(f"VK: {method}: {said(error, self._token)}") from error

    def send(self, values: Mapping[str, Any]) -> tuple[Result | None, Any]:
        """Send a message once: None and VK's number of it, or what went wrong.

        :raises Trouble: the account itself is refused; nothing has left.
        """
        try:
            return None, self.call("messages.send", **values)
        except Unsent as error:
            return Retry(f"VK: {said(error, self._token)}"), None
        except Cut as error:
            return Unknown(f"VK: {said(error, self._token)}"), None
        except Refusal as refusal:
            return not_taken("messages.send", refusal), None

    def upload(self, peer: int, file: File) -> str:
        """Put a file up for a message to ``peer``; what the message calls it.

        :raises Trouble: it may be tried again; :raises Refusal: VK does not take this one.
        """
        told = self.call("docs.getMessagesUploadServer", peer_id=peer, type="doc")
        parts = urlsplit(str(told["upload_url"]))
        content = (file.name or "file", file.data, file.content_type or "application/octet-stream")
        http = Http(f"{parts.scheme}://{parts.netloc}", read=60.0)
        put = http.call("POST", f"{parts.path}?{parts.query}", fields={"file": content}).json()
        if not isinstance(put, dict) or not put.get("file"):
            raise Refusal(0, str(put.get("error", ""))[:300] if isinstance(put, dict) else "")
        saved = self.call("docs.save", file=put["file"], title=file.name or "file")
        doc = saved["doc"] if isinstance(saved, dict) else saved[0]
        return f"doc{doc['owner_id']}_{doc['id']}"

    def person(self, id: str) -> Fetched:
        """Who wrote: the name as on the page, the city and its time zone. A page that is gone has none."""
        found = self.ask("users.get", user_ids=id, fields="city,country", lang=0)
        who = found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}
        if who.get("deactivated"):
            return Fetched()
        city = who.get("city")
        place = str(city.get("title", "")) if isinstance(city, dict) else ""
        return Fetched(name=" ".join(filter(None, (who.get("first_name", ""), who.get("last_name", "")))),
                       timezone=contact.timezone_of(region=place), place=place)

    def download(self, item: Later) -> Fetched:
        """A file of a message. Raises :class:`NotThere`, :class:`Trouble`."""
        if item.size > LARGEST_FILE:
            raise NotThere("too_large")
        url = item.ref
        for _ in range(MOST_HOPS + 1):
            parts = urlsplit(url)
            self._must_be_vks(parts.scheme, parts.hostname or "", parts.netloc)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            try:
                answer = Http(f"{parts.scheme}://{parts.netloc}").call("GET", path, limit=LARGEST_FILE)
            except TooLarge:
                raise NotThere("too_large") from None
            except (Unsent, Cut) as error:
                raise Trouble(f"VK: file: {error}") from error
            if answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers:
                url = answer.headers["location"]
            elif answer.status == 200:
                told = item.content_type or answer.headers.get("content-type", "").partition(";")[0]
                return Fetched(File(item.name, told or "application/octet-stream", answer.body))
            elif answer.status in (403, 404, 410):
                raise NotThere
            else:
                raise Trouble(f"VK: file: {answer.status}")
        raise NotThere

    def _must_be_vks(self, scheme: str, host: str, netloc: str) -> None:
        own = urlsplit(self._base)
        if self._base != API and (scheme, netloc) == (own.scheme, own.netloc):
            return
        if scheme != "https" or not any(host == known or host.endswith(f".{known}") for known in HOSTS):
            raise NotThere


class LongPoll(VkBotLongPoll):  # type: ignore[misc]
    """vk_api's long poll without its memory: the position is the caller's, and updates are handed out as they came."""

    def __init__(self, api: Api, base: str, group: int) -> None:
        """Asks VK for a key. Raises :class:`Trouble`."""
        super().__init__(api, group, LONG_POLL)
        self.session = session(base)

    def update_longpoll_server(self, update_ts: bool = True) -> None:
        """A new key, and with ``update_ts`` the present position. Raises :class:`Trouble`."""
        told = self.vk.ask("groups.getLongPollServer", group_id=self.group_id)
        self.key, self.server, self.url = told["key"], told["server"], told["server"]
        if update_ts:
            self.ts = str(told["ts"])

    def check(self) -> dict[str, Any]:
        """One answer to the position ``ts``, as it came. Raises :class:`Trouble`."""
        values = {"act": "a_check", "key": self.key, "ts": self.ts, "wait": self.wait}
        try:
            answer = self.session.get(self.url, params=values, timeout=(CONNECT, self.wait + 10))
            told = answer.json() if answer.ok else None
        except (requests.RequestException, ValueError) as error:
            raise Trouble(f"VK: long poll: {type(error).__name__}") from None
        if not isinstance(told, dict) or not ("failed" in told or ("ts" in told and isinstance(told.get("updates"), list))):
            raise Trouble(f"VK: long poll: {answer.status_code}, ответ не разобрать")
        return told


def unsent(error: requests.RequestException) -> bool:
    """Whether nothing can have reached VK."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, (requests.ConnectTimeout, requests.exceptions.SSLError)) or (
        type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError"))


def trouble(method: str, refusal: Refusal) -> Trouble:
    """A refusal of the account rather than of one message."""
    return Trouble(f"VK: {method}: {ACCOUNT.get(refusal.code, refusal.why)} ({refusal.code})", RESTS.get(refusal.code, 0.0))


def not_taken(method: str, refusal: Refusal) -> Result:
    """What VK's refusal of a message means. Raises :class:`Trouble` where it is the account that is refused."""
    if refusal.code in FAILED:
        return Failed(FAILED[refusal.code], refusal.why)
    if refusal.code in (6, 9, 29):
        return Retry(str(trouble(method, refusal)), RESTS[refusal.code], whole=True)
    if refusal.code in ACCOUNT:
        raise trouble(method, refusal)
    if refusal.code in (1, 10):
        return Retry(f"VK: {refusal.why}")
    return Failed("not_taken", f"{refusal.code} {refusal.why}")


def as_item(kind: str, group: int, message: Mapping[str, Any]) -> bytes:
    """A message from a list of VK's, as the event that it was."""
    held: Any = message if kind == "message_edit" else {"message": message}
    return json.dumps({"type": kind, "group_id": group, "object": held}, ensure_ascii=False).encode()
