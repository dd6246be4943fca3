"""Setting a VK community up: what ``hub channels check`` tries, and what ``hub channels connect`` tells VK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.channels.base import Check, Place, Trouble
from hub.channels.social_api import VERSION, Api

EVENTS = ("message_new", "message_edit", "message_reply", "lead_forms_new", "market_order_new")
"""The events that the hub asks for. Comments are switched on at VK by who wants them."""
TITLE = "Lead hub"


class Setup:
    """One community. ``settings`` is the account's :class:`hub.channels.social.VkSettings`."""

    def __init__(self, api: Api, place: Place, settings: Any) -> None:
        self._api, self._place, self._settings = api, place, settings

    def check(self) -> list[Check]:
        """Try what the hub uses; nothing is written."""
        found = [self._try("groups.getById", self._named), self._try("messages.getConversations", self._conversations)]
        if self._settings.secrets:
            found += [self._try("groups.getCallbackConfirmationCode", self._confirmation),
                      self._try("groups.getCallbackServers", self._server)]
        if self._settings.mode == "poll":
            found.append(self._try("groups.getLongPollSettings", self._long_poll))
        return found

    def connect(self) -> list[Check]:
        """Tell VK our address and the events that we want. Raises :class:`Trouble`."""
        done, group = [], self._settings.group
        events = dict.fromkeys(EVENTS, 1)
        if self._settings.secrets:
            server, told = self._ours(), {"group_id": group, "url": self._place.hook, "title": TITLE,
                                          "secret_key": self._settings.secrets[0]}
            if server is None:
                id = self._api.ask("groups.addCallbackServer", **told)["server_id"]
                done.append(Check("groups.addCallbackServer", True, self._place.hook))
            else:
                id = server["id"]
                self._api.ask("groups.editCallbackServer", server_id=id, **told)
                done.append(Check("groups.editCallbackServer", True, self._place.hook))
            self._api.ask("groups.setCallbackSettings", group_id=group, server_id=id, api_version=VERSION, **events)
            done.append(Check("groups.setCallbackSettings", True, ", ".join(EVENTS)))
        if self._settings.mode == "poll":
            self._api.ask("groups.setLongPollSettings", group_id=group, enabled=1, api_version=VERSION, **events)
            done.append(Check("groups.setLongPollSettings", True, ", ".join(EVENTS)))
        return done

    def _try(self, what: str, act: Callable[[], tuple[bool, str]]) -> Check:
        try:
            ok, said = act()
        except Trouble as trouble:
            return Check(what, False, trouble.why)
        return Check(what, ok, said)

    def _named(self) -> tuple[bool, str]:
        told = self._api.ask("groups.getById", group_id=self._settings.group)
        groups = told.get("groups", []) if isinstance(told, dict) else told
        return bool(groups), str(groups[0].get("name", "")) if groups else "no such community"

    def _conversations(self) -> tuple[bool, str]:
        told = self._api.ask("messages.getConversations", group_id=self._settings.group, count=1)
        return True, f"conversations: {told.get('count', 0)}"

    def _confirmation(self) -> tuple[bool, str]:
        told = self._api.ask("groups.getCallbackConfirmationCode", group_id=self._settings.group)
        right = told.get("code") == self._settings.confirmation
        return right, "as in the channels file" if right else f"VK wants confirmation = \"{told.get('code', '')}\""

    def _server(self) -> tuple[bool, str]:
        server = self._ours()
        if server is None:
            return False, f"{self._place.hook} is not among them: run hub channels connect"
        return server.get("status") == "ok", f"{self._place.hook}: {server.get('status')}"

    def _ours(self) -> dict[str, Any] | None:
        told = self._api.ask("groups.getCallbackServers", group_id=self._settings.group)
        return next((server for server in told.get("items", ()) if server.get("url") == self._place.hook), None)

    def _long_poll(self) -> tuple[bool, str]:
        told = self._api.ask("groups.getLongPollSettings", group_id=self._settings.group)
        events = told.get("events") or {}
        on = bool(told.get("is_enabled")) and bool(events.get("message_new"))
        return on, "on" if on else "off, or without message_new: run hub channels connect"
