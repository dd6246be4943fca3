"""What the fields of a website form stand for: a literal table of names, Russian and English, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from hub.channels.website_body import clean
from hub.domain import contact
from hub.domain.delivery import Address, Consent
from hub.domain.form import HONEYPOT, TOKEN, FormState, consent_sha256

_NAMES = {
    "name": """name firstname yourname fullname fio username client clientname contactname customername имя вашеимя фио вашефио
        имяифамилия какквамобращаться каквасзовут контактноелицо представьтесь""",
    "last_name": "lastname surname familyname yourlastname фамилия вашафамилия",
    "phone": """phone tel telephone yourtel yourphone phonenumber mobile mobilephone cell clientphone contactphone телефон
        ваштелефон номертелефона телефондлясвязи контактныйтелефон мобильный мобильныйтелефон тел""",
    "email": """email mail youremail yourmail emailaddress clientemail почта вашапочта электроннаяпочта элпочта вашemail
        емейл емайл имейл мейл""",
    "text": """text message msg yourmessage textarea comment comments yourcomment question description task details note сообщение
        вашесообщение текст текстсообщения комментарий вопрос вашвопрос описание описаниезадачи описаниепроекта задача
        пожелания""",
    "company": """company yourcompany companyname organization organisation org компания вашакомпания названиекомпании
        организация фирма""",
    "budget": "budget yourbudget price бюджет вашбюджет бюджетпроекта",
    "region": "region city town yourcity location регион город вашгород область вашрегион населенныйпункт",
    "timezone": "timezone tz clienttimezone часовойпояс",
    "convenient_time": """calltime timetocall callbacktime callback convenienttime besttime время времязвонка времядлязвонка
        удобноевремя удобноевремязвонка удобноевремядлязвонка когдапозвонить когдаперезвонить""",
    "subject": "subject yoursubject topic тема вашатема темасообщения",
    "contact": "contact contacts yourcontact контакт контакты связь какствамисвязаться телефонилипочта телефонилиemail",
    "consent": """consent agree agreement accept acceptance acceptancepolicy privacy privacypolicy policy personaldata gdpr
        согласие согласиенаобработку согласиенаобработкуперсональныхданных согласиенаобработкупдн""",
    "consent_version": "consentversion версиясогласия",
    "submission_id": "submissionid",
    "tranid": "tranid",
    "formid": "formid",
    "thank_you": "thankyou thankyouurl redirect redirecturl returnurl next",
}
_TABLE = {alias: ours for ours, aliases in _NAMES.items() for alias in aliases.split()}

_ATTRIBUTION = {
    "page": "page", "pageurl": "page", "referrer": "referrer", "referer": "referrer",
    "yclid": "yclid", "gclid": "gclid", "openstat": "openstat", "fbclid": "fbclid",
    "ymuid": "ym_client_id", "ymclientid": "ym_client_id", "metricaclientid": "ym_client_id", "yaclientid": "ym_client_id",
    "gaclientid": "ga_client_id",
    **{prefix + "utm" + part: (prefix + "_" if prefix else "") + "utm_" + part
       for prefix in ("", "first") for part in ("source", "medium", "campaign", "content", "term")},
    **{prefix + part: f"{prefix}_{part}"
       for prefix in ("first", "last") for part in ("page", "referrer", "at", "yclid", "gclid", "openstat")},
}
_QUERY = ("yclid", "gclid", "_openstat", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
_COOKIE = re.compile(r"(?:^|[;,\s])(_ym_uid|yclid|gclid|utm_[a-z]+)=([^;,\s]{1,300})")

_TECHNICAL = {"consent", "consent_version", "submission_id", "tranid", "formid", "thank_you", "timezone"}
_TECHNICAL_NAMES = {TOKEN, HONEYPOT, "_charset_", "cookies", "formname", "test", "hub_form"}
_SEARCHED = 10  # fields of one kind: a form of people has no more, and each search costs time
_READ = 500  # characters of a field for one contact; what is longer is read with the free text
_NO = ("", "0", "false", "off", "no", "none", "null", "нет")


@dataclass(frozen=True)
class Meaning:
    """The fields of one submission, sorted by what they stand for. ``by_name`` holds the non-empty values in order;
    ``unknown`` the fields that stand for nothing of ours, word for word, without technical ones."""

    by_name: dict[str, list[str]] = field(default_factory=dict)
    attribution: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()

    def first(self, name: str) -> str:
        """The first value that is not empty, or ``""``."""
        return next(iter(self.by_name.get(name, ())), "")

    def all(self, *names: str) -> list[str]:
        """All values that stand for one of ``names``."""
        return [value for name in names for value in self.by_name.get(name, ())]

    @property
    def says_something(self) -> bool:
        """Whether anything here could come from a person, rather than from the page."""
        return bool(self.unknown or set(self.by_name) - _TECHNICAL)


def folded(name: str) -> str:
    """A field's name as it is compared: without case, spaces, punctuation, brackets around it, numbers at its end."""
    innermost = [part for part in re.split(r"[\[\].]+", name) if part.strip()]
    text = contact.plain(innermost[-1] if innermost else name).casefold().replace("ё", "е")
    letters = re.sub(r"[\W_]+", "", text)
    return letters.rstrip("0123456789") or letters


def understood(fields: Iterable[tuple[str, str]], form: FormState) -> Meaning:
    """What ``fields`` stand for; the form's own aliases win over the table."""
    own = {folded(name): target for name, target in form.aliases}
    by_name: dict[str, list[str]] = {}
    attribution: dict[str, str] = {}
    unknown: list[tuple[str, str]] = []
    for name, value in fields:
        key, value = folded(name), value.strip()
        if not value or name.startswith("_wpcf7") or name.casefold() in _TECHNICAL_NAMES:
            attribution |= _from_cookies(value) if name.casefold() == "cookies" else {}
        elif (target := own.get(key) or _TABLE.get(key)) is not None:
            by_name.setdefault(target, []).append(value)
        elif key in _ATTRIBUTION:
            attribution[_ATTRIBUTION[key]] = value
        else:
            unknown.append((name, value))
    return Meaning(by_name, tuple(attribution.items()), tuple(unknown))


def attribution(meaning: Meaning, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Where the visitor came from, as strings (client ids exceed every integer type): what the form says, else the
    page's own address, else the headers. ``first_…`` is the first touch, the plain names are the last."""
    sent, said = dict(headers), dict(meaning.attribution)
    page = said.get("page") or sent.get("referer", "")
    for key, value in {"page": page, **_from_query(page), "user_agent": sent.get("user-agent", "")}.items():
        if value:
            said.setdefault(key, value)
    return tuple((key, clean(value)[:2000]) for key, value in said.items())


def _from_query(page: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(urlsplit(page[:8000]).query, max_num_fields=100)
    except ValueError:
        return {}
    return {name.lstrip("_"): value for name, value in pairs if name in _QUERY}


def _from_cookies(cookies: str) -> dict[str, str]:
    return {"ym_client_id" if name == "_ym_uid" else name: value for name, value in _COOKIE.findall(cookies[:8000])}


def addresses(meaning: Meaning, text: str) -> tuple[Address, ...]:
    """Every way to reach the person: from the fields for it, then from what they wrote anywhere (R3)."""
    found: dict[tuple[str, str], Address] = {}

    def keep(*several: Address | None) -> None:
        for address in several:
            if address is not None:
                found.setdefault((address.kind, address.value), address)

    understood = set()
    for value in meaning.all("phone", "contact")[:_SEARCHED]:
        number = contact.phone(value) if len(value) < 200 else None
        keep(number)
        if number is None or contact.digits(value) >= contact.digits(number.value) + contact.FEWEST:
            keep(*contact.phones_in(value[:_READ]))  # there may be another one
        if number is not None:
            understood.add(value)
    for value in meaning.all("email", "contact")[:_SEARCHED]:
        keep(contact.email(value) if len(value) < 500 else None, *contact.emails_in(value[:_READ]))
    loose = [*meaning.all("phone", "email", "name", "convenient_time"), text]
    if not found:
        loose += [value for _, value in meaning.unknown]
    keep(*contact.phones_in("\n".join(value for value in loose if value not in understood)))
    keep(*contact.emails_in("\n".join(loose)))
    return tuple(found.values())


def consent(meaning: Meaning, form: FormState, *, ip: str, page: str) -> Consent | None:
    """The consent as it was given: ticked, left unticked (the form showed a text, no box came), or None when the
    request says nothing about consent. The text is known by its version; an unknown version has no text."""
    version = meaning.first("consent_version")
    ticks = meaning.all("consent")
    if not version and not ticks:
        return None
    known = version.isdecimal() and len(version) < 6 and 0 < int(version) <= len(form.consent_texts)
    text = form.consent_texts[int(version) - 1] if known else ""
    given = bool(ticks) and all(_is_yes(tick) for tick in ticks)
    return Consent(version=version[:50], text_sha256=consent_sha256(text), given=given, ip=ip, page=page)


def _is_yes(value: str) -> bool:
    word = value.strip().casefold()
    return word not in _NO and not word.startswith(("не ", "no ", "not "))
