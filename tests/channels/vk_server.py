"""VK as its published schema tells it, on this machine: keeps conversations, events and people, and misbehaves on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request, urlopen

from tests.channels.stand_in import Cut, StandIn, parts_of

TOKEN = "vk1.a.testTOKENtestTOKENtestTOKEN"
GROUP = 123456
CODE = "c0de1234"


class VkServer(StandIn):
    """One community. Use it as a context manager; ``url`` is its address.

    ``messages`` are all messages of all conversations, ``events`` what the long poll has to tell, ``sent`` what clients have
    of ours. ``faults`` are taken one for each call of a method (``polls`` one for each long poll): ``cut_before``
    (nothing is done), ``cut_after`` (done, and no answer), a number (an error of VK's), or an answer (status, body).
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.people: dict[int, dict[str, Any]] = {}
        self.files: dict[str, Any] = {}
        self.sent: list[dict[str, Any]] = []
        self.uploaded: list[bytes] = []
        self.calls: list[str] = []
        self.polls: list[Any] = []
        self.refuses: dict[int, int] = {}
        self.servers: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}
        self.on_call: Callable[[str], None] = lambda method: None
        self.oldest = 0
        self._key, self._id, self._clock = 1, 500, 1_790_000_000
        self._lock = threading.RLock()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Any, ...]:
        parts = urlsplit(path)
        if path.startswith("/upload"):
            return self._upload(headers.get("Content-Type", ""), body)
        if method == "POST":
            return self._method(parts.path.removeprefix("/method/"), dict(parse_qsl(body.decode(), keep_blank_values=True)))
        return self._poll(dict(parse_qsl(parts.query))) if parts.path == "/lp" else self._file(parts.path)

    # ── what clients do ──────────────────────────────────────────────────────────

    def writes(self, peer: int = 5, text: str = "", *, told: bool = True, seconds: int = 1, **more: Any) -> dict[str, Any]:
        """Somebody writes; ``told`` False: VK loses the event, and only its lists have the message."""
        with self._lock:
            message = {**self._message(peer, text, seconds), "from_id": peer, "out": 0, **more}
            self.messages.append(message)
            return self.happens("message_new", {"message": message, "client_info": {"keyboard": True, "lang_id": 0}}, told=told)

    def edits(self, event: dict[str, Any], text: str, *, told: bool = True) -> dict[str, Any]:
        """Somebody changes what they wrote."""
        with self._lock:
            message = event["object"]["message"]
            self._clock += 1
            changed = {**message, "text": text, "update_time": self._clock}
            self.messages[self.messages.index(message)] = changed
            return self.happens("message_edit", changed, told=told)

    def happens(self, kind: str, object: Any, *, told: bool = True) -> dict[str, Any]:
        """Any event."""
        with self._lock:
            self._id += 1
            event = {"group_id": GROUP, "type": kind, "event_id": f"{self._id:040x}", "v": "5.199", "object": object}
            if told:
                self.events.append(event)
            return event

    def forgets(self) -> None:
        """The history of events is lost (failed 1)."""
        self.oldest = len(self.events)

    def new_key(self) -> None:
        """The key expires (failed 2)."""
        self._key += 1

    def _message(self, peer: int, text: str, seconds: int) -> dict[str, Any]:
        self._id += 1
        self._clock += seconds
        number = 1 + sum(m["peer_id"] == peer for m in self.messages)
        return {"date": self._clock, "id": self._id, "version": 10_000_000 + self._id, "fwd_messages": [], "important": False,
                "is_hidden": False, "attachments": [], "conversation_message_id": number, "text": text, "peer_id": peer,
                "random_id": 0}

    # ── what the hub asks ────────────────────────────────────────────────────────

    def _method(self, method: str, given: dict[str, str]) -> tuple[int, Any]:
        self.calls.append(method)
        self.on_call(method)
        if given.get("access_token") != TOKEN:
            return 200, _no(5, "User authorization failed: invalid access_token (4).")
        with self._lock:
            fault = self.faults.pop(0) if self.faults else None
            if fault == "cut_before":
                raise Cut
            if isinstance(fault, int):
                return 200, _no(fault, "an error")
            if isinstance(fault, tuple):
                return fault
            act = getattr(self, "_" + method.replace(".", "_"), None)
            result = (200, _no(3, "Unknown method passed")) if act is None else act(given)
            if fault == "cut_after":
                raise Cut
            return result  # type: ignore[no-any-return]

    def _messages_send(self, given: dict[str, str]) -> tuple[int, Any]:
        peer, number = int(given["peer_id"]), int(given["random_id"])
        for known in self.sent:
            if number and known["random_id"] == number and known["peer_id"] == peer:
                return _ok(known["id"])
        if peer in self.refuses:
            return 200, _no(self.refuses[peer], "Can't send messages")
        message = {**self._message(peer, given.get("message", ""), 1), "from_id": -GROUP, "out": 1, "random_id": number,
                   "payload": given.get("payload", ""), "attachment": given.get("attachment", "")}
        self.messages.append(message)
        self.sent.append(message)
        self.happens("message_reply", message)
        return _ok(message["id"])

    def _messages_getConversations(self, given: dict[str, str]) -> tuple[int, Any]:
        last = {message["peer_id"]: message for message in self.messages}
        found = sorted(last.values(), key=lambda m: m["id"], reverse=True)
        if given["filter" if "filter" in given else "count"] == "unread":
            found = [m for m in found if not m["out"]]
        offset, count = int(given.get("offset", 0)), int(given["count"])
        items = [{"conversation": {"peer": {"id": m["peer_id"], "type": "user"}}, "last_message": m} for m in found]
        return _ok({"count": len(items), "items": items[offset:offset + count]})

    def _messages_getHistory(self, given: dict[str, str]) -> tuple[int, Any]:
        found = [m for m in self.messages if m["peer_id"] == int(given["peer_id"])][::-1]
        offset, count = int(given.get("offset", 0)), int(given["count"])
        return _ok({"count": len(found), "items": found[offset:offset + count]})

    def _groups_getLongPollServer(self, given: dict[str, str]) -> tuple[int, Any]:
        return _ok({"key": str(self._key), "server": f"{self.url}/lp", "ts": str(len(self.events))})

    def _groups_getById(self, given: dict[str, str]) -> tuple[int, Any]:
        return _ok({"groups": [{"id": GROUP, "name": "Студия Т"}], "profiles": []})

    def _groups_getCallbackConfirmationCode(self, given: dict[str, str]) -> tuple[int, Any]:
        return _ok({"code": CODE})

    def _groups_getCallbackServers(self, given: dict[str, str]) -> tuple[int, Any]:
        return _ok({"count": len(self.servers), "items": self.servers})

    def _groups_addCallbackServer(self, given: dict[str, str]) -> tuple[int, Any]:
        self.servers.append({"id": len(self.servers) + 1, "title": given["title"], "creator_id": 1, "url": given["url"],
                             "secret_key": given["secret_key"], "status": "ok"})
        return _ok({"server_id": len(self.servers)})

    def _groups_editCallbackServer(self, given: dict[str, str]) -> tuple[int, Any]:
        self.servers[int(given["server_id"]) - 1].update(url=given["url"], secret_key=given["secret_key"])
        return _ok(1)

    def _groups_setCallbackSettings(self, given: dict[str, str]) -> tuple[int, Any]:
        self.settings["callback"] = given
        return _ok(1)

    def _groups_setLongPollSettings(self, given: dict[str, str]) -> tuple[int, Any]:
        self.settings["long_poll"] = given
        return _ok(1)

    def _groups_getLongPollSettings(self, given: dict[str, str]) -> tuple[int, Any]:
        told = self.settings.get("long_poll", {})
        return _ok({"is_enabled": bool(told), "events": {"message_new": int(told.get("message_new", 0))}})

    def _users_get(self, given: dict[str, str]) -> tuple[int, Any]:
        return _ok([self.people[int(id)] for id in given["user_ids"].split(",") if int(id) in self.people])

    def _docs_getMessagesUploadServer(self, given: dict[str, str]) -> tuple[int, Any]:
        return _ok({"upload_url": f"{self.url}/upload?act=doc"})

    def _docs_save(self, given: dict[str, str]) -> tuple[int, Any]:
        return _ok({"type": "doc", "doc": {"id": len(self.uploaded), "owner_id": -GROUP, "title": given["title"]}})

    def _upload(self, kind: str, body: bytes) -> tuple[int, Any]:
        data = next(iter(parts_of(kind, body).values()))["data"]
        if data.startswith(b"MZ"):
            return 200, {"error": "no_valid_file"}
        self.uploaded.append(data)
        return 200, {"file": f"file|{len(self.uploaded)}"}

    def _poll(self, given: dict[str, str]) -> tuple[int, Any]:
        with self._lock:
            fault = self.polls.pop(0) if self.polls else None
            if isinstance(fault, str):
                raise Cut
            if isinstance(fault, dict):
                return 200, fault
            if isinstance(fault, tuple):
                return fault
            if given["key"] != str(self._key):
                return 200, {"failed": 2}
            ts = int(given["ts"])
            if ts < self.oldest:
                return 200, {"failed": 1, "ts": len(self.events)}
            return 200, {"ts": str(len(self.events)), "updates": self.events[ts:]}

    def _file(self, path: str) -> tuple[Any, ...]:
        found = self.files.get(path.removeprefix("/files/"))
        if isinstance(found, str):
            return 302, b"", {"Location": found}
        return (404, b"") if found is None else (200, found)


def deliver(url: str, event: dict[str, Any], secret: str, retry: int = 0) -> tuple[int, bytes]:
    """Call the Callback API's address, as VK does; the answer."""
    headers = {"Content-Type": "application/json", **({"X-Retry-Counter": str(retry)} if retry else {})}
    with urlopen(Request(url, json.dumps({**event, "secret": secret}).encode(), headers), timeout=10) as answer:
        return answer.status, answer.read()


def _ok(result: Any) -> tuple[int, Any]:
    return 200, {"response": result}


def _no(code: int, why: str) -> dict[str, Any]:
    return {"error": {"error_code": code, "error_msg": why, "request_params": []}}
