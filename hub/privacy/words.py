"""The words of a report by code: what was reached, what the hub tries again, and what people must still do."""

from __future__ import annotations

REACHED: dict[str, tuple[str, str]] = {
    "people": ("Люди", "People"),
    "cards": ("Карточки", "Cards"),
    "card_texts": ("из них с текстами сотрудников", "of them with the texts of staff"),
    "keys": ("Уничтоженные ключи", "Keys destroyed"),
    "deliveries": ("Исходные обращения", "Raw deliveries"),
    "entries": ("Записи поиска по адресам", "Look-up entries of addresses"),
    "removals": ("Копии, которые оператора попросили удалить", "Copies that providers were asked to delete"),
    "files": ("Файлы", "Files"),
    "rows": ("Строки рядом с журналом", "Rows beside the log"),
    "searched": ("Просмотрено файлов базы", "Bytes of database files searched"),
    "found": ("Файлы, где данные ещё есть", "Files that still hold something"),
}

AGAIN: dict[str, tuple[str, str]] = {
    "read_model_parked": ("Витрина данных остановлена: в ней старое. Освободите её в настройках, хаб допишет сам.",
                          "A read model stands still and shows what was. Release it in the settings; the hub goes on by itself."),
    "scrub": ("Файлы базы ещё не очищены от удалённых строк: кто-то долго их читает, или пользователю базы нельзя VACUUM FULL. "
              "Хаб пробует снова раз в минуту.",
              "Database files are not cleared of deleted rows yet: somebody reads them for long, or the database user may not "
              "VACUUM FULL. The hub tries again every minute."),
}

LEFT: dict[str, tuple[str, str]] = {
    "backups": ("Старые резервные копии: ключ человека есть в них, пока их не удалят. Удалите те, что сделаны до этого дня, "
                "или храните рядом список стёртых.",
                "Old backups hold the person's key until they are deleted. Delete those made before this day, or keep the "
                "erasure list beside them."),
    "erasure_list": ("Список стёртых: запишите новый (hub backup --erasure-list), чтобы восстановление никого не вернуло.",
                     "The erasure list: write a new one (hub backup --erasure-list), so that no restore brings anybody back."),
    "open_cards": ("Открытые карточки, где писать больше некому: закройте их.",
                   "Open cards on which nobody is left to write to: close them."),
    "shared_texts": ("Карточки с другими людьми: тексты сотрудников в них оставлены. Проверьте, что человека там нет.",
                     "Cards with other people on them: the texts of staff were kept there. See that the person is not in them."),
    "mailboxes": ("Почтовые ящики: удалите письма человека и ответы ему, включая «Отправленные» и корзину.",
                  "Mailboxes: delete the person's letters and the answers to them, in Sent and in the bin as well."),
    "telegram": ("Telegram: удалите переписку у себя; у клиента она останется.",
                 "Telegram: delete the chat on our side; the client keeps theirs."),
    "vk": ("ВКонтакте: удалите переписку в сообщениях сообщества.", "VK: delete the chat in the community's messages."),
    "provider": ("Телефония: проверьте ниже, что оператор удалил свои записи; счета и детализацию он хранит по закону.",
                 "Telephony: see below that the provider deleted its copies; invoices it keeps by law."),
    "webhooks": ("Программы, которым хаб отправлял личные данные: им ушло событие lead.person_erased, пусть удалят у себя.",
                 "Programs that were sent personal data: they are sent the event lead.person_erased and must delete it too."),
    "postgresql": ("PostgreSQL: журнал WAL, его архив и реплики на диске держат старые страницы до обычной ротации.",
                   "PostgreSQL: the WAL, its archive and the disks of replicas hold old pages until they are rotated as usual."),
    "staff": ("Сотрудники: телефонные книги, личные мессенджеры, распечатки и выгрузки.",
              "Staff: address books on their phones, their own messengers, printouts and exports."),
}


def said(words: dict[str, tuple[str, str]], code: str, language: str = "ru") -> str:
    """The words of a code; the code itself where a later release wrote it."""
    found = words.get(code)
    return code if found is None else found[language == "en"]
