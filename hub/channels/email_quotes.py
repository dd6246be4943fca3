"""What of a letter its writer wrote, and what is quoted, signed or passed on: a view, the whole is kept beside it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 100_000
"""Characters that are looked through; what follows is shown as it is quoted."""
LONG_HEADER = 300

_VERBS = (r"wrote|writes|schrieb|a écrit|escribió|ha scritto|написал(?:\(а\)|а|и)?|пишет|писал(?:\(а\)|а|и)?"
          r"|сообщил(?:\(а\)|а)?"
          r"|пише|написав")
_DATE = (r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|\d{1,2}\.?\s+(?:янв|фев|мар|апр|ма[йя]|июн|июл|авг"
         r"|сен|окт|ноя|дек)\w*"
         r"|\d{1,2}\.?\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*"
         r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?\s+\d{1,2})")
_DATED = re.compile(_DATE, re.I)
_MAIL = r"<?(?:mailto:)?[^\s<>@]+@[^\s<>@]+?>?"
_TIME = r"\d{1,2}[:.]\d{2}"
_HEADERS = tuple(re.compile(pattern, re.I | re.S) for pattern in (
    rf"(?:on|am|le|el|il|пн|вт|ср|чт|пт|сб|вс)?\b.*{_DATE}.*\b(?:{_VERBS})[^\w]*(?:{_MAIL})?\s*:?\s*:",
    rf"(?:on|am|le|el|il)\b.*\b(?:{_VERBS})\s*:",
    rf".*{_DATE}.*{_TIME}.*<{_MAIL}\s*:",  # Gmail and Yandex in Russian: no verb at all
    rf"\W*(?:понедельник|вторник|среда|четверг|пятница|суббота|воскресенье),.*{_DATE}.*\bот\b.*:",  # Mail.ru
    rf".*{_DATE}.*пользователь.*(?:{_VERBS})\s*:",
    rf".{{0,60}}<?{_MAIL}>?\W{{0,3}}(?:{_VERBS})\s*:",
    rf"(?:здравствуйте,?.{{0,60}}\.?\s*)?вы писали\b.*{_DATE}.*:?",  # The Bat!
    rf"\W*{_DATE}[^\n]{{0,40}}\b(?:{_VERBS})\b\W*:",
))
_MARKS = re.compile(r"\W*-{2,}\s*(?:original message|original appointment|исходное сообщение|первоначальное сообщение"
                    r"|ursprüngliche nachricht|message d.origine|reply message|ответ на сообщение)\s*-{2,}\W*", re.I)
_FORWARD = re.compile(
    r"\W*(?:-{2,}\s*(?:forwarded (?:message|letter)|пересылаемое (?:сообщение|письмо)|пересланное (?:сообщение|письмо)"
    r"|пересылка сообщения|перенаправленное сообщение|weitergeleitete nachricht)[^-\n]{0,80}-{0,}"
    r"|(?:begin forwarded message|начало переадресованного"
    r" сообщения|начало пересылаемого сообщения)\s*:)\W*", re.I)
FORWARDED_SUBJECT = re.compile(r"\s*(?:(?:re|ha|ответ)\s*:\s*)?(?:fwd?|fw|пересл|пер|wg)\s*(?:\[\d+\])?\s*:", re.I)
_BLOCK = re.compile(r"[>*\s]*(from|sent|to|cc|date|subject|reply-to|от(?: кого)?|отправитель|отправлено|дата|кому"
                    r"|копия|тема|von|gesendet"
                    r"|an|betreff)\s*:\s*\*?\s*(\S.*)?", re.I)
_BLOCK_OTHERS = ("date", "дата", "sent", "отправлено", "кому", "to", "subject", "тема")
_BLOCK_FROM = ("from", "от", "от кого", "отправитель", "von")
_ABOVE = re.compile(r"[-–—_#=*\s]*(?:please (?:type|write) your reply above this line|reply above this line"
                    r"|(?:пишите|напишите|ответ\w*) (?:ответ )?выше этой (?:линии|строки))[-–—_#=*\s]*\.?", re.I)
MOBILE = re.compile(
    r"\W*(?:отправлено (?:с|из|от) .{2,60}|sent (?:from|via|with) .{2,60}|get outlook for (?:ios|android).{0,60}"
    r"|gesendet von .{2,40}"
    r"|отправлено с помощью .{2,60}|написано (?:с|в) .{2,40}|скачать outlook для .{2,40}|--\s*отправлено .{2,60})\W*", re.I)
DELIMITER = re.compile(r"(?:--|—|–|__+)\s*")
_CLOSING = (
    r"\W*(?:с\s+(?:глубоким\s+|большим\s+)?уважением|с наилучшими(?: пожеланиями)?|с благодарностью"
    r"|заранее (?:спасибо|благодар\w+)"
    r"|всего (?:доброго|хорошего)|хорошего (?:дня|вечера)|искренне ваш\w*|best(?: regards| wishes)?|(?:kind"
    r"|warm)(?:est)? regards|regards"
    r"|sincerely(?: yours)?|yours (?:sincerely|faithfully|truly)|thanks(?: and regards)?|thank you|many thanks|cheers|спасибо"
    r"|mit freundlichen grüßen)\b")
CLOSING = re.compile(_CLOSING + r"[^\n]{0,60}", re.I)
CLOSING_WORDS = re.compile(_CLOSING + r"[\s,.!]*", re.I)


@dataclass(frozen=True)
class Parts:
    """``own`` is what is shown at once and never empty where the letter is not; ``quoted`` what is folded away;
    ``signature`` the lines at the end of the writer's own words, which ``own`` still holds unless a delimiter set them off."""

    own: str
    quoted: str = ""
    signature: str = ""


def split(text: str, subject: str = "") -> Parts:
    """Tell the writer's words from quotes and signature."""
    text = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").split("\n"))
    head, rest = text[:LONGEST], text[LONGEST:]
    lines = head.strip("\n").split("\n")
    end = next((i for i, line in enumerate(lines) if _FORWARD.fullmatch(line)), None)
    if FORWARDED_SUBJECT.match(subject) or end is not None and not _replied(lines[:end]):
        return Parts(text.strip())
    own, quoted = _unquoted(lines)
    own, signature = _unsigned(own)
    shown = "\n".join(own).strip("\n")
    if not re.search(r"\w", shown) and not re.search(r"[^\s>*_.-]", shown):
        return Parts(text.strip(), "", "\n".join(signature).strip())
    return Parts(shown, "\n".join((*quoted, rest)).strip("\n"), "\n".join(signature).strip())


def _replied(lines: list[str]) -> bool:
    return any(_header(lines, i) for i in range(len(lines)))


def _header(lines: list[str], at: int) -> int:
    """How many lines from ``at`` on are the header of a quoted letter; 0 for none."""
    line = lines[at].strip()
    if not line:
        return 0
    if _MARKS.fullmatch(line) or _ABOVE.fullmatch(line):
        return 1
    if found := _outlook(lines, at):
        return found
    if line.startswith(">") and not re.search(r"[:>]$", line):
        return 0
    joined = ""
    for size in range(1, 5):
        if at + size > len(lines) or not lines[at + size - 1].strip():
            break
        joined = f"{joined} {lines[at + size - 1].strip().lstrip('> ')}".strip()
        if len(joined) > LONG_HEADER:
            break
        if joined.endswith((":", "написал", "пишет")) or "вы писали" in joined.lower():
            plain = joined.replace("*", "")
            if any(header.fullmatch(plain) for header in _HEADERS):
                # The line above may be the writer's own: a header begins as late as it can.
                later = size > 1 and _DATED.search(lines[at + 1]) is not None and _header(lines, at + 1) > 0
                return 0 if later else size
    return 0


def _outlook(lines: list[str], at: int) -> int:
    """The block «От: … Отправлено: … Кому: … Тема: …», maybe under a line of underscores."""
    start = at
    if re.fullmatch(r"\s*[_-]{5,}\s*", lines[at]):
        start = next((i for i in range(at + 1, min(at + 4, len(lines))) if lines[i].strip()), len(lines))
        if start == len(lines):
            return 0
    first = _BLOCK.fullmatch(lines[start])
    if first is None or first[1].lower() not in (*_BLOCK_FROM, *_BLOCK_OTHERS):
        return 0
    names: set[str] = set()
    i = start
    while i < len(lines) and i < start + 14:
        if (found := _BLOCK.fullmatch(lines[i])) is not None:
            names.add(found[1].lower())
        elif not lines[i].strip() and len(names) >= 3:
            break
        i += 1
    has_from = bool(names & set(_BLOCK_FROM))
    return i - at if has_from and len(names) >= 3 else 0


def _unquoted(lines: list[str]) -> tuple[list[str], list[str]]:
    """Own lines and quoted ones. Answers between the quotes stay with the quotes that they answer."""
    kinds = ["q" if line.lstrip().startswith(">") else "b" if not line.strip() else "t" for line in lines]
    i = 0
    while i < len(lines):
        size = _header(lines, i)
        if not size:
            i += 1
            continue
        after = next((j for j in range(i + size, len(lines)) if lines[j].strip()), len(lines))
        kinds[i:i + size] = "q" * size
        if after == len(lines) or not lines[after].lstrip().startswith(">"):
            if not _ABOVE.fullmatch(lines[i].strip()) or after < len(lines):
                kinds[i:] = ["q"] * (len(lines) - i)  # nothing marks where the quote ends: it goes on to the end
            break
        i = after
    texts = [i for i, kind in enumerate(kinds) if kind == "t"]
    if not texts:
        return lines, []
    first, last = texts[0], texts[-1]
    between = any(kind == "q" for kind in kinds[first:last + 1])
    keep = range(first, last + 1) if between else [i for i, kind in enumerate(kinds) if kind != "q"]
    own = [lines[i] for i in keep]
    kept = set(keep)
    return own, [line for i, line in enumerate(lines) if i not in kept and (kinds[i] == "q" or line.strip())]


def _unsigned(lines: list[str]) -> tuple[list[str], list[str]]:
    """Own lines without a signature that a delimiter sets off, and the signature's lines, wherever they stand."""
    while lines and (not lines[-1].strip() or MOBILE.fullmatch(lines[-1]) and _says(lines[:-1])):
        lines = lines[:-1]
    for i in range(max(1, len(lines) - 15), len(lines)):
        if DELIMITER.fullmatch(lines[i]) and _says(lines[:i]):
            return lines[:i], lines[i + 1:]
    for i in range(max(0, len(lines) - 12), len(lines)):
        if CLOSING.fullmatch(lines[i]):
            return lines, lines[i:]
    return lines, []


def _says(lines: list[str]) -> bool:
    return any(re.search(r"\w", line) for line in lines)
