"""Refusals of the API: RFC 9457 problem details, and the sentences that only the API says."""

from __future__ import annotations

import re

from msgspec import Struct

from hub.domain.errors import Conflict, NotAllowed, Refused, sentences
from hub.web.frame import caller_language

sentences(
    token_missing=("Нужен токен: заголовок Authorization: Bearer hub_… Его выдаёт администратор.",
                   "A token is needed: the header Authorization: Bearer hub_… An administrator issues one."),
    token_wrong=("Токен не подходит: он неизвестен, отозван, истёк или его сотрудник отключён. Попросите администратора о новом.",
                 "The token is no good: unknown, revoked, expired, or its person disabled. Ask an administrator for a new one."),
    token_scope=("Токену не дано право {scopes}. Попросите администратора выдать другой токен.",
                 "The token has no scope {scopes}. Ask an administrator for another token."),
    token_no_person=("Это делает человек, а токен принадлежит программе. Возьмите токен сотрудника.",
                     "A person does this, and the token is a program's own. Use the token of a person."),
    bad_json=("Тело запроса не JSON: {why}. Исправьте его и повторите.", "The body is no JSON: {why}. Mend it and try again."),
    not_json=("Тело запроса должно быть JSON: заголовок Content-Type: application/json.",
              "The body must be JSON: the header Content-Type: application/json."),
    not_a_file=("Тело запроса должно быть самим файлом: заголовок Content-Type: application/octet-stream.",
                "The body must be the file itself: the header Content-Type: application/octet-stream."),
    no_such_upload=("Файла «{name}» у этой заявки нет. Сначала загрузите его: POST /api/v1/leads/…/files.",
                    "This lead has no file “{name}”. Upload it first: POST /api/v1/leads/…/files."),
    too_large=("Запрос больше {limit} КБ. Пришлите меньше.", "The request is larger than {limit} KB. Send less."),
    bad_request=("Параметр «{name}» не подходит: {why}. Сверьтесь с /api/docs.",
                 "The parameter “{name}” is wrong: {why}. See /api/docs."),
    bad_header=("Заголовок {name} не подходит: {why}. Сверьтесь с /api/docs.",
                "The header {name} is wrong: {why}. See /api/docs."),
    bad_cursor=("Этот cursor не отсюда. Начните с первой страницы.", "This cursor is not from here. Start with the first page."),
    no_such_choice=("«{given}» не подходит для «{name}». Есть: {known}.", "“{given}” does not fit “{name}”. There are: {known}."),
    key_used_otherwise=("С этим Idempotency-Key уже был другой запрос. Пришлите новый запрос с новым ключом.",
                        "Another request came with this Idempotency-Key. Send a new request with a new key."),
    moments_swapped=("«old» позже, чем «new». Поменяйте их местами.", "“old” is later than “new”. Swap them."),
    number_far=("Число в «{name}» слишком велико. Возьмите меньше.", "The number in “{name}” is too large. Use a smaller one."),
    date_far=("Дата в «{name}» слишком далека. Возьмите год от 1971 до 8999.",
              "The date in “{name}” is too far away. Use a year from 1971 to 8999."),
    nul_character=("В тексте «{name}» есть нулевой символ. Уберите его.", "The text in “{name}” holds a NUL. Remove it."),
)


IN_RUSSIAN = (
    ("unknown", "такого нет"), ("given twice", "он указан дважды"), ("leave it out instead", "вместо этого опустите его"),
    ("no body is expected", "тело здесь не нужно"), ("this address does not look at it", "этот адрес его не учитывает"),
    ("1–200 visible ASCII characters are expected", "нужны 1–200 видимых символов ASCII"),
    ('a version such as "12" is expected', 'нужна версия, например "12"'),
    ("Object missing required field `(.+)`", r"нет обязательного поля \1"),
    ("Object contains unknown field `(.+)`", r"поля \1 здесь нет"),
    ("Expected `(.+)` (of length )?(<=?|>=?) (.+)", r"нужно \1 \2\3 \4"),
    ("Expected `(.+)` matching regex (.+)", r"нужно \1 вида \2"),
    ("Expected `(.+)`, got `(.+)`", r"нужно \1, а пришло \2"), ("Expected `(.+)`", r"нужно \1"),
    ("Invalid enum value (.+)", r"значения \1 здесь нет"), ("Invalid UUID", "это не UUID"),
    ("Invalid RFC3339 encoded datetime", "нужно время со смещением, например 2026-11-20T14:30:00Z"),
    ("Invalid RFC3339 encoded date|Invalid ISO8601 .+", "нужна дата, например 2026-11-20"),
    ("JSON is malformed: (.+)", r"JSON испорчен: \1"), ("Input data was truncated", "он оборван"),
)
"""What the reader of requests says, and the same in Russian."""


def why(said: str) -> str:
    """``said`` in the caller's language, where it is known."""
    if caller_language() == "ru":
        for english, russian in IN_RUSSIAN:
            if (found := re.fullmatch(english, said)) is not None:
                return found.expand(russian).replace("of length ", "длиной ")
    return said


class Problem(Struct, kw_only=True, omit_defaults=True):
    """Why nothing was done (RFC 9457). ``detail`` is a sentence with the way out, in the language of Accept-Language
    (ru or en); ``code`` is stable; ``rule`` is the rule of the sales process behind it; ``field`` the argument at fault;
    ``version`` the lead's present version where it is not the expected one."""

    title: str
    status: int
    detail: str
    type: str
    code: str = ""
    rule: str = ""
    field: str = ""
    version: int | None = None


class Malformed(Refused):
    """The request is not what the API's description says (400)."""

    status = 400


class Unauthorised(Refused):
    """No token, or one that is good for nothing (401)."""

    status = 401


class WrongKind(Refused):
    """The body is of another kind than JSON, or than a file where one is expected (415)."""

    status = 415


class TooLarge(Refused):
    """The body is larger than the API reads (413)."""

    status = 413


class Moved(Conflict):
    """The lead is not at the version that the caller saw: 412 where If-Match named it, 409 where the body did."""

    def __init__(self, version: int, status: int) -> None:
        super().__init__("conflict")
        self.version = version
        self.status = status


def no_scope(scopes: tuple[str, ...]) -> NotAllowed:
    """The token was not given the scope that this needs (403)."""
    return NotAllowed("token_scope", scopes=" / ".join(scopes))
