"""What a VK message holds beside its words: files to be fetched later, and everything else in words of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from hub.domain.delivery import Later

MOST_FILES = 20
MOST_FORWARDED = 20
DEEPEST = 3
"""How deep forwarded messages are read in one another."""

TYPES = {"pdf": "application/pdf", "doc": "application/msword", "xls": "application/vnd.ms-excel", "txt": "text/plain",
         "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "zip": "application/zip",
         "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
         "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation"}
PLACES = {"video": "Видео", "wall": "Запись", "market": "Товар", "poll": "Опрос", "story": "История", "article": "Статья",
          "market_album": "Подборка товаров", "audio_playlist": "Плейлист", "podcast": "Подкаст"}
"""What lies in VK and is opened there."""


def files(attachments: Iterable[Any], number: int) -> tuple[Later, ...]:
    """The files of a message, whose number names those without a name: photos in their largest size, documents, voice."""
    found = [later for kind, of in _each(attachments) if (later := _file(kind, of, number)) is not None]
    return tuple(found[:MOST_FILES])


def shown(attachments: Iterable[Any], geo: Any) -> list[str]:
    """What is no file, in words, and a link where VK has one."""
    words = [text for kind, of in _each(attachments) if (text := _words(kind, of))]
    where = geo.get("coordinates") if isinstance(geo, dict) else None
    if isinstance(where, dict):
        words.append(f"Место на карте: {where.get('latitude')}, {where.get('longitude')}")
    return words


def forwarded(messages: Iterable[Any], depth: int = 1) -> list[str]:
    """Forwarded messages as lines of words."""
    lines: list[str] = []
    for message in list(messages)[:MOST_FORWARDED]:
        if not isinstance(message, dict):
            continue
        inside = _list(message.get("attachments"))
        text = " ".join(filter(None, (_text(message.get("text") or message.get("body")), *shown(inside, message.get("geo")))))
        if text or inside:
            lines.append("Переслано: " + (text or "вложение"))
        if depth < DEEPEST:
            lines += forwarded(_list(message.get("fwd_messages")), depth + 1)
    return lines[:MOST_FORWARDED]


def forwarded_files(messages: Iterable[Any], number: int, depth: int = 1) -> tuple[Later, ...]:
    """The files of forwarded messages."""
    found: list[Later] = []
    for message in list(messages)[:MOST_FORWARDED]:
        if isinstance(message, dict):
            found += files(_list(message.get("attachments")), number)
            if depth < DEEPEST:
                found += forwarded_files(_list(message.get("fwd_messages")), number, depth + 1)
    return tuple(found[:MOST_FILES])


def _each(attachments: Iterable[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for attachment in attachments:
        if isinstance(attachment, dict) and isinstance(kind := attachment.get("type"), str):
            of = attachment.get(kind)
            yield kind, of if isinstance(of, dict) else {}


def _file(kind: str, of: dict[str, Any], number: int) -> Later | None:
    match kind:
        case "photo":
            sizes = [size for size in _list(of.get("sizes")) if isinstance(size, dict) and isinstance(size.get("url"), str)]
            best = max(sizes, key=lambda size: _int(size.get("width")) * _int(size.get("height")), default=None)
            return Later("file", best["url"], f"photo-{number}.jpg", "image/jpeg") if best else None
        case "doc" if isinstance(of.get("url"), str):
            ending = re.sub(r"\W", "", str(of.get("ext") or ""))[:10].lower()
            name = str(of.get("title") or f"document-{number}")[:200]
            if ending and not name.lower().endswith(f".{ending}"):
                name = f"{name}.{ending}"
            return Later("file", of["url"], name, TYPES.get(ending, ""), _int(of.get("size")))
        case "audio_message":
            for key, ending, type_ in (("link_mp3", "mp3", "audio/mpeg"), ("link_ogg", "ogg", "audio/ogg")):
                if isinstance(of.get(key), str):
                    return Later("file", of[key], f"voice-{number}.{ending}", type_)
        case "graffiti" if isinstance(of.get("url"), str):
            return Later("file", of["url"], f"graffiti-{number}.png", "image/png")
    return None


def _words(kind: str, of: dict[str, Any]) -> str:
    match kind:
        case "photo" | "doc" | "graffiti":
            return ""
        case "audio_message":
            return f"Голосовое: {said}" if (said := _text(of.get("transcript"))) else ""
        case "sticker":
            return "Стикер"
        case "link":
            return " ".join(filter(None, ("Ссылка:", _text(of.get("title")), _text(of.get("url")))))
        case "audio":
            return " ".join(filter(None, ("Аудио:", _text(of.get("artist")), _text(of.get("title")))))
        case "gift":
            return "Подарок"
    title = " ".join(filter(None, (PLACES.get(kind, f"Вложение «{kind}»") + ":", _text(of.get("title") or of.get("text")))))
    owner = of.get("owner_id", of.get("to_id", of.get("from_id")))
    link = f"https://vk.com/{kind}{owner}_{of['id']}" if kind in ("video", "wall", "market", "poll") and "id" in of else ""
    return f"{title} {link}".strip()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _int(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _text(value: Any) -> str:
    return " ".join(value.split())[:500] if isinstance(value, str) else ""
