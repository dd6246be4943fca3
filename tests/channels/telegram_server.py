"""Telegram as its documentation tells it, on this machine: keeps updates, files and a webhook, and misbehaves on demand."""

from __future__ import annotations

import json
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.request import Request, urlopen

TOKEN = "777001:AAtestTOKENtestTOKENtestTOKENtest"
BOT = "777001"


class Cut(Exception):
    """The connection ends without an answer."""


class TelegramServer:
    """One bot. Use it as a context manager; ``url`` is its address.

    ``sent`` are the messages that clients have. ``faults`` are taken one for each call of a sending method: ``cut_before``
    (nothing is done), ``cut_after`` (done, and no answer), or an answer (status, body).
    """

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.sent: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.faults: list[Any] = []
        self.blocked: set[int] = set()
        self.webhook: dict[str, Any] = {}
        self._update_id, self._message_id = 1000, 50
        self._lock = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._answer(lambda: outer._method(self.path, _parameters(self.headers.get("Content-Type", ""), body)))

            def do_GET(self) -> None:
                self._answer(lambda: outer._file(self.path))

            def _answer(self, act: Any) -> None:
                try:
                    status, body = act()
                except Cut:
                    self.close_connection = True
                    return
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

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

    def _method(self, path: str, given: dict[str, Any]) -> tuple[int, Any]:
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

    def _get_updates(self, given: dict[str, Any]) -> tuple[int, Any]:
        if self.webhook:
            return 409, _no(409, "Conflict: can't use getUpdates method while webhook is active")
        if self.faults:
            return self._fault()
        with self._lock:
            if "offset" in given:
                self.updates = [u for u in self.updates if u.get("update_id", 0) >= given["offset"]]
            return 200, _ok(list(self.updates[:100]))

    def _send(self, method: str, given: dict[str, Any]) -> tuple[int, Any]:
        if self.faults and self.faults[0] != "cut_after":
            return self._fault()
        chat = int(given["chat_id"])
        if chat in self.blocked:
            return 403, _no(403, "Forbidden: bot was blocked by the user")
        with self._lock:
            self._message_id += 1
            self.sent.append({"method": method, "message_id": self._message_id, "chat": chat, **given})
            number = self._message_id
        if self.faults:
            return self._fault()
        return 200, _ok({"message_id": number, "chat": {"id": chat, "type": "private"}})

    def _fault(self) -> tuple[int, Any]:
        fault = self.faults.pop(0)
        if isinstance(fault, str):
            raise Cut
        status, body = fault
        return status, body

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
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    given: dict[str, Any] = {}
    for part in form.get_payload():  # type: ignore[union-attr]
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        data = part.get_payload(decode=True)  # type: ignore[union-attr]
        file = part.get_filename()  # type: ignore[union-attr]
        given[name] = {"name": file, "data": data} if file else data.decode()
    return given
