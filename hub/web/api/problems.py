"""Refusals of the API: RFC 9457 problem details, and the sentences that only the API says."""

from __future__ import annotations

from msgspec import Struct

from hub.domain.errors import Conflict, NotAllowed, Refused, sentences

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
    too_large=("Запрос больше {limit} КБ. Пришлите меньше.", "The request is larger than {limit} KB. Send less."),
    bad_request=("Параметр «{name}» не подходит: {why}. Сверьтесь с /api/docs.",
                 "The parameter “{name}” is wrong: {why}. See /api/docs."),
    bad_header=("Заголовок {name} не подходит: {why}. Сверьтесь с /api/docs.",
                "The header {name} is wrong: {why}. See /api/docs."),
    bad_cursor=("Этот cursor не отсюда. Начните с первой страницы.", "This cursor is not from here. Start with the first page."),
    no_such_choice=("«{given}» не подходит для «{name}». Есть: {known}.", "“{given}” does not fit “{name}”. There are: {known}."),
    key_used_otherwise=("С этим Idempotency-Key уже был другой запрос. Пришлите новый запрос с новым ключом.",
                        "Another request came with this Idempotency-Key. Send a new request with a new key."),
    number_far=("Число в «{name}» слишком велико. Возьмите меньше.", "The number in “{name}” is too large. Use a smaller one."),
    date_far=("Дата в «{name}» слишком далека. Возьмите год от 1971 до 8999.",
              "The date in “{name}” is too far away. Use a year from 1971 to 8999."),
    nul_character=("В тексте «{name}» есть нулевой символ. Уберите его.", "The text in “{name}” holds a NUL. Remove it."),
)


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


class NotJson(Refused):
    """The body is of another kind than JSON (415)."""

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
