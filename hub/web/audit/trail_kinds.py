"""Every kind of event in plain words, in the groups that the audit trail is narrowed by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


class Group(NamedTuple):
    """Kinds of events that belong together, by topic."""

    title: LazyString
    kinds: Mapping[str, LazyString]


GROUPS: Mapping[str, Group] = {
    "access": Group(_l("Входы и выходы"), {
        "access.signed_in": _l("Вход"), "access.sign_in_failed": _l("Неудачный вход"), "access.signed_out": _l("Выход")}),
    "refused": Group(_l("Отказы"), {"attempt.refused": _l("Действие не разрешено")}),
    "people": Group(_l("Сотрудники и права"), {
        "user.added": _l("Добавлен сотрудник"), "user.renamed": _l("Исправлено имя сотрудника"),
        "user.roles_changed": _l("Изменены роли сотрудника"), "user.password_changed": _l("Изменён пароль сотрудника"),
        "user.disabled": _l("Сотрудник отключён"), "user.enabled": _l("Сотрудник снова включён"),
        "user.shifts_set": _l("Изменены смены сотрудника"), "user.absence_recorded": _l("Записано отсутствие сотрудника"),
        "user.absence_withdrawn": _l("Отсутствие сотрудника отменено")}),
    "tokens": Group(_l("Токены API"), {"token.issued": _l("Выдан токен API"), "token.revoked": _l("Токен API отозван")}),
    "process": Group(_l("Процесс"), {"process.published": _l("Опубликована редакция процесса")}),
    "settings": Group(_l("Настройки"), {
        "form.made": _l("Создана форма сайта"), "form.edited": _l("Изменена форма сайта"),
        "form.retired": _l("Форма сайта снята"), "form.restored": _l("Форма сайта возвращена"),
        "form.tested": _l("Форма сайта проверена"), "template.written": _l("Изменён шаблон письма"),
        "partner.added": _l("Добавлен партнёр"), "partner.edited": _l("Изменены данные партнёра"),
        "partner.retired": _l("Партнёра больше не предлагаем"), "partner.restored": _l("Партнёра снова предлагаем"),
        "phone.plan_set": _l("Изменён приём звонков"), "webhook.added": _l("Добавлен вебхук"),
        "webhook.edited": _l("Изменён вебхук"), "webhook.secret_renewed": _l("Заменён секрет вебхука"),
        "webhook.paused": _l("Вебхук остановлен"), "webhook.resumed": _l("Вебхук снова работает"),
        "webhook.removed": _l("Вебхук удалён"), "webhook.sent_again": _l("Событие вебхука отправлено ещё раз"),
        "webhook.dropped": _l("Событие вебхука снято с отправки")}),
    "proof": Group(_l("Доказательства и ключи"), {
        "audit.key_in_force": _l("Ключ подписи начал действовать"), "audit.check_failed": _l("Проверка журнала не прошла")}),
    "exports": Group(_l("Выгрузки и чтение данных"), {
        "export.made": _l("Выгружен список заявок"), "audit.lead_exported": _l("Выгружена история заявки с доказательством"),
        "audit.trail_exported": _l("Выгружен журнал аудита"), "audit.log_exported": _l("Выгружен журнал заявок"),
        "privacy.data_exported": _l("Выданы все данные человека"),
        "privacy.data_read": _l("Аудитор читал личные данные")}),
    "privacy": Group(_l("Удаление личных данных"), {
        "privacy.erasure_begun": _l("Начато удаление личных данных"),
        "privacy.removal_asked": _l("Провайдера попросили удалить копию"), "privacy.removal_done": _l("Провайдер удалил копию"),
        "privacy.removal_failed": _l("Провайдер не удалил копию"),
        "privacy.erasure_finished": _l("Удаление личных данных закончено"),
        "lead.erasure_asked": _l("Личные данные заявки удаляют"), "lead.person_erased": _l("Данные человека в заявке удалены")}),
    "intake": Group(_l("Приём обращений"), {
        "import.begun": _l("Начат импорт файла"), "import.finished": _l("Импорт файла закончен"),
        "import.undone": _l("Импорт файла отменён"), "lead.received": _l("Пришла заявка"),
        "lead.client_wrote_again": _l("Клиент написал снова"),
        "lead.consent_given": _l("Согласие клиента"), "receipt.accepted": _l("Обращение принято"),
        "receipt.quarantined": _l("Обращение в карантине"), "receipt.released": _l("Обращение выпущено из карантина"),
        "receipt.dismissed": _l("Обращение признано не заявкой"), "receipt.unread": _l("Обращение не удалось прочитать"),
        "receipt.reread": _l("Обращение прочитано со второго раза"), "contact.tied": _l("Адрес привязан к карточке"),
        "contact.fact_waits": _l("Сообщение провайдера ждёт своей карточки"),
        "contact.severed": _l("Адрес отвязан: человек удалён"), "content.seen": _l("Отмечено содержание обращения")}),
    "work": Group(_l("Работа с заявкой"), {
        "lead.offered": _l("Заявку предложили"), "lead.taken": _l("Заявку взяли"), "lead.reassigned": _l("Заявку передали"),
        "lead.stage_entered": _l("Стадия изменилась"), "lead.move_undone": _l("Переход отменён"),
        "lead.guard_overridden": _l("РОП снял условие"), "lead.note_added": _l("Заметка"), "lead.tagged": _l("Поставлена метка"),
        "lead.untagged": _l("Метка снята"), "lead.titled": _l("Изменено название заявки"),
        "lead.checklist_item_assigned": _l("Назначен ответственный за пункт"),
        "lead.checklist_item_done": _l("Пункт чек-листа готов"), "lead.checklist_item_reopened": _l("Пункт чек-листа не готов"),
        "lead.working_group_formed": _l("Собрана рабочая группа"), "lead.next_step_planned": _l("Назначен следующий шаг"),
        "lead.next_step_done": _l("Шаг сделан"), "lead.absorbed": _l("Присоединена другая карточка"),
        "lead.merged_into": _l("Карточка присоединена к другой"), "lead.released": _l("Объединение отменено"),
        "lead.split_off": _l("Карточка снова отдельная"), "lead.told_apart": _l("Карточки признаны разными"),
        "lead.request_opened_by_account": _l("Открыта новая заявка клиента")}),
    "client": Group(_l("Данные клиента"), {
        "lead.person_added": _l("Добавлен человек"), "lead.person_named": _l("Исправлено имя человека"),
        "lead.person_left": _l("Человек вернулся на свою карточку"), "lead.address_added": _l("Добавлен контакт"),
        "lead.address_retired": _l("Контакт больше не действует"), "lead.place_learned": _l("Стал известен город"),
        "lead.timezone_learned": _l("Стал известен часовой пояс"), "lead.company_named": _l("Названа компания"),
        "lead.budget_named": _l("Назван бюджет"), "lead.contact_changed": _l("Сменился собеседник"),
        "lead.decision_maker_changed": _l("Сменился ЛПР")}),
    "talk": Group(_l("Сообщения, письма и звонки"), {
        "lead.message_received": _l("Сообщение клиента"), "lead.message_edited": _l("Клиент изменил сообщение"),
        "lead.message_asked": _l("Сообщение клиенту"), "lead.message_sent": _l("Сообщение ушло"),
        "lead.message_failed": _l("Сообщение не ушло"), "lead.message_unknown": _l("Неизвестно, ушло ли сообщение"),
        "lead.message_reached": _l("Сообщение дошло"), "lead.letter_asked": _l("Письмо клиенту"),
        "lead.letter_sent": _l("Письмо отправлено"), "lead.letter_failed": _l("Письмо не ушло"),
        "lead.invitation_mailed": _l("Приглашение на встречу"), "lead.contact_attempted": _l("Попытка связаться"),
        "lead.contact_logged": _l("Разговор записан"), "lead.call_time_agreed": _l("Договорились о времени звонка"),
        "lead.call_began": _l("Звонок клиента"), "lead.call_answered": _l("Звонок приняли"),
        "lead.call_missed": _l("Звонок пропущен"), "lead.call_back_asked": _l("Клиент просит перезвонить"),
        "lead.call_asked": _l("Звонок клиенту"), "lead.call_placed": _l("Звонок начат"),
        "lead.call_failed": _l("Звонок не вышел"), "lead.call_unknown": _l("Неизвестно, начат ли звонок"),
        "lead.call_moved": _l("Ход звонка"), "lead.call_leg_moved": _l("Ход соединения"),
        "lead.call_recorded": _l("Запись звонка"),
        "lead.fetch_asked": _l("Файл запрошен у провайдера"), "lead.fetch_ended": _l("Файл провайдера не получен"),
        "lead.file_fetched": _l("Файл получен от провайдера")}),
    "meetings": Group(_l("Встречи"), {
        "lead.meeting_planned": _l("Встреча назначена"), "lead.meeting_moved": _l("Встреча перенесена"),
        "lead.meeting_cancelled": _l("Встреча отменена"), "lead.meeting_held": _l("Встреча прошла"),
        "lead.headcount_warned": _l("На встрече нас не меньше"), "lead.headcount_explained": _l("Объяснено, почему нас столько"),
        "lead.question_recorded": _l("Записан вопрос"), "lead.question_answered": _l("Записан ответ"),
        "lead.need_found": _l("Найдена потребность"), "lead.need_made_explicit": _l("Потребность стала явной")}),
    "score": Group(_l("Отсев и оценка"), {
        "lead.screening_finished": _l("Отсев пройден"), "lead.disqualified": _l("Сработал стоп-критерий"),
        "lead.scored": _l("Заполнен лист оценки"), "lead.partner_referred": _l("Предложен партнёр")}),
    "deal": Group(_l("КП и решение"), {
        "lead.benefit_stated": _l("Сформулирована польза"), "lead.proposal_promised": _l("КП обещано"),
        "lead.proposal_drafted": _l("Версия КП"), "lead.head_contributed": _l("РОП участвовал в КП"),
        "lead.proposal_mailed": _l("КП отправляют"), "lead.proposal_sent": _l("КП отправлено"),
        "lead.proposal_presented": _l("КП показано"), "lead.decision_date_agreed": _l("Назван день решения"),
        "lead.request_opened": _l("Просьба клиента"), "lead.request_closed": _l("Просьба закрыта"),
        "lead.head_opinion_given": _l("Мнение РОПа о тестовом"), "lead.test_task_decided": _l("Решено о тестовом"),
        "lead.stall_found": _l("Найдена причина остановки"), "lead.stall_played": _l("Действие по причине остановки")}),
    "ends": Group(_l("Итоги сделок"), {
        "lead.won": _l("Договор подписан"), "lead.lost": _l("Сделка проиграна"), "lead.refused": _l("Мы отказали"),
        "lead.slept": _l("Сделка отложена"), "lead.woken": _l("Сделка снова в работе"),
        "lead.reopened": _l("Заявка возвращена в работу"),
        "lead.handed_over": _l("Передана аккаунт-менеджеру"), "lead.installed_work_recorded": _l("Записано, что внедрили"),
        "lead.chance_recorded": _l("Возможность допродажи"), "lead.chance_closed": _l("Возможность закрыта")}),
    "deadlines": Group(_l("Сроки и уведомления"), {
        "lead.deadline_set": _l("Назначен срок"), "lead.deadline_met": _l("Сделано в срок"),
        "lead.deadline_missed": _l("Срок прошёл"), "lead.deadline_dropped": _l("Срок снят"),
        "lead.notice_raised": _l("Сотрудникам сообщили"), "telling.ways_set": _l("Изменены способы уведомлений"),
        "telling.code_made": _l("Показан код для чата"), "telling.chat_linked": _l("Чат сотрудника привязан"),
        "telling.chat_unlinked": _l("Чат сотрудника отвязан"), "telling.asked": _l("Уведомление сотруднику"),
        "telling.sent": _l("Уведомление ушло"), "telling.failed": _l("Уведомление не ушло"),
        "telling.unknown": _l("Неизвестно, ушло ли уведомление")}),
    "upkeep": Group(_l("Обслуживание"), {
        "upkeep.retried": _l("Показ данных запущен снова"), "upkeep.skipped": _l("Событие пропущено в показе данных")}),
}
OTHER = "other"
"""The group of kinds that stand nowhere above."""

KINDS: Mapping[str, tuple[str, LazyString]] = {topic: (id, title) for id, group in GROUPS.items()
                                               for topic, title in group.kinds.items()}
"""Group and words of every kind."""


def group_of(topic: str) -> str:
    """The group of a kind of event."""
    return KINDS[topic][0] if topic in KINDS else OTHER


def group_title(group: str) -> str:
    """A group in words."""
    return str(GROUPS[group].title) if group in GROUPS else _("Прочее")


def kind_title(topic: str) -> str:
    """A kind of event in words; its topic where a newer program stored it."""
    return str(KINDS[topic][1]) if topic in KINDS else topic


def topics_of(what: str, there: list[str]) -> tuple[str, ...]:
    """The topics that a filter names: one kind, or all of a group; ``there`` are those that ever came."""
    if what in GROUPS:
        return tuple(GROUPS[what].kinds)
    if what == OTHER:
        return tuple(topic for topic in there if topic not in KINDS)
    return (what,)


def choices(there: list[str]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Groups with the kinds that ever came, for a form: id, title, and topics with their words."""
    found = []
    for id in (*GROUPS, OTHER):
        kinds = [(topic, kind_title(topic)) for topic in topics_of(id, there) if topic in there]
        if kinds:
            found.append((id, group_title(id), sorted(kinds, key=lambda kind: kind[1])))
    return found
