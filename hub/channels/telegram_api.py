"""Calls to Telegram's Bot API: what an answer means for a message of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hub.channels.base import Failed, Fetched, NotThere, Result, Retry, Sent, Trouble, Unknown
from hub.channels.base_http import Cut, Http, Response, TooLarge, Unsent
from hub.domain.delivery import File, Later
from hub.domain.errors import sentences

LARGEST_FILE = 20_000_000
"""Bytes of a file that a bot may download."""
LARGEST_SENT = 50_000_000
"""Bytes of a file that a bot may send."""
LONGEST = 4096
"""UTF-16 units of one text message."""

sentences(
    out_telegram_blocked=("Клиент заблокировал бота: напишите ему другим способом.",
                          "The client has blocked the bot: write to them another way."),
    out_telegram_no_chat=("Этот человек не писал боту, а бот не может написать первым. Выберите другой способ.",
                          "This person has not written to the bot, and a bot cannot write first. Choose another way."),
    out_telegram_large=("Файл больше 50 МБ: Telegram его не отправит. Дайте ссылку.",
                        "The file is larger than 50 MB: Telegram does not send it. Give a link."),
)


class Api:
    """The methods that the hub uses, for one bot."""

    def __init__(self, base: str, token: str) -> None:
        self._http = Http(base)
        self._token = token

    def call(self, method: str, *, read: float | None = None, **parameters: Any) -> Any:
        """A method's result. Raises :class:`Trouble` for every answer but ``ok``; only for what may be repeated."""
        try:
            answer = self._http.call("POST", self._path(method), read=read, json=parameters)
        except (Unsent, Cut, TooLarge) as error:
            raise Trouble(f"Telegram: {method}: {error or type(error).__name__}") from error
        found = answer.json()
        if answer.status == 200 and isinstance(found, dict) and found.get("ok") is True:
            return found.get("result")
        raise trouble(method, answer)

    def send(self, method: str, fields: Mapping[str, Any]) -> tuple[Result, Any]:
        """Send something to a client, once: what is known of it, and Telegram's result.

        :raises Trouble: the bot itself is refused; nothing has left.
        """
        try:
            answer = self._http.call("POST", self._path(method), fields=dict(fields), read=60.0)
        except Unsent as error:
            return Retry(f"Telegram: {error}"), None
        except (Cut, TooLarge) as error:
            return Unknown(f"Telegram: {error or type(error).__name__}"), None
        found = answer.json()
        if answer.status == 200 and isinstance(found, dict) and found.get("ok") is True:
            return Sent(), found.get("result")
        return _not_taken(method, answer), None

    def download(self, item: Later) -> Fetched:
        """A file that a client sent."""
        if item.size > LARGEST_FILE:
            raise NotThere("too_large")
        try:
            found = self.call("getFile", file_id=item.ref)
        except Trouble as error:
            if isinstance(error.__cause__, (Unsent, Cut)) or error.seconds:
                raise
            raise NotThere("too_large" if "too big" in error.why else "gone") from error
        path = found.get("file_path") if isinstance(found, dict) else None
        if not path:
            raise NotThere
        try:
            answer = self._http.call("GET", f"/file/bot{self._token}/{quote(str(path))}", limit=LARGEST_FILE)
        except TooLarge:
            raise NotThere("too_large") from None
        except (Unsent, Cut) as error:
            raise Trouble(f"Telegram: {error}") from error
        if answer.status == 404:
            raise NotThere
        if answer.status != 200:
            raise trouble("file", answer)
        name = item.name or str(path).rpartition("/")[2]
        return Fetched(File(name, item.content_type or "application/octet-stream", answer.body))

    def _path(self, method: str) -> str:
        return f"/bot{self._token}/{method}"


def _description(answer: Response) -> tuple[str, float]:
    """What Telegram says of a refusal, and after how many seconds to come again (0 where it does not say)."""
    found = answer.json()
    if not isinstance(found, dict):
        return "", 0.0
    parameters = found.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else 0
    return str(found.get("description", ""))[:300], float(seconds) if isinstance(seconds, (int, float)) else 0.0


def trouble(method: str, answer: Response) -> Trouble:
    """A refusal of the bot rather than of one message."""
    why, seconds = _description(answer)
    if answer.status in (401, 404):
        why = "Telegram не знает такого бота: проверьте token"
    elif answer.status == 409:
        why = "у бота включён вебхук или его опрашивает другая программа: выполните hub channels connect"
    return Trouble(f"Telegram: {method}: {answer.status} {why}".strip(), seconds)


def _not_taken(method: str, answer: Response) -> Result:
    why, seconds = _description(answer)
    if answer.status == 429:
        return Retry(f"Telegram: {why}", seconds or 5.0, whole=True)
    if answer.status in (401, 404):
        raise trouble(method, answer)
    if answer.status == 403:
        return Failed("telegram_blocked", why)
    if answer.status == 413 or "too big" in why.lower():
        return Failed("telegram_large", why)
    if answer.status == 400 and "chat not found" in why.lower():
        return Failed("telegram_no_chat", why)
    if 400 <= answer.status < 500:
        return Failed("not_taken", why)
    # An error in Telegram's own words was refused by it; a gateway's page says nothing about what lies behind it.
    return Retry(f"Telegram: {answer.status} {why}") if why else Unknown(f"Telegram: {answer.status}")


def chunks(text: str) -> list[str]:
    """A text in pieces that Telegram takes, cut at a blank line, a line or a space where there is one."""
    pieces = []
    while _units(text) > LONGEST:
        end = len(text.encode("utf-16-le")[:LONGEST * 2].decode("utf-16-le", "ignore"))
        cut = next((at for mark in ("\n\n", "\n", " ") if (at := text.rfind(mark, end // 2, end)) > 0), end)
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text] if text else pieces


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def reply_to(message: int) -> str:
    """The parameter that makes a message an answer to another, and does no harm where that one is gone."""
    return json.dumps({"message_id": message, "allow_sending_without_reply": True})
