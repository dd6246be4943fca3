"""Calls to Twilio's REST API: what an answer means for a message or a call of ours. Every request is tried once."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from hub.channels.base import Failed, Fetched, NotThere, Result, Retry, Sent, Trouble, Unknown, said
from hub.channels.base_http import Cut, Http, Response, TooLarge, Unsent
from hub.domain.delivery import File, Later
from hub.domain.errors import sentences

ROOT = "/2010-04-01/Accounts"
PAGE = 200
LARGEST_FILE = 20_000_000
"""Bytes of a recording or a picture that are taken."""
MOST_REDIRECTS = 3

sentences(
    out_twilio_number=("Номер не существует или на него нельзя отправить. Проверьте номер.",
                       "The number does not exist, or nothing can be sent there. Check it."),
    out_twilio_stopped=("Клиент отписался от SMS (ответил STOP): напишите ему другим способом.",
                        "The client has unsubscribed (answered STOP): write another way."),
    out_twilio_window=("WhatsApp разрешает писать свободно только 24 часа после сообщения клиента. Позвоните или напишите иначе.",
                       "WhatsApp lets us write freely only for 24 hours after the client's message. Call, or write another way."),
    out_twilio_files=("Через SMS и WhatsApp хаб файлы не отправляет: дайте ссылку или отправьте письмом.",
                      "The hub sends no files by SMS or WhatsApp: give a link, or send a letter."),
    out_twilio_long=("SMS и WhatsApp длиннее 1600 знаков не отправить: сократите текст.",
                     "An SMS or WhatsApp message has at most 1600 characters: shorten it."),
)

CODES = {21211: "twilio_number", 21214: "twilio_number", 21217: "twilio_number", 21614: "twilio_number", 21610: "twilio_stopped",
         63016: "twilio_window", 21617: "twilio_long"}
"""Error codes of Twilio's that people can do something about."""


class Api:
    """The resources that the hub uses, for one account. ``user`` and ``password``: an API key, else the account and its token."""

    def __init__(self, base: str, account: str, user: str, password: str) -> None:
        self._http = Http(base, read=15.0)
        self._root = f"{ROOT}/{account}"
        self._secret = password
        self._auth = {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}

    def create(self, resource: str, fields: list[tuple[str, str]]) -> tuple[Result, str]:
        """Create a message or a call, once: what is known of it, and its sid.

        :raises Trouble: the account itself is refused; nothing was done.
        """
        try:
            answer = self._post(f"{self._root}/{resource}.json", fields)
        except Unsent as error:
            return Retry(f"Twilio: {error}"), ""
        except (Cut, TooLarge) as error:
            return Unknown(f"Twilio: {error or type(error).__name__}"), ""
        found = answer.json()
        if answer.status in (200, 201) and isinstance(found, dict) and found.get("sid"):
            return Sent(), str(found["sid"])
        return self._not_taken(resource, answer), ""

    def _not_taken(self, resource: str, answer: Response) -> Result:
        code, why = _words(answer)
        if answer.status == 429:
            return Retry(f"Twilio: {why}", 5.0, whole=True)
        if answer.status in (401, 403, 404) and code not in CODES:
            raise self._trouble(resource, answer)
        if 400 <= answer.status < 500:
            return Failed(CODES.get(code, "not_taken"), why)
        # A gateway's page says nothing about what lies behind it.
        return Unknown(f"Twilio: {answer.status} {why}".strip())

    def update(self, path: str, fields: list[tuple[str, str]]) -> None:
        """Change a resource by its path under the account."""
        try:
            answer = self._post(f"{self._root}/{path}.json", fields)
        except (Unsent, Cut, TooLarge) as error:
            raise Trouble(f"Twilio: {path}: {said(error, self._secret)}") from error
        if answer.status not in (200, 201):
            raise self._trouble(path, answer)

    def remove(self, path: str) -> Result:
        """Delete a resource by its path under the account; what is not there any more is deleted. May be tried again.

        :raises Trouble: the account itself is refused.
        """
        try:
            answer = self._http.call("DELETE", f"{self._root}/{path}.json", headers=self._auth)
        except (Unsent, Cut, TooLarge) as error:
            return Retry(f"Twilio: {error or type(error).__name__}")
        if answer.status in (200, 204, 404, 410):
            return Sent()
        if answer.status in (401, 403):
            raise self._trouble(path.partition("/")[0], answer)
        # A call that goes on and a message on its way are deleted once they are over: it is tried again, for a day.
        return Retry(f"Twilio: {answer.status} {_words(answer)[1]}".strip(), 60.0)

    def _post(self, path: str, fields: list[tuple[str, str]]) -> Response:
        return self._http.call("POST", path, body=urlencode(fields).encode(),
                               headers={**self._auth, "Content-Type": "application/x-www-form-urlencoded"})

    def get(self, path: str) -> dict[str, Any]:
        """A resource by its path under the account."""
        found = self.find(path)
        if found is None:
            raise Trouble(f"Twilio: {path.strip('/') or 'account'}: 404")
        return found

    def find(self, path: str) -> dict[str, Any] | None:
        """As :meth:`get`; None where there is none."""
        return self._get(f"{self._root}{path}.json")

    def all(self, resource: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Every item of a list, all its pages."""
        path = f"{self._root}/{resource}.json?{urlencode({**query, 'PageSize': str(PAGE)})}"
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", resource).lower()
        while path:
            page = self._get(path)
            items = page.get(name) if page is not None else None
            if not isinstance(items, list):
                raise Trouble(f"Twilio: {resource}: ответ не разобрать")
            yield from (item for item in items if isinstance(item, dict))
            following = str((page or {}).get("next_page_uri") or "")
            path = following if following.startswith("/") else ""

    def _get(self, path: str) -> dict[str, Any] | None:
        what = path.partition("?")[0].removeprefix(self._root).strip("/")
        try:
            answer = self._http.call("GET", path, headers=self._auth)
        except (Unsent, Cut, TooLarge) as error:
            raise Trouble(f"Twilio: {what}: {said(error, self._secret)}") from error
        if answer.status == 404:
            return None
        found = answer.json()
        if answer.status != 200 or not isinstance(found, dict):
            raise self._trouble(what, answer)
        return found

    def _trouble(self, what: str, answer: Response) -> Trouble:
        _, why = _words(answer)
        if answer.status in (401, 403):
            why = "Twilio не принимает учётные данные: проверьте account_sid и tokens (или api_key и api_secret)"
        return Trouble(f"Twilio: {what}: {answer.status} {why}".strip(), 60.0 if answer.status == 429 else 0.0)

    # ── files ────────────────────────────────────────────────────────────────────

    def download(self, item: Later) -> Fetched:
        """A recording or a file of a message, with our authentication at Twilio and without it wherever Twilio sends us on."""
        answer = self._media(self._path_of(item.ref))
        if answer.status == 404:
            # A recording is ready a little after it is told of.
            raise Trouble(f"Twilio: {item.ref.partition('/')[0]}: 404, файл ещё не готов")
        if answer.status == 410:
            raise NotThere
        if answer.status != 200:
            raise self._trouble("media", answer)
        kind = item.content_type or answer.headers.get("content-type", "").partition(";")[0] or "application/octet-stream"
        return Fetched(File(item.name, kind, answer.body))

    def _path_of(self, ref: str) -> str:
        kind, _, rest = ref.partition("/")
        if kind == "recording":
            return f"{self._root}/Recordings/{quote(rest)}.mp3"
        if kind == "media":
            message, _, number = rest.partition("/")
            found = (self.find(f"/Messages/{quote(message)}/Media") or {}).get("media_list")
            if not isinstance(found, list) or int(number) >= len(found):
                raise NotThere
            return f"{self._root}/Messages/{quote(message)}/Media/{quote(str(found[int(number)].get('sid')))}"
        return ref

    def _media(self, path: str) -> Response:
        http, headers = self._http, dict(self._auth)
        try:
            for _ in range(MOST_REDIRECTS):
                answer = http.call("GET", path, headers=headers, limit=LARGEST_FILE)
                if answer.status not in (301, 302, 303, 307, 308):
                    return answer
                to = urlsplit(urljoin(http.base + path, answer.headers.get("location", "")))
                if to.scheme != urlsplit(self._http.base).scheme:
                    raise NotThere
                base = f"{to.scheme}://{to.netloc}"
                headers = dict(self._auth) if base == self._http.base else {}
                http, path = Http(base, read=30.0), (to.path or "/") + (f"?{to.query}" if to.query else "")
        except TooLarge:
            raise NotThere("too_large") from None
        except (Unsent, Cut) as error:
            raise Trouble(f"Twilio: media: {said(error, self._secret)}") from error
        raise NotThere


def _words(answer: Response) -> tuple[int, str]:
    """Twilio's error code and its words."""
    found = answer.json()
    if not isinstance(found, dict):
        return 0, ""
    code = found.get("code")
    why = str(found.get("message", ""))[:300]
    return (code, f"{why} ({code})") if isinstance(code, int) else (0, why)
