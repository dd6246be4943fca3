"""Telegram as its documentation tells it, on this machine: keeps updates, files and a webhook, and misbehaves on demand."""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.request import Request, urlopen

from tests.channels.stand_in import StandIn, parts_of

TOKEN = "777001:AAtestTOKENtestTOKENtestTOKENtest"
BOT = "777001"


class TelegramServer(StandIn):
    """One bot. Use it as a context manager; ``url`` is its address.

    ``sent`` are the messages that clients have. ``faults`` are taken one for each call of a sending method: ``cut_before``
    (nothing is done), ``cut_after`` (done, and no answer), or an answer (status, body).
    """

    def __init__(self) -> None:
        super().__init__()
        self.updates: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.sent: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.blocked: set[int] = set()
        self.webhook: dict[str, Any] = {}
        self._update_id, self._message_id = 1000, 50
        self._lock = threading.Condition()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Any, ...]:
        if method == "GET":
            return self._file(path)
        return self._method(path, _parameters(headers.get("Content-Type", ""), body))

    # ── what clients do ──────────────────────────────────────────────────────────

    def writes(self, chat: int = 5, text: str = "", *, kind: str = "message", message_id: int = 0, **more: Any) -> dict[str, Any]:
        """Somebody writes; the update is kept until it is confirmed."""
        with self._lock:
            self._update_id += 1
            self._message_id += 1
            message = {"message_id": message_id or self._message_id, "date": 1_790_000_000 + self._update_id,
                       "from": {"id": chat, "is_bot": False, "first_name": "Иван", "last_name": "Петренко",
                                "username": f"client_{chat}", "language_code": "ru"},
                       "chat": {"id": chat, "type": "private", "first_name": "Иван"}, **({"text": text} if text else {}), **more}
            update = {"update_id": self._update_id, kind: message}
            self.updates.append(update)
            self._lock.notify_all()
        return update

    def deliver(self, update: dict[str, Any], secret: str | None = None) -> tuple[int, bytes]:
        """Call the webhook, as Telegram does; the answer."""
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret or self.webhook["secret_token"]}
        request = Request(self.webhook["url"], json.dumps(update).encode(), headers)
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()

    # ── what the bot asks ────────────────────────────────────────────────────────

    def _method(self, path: str, given: dict[str, Any]) -> tuple[Any, ...]:
        token, _, method = path.removeprefix("/bot").partition("/")
        if token != TOKEN:
            return 401, _no(401, "Unauthorized")
        self.calls.append(method)
        match method:
            case "getMe":
                return 200, _ok({"id": int(BOT), "is_bot": True, "username": "studio_bot"})
            case "setWebhook":
                self.webhook = given
                return 200, _ok(True)
            case "deleteWebhook":
                self.webhook = {}
                return 200, _ok(True)
            case "getWebhookInfo":
                return 200, _ok({"url": self.webhook.get("url", ""), "pending_update_count": len(self.updates)})
            case "getUpdates":
                return self._get_updates(given)
            case "getFile":
                if given["file_id"] not in self.files:
                    return 400, _no(400, "Bad Request: invalid file_id")
                return 200, _ok({"file_id": given["file_id"], "file_path": f"docs/{given['file_id']}.bin"})
            case "sendMessage" | "sendDocument":
                return self._send(method, given)
        return 404, _no(404, "Not Found")

    def _get_updates(self, given: dict[str, Any]) -> tuple[Any, ...]:
        if self.webhook:
            return 409, _no(409, "Conflict: can't use getUpdates method while webhook is active")
        if self.faults:
            return self.fault()
        with self._lock:
            if "offset" in given:
                self.updates = [u for u in self.updates if u.get("update_id", 0) >= given["offset"]]
            return 200, _ok(list(self.updates[:100]))

    def _send(self, method: str, given: dict[str, Any]) -> tuple[Any, ...]:
        if self.faults and self.faults[0] != "cut_after":
            return self.fault()
        chat = int(given["chat_id"])
        if chat in self.blocked:
            return 403, _no(403, "Forbidden: bot was blocked by the user")
        with self._lock:
            self._message_id += 1
            self.sent.append({"method": method, "message_id": self._message_id, "chat": chat, **given})
            number = self._message_id
        if self.faults:
            return self.fault()
        return 200, _ok({"message_id": number, "chat": {"id": chat, "type": "private"}})

    def _file(self, path: str) -> tuple[int, Any]:
        found = self.files.get(path.rpartition("/")[2].removesuffix(".bin"))
        return (404, b"") if found is None or f"/file/bot{TOKEN}/" not in path else (200, found)


def too_many(seconds: int) -> tuple[int, Any]:
    """429 as Telegram says it."""
    return 429, {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {seconds}",
                 "parameters": {"retry_after": seconds}}


def _ok(result: Any) -> dict[str, Any]:
    return {"ok": True, "result": result}


def _no(status: int, why: str) -> dict[str, Any]:
    return {"ok": False, "error_code": status, "description": why}


def _parameters(kind: str, body: bytes) -> dict[str, Any]:
    if kind.startswith("application/json"):
        found: dict[str, Any] = json.loads(body)
        return found
    return parts_of(kind, body)
