"""What may be wrong with a process file, in both languages (R0). Each sentence says what to write instead."""

from __future__ import annotations

import re

from hub.domain.errors import Sentence

WORDS: dict[str, tuple[str, str]] = {
    "empty": ("[[{name}]] пуст, а процессу нужен хотя бы один такой пункт",
              "[[{name}]] is empty; the process needs at least one"),
    "no_stage": ("нет стадии «{name}»: её можно переименовать (title), но не удалить",
                 "stage {name!r} is missing; it may be renamed by its title, not dropped"),
    "no_ending": ("нет исхода «{name}»: верните его", "ending {name!r} is missing"),
    "no_deadline": ("нет срока «{name}»: верните его, длину можно поменять", "deadline {name!r} is missing"),
    "bad_id": ("id «{id}» должен состоять из латинских букв, цифр и _ и начинаться с буквы",
               "id {id!r} must be Latin letters, digits and _, and begin with a letter"),
    "id_twice": ("id «{id}» встречается в {name} дважды: дайте второму другой", "id {id!r} is used twice in {name}"),
    "zone": ("«{name}» — не часовой пояс: напишите, например, Europe/Moscow",
             "{name!r} is not a time zone; write one such as Europe/Moscow"),
    "country": ("праздники страны «{name}» неизвестны: напишите код ISO, например RU",
                "no public holidays are known for country {name!r}: write an ISO code such as RU"),
    "weekdays": ("дни недели — числа от 1 (понедельник) до 7, хотя бы одно",
                 "weekdays are numbers from 1 (Monday) to 7, at least one"),
    "time": ("«{value}» — не время: напишите так: 09:00", "{value!r} is not a time; write it as 09:00"),
    "closes_first": ("день кончается раньше, чем начинается", "the day closes before it opens"),
    "lunch": ('обед — два времени внутри рабочего дня, например ["13:00", "14:00"], или []',
              'lunch is two times inside the working day, such as ["13:00", "14:00"], or []'),
    "no_permission": ("права «{may}» нет; есть {known}", "{may!r} is no permission; there are {known}"),
    "head_alone": ("решать (decide) может только руководитель отдела (R32): уберите \"decide\" у роли «{role}»",
                   "only the head of sales may decide (R32); remove \"decide\" from {role!r}"),
    "no_segment": ("сегмента «{name}» нет", "segment {name!r} does not exist"),
    "no_role": ("нет роли «{name}»: верните её", "role {name!r} is missing"),
    "nobody_may": ("права «{name}» нет ни у кого: дайте его какой-нибудь роли", "nobody may {name!r}; give it to a role"),
    "way": ("«{name}» — не способ раздачи: напишите round_robin или first_come",
            "{name!r} is no way; write round_robin or first_come"),
    "negative_minutes": ("минуты не бывают отрицательными", "minutes cannot be negative"),
    "assigned_to_nobody": ("назовите хотя бы одну роль, которой предлагать новые заявки",
                           "name at least one role that new leads are offered to"),
    "unknown_role": ("роли «{name}» нет", "role {name!r} does not exist"),
    "may_not_work": ("роль «{name}» не ведёт заявки: дайте ей право \"work\" или назовите другую",
                     "role {name!r} may not work leads; give it \"work\", or name another role"),
    "rule_ends": ("правило «{id}» не называет исхода: впишите что-нибудь из {known}",
                  "rule {id!r} names no ending; write some of {known}"),
    "unknown_ending": ("исхода «{name}» нет; есть {known}", "{name!r} is no ending; there are {known}"),
    "months": ("хранить можно от 1 до {most} месяцев, а не {months}", "data may be kept 1 to {most} months, not {months}"),
    "won_qualified": ("выигранная сделка прошла скрининг: уберите \"won\" или qualified",
                      "a won lead was qualified; leave \"won\" out, or leave out qualified"),
    "runs_without_rules": ("runs = true удаляет по правилам, а их нет: добавьте [[privacy.rules]] или напишите runs = false",
                           "runs = true erases by rules, and there are none; add [[privacy.rules]], or write runs = false"),
    "unknown_stage": ("стадии «{name}» нет", "stage {name!r} does not exist"),
    "move_to_itself": ("переход из «{name}» в неё же — не переход", "a move from {name!r} to itself is no move"),
    "move_twice": ("переход {source} → {to} записан дважды: уберите один", "the move {source} → {to} is said twice"),
    "leads_nowhere": ("из стадии «{name}» никуда нельзя попасть: дайте ей переход или назовите её в исходе",
                      "stage {name!r} leads nowhere; give it a transition, or name it in an ending"),
    "ending_from_nowhere": ("к исходу «{name}» не прийти ни из одной стадии: назовите хотя бы одну",
                            "ending {name!r} can be reached from no stage; name at least one"),
    "no_guard": ("условия «{name}» нет; есть {known}", "{name!r} is no guard; there are {known}"),
    "one_length": ("сроку «{name}» нужно ровно одно из minutes, hours, days, working_days",
                   "deadline {name!r} needs exactly one of minutes, hours, days, working_days"),
    "length": ("у срока «{name}» может быть от 0 до {most} {unit}, а не {length}",
               "deadline {name!r} may have 0 to {most} {unit}, not {length}"),
    "clock": ("«{name}» — не часы: напишите working или plain", "{name!r} is no clock; write working or plain"),
    "days_are_plain": ("days — календарные дни: напишите clock = \"plain\" или возьмите working_days",
                       "days are calendar days: write clock = \"plain\", or use working_days"),
    "working_days_work": ("working_days идут по рабочему календарю: для обычных часов возьмите days",
                          "working_days run on the working clock; use days with the plain one"),
    "five": ("в блоке «{name}» параметров {count}, а в каждом блоке их пять (R9)",
             "block {name!r} has {count} parameters; each block has five (R9)"),
    "three": ("блоков {count}, а в листе оценки их три (R9)", "there are {count} blocks; the sheet has three (R9)"),
    "nothing_counts": ("ни один параметр не учитывается в сумме: включите хотя бы один (counts = true)",
                       "no parameter counts; let at least one count (counts = true)"),
    "total_of_none": ("сумма {total} не относится ни к одному сегменту, а каждая от −15 до 15 относится ровно к одному (R10)",
                      "total {total} belongs to no segment; every total from -15 to 15 belongs to exactly one (R10)"),
    "total_of_many": ("сумма {total} относится сразу к {owners}, а каждая от −15 до 15 относится ровно к одному сегменту (R10)",
                      "total {total} belongs to {owners}; every total from -15 to 15 belongs to exactly one (R10)"),
    "upside_down": ("сегмент «{name}» начинается выше, чем кончается", "segment {name!r} begins above its end"),
    "no_checklist": ("чек-листа «{name}» нет", "checklist {name!r} does not exist"),
    "total_bounds": ("сумма лежит между −15 и 15", "a total lies between -15 and 15"),
    "no_currency": ("назовите хотя бы одну валюту", "name at least one currency"),
    "partners_by": ("«{name}» не выбирает партнёров: напишите {known} или уберите строку",
                    "{name!r} chooses no partners; write {known}, or leave it out"),
    "no_items": ("в чек-листе «{name}» нет пунктов: добавьте хотя бы один",
                 "checklist {name!r} has no items; give it at least one"),
    "no_screening": ("нет чек-листа «screening» (R5): верните его", "checklist 'screening' is missing (R5)"),
    "negative_attempts": ("число попыток не бывает отрицательным", "attempts cannot be negative"),
    "no_question": ("«{name}» спросить нельзя; можно {known}", "{name!r} cannot be asked; there are {known}"),
    "sleeps": ("причина «{name}» усыпляет сделку, поэтому должна спросить, до какого дня: добавьте \"until\"",
               "stall {name!r} sleeps, so it must ask until when: add \"until\""),
    "return_share": ("return_at — доля от 0 до 1, например 0.8", "return_at is a share between 0 and 1, such as 0.8"),
}
"""Russian and English by code."""

TYPES = {"int": "целое число", "str": "текст в кавычках", "bool": "true или false", "array": "список в квадратных скобках",
         "object": "раздел", "float": "число", "null": "ничего", "date": "дата", "decimal": "число"}
TOML = {
    "Invalid value": "здесь нет значения или оно написано неверно (текст — в кавычках)",
    "Expected '=' after a key": "после имени нужен знак «=»",
    "Cannot overwrite a value": "это имя в разделе уже есть: оставьте одно",
    "Unterminated string": "кавычки не закрыты",
    "Unescaped '\\' in a string": "знак «\\» в тексте пишется дважды",
    "Found invalid character": "в тексте недопустимый знак",
    "Illegal character": "здесь недопустимый знак (кавычки не закрыты?)",
    "Expected newline or end of document after a statement": "после значения остались лишние знаки",
    "Unclosed array": "список не закрыт: нужна скобка «]»",
    "Unclosed inline table": "фигурная скобка не закрыта: нужна «}»",
    "Invalid initial character for a key part": "имя должно начинаться с латинской буквы или цифры",
    "Invalid date or datetime": "такой даты нет",
    "Duplicate inline table key": "имя в фигурных скобках повторяется",
    "Expected ']' at the end of a table declaration": "название раздела не закрыто: нужна скобка «]»",
    "Expected ']]' at the end of an array declaration": "название пункта не закрыто: нужны скобки «]]»",
    "Cannot declare": "такой раздел уже есть: раздел пишется один раз",
}
"""What the TOML reader says, by how its sentence begins."""


def said(code: str, **params: object) -> Sentence:
    """The sentence of ``code`` in both languages."""
    ru, en = WORDS[code]
    return Sentence(ru.format(**params), en.format(**params))


def not_toml(message: str) -> Sentence:
    """What the TOML reader says."""
    known = next((ru for begins, ru in TOML.items() if message.startswith(begins)), message)
    return Sentence(f"файл не читается как TOML: {known}", f"this is not TOML: {message}")


def wrong_type(message: str) -> Sentence:
    """What msgspec says of a value that is no part of the file, or not of its type."""
    ru = message
    if found := re.fullmatch(r"Object contains unknown field `(.+)`", message):
        ru = f"слово «{found[1]}» хабу неизвестно: исправьте опечатку или уберите строку"
    elif found := re.fullmatch(r"Object missing required field `(.+)`", message):
        ru = f"не хватает «{found[1]}»: впишите"
    elif found := re.fullmatch(r"Expected `(.+)`, got `(.+)`", message):
        ru = f"ожидается {_type(found[1])}, а написано {_type(found[2])}"
    return Sentence(ru, message)


def _type(name: str) -> str:
    return " или ".join(TYPES.get(part, part) for part in name.split(" | ") if part != "null")
