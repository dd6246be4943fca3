"""What a bounce says: which letter of ours it is about, and whether it is final. Pure.

Standard reports (RFC 3464, RFC 8098) say it in a part for programs; qmail, Exchange and Mail.ru in words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.channels.email_mime import Letter
from hub.channels.email_names import message_ids, ours_in
from hub.domain import contact
from hub.domain.delivery import Address

_DELAYED = re.compile(r"\bdelay(?:ed)?\b|will (?:be retried|keep trying|continue (?:to try|trying))"
                      r"|still (?:being retried|trying)|warning[: ]"
                      r"|not yet been delivered|temporar|задержи|отложен|ещё не достав|еще не достав|повторн\w+ попыт"
                      r"|попытки .{0,30}продолж", re.I)
_FINAL = re.compile(r"permanent|giv(?:e|en|ing) up|\b5\.\d{1,3}\.\d{1,3}\b|\b55\d\b", re.I)
_CODE = re.compile(r"(?:^|[\s:<])((?:4|5)\d{2}[ -][^\n]{5,250}|[45]\.\d{1,3}\.\d{1,3}[^\n]{5,250})", re.M)
_RANKS = {"expanded": "", "relayed": "", "delayed": "delayed", "delivered": "delivered", "failed": "failed", "displayed": "read"}


@dataclass(frozen=True)
class Report:
    """``about``: names of letters of ours. ``status``: ``failed``, ``delayed``, ``delivered``, ``read`` or "". ``why``: the
    server's words. ``recipients``: who did not get it."""

    about: tuple[str, ...]
    status: str
    why: str
    recipients: tuple[Address, ...]


def read_report(letter: Letter) -> Report:
    """What a bounce or a receipt says."""
    status = "\n".join(text for kind, text in letter.reports if kind.startswith("message/"))
    text = letter.text
    recipients = re.findall(r"^(?:final|original)-recipient\s*:\s*(?:[a-z0-9-]+\s*;)?\s*(\S+@\S+)", status, re.I | re.M)
    recipients += [mail.address for mail in letter.mails("x-failed-recipients")]
    if not recipients:
        recipients = [headed.split("<")[-1].strip("<> ") for inner in letter.inner for headed in inner.get("to", ())[:1]]
    if not recipients:
        recipients = [found.value for found in contact.emails_in(text)[:5]]
    found = [address for one in dict.fromkeys(recipients) if (address := contact.email(one.strip("<>,;"))) is not None]
    return Report(_about(letter, text), _status(letter, status, text), _why(status, text), tuple(found[:10]))


def _about(letter: Letter, text: str) -> tuple[str, ...]:
    """Names of ours, the surest first: the letter inside, its headers, what the report answers, a copy in its words."""
    places = [value for inner in letter.inner for value in inner.get("message-id", ())]
    for kind, words in letter.reports:
        wanted = r"^(?:original-|x-original-)?message-id\s*:\s*(<[^<>\n]{1,900}>)"
        places += re.findall(wanted, words, re.I | re.M) if kind else []
    places += [letter.first(name) for name in ("x-original-message-id", "in-reply-to", "references")]
    places += re.findall(r"message-id\s*:\s*(<[^<>]{1,900}>)", text, re.I)
    return tuple(dict.fromkeys(name for place in places for id in message_ids(place) for name in ours_in(id)))


def _status(letter: Letter, status: str, text: str) -> str:
    if letter.report_type == "feedback-report":
        return ""
    if displayed := re.search(r"^disposition\s*:[^;]*;\s*([a-z]+)", status, re.I | re.M):
        return _RANKS.get(displayed[1].lower(), "")
    actions = [word.lower() for word in re.findall(r"^action\s*:\s*([a-z]+)", status, re.I | re.M)]
    for wanted in ("failed", "delayed", "delivered"):  # to several, the worst is said
        if wanted in actions:
            return wanted
    if actions:
        return _RANKS.get(actions[0], "")
    words = f"{letter.first('subject')}\n{text[:3000]}"
    return "delayed" if _DELAYED.search(words) and not _FINAL.search(words) else "failed"


def _why(status: str, text: str) -> str:
    said = re.search(r"^diagnostic-code\s*:\s*(?:[a-z0-9-]+\s*;)?\s*([^\n]+(?:\n[ \t][^\n]+)*)", status, re.I | re.M)
    found = said[1] if said else ""
    if not found and (coded := _CODE.search(text)):
        found = coded[1]
    if not found and (number := re.search(r"^status\s*:\s*(\S+)", status, re.I | re.M)):
        found = number[1]
    return " ".join((found or text[:200]).split())[:300]
