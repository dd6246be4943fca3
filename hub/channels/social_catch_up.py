"""What VK's own lists say was written: after an outage, and where its events were lost, nothing is missed."""

from __future__ import annotations

from typing import Any

from hub.channels.social_api import Api

PAGE = 200
OVERLAP = 120
"""Seconds of VK's time that are read again: what it stored late is not missed, and what is known adds nothing."""
FIRST_LOOK = 24 * 3600
"""Seconds before its newest message that a new account looks back, among what nobody has read yet."""


def newest(api: Api, group: int) -> int:
    """The time of the newest message of all conversations; 1 where there is none. Raises :class:`Trouble`."""
    return max([1, *map(_date, _items(api.ask("messages.getConversations", group_id=group, count=1, filter="all")))])


class CatchUp:
    """One look at everything that clients wrote since ``since`` (VK's time in seconds, above 0).

    ``new``: the account was just set up; what nobody has read is looked at from :data:`FIRST_LOOK` before.
    """

    def __init__(self, api: Api, group: int, since: int, *, new: bool = False) -> None:
        self._api, self._group, self._new = api, group, new
        self.newest = since
        """The time of the newest message there is, once :meth:`messages` has looked."""
        self._since = since
        self._found: dict[tuple[int, int], dict[str, Any]] = {}

    def messages(self) -> list[dict[str, Any]]:
        """The messages of clients, the oldest first. Raises :class:`Trouble`."""
        looks = [("all", self._since - OVERLAP)] + ([("unread", self._since - FIRST_LOOK)] if self._new else [])
        for which, after in looks:
            seen: dict[int, int] = {}
            # Who writes while the pages are read moves to the front, past the pages read so far: so it is looked again.
            while self._walk(which, after, seen):
                pass
        return sorted(self._found.values(), key=lambda message: (_int(message.get("date")), _int(message.get("id"))))

    def _walk(self, which: str, after: int, seen: dict[int, int]) -> bool:
        """Read the conversations from the newest on; whether to do it once more."""
        offset, moved = 0, False
        while True:
            page = _items(self._api.ask("messages.getConversations", group_id=self._group, count=PAGE, offset=offset,
                                        filter=which))
            for conversation in page:
                peer, last = _peer(conversation), _last(conversation)
                if _date(conversation) >= after and seen.get(peer) != last:
                    seen[peer] = last
                    self.newest = max(self.newest, _date(conversation))
                    self._read(peer, after)
                    moved = True
            if len(page) < PAGE or _date(page[-1]) < after:
                return moved and offset > 0
            offset += PAGE

    def _read(self, peer: int, after: int) -> None:
        """What clients wrote in one conversation."""
        offset = 0
        while True:
            page = _items(self._api.ask("messages.getHistory", group_id=self._group, peer_id=peer, count=PAGE, offset=offset))
            for message in page:
                if _int(message.get("date")) >= after and not message.get("out"):
                    self._found[peer, _int(message.get("conversation_message_id")) or _int(message.get("id"))] = message
            if len(page) < PAGE or _int(page[-1].get("date")) < after:
                return
            offset += PAGE


def _items(told: Any) -> list[dict[str, Any]]:
    found = told.get("items") if isinstance(told, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _last_message(conversation: dict[str, Any]) -> dict[str, Any]:
    found = conversation.get("last_message")
    return found if isinstance(found, dict) else {}


def _date(conversation: dict[str, Any]) -> int:
    return _int(_last_message(conversation).get("date"))


def _last(conversation: dict[str, Any]) -> int:
    last = _last_message(conversation)
    return _int(last.get("conversation_message_id")) or _int(last.get("id"))


def _peer(conversation: dict[str, Any]) -> int:
    inside = conversation.get("conversation")
    peer = inside.get("peer") if isinstance(inside, dict) else None
    return _int(peer.get("id")) if isinstance(peer, dict) else _int(_last_message(conversation).get("peer_id"))


def _int(value: Any) -> int:
    return value if isinstance(value, int) else 0
