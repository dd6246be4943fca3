"""The website channel: one request of a form becomes one delivery, or a refusal with a way out (R1). Pure.

Nothing that a person may have sent is dropped: what is broken or looks like a program's work comes out as
a delivery with ``suspicion`` (codes with a space between; each has a sentence ``suspect_<code>``) and waits for
a person in the quarantine. Only what cannot hold a lead is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from hub.channels import website_body, website_fields
from hub.channels.base import Accepted, Rejected, Request
from hub.channels.website_fields import Meaning
from hub.domain import contact
from hub.domain.delivery import Address, Delivery
from hub.domain.errors import sentences
from hub.domain.form import HONEYPOT, TOKEN, FormState

MAX_BODY = 2_000_000
"""Bytes of a body without files."""
MAX_BODY_WITH_FILES = 10_000_000
"""Bytes of a multipart body; the web layer reads no more than this."""
MAX_LINKS = 3
"""More links than this in one submission is advertising more often than a client."""
MAX_ID = 255
"""Characters of a delivery id; a longer one is kept as its sha256."""

sentences(
    site_method=("Сюда форму только отправляют: нужен метод POST.", "A form is only sent here: use POST."),
    site_too_large=("Заявка больше {limit} МБ: отправьте её без вложений или пришлите файлы письмом.",
                    "The request is larger than {limit} MB: send it without attachments, or send the files by e-mail."),
    site_origin=("Сайт {origin} не указан в настройках формы: администратор добавляет его в разделе «Формы».",
                 "The site {origin} is not among the form's sites: an administrator adds it on the page “Forms”."),
    site_nothing=("В заявке ничего нет: напишите имя и телефон или почту.",
                  "There is nothing in the request: give a name and a phone number or an e-mail address."),
    suspect_honeypot=("заполнено поле, которого человек не видит", "a field that people do not see is filled in"),
    suspect_too_fast=("форма заполнена быстрее, чем это может человек", "filled in faster than a person can"),
    suspect_token_old=("форма была открыта слишком давно", "the form was opened too long ago"),
    suspect_token_forged=("метка времени формы подделана или от другой формы",
                          "the form's time token is forged or belongs to another form"),
    suspect_links=("слишком много ссылок", "too many links"),
    suspect_rate=("слишком много заявок с одного адреса за минуту", "too many requests from one address in a minute"),
    suspect_origin_unknown=("браузер скрыл, с какого сайта заявка", "the browser hid which site the request is from"),
    suspect_retired_form=("форма снята с сайта", "the form is retired"),
    suspect_broken_json=("JSON испорчен", "the JSON is broken"),
    suspect_json_not_object=("JSON не объект с полями", "the JSON is not an object with fields"),
    suspect_duplicate_keys=("поле в JSON названо дважды", "the JSON names a field twice"),
    suspect_nested_bomb=("слишком глубокая вложенность", "nested too deeply"),
    suspect_broken_multipart=("заявка с файлами оборвана или испорчена", "the request with files is cut off or broken"),
    suspect_wrong_content_type=("тип содержимого не подходит для формы", "the content type does not suit a form"),
    suspect_wrong_charset=("кодировка неизвестна, текст может быть искажён", "the charset is unknown, the text may be garbled"),
    suspect_nul_bytes=("в тексте нулевые байты", "there are NUL bytes in the text"),
    suspect_too_many_fields=("слишком много полей", "too many fields"),
    suspect_too_many_files=("слишком много файлов, они сложены в один", "too many files, they are put together in one"),
    suspect_huge_field=("слишком длинное поле", "a field is too long"),
)


@dataclass(frozen=True)
class Website:
    """Reads the requests of website forms.

    ``key`` signs the fill-time tokens and keys the fingerprints. ``public_url`` is the hub's own address,
    whose pages may always post (the preview of a form).
    """

    key: bytes
    public_url: str = ""

    def accept(self, request: Request, form: FormState, *, at: datetime) -> Accepted:
        """The delivery that ``request`` holds, with ``answer["thank_you"]`` for a plain form; ``at`` is now.

        Tilda's connection test (``test=test``) is accepted with no delivery and ``answer["body"] == "ok"``.
        :raises Rejected: 405 another method than POST, 413 too large, 403 a site that is not the form's, 400 nothing in it.
        """
        if request.method != "POST":
            raise Rejected(405, "site_method")
        _check_size(request)
        hidden_origin = self._check_origin(request, form)
        content = website_body.read(request)
        if content.fields == (("test", "test"),):
            return Accepted((), {"body": "ok"})
        meaning = website_fields.understood(content.fields, form)
        sent = dict(content.fields)
        bot = bool(sent.get(HONEYPOT, "").strip())
        if not request.body.strip() or not (meaning.says_something or content.files or bot or content.troubles):
            raise Rejected(400, "site_nothing")
        reasons = [
            *content.troubles,
            "retired_form" if form.retired else "",
            "origin_unknown" if hidden_origin else "",
            "honeypot" if bot else "",
            token_trouble(self.key, form, sent[TOKEN], at) if sent.get(TOKEN) else "",
            "links" if _links(meaning) else "",
        ]
        delivery = self._delivery(request, form, content, meaning, " ".join(filter(None, reasons)))
        return Accepted((delivery,), {"thank_you": thank_you(form, meaning.first("thank_you"))})

    def _check_origin(self, request: Request, form: FormState) -> bool:
        """Whether the browser hid its origin; a server sends none, which is fine.

        :raises Rejected: 403 for a site that is not the form's.
        """
        said = request.headers.get("origin", "").strip()
        if said in ("", "null"):
            return said == "null"
        if not allowed(form, said) and said != "/".join(self.public_url.lower().split("/")[:3]):
            raise Rejected(403, "site_origin", origin=said[:200])
        return False

    def _delivery(self, request: Request, form: FormState, content: website_body.Content, meaning: Meaning,
                  suspicion: str) -> Delivery:
        text = "\n\n".join(meaning.all("text")) if not content.unread else content.raw[:website_body.MAX_VALUE]
        found = website_fields.addresses(meaning, text)
        where = website_fields.attribution(meaning, request.headers.items())
        region = meaning.first("region")[:500]
        phone = next((address.value for address in found if address.kind == "phone"), "")
        delivery_id = _delivery_id(request, meaning, content.digest)
        return Delivery(
            channel="website", source=form.id, source_title=form.name,
            delivery_id=delivery_id, payload_digest=content.digest,
            fingerprint="" if delivery_id else self._fingerprint(form, found, text, content),
            suspicion=suspicion,
            name=contact.person_name(" ".join([meaning.first("name"), meaning.first("last_name")])),
            company=meaning.first("company")[:500], text=text, subject_line=meaning.first("subject")[:1000],
            addresses=found, region=region, budget=meaning.first("budget")[:500],
            timezone=contact.timezone_of(browser=meaning.first("timezone"), region=region, phone=phone),
            convenient_time=meaning.first("convenient_time")[:500],
            fields=content.fields, attribution=where,
            consent=website_fields.consent(meaning, form, ip=request.remote_addr, page=dict(where).get("page", "")),
            files=content.files, raw=content.raw,
            content_type=website_body.clean(request.headers.get("content-type", ""))[:255], ip=request.remote_addr,
        )

    def _fingerprint(self, form: FormState, found: tuple[Address, ...], text: str, content: website_body.Content) -> str:
        """What marks a possible duplicate where the sender gave no id. Keyed: a bare hash of a phone gives the phone away."""
        reached = sorted(f"{address.kind}:{address.value}" for address in found)
        said = " ".join(text.casefold().split())
        parts = [form.id, *reached, said] if reached or said else [form.id, content.digest]
        return hmac.new(self.key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def _check_size(request: Request) -> None:
    kind, _ = website_body.media_type(request.headers.get("content-type", ""))
    limit = MAX_BODY_WITH_FILES if kind == "multipart/form-data" else MAX_BODY
    if len(request.body) > limit:
        raise Rejected(413, "site_too_large", limit=limit // 1_000_000)


def _links(meaning: Meaning) -> bool:
    values = [*meaning.all("text", "subject", "company"), *(value for _, value in meaning.unknown)]
    link = re.compile(r"https?://|\bwww\.|\[url|<a\s", re.I)
    return len(link.findall("\n".join(values))) > MAX_LINKS or bool(link.search(meaning.first("name")))


# --- the identity of a delivery ----------------------------------------------------------------------------------------

_NOT_AN_ID = ("null", "undefined", "none", "nan", "test", "0")


def _delivery_id(request: Request, meaning: Meaning, digest: str) -> str:
    """The sender's id of this submission, or ``""``.

    The Idempotency-Key header is taken as it is: the same key with another payload is the sender's error (409).
    An id in a field is a page's and may be frozen in it by mistake, so it is taken with the payload: the same
    field with another payload is another submission, never a lost one.
    """
    key = _usable(_bare(request.headers.get("idempotency-key", "")))
    if key:
        return key
    submission = _usable(meaning.first("submission_id"))
    if submission:
        return _short(f"{submission}/{digest[:16]}")
    transaction = _usable(meaning.first("tranid"))
    return _short(f"tilda:{meaning.first('formid')}:{transaction}/{digest[:16]}") if transaction else ""


def _bare(header: str) -> str:
    """A structured-field string without its quotes; anything else as it stands."""
    header = header.strip()
    quoted = re.fullmatch(r'"((?:[^"\\]|\\["\\])*)"', header)
    return re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else header


def _usable(id: str) -> str:
    """``id``, unless it is a place that the site's mail template did not fill in (``[_random]``, ``{{id}}``)."""
    id = website_body.clean(id.strip())
    return "" if id.casefold() in _NOT_AN_ID or re.search(r"^[\[{%<].*[\]}%>]$", id, re.S) else _short(id)


def _short(id: str) -> str:
    return id if len(id) <= MAX_ID and id.isprintable() else "sha256:" + hashlib.sha256(id.encode()).hexdigest()


# --- the signed time of opening ------------------------------------------------------------------------------------------

def fill_token(key: bytes, form_id: str, at: datetime) -> str:
    """A token that says when the visitor opened form ``form_id``; the script sends it back."""
    seconds = str(int(at.timestamp()))
    return f"{seconds}.{_signature(key, form_id, seconds)}"


def token_trouble(key: bytes, form: FormState, token: str, at: datetime) -> str:
    """``""`` for a good token, else ``token_forged``, ``too_fast`` or ``token_old``."""
    seconds, _, signature = token.strip().partition(".")
    if not re.fullmatch(r"[0-9]{1,12}", seconds) or not hmac.compare_digest(
            signature.encode(), _signature(key, form.id, seconds).encode()):
        return "token_forged"
    age = at.timestamp() - int(seconds)
    if age < form.min_fill_seconds:
        return "too_fast"
    return "token_old" if age > form.max_age_hours * 3600 else ""


def _signature(key: bytes, form_id: str, seconds: str) -> str:
    made = hmac.new(key, f"fill-token\x1f{form_id}\x1f{seconds}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


# --- what the web layer answers with ---------------------------------------------------------------------------------------

def allowed(form: FormState, origin: str) -> bool:
    """Whether pages of ``origin`` (as the browser says it) may post to ``form``."""
    return origin in form.origins


def cors_headers(form: FormState, origin: str) -> dict[str, str]:
    """CORS headers for an answer to ``origin``, errors included: without them a script sees only an opaque failure."""
    headers = {"Vary": "Origin"}
    if allowed(form, origin):
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
                    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
                    "Access-Control-Expose-Headers": "Retry-After", "Access-Control-Max-Age": "600"}
    return headers


def thank_you(form: FormState, wanted_url: str = "") -> str:
    """The address to send a visitor to: ``wanted_url`` when it is on the form's list, else the first of the list, else ``""``."""
    return wanted_url if wanted_url in form.thank_you_urls else next(iter(form.thank_you_urls), "")
