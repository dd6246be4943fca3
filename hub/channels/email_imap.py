"""Reading mailboxes by IMAP. imapclient is used here and nowhere else; a :class:`Mailbox` belongs to one thread.

Where a folder was read to is (UIDVALIDITY, UID), kept by the core after the letters are stored; only then are letters marked
or moved. What IDLE says is a hint to look: what is new is always asked for.
"""

from __future__ import annotations

import imaplib
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Event as Flag
from time import monotonic
from typing import Any

import msgspec
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError
from msgspec import Struct
from msgspec.structs import replace

from hub.channels.base import FETCHED, Batch, Check, Request, Trouble, said
from hub.channels.email_settings import EmailSettings

log = logging.getLogger(__name__)
logging.getLogger("imapclient").setLevel(logging.WARNING)  # below that it logs letters and passwords

BATCH, BATCH_BYTES = 50, 8_000_000
"""Letters, and bytes of them, that are fetched and stored at a time."""
BEGINNING = 300_000
"""Bytes that are read of a letter above the limit: its text comes before its attachments."""
WINDOW = 20_000
"""UIDs that are asked for at a time: a server's answer has one line, and imaplib takes a million bytes of it."""
CONNECT, READ = 10.0, 60.0
"""Seconds: without a limit a peer that vanished is never noticed."""
SLICE = 1.0
"""Seconds between two looks at the stop flag while IDLE waits."""
GIVE_UP, REFUSED = 21, 7
"""A letter that cannot be fetched is given up after 21 broken connections, or 3 refusals, which weigh more."""
KEYWORD = b"$HubDone"


class Place(Struct, frozen=True):
    """How far a folder is read: everything up to ``uid`` is stored. ``mark``: the last letters, marked after that."""

    validity: int = 0
    uid: int = 0
    mark: tuple[int, ...] = ()


POSITIONS = msgspec.json.Decoder(dict[str, Place])


class Broken(Trouble):
    """The connection is gone; another may work."""


class Mailbox:
    """A connection to one account, made when it is needed and dropped when anything is wrong with it."""

    def __init__(self, account: str, settings: EmailSettings) -> None:
        self.account = account
        self.settings = settings
        self._client: IMAPClient | None = None
        self._selected: tuple[str, dict[bytes, Any]] = ("", {})
        self._at_once = BATCH
        self._blamed: dict[tuple[str, int, int], int] = {}
        self._marked: dict[str, tuple[int, ...]] = {}
        self._turn = 0
        self._idle_failed = 0
        self._looked: tuple[Any, Any] = (None, None)

    # ── what is new ──────────────────────────────────────────────────────────────

    def batch(self, position: str) -> Batch:
        """Letters since ``position``. An old connection that turns out to be dead is replaced without a word."""
        fresh, now = self._client is None, datetime.now(UTC)
        try:
            return self._batch(position, now)
        except Broken:
            if fresh:
                raise
        return self._batch(position, now)

    def _batch(self, position: str, now: datetime) -> Batch:
        try:
            places = POSITIONS.decode(position or "{}")
        except msgspec.DecodeError:  # nothing is lost by reading everything again: letters are known by what they are
            log.warning("%s: the position is no longer understood, all folders are read again", self.account)
            places = {}
        folders, trouble = self.settings.folders, None
        for step in range(len(folders)):
            folder = folders[(self._turn + step) % len(folders)]
            try:
                found = self._of(folder, places, now)
            except Broken:
                raise
            except Trouble as error:  # another folder may still have something
                trouble = trouble or error
                continue
            if found is not None:
                self._turn += step + 1  # the next folder has its turn, however much is left in this one
                return found
        if trouble is not None:
            raise trouble
        return Batch(position=_text(places))

    def _of(self, folder: str, places: dict[str, Place], now: datetime) -> Batch | None:
        with self._careful(f"папка {folder}"):
            known = self._select(folder)
            if folder == self.settings.folders[0]:
                self._looked = _edition(known)
            validity = int(known.get(b"UIDVALIDITY", 0))
            place = places.get(folder, Place(validity))
            if place.validity != validity:
                log.warning("%s: %s: UIDVALIDITY has changed, the folder is read again", self.account, folder)
                place = Place(validity)
            if place.mark and self._marked.get(folder) != place.mark:
                self._mark(folder, place.mark)
            uids, place = self._after(place, int(known.get(b"UIDNEXT", 0)))
        places[folder] = place
        if not uids:
            return None
        items, taken = self._fetch(folder, place, uids[:self._at_once], now)
        left = len(uids) - len(taken)
        if left or len(uids) > 1:
            log.info("%s: %s: %d letters fetched, %d to go", self.account, folder, len(taken), left)
        marked = tuple(taken) if self.settings.after != "leave" else ()
        places[folder] = replace(place, uid=taken[-1], mark=marked)
        return Batch(tuple(items), _text(places), self._marking(folder, marked), more=True)

    def _after(self, place: Place, following: int) -> tuple[list[int], Place]:
        """UIDs above the place, and the place moved over what is empty. ``following``: UIDNEXT, 0 where it is not known."""
        since = self.settings.since_date()
        more: list[Any] = ["SINCE", since] if since else []
        low = place.uid + 1
        while following == 0 or low < following:
            high = low + WINDOW - 1
            found = self._there.search(["UID", f"{low}:{'*' if following == 0 else high}", *more])
            uids = sorted(uid for uid in found if uid >= low)  # "n:*" names the last letter even where n is above it
            if uids or following == 0:
                return uids, place
            place = replace(place, uid=min(high, following - 1))
            low = high + 1
        return [], place

    def _fetch(self, folder: str, place: Place, uids: list[int], now: datetime) -> tuple[list[Request], list[int]]:
        """The first of these letters, and the UIDs that are done with by that. One that nobody can fetch is said to be so."""
        try:
            with self._careful(f"папка {folder}"):
                found = self._fetch_some(folder, place, uids, now)
        except Trouble as error:
            key = (folder, place.validity, uids[0])
            self._blamed[key] = self._blamed.get(key, 0) + (1 if isinstance(error, Broken) else REFUSED)
            alone, self._at_once = len(uids) == 1, 1
            if not alone or self._blamed[key] < GIVE_UP:
                raise Broken(error.why) from error  # the next try is of one letter alone
            log.error("%s: %s: a letter cannot be fetched and is kept as a dead letter: UID %d", self.account, folder, uids[0])
            return [Request(FETCHED, "", {}, b"", "", now, tail=f"{folder}/{place.validity}/{uids[0]}")], uids
        self._at_once = min(BATCH, self._at_once * 2)
        return found

    def _fetch_some(self, folder: str, place: Place, uids: list[int], now: datetime) -> tuple[list[Request], list[int]]:
        client = self._there
        known = client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
        taken: list[int] = []
        whole: list[int] = []
        total = 0
        for uid in uids:
            size = int(known.get(uid, {}).get(b"RFC822.SIZE", 0))
            total += min(size, self.settings.largest)
            if taken and total > BATCH_BYTES:
                break
            taken.append(uid)
            if size <= self.settings.largest:
                whole.append(uid)
        bodies = {uid: _body(found) for uid, found in client.fetch(whole, ["BODY.PEEK[]"]).items()}
        for uid in set(taken) - set(whole):
            bodies[uid] = _body(client.fetch([uid], [f"BODY.PEEK[]<0.{BEGINNING}>"]).get(uid, {}))
        items = []
        for uid in taken:
            body = bodies.get(uid)
            if body is None:  # somebody deleted it meanwhile
                continue
            about = known.get(uid, {})
            came = about.get(b"INTERNALDATE")
            lies = {"folder": folder, "uidvalidity": place.validity, "uid": uid}
            if uid not in whole:
                lies["cut-from"] = int(about.get(b"RFC822.SIZE", 0))
            headers = {"content-type": "message/rfc822; " + msgspec.json.encode(lies).decode()}
            items.append(Request(FETCHED, "", headers, body, "", now, _moment(came)))
        return items, taken

    # ── marking ──────────────────────────────────────────────────────────────────

    def _marking(self, folder: str, uids: tuple[int, ...]) -> Callable[[], None]:
        def done() -> None:
            if uids:
                with self._careful(f"пометка в папке {folder}"):
                    self._mark(folder, uids)
        return done

    def _mark(self, folder: str, uids: tuple[int, ...]) -> None:
        """Mark or move what is stored. What is gone meanwhile does no harm, so that it can be done again after a crash."""
        known = self._select(folder)
        client, listed = self._there, list(uids)
        if self.settings.after == "move":
            if not client.folder_exists(self.settings.done_folder):
                client.create_folder(self.settings.done_folder)
            there = client.search(["UID", ",".join(map(str, listed))])
            if there and client.has_capability("MOVE"):
                client.move(there, self.settings.done_folder)
            elif there:
                client.copy(there, self.settings.done_folder)
                client.add_flags(there, [b"\\Deleted"], silent=True)
                if client.has_capability("UIDPLUS"):  # a plain EXPUNGE would take what others have deleted as well
                    client.uid_expunge(there)
        elif self.settings.after == "mark" and {b"\\*", KEYWORD} & set(known.get(b"PERMANENTFLAGS", ())):
            client.add_flags(listed, [KEYWORD], silent=True)
        self._marked[folder] = uids

    # ── waiting ──────────────────────────────────────────────────────────────────

    def rest(self, stop: Flag, seconds: float) -> None:
        """Wait, less long where the server says that something came. Never believed: the next poll looks by itself."""
        until = monotonic() + seconds
        try:
            with self._careful("IDLE"):
                if self._client is not None and self._client.has_capability("IDLE"):
                    self._idle(self._client, stop, until)
                    self._idle_failed = 0
                    return
        except Trouble as error:
            log.info("%s: %s", self.account, error.why)
            self._idle_failed += 1
            until = min(until, monotonic() + 2.0 ** min(self._idle_failed, 10))  # a server that hangs up at once
        stop.wait(max(0.0, until - monotonic()))

    def _idle(self, client: IMAPClient, stop: Flag, until: float) -> None:
        if _edition(self._select(self.settings.folders[0])) != self._looked:
            return  # it came after the last look: the server has told of it already and will not tell again
        client.idle()
        told: list[Any] = []
        while not stop.is_set() and (left := until - monotonic()) > 0 and not any(b"EXISTS" in line for line in told):
            began, wanted = monotonic(), min(SLICE, left)
            told = client.idle_check(timeout=wanted)
            # A closed connection answers at once that there is nothing, for ever (mjs/imapclient#565).
            if any(line[:1] == (b"BYE",) for line in told) or (not told and monotonic() - began < wanted / 2):
                raise Broken("IMAP: сервер закрыл соединение")
        client.idle_done()

    # ── the connection ───────────────────────────────────────────────────────────

    @property
    def _there(self) -> IMAPClient:
        if self._client is None:
            self._client = connected(self.settings)
            self._selected = ("", {})
        return self._client

    def _select(self, folder: str) -> dict[bytes, Any]:
        """Select a folder anew, so that the server says what it holds now. Read-only where nothing is marked."""
        known: dict[bytes, Any] = self._there.select_folder(folder, readonly=self.settings.after == "leave")
        return known

    @contextmanager
    def _careful(self, what: str) -> Iterator[None]:
        """Whatever goes wrong inside costs the connection: nobody knows what of an answer is still on its way."""
        try:
            yield
        except Trouble:
            self.drop()
            raise
        except Exception as error:
            self.drop()
            kind = Broken if isinstance(error, (imaplib.IMAP4.abort, OSError)) else Trouble
            raise kind(f"IMAP: {what}: {_words(error, self.settings)}") from error

    def drop(self) -> None:
        """Let the connection go without a word: it may be dead."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, imaplib.IMAP4.error):
                client.shutdown()

    def check(self) -> list[Check]:
        """Sign in over a connection of its own and look into every folder; changes nothing."""
        other = Mailbox(self.account, self.settings)
        try:
            with other._careful(self.settings.imap):
                idle = other._there.has_capability("IDLE")
            found = [Check(f"IMAP {self.settings.imap}:{self.settings.imap_port}", True, self.settings.login)]
            for folder in self.settings.folders:
                try:
                    with other._careful(folder):
                        known = other._there.select_folder(folder, readonly=True)
                    found.append(Check(f"folder {folder}", True, f"letters: {known.get(b'EXISTS', '?')}"))
                except Trouble as error:
                    found.append(Check(f"folder {folder}", False, error.why))
            found.append(Check("IDLE", True, "yes" if idle else "no: it is asked twice a minute"))
            return found
        except Trouble as error:
            return [Check(f"IMAP {self.settings.imap}:{self.settings.imap_port}", False, error.why)]
        finally:
            other.drop()


def _edition(known: dict[bytes, Any]) -> tuple[Any, Any]:
    """What changes with every letter that comes into a folder."""
    return known.get(b"UIDVALIDITY"), known.get(b"UIDNEXT")


def connected(settings: EmailSettings) -> IMAPClient:
    """A new connection, signed in."""
    tls = ssl.create_default_context(cafile=settings.ca_file or None) if settings.imap_security != "none" else None
    client = IMAPClient(settings.imap, settings.imap_port, ssl=settings.imap_security == "tls", ssl_context=tls,
                        timeout=SocketTimeout(CONNECT, READ))
    try:
        client.normalise_times = False  # else times lose their zone
        if settings.imap_security == "starttls":
            client.starttls(tls)
        if (settings.login + settings.password).isascii():
            client.login(settings.login, settings.password)
        else:
            client.plain_login(settings.login, settings.password)
    except BaseException:
        client.shutdown()
        raise
    return client


def _body(found: dict[bytes, Any]) -> bytes | None:
    return next((bytes(value) for key, value in found.items() if key.startswith(b"BODY[]") and value is not None), None)


def _moment(came: Any) -> str:
    return came.astimezone(UTC).isoformat(timespec="seconds") if isinstance(came, datetime) else ""


def _text(places: dict[str, Place]) -> str:
    return msgspec.json.encode(places).decode()


def _words(error: BaseException, settings: EmailSettings) -> str:
    if isinstance(error, LoginError):
        return f"сервер не принимает имя или пароль ({said(error, settings.password)})"
    return said(error, settings.password)
