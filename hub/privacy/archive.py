"""Everything that is known of a person, as one archive that they can read: pages for people, data for programs, their files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec

from hub.application import LeadHub
from hub.domain import events as e
from hub.domain.aggregate import Actor
from hub.domain.delivery import Address
from hub.domain.event import ERASED, Event, personal_fields
from hub.domain.events import FileRef
from hub.domain.index import Receipt, ReceiptState
from hub.domain.privacy import Noted, checked_reason
from hub.privacy.clients import Card, Client, Clients
from hub.privacy.consents import text_of

WHAT = {
    e.LeadReceived: "Обращение пришло", e.MessageReceived: "Вы написали нам", e.PersonAdded: "Мы узнали человека",
    e.PersonNamed: "Мы узнали или поправили имя", e.AddressAdded: "Мы узнали адрес",
    e.AddressRetired: "Адрес больше не используется", e.TimezoneLearned: "Мы узнали часовой пояс",
    e.PlaceLearned: "Мы узнали город",
    e.CallTimeAgreed: "Договорились о времени звонка", e.ConsentGiven: "Согласие на обработку данных",
    e.CompanyNamed: "Мы узнали компанию", e.MessageAsked: "Мы написали вам", e.MessageEdited: "Вы поправили сообщение",
    e.FileFetched: "Получен файл", e.NoteAdded: "Заметка сотрудника", e.ContactLogged: "Разговор",
    e.ContactAttempted: "Мы не дозвонились", e.MeetingPlanned: "Назначена встреча", e.MeetingHeld: "Встреча состоялась",
    e.MeetingMoved: "Встречу перенесли", e.MeetingCancelled: "Встречу отменили",
    e.ProposalDrafted: "Подготовлено предложение", e.ProposalSent: "Предложение отправлено", e.LetterAsked: "Письмо вам",
    e.CallBegan: "Вы позвонили", e.CallAsked: "Мы позвонили вам", e.CallRecorded: "Запись разговора",
    e.LeadScored: "Оценка обращения", e.LeadTitled: "Название обращения", e.LeadWon: "Договор",
    e.LeadLost: "Обращение закрыто", e.LeadRefused: "Мы отказали", e.NeedFound: "Что вам нужно",
    e.QuestionRecorded: "Вопрос к вам", e.QuestionAnswered: "Ваш ответ", e.BudgetNamed: "Бюджет",
    e.NextStepPlanned: "Следующий шаг",
}
"""What an event is for the person whom it is about; others are told by their topic."""

FIELDS = {
    "text": "Текст", "name": "Имя", "position": "Должность", "value": "Адрес", "raw": "Как было написано",
    "extension": "Доб.", "subject_line": "Тема", "fields": "Поля", "files": "Файлы", "file": "Файл", "to": "Кому",
    "why": "Почему", "note": "Заметка", "goal": "Цель", "place": "Место", "theirs": "С вашей стороны", "feedback": "Отзыв",
    "answer": "Ответ", "quote": "Цитата", "words": "Словами", "ip": "IP-адрес", "page": "Страница",
    "attribution": "Откуда пришли", "comment": "Комментарий", "notes": "Заметки к оценке", "named": "Номер в канале",
    "names": "Номера в канале", "title": "Название", "about": "О чём", "inn": "ИНН", "site": "Сайт", "body": "Письмо",
    "html": "Письмо (HTML)", "phone": "Телефон", "reason": "Причина",
}

STYLE = ("body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1d2433;background:#fff}"
         "h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem}table{border-collapse:collapse;width:100%}"
         "th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #d9dee8}"
         "th{width:11rem;font-weight:600}td{overflow-wrap:anywhere;white-space:pre-wrap}.m{color:#5b6472}")


@dataclass(frozen=True)
class Told:
    """An event as the person is told it."""

    at: datetime
    card: int
    what: str
    values: dict[str, Any]


class Archivist:
    """Gives a person's data out. Every time is recorded, with who and why."""

    def __init__(self, hub: LeadHub) -> None:
        self.hub = hub
        self.clients = Clients(hub)

    def give(self, person: UUID, reason: str, *, actor: Actor, at: datetime) -> bytes:
        """The archive (a zip) of ``person`` and of those who share an address and are called the same. Administrators only."""
        self.hub.allow("person.export", person, "admin", actor=actor, at=at)
        client = self.clients.client(person)
        reason = checked_reason(reason, "say_why_exported", client.known)
        archive = self._made(client, at)
        leads = tuple(card.id for card in client.cards)
        self.hub.change(Noted, uuid4(), lambda one: one.exported((person,), leads, reason), actor=actor, at=at)
        return archive

    def _made(self, client: Client, at: datetime) -> bytes:
        told = sorted((one for card in client.cards for one in self._of(card, client.id)), key=lambda one: one.at)
        files = list(self._files(client))
        deliveries = list(self._deliveries(client))
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("index.html", self._page(client, told, [name for name, _ in files], at))
            archive.writestr("data.json", msgspec.json.format(msgspec.json.encode({
                "person": str(client.id), "made_at": at, "names": client.names, "addresses": client.addresses,
                "cards": [self._card(card) for card in client.cards], "consents": list(self._consents(client)),
                "history": [{"at": one.at, "card": one.card, "what": one.what, **one.values} for one in told],
                "deliveries": deliveries}), indent=2))
            for name, data in files:
                archive.writestr(name, data)
        return target.getvalue()

    # ── what belongs to the person ───────────────────────────────────────────────

    def _of(self, card: Card, person: UUID) -> Iterator[Told]:
        """Events that are about the person: theirs, and the card's own texts where nobody else is on it."""
        alone = all(p.id == person or p.erased for p in card.state.people.values())
        for event in card.events:
            about = getattr(event, "person_id", None)
            if event.subject == person or about == person or (alone and event.subject is not None):
                said = {name: msgspec.to_builtins(getattr(event, name), str_keys=True) for name in personal_fields(type(event))}
                values = {name: value for name, value in said.items() if value not in ("", [], {}, None, ERASED)}
                if isinstance(event, e.ConsentGiven):
                    values |= {"given": event.given, "version": event.version, "text": text_of(self.hub, event.text_sha256)}
                yield Told(event.at, card.number, WHAT.get(type(event), event.TOPIC), values)

    def _card(self, card: Card) -> dict[str, Any]:
        s = card.state
        stage = self.hub.process.stages.get(s.stage)
        return {"number": card.number, "received_at": s.received_at, "channel": s.channel,
                "stage": stage.title if stage else s.stage, "ended": s.ended, "ended_at": s.ended_at}

    def _consents(self, client: Client) -> Iterator[dict[str, Any]]:
        for card in client.cards:
            for event in card.events:
                if isinstance(event, e.ConsentGiven) and event.person_id == client.id:
                    yield {"at": event.at, "given": event.given, "version": event.version, "page": event.page, "ip": event.ip,
                           "text": text_of(self.hub, event.text_sha256)}

    def _files(self, client: Client) -> Iterator[tuple[str, bytes]]:
        seen = set()
        for card in client.cards:
            alone = all(p.id == client.id or p.erased for p in card.state.people.values())
            for event in card.events:
                if event.subject is not None and (event.subject == client.id or alone):
                    for ref in _refs(event):
                        data = self.hub.files.get(ref.digest, event.subject) if ref.digest not in seen else None
                        if data is not None:
                            seen.add(ref.digest)
                            yield f"files/{len(seen):03d}-{_plain(ref.name)}", data

    def _deliveries(self, client: Client) -> Iterator[dict[str, Any]]:
        """The person's requests, word for word as they came."""
        for card in client.cards:
            for event in card.events:
                if isinstance(event, e.MessageReceived) and event.person_id == client.id and event.receipt_id is not None:
                    state: ReceiptState = self.hub.streams.fresh(Receipt, event.receipt_id)[1]
                    if state.raw and state.raw != ERASED:
                        raw = self.hub.raw_of(state, state.subject or client.id)
                        yield {"at": event.at, "channel": state.channel, "raw": raw}

    # ── the page ─────────────────────────────────────────────────────────────────

    def _page(self, client: Client, told: Iterable[Told], files: list[str], at: datetime) -> str:
        parts = [f"<h1>Данные о вас у нас: {escape(client.name or 'без имени')}</h1>",
                 f"<p class=m>Составлено {self._moment(at)}. То же для программ: data.json.</p>",
                 "<h2>Кто вы</h2>", _table([("Имена", "\n".join(client.names)), *_addresses(client.addresses)])]
        for consent in self._consents(client):
            parts += ["<h2>Согласие на обработку данных</h2>", _table([
                ("Дано", "да" if consent["given"] else "нет"), ("Когда", self._moment(consent["at"])),
                ("Редакция текста", consent["version"]), ("Страница", consent["page"]), ("Текст", consent["text"])])]
        parts += ["<h2>Ваши обращения</h2>", _table([
            (f"L-{card.number}", f"{self._moment(card.state.received_at)}, {self._card(card)['stage']}"
             f"{', закрыто ' + self._moment(card.state.ended_at) if card.state.ended_at else ''}") for card in client.cards])]
        if files:
            links = "".join(f'<li><a href="{escape(name)}">{escape(name.removeprefix("files/"))}</a></li>' for name in files)
            parts.append(f"<h2>Файлы</h2><ul>{links}</ul>")
        parts.append("<h2>Всё по порядку</h2>")
        for one in told:
            rows = [(FIELDS.get(name, name), _said(value)) for name, value in one.values.items() if name != "html"]
            parts.append(f"<h3>{escape(one.what)} <span class=m>{self._moment(one.at)}, L-{one.card}</span></h3>{_table(rows)}")
        return (f'<!doctype html><html lang="ru"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
                f"<title>Данные о вас</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>")

    def _moment(self, at: datetime | None) -> str:
        if at is None:
            return ""
        return f"{at.astimezone(ZoneInfo(self.hub.process.file.calendar.timezone)):%d.%m.%Y %H:%M}"


def _refs(event: Event) -> Iterator[FileRef]:
    for name in ("files", "file"):
        value = getattr(event, name, None)
        yield from (value if isinstance(value, tuple) else (value,) if isinstance(value, FileRef) else ())


def _addresses(addresses: Iterable[Address]) -> list[tuple[str, str]]:
    titles = {"phone": "Телефон", "email": "Почта", "telegram": "Telegram", "whatsapp": "WhatsApp", "vk": "ВКонтакте"}
    return [(titles.get(a.kind, a.kind), f"{a.value}{' доб. ' + a.extension if a.extension else ''}") for a in addresses]


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{FIELDS.get(name, name)}: {_said(one)}" for name, one in value.items())
    if isinstance(value, list):
        return "\n".join(": ".join(map(_said, one)) if isinstance(one, list) else _said(one) for one in value)
    return str(value)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows if value)
    return f"<table>{cells}</table>"


def _plain(name: str) -> str:
    """A stranger's file name without anything that leads elsewhere."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(ch for ch in last if ch.isprintable()).strip(". ")[:100] or "file"
