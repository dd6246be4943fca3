"""Sentences for how a request arrived and who the people behind it are."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _

from hub.domain import events as e
from hub.domain.state import LeadState
from hub.web import words
from hub.web.lead import words as w
from hub.web.lead.story import Line, Teller, changed, tells

CHANNEL_ICONS = {"phone": "phone", "social": "message-circle", "email": "mail", "website": "globe"}


def name_of(person: UUID, before: LeadState) -> str:
    """What a person of the client's side is called."""
    found = before.people.get(person)
    if found is None:
        return str(_("контакт"))
    return found.name or next((a.raw or a.value for a in found.addresses), _("контакт без имени"))


def address(kind: str, value: str) -> str:
    """An address as people write it."""
    return words.phone(value) if kind == "phone" else value


def _source(channel: str, title: str) -> str:
    name = w.said(w.CHANNELS, channel)
    return str(_("%(channel)s, «%(source)s»", channel=name, source=title)) if title not in ("", name) else name


@tells(e.LeadReceived, "stage")
def _received(ev: e.LeadReceived, before: LeadState, t: Teller) -> Line:
    title = _("Карточку открыл сотрудник") if ev.by_hand else _("Пришла заявка")
    return Line(
        title,
        "inbox",
        "info",
        changes=changed(
            (_("Откуда"), None, _source(ev.channel, ev.source_title)),
            (_("Прошлая заявка"), None, t.card(ev.previous_lead) if ev.previous_lead else ""),
            (_("Проверка формы"), None, _("да") if ev.test else ""),
        ),
    )


def _arrival(channel: str, written: bool) -> str:
    match "" if written else channel:
        case "website":
            return str(_("Заявка с сайта"))
        case "email":
            return str(_("Письмо клиента"))
        case "phone":
            return str(_("Звонок клиента"))
    return str(_("Сообщение клиента"))


@tells(e.MessageReceived, "talk")
def _message(ev: e.MessageReceived, before: LeadState, t: Teller) -> Line:
    title = _arrival(ev.channel, ev.written)
    if ev.automatic:
        title = _("Автоматический ответ клиента")
    elif ev.message > 1 and not before.outgoing:
        title = _("%(title)s, ещё одно обращение", title=title)
    channel = w.said(w.CHANNELS, ev.channel)
    who = channel.lower() if ev.source_title in ("", channel) else \
        ev.source_title if "«" in ev.source_title else _("«%(source)s»", source=ev.source_title)
    tied = _("ответ в той же переписке") if ev.tied_by == "thread" else \
        w.said(w.ADDRESSES, ev.tied_by).lower() if ev.tied_by else ""
    repeat = _("похоже на недавнее обращение") if ev.possible_duplicate else ""
    files = ", ".join(f.name for f in ev.files)
    parts = changed(
        (_("Тема"), None, ev.subject_line), (_("Узнали по"), None, tied), (_("Повтор"), None, repeat), (_("Файлы"), None, files)
    )
    return Line(title, CHANNEL_ICONS.get(ev.channel, "message-circle"), "info", ev.text, parts, who)


@tells(e.LeadTitled)
def _titled(ev: e.LeadTitled, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Карточку назвали"),
        "pencil",
        changes=changed((_("Название"), before.title, ev.title), (_("Суть"), before.about, ev.about)),
    )


@tells(e.PersonAdded)
def _person(ev: e.PersonAdded, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Добавлен человек"),
        "user-plus",
        changes=changed((_("Имя"), None, ev.name or _("пока неизвестно")), (_("Должность"), None, ev.position),
                        (_("С карточки"), None, t.card(ev.merged_from) if ev.merged_from else "")),
    )


@tells(e.PersonNamed)
def _named(ev: e.PersonNamed, before: LeadState, t: Teller) -> Line:
    old = before.people.get(ev.person_id)
    return Line(
        _("Уточнили, кто это"),
        "user",
        changes=changed((_("Имя"), old.name if old else "", ev.name), (_("Должность"), old.position if old else "", ev.position)),
    )


@tells(e.AddressAdded)
def _address_added(ev: e.AddressAdded, before: LeadState, t: Teller) -> Line:
    value = address(ev.kind, ev.value) + (_(" доб. %(extension)s", extension=ev.extension) if ev.extension else "")
    return Line(
        _("Узнали: %(kind)s", kind=w.said(w.ADDRESSES, ev.kind).lower()),
        "phone" if ev.kind == "phone" else "link",
        changes=changed((name_of(ev.person_id, before), None, value), (_("Откуда"), None, w.said(w.ORIGINS, ev.origin))),
    )


@tells(e.AddressRetired)
def _address_retired(ev: e.AddressRetired, before: LeadState, t: Teller) -> Line:
    line = (w.said(w.ADDRESSES, ev.kind), address(ev.kind, ev.value), _("не отвечает"))
    return Line(_("Контакт больше не действует"), "phone-missed", text=w.why(ev.why), changes=changed(line))


@tells(e.TimezoneLearned)
def _zone(ev: e.TimezoneLearned, before: LeadState, t: Teller) -> Line:
    old = before.people.get(ev.person_id)
    return Line(
        _("Узнали часовой пояс"),
        "map-pin",
        changes=changed(
            (name_of(ev.person_id, before), w.cities(old.timezone) if old else "", w.cities(ev.timezone)),
            (_("Откуда"), None, w.said(w.ORIGINS, ev.origin)),
        ),
    )


@tells(e.PlaceLearned)
def _place(ev: e.PlaceLearned, before: LeadState, t: Teller) -> Line:
    old = before.people.get(ev.person_id)
    return Line(
        _("Узнали город"),
        "map-pin",
        changes=changed(
            (name_of(ev.person_id, before), old.place if old else "", ev.place),
            (_("Откуда"), None, w.said(w.ORIGINS, ev.origin)),
        ),
    )


@tells(e.CallTimeAgreed)
def _call_time(ev: e.CallTimeAgreed, before: LeadState, t: Teller) -> Line:
    old = before.people.get(ev.person_id)
    was = t.moment(old.call_at) if old and old.call_at else ""
    return Line(
        _("Договорились, когда удобно звонить"),
        "clock",
        changes=changed((_("Время"), was, t.moment(ev.call_at) if ev.call_at else ""), (_("Словами клиента"), None, ev.words)),
    )


@tells(e.ConsentGiven, "system", noise=True)
def _consent(ev: e.ConsentGiven, before: LeadState, t: Teller) -> Line:
    title = _("Клиент согласился на обработку данных") if ev.given else _("Согласия на обработку данных нет")
    return Line(
        title,
        "shield-check" if ev.given else "shield-alert",
        "" if ev.given else "warn",
        changes=changed((_("Редакция текста"), None, ev.version), (_("Адрес"), None, ev.ip), (_("Страница"), None, ev.page)),
    )


@tells(e.CompanyNamed)
def _company(ev: e.CompanyNamed, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Узнали компанию"),
        "building-2",
        changes=changed(
            (_("Название"), before.company, ev.name), (_("ИНН"), before.inn, ev.inn), (_("Сайт"), before.site, ev.site)
        ),
    )


@tells(e.DecisionMakerChanged)
def _decides(ev: e.DecisionMakerChanged, before: LeadState, t: Teller) -> Line:
    was = name_of(ev.previous, before) if ev.previous else ""
    title = _("Сменился ЛПР") if ev.previous else _("Узнали, кто принимает решение")
    return Line(
        title,
        "crown",
        "warn",
        ev.why,
        changed(
            (_("ЛПР"), was, name_of(ev.person_id, before)),
            (_("Прошлые этапы"), None, _("участвовал") if ev.involved else _("не участвовал")),
        ),
    )


@tells(e.ContactChanged)
def _contact(ev: e.ContactChanged, before: LeadState, t: Teller) -> Line:
    was = name_of(ev.previous, before) if ev.previous else ""
    return Line(
        _("Общаемся с другим человеком"),
        "user-check",
        text=ev.why,
        changes=changed((_("Контакт"), was, name_of(ev.person_id, before))),
    )


@tells(e.LeadAbsorbed, "stage")
def _absorbed(ev: e.LeadAbsorbed, before: LeadState, t: Teller) -> Line:
    return Line(_("К карточке присоединили %(card)s", card=t.card(ev.other)), "git-merge", "info", ev.why)


@tells(e.LeadMergedInto, "stage")
def _merged(ev: e.LeadMergedInto, before: LeadState, t: Teller) -> Line:
    return Line(_("Карточку присоединили к %(card)s, работа идёт там", card=t.card(ev.survivor)), "git-merge", "info", ev.why)


@tells(e.LeadReleased, "stage")
def _released(ev: e.LeadReleased, before: LeadState, t: Teller) -> Line:
    return Line(_("От карточки отделили %(card)s", card=t.card(ev.other)), "split", "info", ev.why)


@tells(e.LeadSplitOff, "stage")
def _split(ev: e.LeadSplitOff, before: LeadState, t: Teller) -> Line:
    return Line(_("Карточка снова отдельно от %(card)s", card=t.card(ev.survivor)), "split", "info", ev.why)


@tells(e.PersonLeft)
def _left(ev: e.PersonLeft, before: LeadState, t: Teller) -> Line:
    return Line(_("Человек вернулся в карточку %(card)s", card=t.card(ev.other)), "user",
                changes=changed((_("Имя"), None, name_of(ev.person_id, before))))


@tells(e.LeadsToldApart)
def _apart(ev: e.LeadsToldApart, before: LeadState, t: Teller) -> Line:
    return Line(_("Это не дубль карточки %(card)s", card=t.card(ev.other)), "git-compare", "", ev.why)


@tells(e.LeadOffered, "system", noise=True)
def _offered(ev: e.LeadOffered, before: LeadState, t: Teller) -> Line:
    return Line(
        _("Заявку предложили взять"),
        "bell",
        changes=changed(
            (_("Кому"), t.people(before.offered_to), t.people(ev.to)),
            (_("Почему"), None, w.said(w.OFFERS, ev.why)),
        ),
    )


@tells(e.LeadTaken, "stage")
def _taken(ev: e.LeadTaken, before: LeadState, t: Teller) -> Line:
    line = (_("Ответственный"), None, t.people((ev.owner,)))
    waited = words.span(ev.at - before.received_at) if before.received_at else ""
    facts = changed(line, (_("Прошло с заявки"), None, waited))
    return Line(_("Заявку взяли в работу"), "user-check", "ok", w.why(ev.reason), facts)


@tells(e.LeadReassigned, "stage")
def _reassigned(ev: e.LeadReassigned, before: LeadState, t: Teller) -> Line:
    why = ev.reason or (w.said(w.OFFERS, ev.why) if ev.why in w.OFFERS else w.why(ev.why))
    return Line(
        _("Сделку передали"),
        "users",
        "info",
        why,
        changed((_("Ответственный"), t.people((ev.previous,)) if ev.previous else "", t.people((ev.owner,)))),
    )
