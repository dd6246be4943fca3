"""What the lead card calls things: ids of commands and events in the words of the sales department."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from hub.domain.process import Process
from hub.web.words import moment

Words = Mapping[str, LazyString]

CHANNELS: Words = {"phone": _l("Телефон"), "social": _l("Соцсети"), "email": _l("Почта"), "website": _l("Сайт")}
WAYS: Words = {
    "phone": _l("Звонок"),
    "email": _l("Письмо"),
    "telegram": _l("Telegram"),
    "whatsapp": _l("WhatsApp"),
    "vk": _l("ВКонтакте"),
    "sms": _l("СМС"),
    "meeting": _l("Личная встреча"),
    "other": _l("Другое"),
}
WAY_ICONS = {"phone": "phone", "email": "mail", "telegram": "send", "meeting": "users"}
ADDRESSES: Words = {
    "phone": _l("Телефон"),
    "email": _l("Почта"),
    "telegram": _l("Telegram"),
    "whatsapp": _l("WhatsApp"),
    "vk": _l("ВКонтакте"),
}
PURPOSES: Words = {
    "call": _l("Звонок"),
    "meeting": _l("Встреча"),
    "interview": _l("Глубинное интервью"),
    "presentation": _l("Презентация КП"),
}
PURPOSE_ICONS = {"call": "phone", "meeting": "calendar-days", "interview": "users", "presentation": "presentation"}
OUTCOMES: Words = {
    "advance": _l("Прогресс"),
    "continuation": _l("Отсрочка"),
    "closing": _l("Сделка заключается"),
    "refusal": _l("Клиент отказался"),
}
OUTCOME_HELP: Words = {
    "advance": _l("есть шаг, который двигает сделку, и его дата"),
    "continuation": _l("поговорили, шага нет: почему"),
    "closing": _l("готовы подписать договор"),
    "refusal": _l("покупать не будут"),
}
OUTCOME_TONES = {"advance": "ok", "continuation": "warn", "closing": "ok", "refusal": "bad"}
MEETING_STATUS: Words = {"planned": _l("назначена"), "held": _l("состоялась"), "cancelled": _l("отменена")}
DIRECTIONS: Words = {"in": _l("Входящий: обратился клиент"), "out": _l("Исходящий: обратились мы")}
PROGRESS: Words = {
    "meeting": _l("Договорились о встрече"),
    "messenger": _l("Продолжим в Telegram или WhatsApp"),
    "none": _l("Пока без договорённости"),
}
QUESTIONS: Words = {"problem": _l("Проблемный"), "developing": _l("Развивающий")}
CHANCES: Words = {"upsell": _l("Допродажа"), "cross_sell": _l("Кросс-продажа")}
CHANCE_STATUS: Words = {"open": _l("открыта"), "won": _l("продали"), "lost": _l("не вышло")}
FETCHED: Words = {"file": _l("файл"), "person": _l("имя клиента")}
LETTERS: Words = {"refusal": _l("Письмо отказа"), "proposal": _l("Письмо с КП"), "free": _l("Письмо")}
LETTER_STATUS: Words = {"asked": _l("запрошено"), "sent": _l("отправлено"), "failed": _l("не ушло")}
LETTER_TONES = {"asked": "warn", "sent": "ok", "failed": "bad"}
REQUEST_STATUS: Words = {"open": _l("открыта"), "done": _l("закрыта"), "dropped": _l("не будет")}
ENDINGS: Words = {"won": _l("Договор"), "lost": _l("Проигран"), "refused": _l("Отказали")}
ENDING_TONES = {"won": "ok", "lost": "bad", "refused": ""}
ENDING_ICONS = {"won": "trophy", "lost": "thumbs-down", "refused": "ban"}
AGREED_DUES: Words = {
    "promise": _l("Подготовить обещанное КП"),
    "decision_date": _l("Узнать решение клиента"),
    "wake": _l("Вернуться к сделке"),
}
OFFERS: Words = {
    "turn": _l("подошла очередь"),
    "anyone": _l("кто первый возьмёт"),
    "near_deadline": _l("срок подходит"),
    "owner_absent": _l("ответственного нет на месте"),
    "client_of": _l("клиент уже знаком"),
}
NOTICES: Words = {
    "near": _l("Напомнили: срок подходит"),
    "late": _l("Сообщили: срок прошёл"),
    "woken": _l("Сообщили: пора вернуться к сделке"),
    "moved": _l("Сообщили: карточка перешла в другую стадию"),
    "written": _l("Сообщили: клиент написал"),
    "given": _l("Сообщили: сделку передали вам"),
    "won": _l("Сообщили: договор подписан"),
    "unsent": _l("Сообщили: сообщение клиенту не ушло"),
    "missed_call": _l("Сообщили: пропущен звонок"),
    "opinion": _l("Попросили мнение о тестовом"),
    "opinion_given": _l("Сообщили: мнение о тестовом готово"),
}
CALLS: Words = {"asked": _l("просят соединить"), "unknown": _l("неизвестно"), "placed": _l("начат"), "ringing": _l("звонит"),
                "talking": _l("идёт"), "cancelled": _l("положили трубку"), "failed": _l("не вышел"), "busy": _l("занято"),
                "no_answer": _l("не ответили"), "ended": _l("закончен")}
LEGS: Words = {"ringing": _l("звонит"), "picked_up": _l("снята трубка"), "cancelled": _l("перестал звонить"),
               "failed": _l("не вышло"), "busy": _l("занято"), "no_answer": _l("не отвечает"), "ended": _l("трубка положена"),
               "connected": _l("соединили")}
GUARDS: Words = {
    "taken": _l("заявка взята в работу"),
    "phone_known": _l("известен телефон"),
    "timezone_known": _l("известен часовой пояс"),
    "screened": _l("первичный отсев проведён"),
    "scored": _l("заполнен лист оценки"),
    "not_refused": _l("сегмент не для отказа"),
    "meeting_agreed": _l("назначена встреча"),
    "benefit_stated": _l("сформулирована польза"),
    "proposal_promised": _l("назван срок КП"),
    "proposal_ready": _l("есть версия КП"),
    "head_contributed": _l("РОП участвовал в КП"),
    "proposal_delivered": _l("КП отправлено или показано"),
    "decision_maker_changed": _l("назван новый ЛПР"),
}
ORIGINS: Words = {
    "delivery": _l("из заявки"),
    "text": _l("из текста"),
    "manager": _l("записал менеджер"),
    "region": _l("по региону"),
    "phone": _l("по номеру"),
    "merge": _l("с другой карточки"),
}
RULES: Words = {
    "R1": _l("пришла заявка"),
    "erased": _l("данные человека удалены"),
    "R3": _l("дальше по процессу"),
    "R6": _l("карточки объединены"),
    "R8": _l("сработал стоп-критерий"),
    "R9": _l("первичный отсев завершён"),
    "R11": _l("оценка изменилась"),
    "R12": _l("сегмент для отказа"),
    "R14": _l("оценка есть, встреча назначена"),
    "R17": _l("интервью проведено"),
    "R19": _l("КП отправлено без презентации"),
    "R20": _l("прошла презентация"),
    "R21": _l("решения в срок нет"),
    "R25": _l("новый человек принимает решение"),
    "R26": _l("встреча изменилась"),
    "R28": _l("сделка закрыта или отложена"),
    "R29": _l("сделка вернулась в работу"),
    "R23": _l("просьба закрыта"),
    "R31": _l("контакты исправили"),
}
"""Why the hub did something by itself, by the rule's number."""

ATTRIBUTION: Words = {
    "page": _l("Страница"),
    "page_title": _l("Заголовок страницы"),
    "landing": _l("Первая страница"),
    "referrer": _l("Откуда пришёл"),
    "utm_source": _l("Источник"),
    "utm_medium": _l("Канал"),
    "utm_campaign": _l("Кампания"),
    "utm_content": _l("Объявление"),
    "utm_term": _l("Ключевая фраза"),
    "yclid": _l("Клик Яндекс Директа"),
    "gclid": _l("Клик Google Ads"),
    "_openstat": _l("Метка Openstat"),
    "ym_client_id": _l("Посетитель Метрики"),
    "_ym_uid": _l("Посетитель Метрики"),
    "at": _l("Когда"),
    "user_agent": _l("Браузер"),
}


FIELDS: Words = {
    "name": _l("Имя"), "fio": _l("Имя"), "email": _l("Почта"), "mail": _l("Почта"), "phone": _l("Телефон"), "tel": _l("Телефон"),
    "message": _l("Сообщение"), "text": _l("Сообщение"), "comment": _l("Комментарий"), "company": _l("Компания"),
    "budget": _l("Бюджет"), "site": _l("Сайт"), "city": _l("Город"), "timezone": _l("Часовой пояс"), "page": _l("Страница"),
    "time": _l("Удобное время"), "ym_client_id": _l("Посетитель Метрики"), "line": _l("Линия"), "seconds": _l("Секунд"),
    "telegram": _l("Telegram"), "whatsapp": _l("WhatsApp"), "subject": _l("Тема"), "service": _l("Услуга"),
}
"""Usual names of the fields of forms; any other one is shown as the site calls it."""


def field_title(name: str) -> str:
    """A field of a website's form as people read it."""
    return said(FIELDS, name.lower()) if name.lower() in FIELDS else name


def said(words: Words, id: str) -> str:
    """The words for ``id``, or the id itself where a later version wrote one that we do not know."""
    return str(words[id]) if id in words else id


def titled(items: Mapping[str, object], id: str) -> str:
    """The title of one of the process's lists by id; the id where this version of the process has none."""
    return getattr(items[id], "title", id) if id in items else id


def why(text: str) -> str:
    """A reason as it was written, or what the rule with this number says."""
    return said(RULES, text)


def attribution_title(key: str) -> str:
    """What a mark of the visit is called; ``first_`` and ``last_`` say of which visit."""
    visit, _sep, mark = key.partition("_")
    if visit in ("first", "last") and mark:
        name = said(ATTRIBUTION, mark)
        return str(_("%(name)s, первый визит", name=name) if visit == "first" else _("%(name)s, последний визит", name=name))
    return said(ATTRIBUTION, key)


def attribution_said(key: str, value: str) -> str:
    """A mark of the visit as people read it; a time that the site did not write as one stays as it came."""
    if key.rpartition("_")[2] != "at":
        return value
    try:
        return moment(value)
    except (ValueError, OverflowError):
        return value


def due_title(key: str, process: Process) -> str:
    """What has to be done by a deadline's time."""
    kind, _sep, number = key.partition(":")
    rule = process.deadlines.get(kind)
    title = rule.title if rule else said(AGREED_DUES, kind)
    return str(_("%(title)s №%(number)s", title=title, number=number)) if number else title


def check_title(checklist: str, item: str, process: Process) -> tuple[str, str]:
    """Titles of a checklist and of its item."""
    found = process.checklists.get(checklist)
    items = {i.id: i.title for i in found.items} if found else {}
    return (found.title if found else checklist), items.get(item, item)


def cities(zone: str) -> str:
    """A time zone as people say it: the city of its name."""
    return said(CITIES, zone) if zone else ""


CITIES: Words = {
    "Europe/Kaliningrad": _l("Калининград"),
    "Europe/Moscow": _l("Москва"),
    "Europe/Samara": _l("Самара"),
    "Europe/Volgograd": _l("Волгоград"),
    "Europe/Saratov": _l("Саратов"),
    "Europe/Minsk": _l("Минск"),
    "Asia/Yekaterinburg": _l("Екатеринбург"),
    "Asia/Omsk": _l("Омск"),
    "Asia/Novosibirsk": _l("Новосибирск"),
    "Asia/Krasnoyarsk": _l("Красноярск"),
    "Asia/Irkutsk": _l("Иркутск"),
    "Asia/Yakutsk": _l("Якутск"),
    "Asia/Vladivostok": _l("Владивосток"),
    "Asia/Magadan": _l("Магадан"),
    "Asia/Sakhalin": _l("Сахалин"),
    "Asia/Kamchatka": _l("Камчатка"),
    "Asia/Almaty": _l("Алматы"),
    "Asia/Tashkent": _l("Ташкент"),
    "Asia/Tbilisi": _l("Тбилиси"),
    "Asia/Yerevan": _l("Ереван"),
    "Asia/Dubai": _l("Дубай"),
    "Europe/London": _l("Лондон"),
    "Europe/Berlin": _l("Берлин"),
}
"""Zones to choose from, from west to east; another one is shown by its own name."""
