"""The website channel: what is marked, what is kept although it is broken, what is refused. Nothing is dropped (R1)."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hub.channels.base import Rejected, Request
from hub.channels.website import MAX_BODY, MAX_BODY_WITH_FILES
from hub.channels.website_body import MAX_FILES
from hub.domain.delivery import Delivery
from hub.domain.errors import SENTENCES
from tests.channels.website_requests import (
    FORM,
    JSON,
    PERSON,
    SITE,
    URLENCODED,
    accept,
    multipart,
    one,
    posted,
    request,
    storable,
    token,
)

# --- suspicion: marked, never dropped ---


@pytest.mark.parametrize(
    ("fields", "suspicion"),
    [
        ({"hub_topic": "buy now"}, "honeypot"),
        ({"hub_topic": "  "}, ""),
        ({"hub_token": token(60)}, ""),
        ({"hub_token": token(1)}, "too_fast"),
        ({"hub_token": token(100 * 3600)}, "token_old"),
        ({"hub_token": token(-60)}, "too_fast"),
        ({"hub_token": token(60, "other")}, "token_forged"),
        ({"hub_token": token(60, key=b"x")}, "token_forged"),
        ({"hub_token": "1.2.3"}, "token_forged"),
        ({"hub_token": "9" * 400 + ".x"}, "token_forged"),
        ({"hub_token": ".я"}, "token_forged"),
        ({"message": "http://a.ru https://b.ru www.c.ru http://d.ru"}, "links"),
        ({"message": "мой сайт https://a.ru, пример https://b.ru"}, ""),
        ({"name": "Win https://casino.example"}, "links"),
        ({"hub_topic": "x", "hub_token": token(1)}, "honeypot too_fast"),
    ],
)
def test_what_looks_like_a_program_is_marked(fields: dict[str, str], suspicion: str) -> None:
    delivery = posted({**PERSON, **fields})
    assert delivery.suspicion == suspicion
    assert delivery.addresses


def test_a_hidden_origin_is_marked_and_no_origin_is_fine() -> None:
    assert posted(PERSON, origin="null").suspicion == "origin_unknown"
    assert posted(PERSON).suspicion == ""
    assert posted(PERSON, origin="https://hub.agency.ru").suspicion == ""


def test_a_retired_form_still_keeps_what_arrives() -> None:
    delivery = one(request(json.dumps(PERSON).encode()), structs.replace(FORM, retired=True))
    assert (delivery.suspicion, delivery.name) == ("retired_form", "Иван Петров")


@pytest.mark.parametrize(
    ("sent", "suspicion"),
    [
        (request(b'{"phone": "89001234567"'), "broken_json"),
        (request(b'{"phone": "89001234567", "n": NaN}'), "broken_json"),
        (request(b'["89001234567"]'), "json_not_object"),
        (request(b'"89001234567"'), "json_not_object"),
        (request(b'{"phone": "89001234567", "phone": "89007654321"}'), "duplicate_keys"),
        (request(b'{"phone": "89001234567", "a": ' + b'{"a":' * 50 + b"1" + b"}" * 51), "nested_bomb"),
        (request(b'{"phone": "89001234567", "a": ' + b"[" * 100_000), "nested_bomb"),
        (request(b'{"phone": "89001234567", "a": ' + b"[" * 900 + b"]" * 900 + b"}"), "nested_bomb"),
        (request(b'{"phone": "89001234567", "a": "' + b"x" * 1_000_000 + b'"}'), "huge_field"),
        (request(json.dumps({"phone": "89001234567", **{f"f{i}x": "v" for i in range(2000)}}).encode()), "too_many_fields"),
        (request(b"phone=89001234567" + b"&a=b" * 2000, URLENCODED), "too_many_fields"),
        (request(b"phone=89001234567&a=%00b", URLENCODED), "nul_bytes"),
        (request(b"phone=89001234567&a=\x00b", URLENCODED), "nul_bytes"),
        (request(b'{"phone": "89001234567", "a": "\\u0000"}'), "nul_bytes"),
        (request(b"phone=89001234567&name=%98%A0%FF", URLENCODED), "wrong_charset"),
        (request(b"phone=89001234567&name=\xb5\xaf\x99\x86", URLENCODED), "wrong_charset"),
        (request(b"phone=89001234567", "application/octet-stream"), "wrong_content_type"),
        (request(b'{"phone": "89001234567"}', ""), "wrong_content_type"),
        (request(b"call me 89001234567\n", "text/html"), "wrong_content_type"),
        (request(multipart(('name="phone"', b"89001234567"))[:-9], "multipart/form-data; boundary=xYz"), "broken_multipart"),
    ],
    ids=str,
)
def test_bad_input_that_may_be_a_person_is_kept_whole_with_its_reason(sent: Request, suspicion: str) -> None:
    """R1: the whole body is there, and the number is found in it."""
    delivery = one(sent)
    assert suspicion in delivery.suspicion.split()
    assert "+79001234567" in [a.value for a in delivery.addresses]
    assert len(delivery.raw) >= len(sent.body) * 0.5
    assert storable(delivery)


def test_a_part_that_cannot_be_read_is_kept_beside_those_that_can() -> None:
    body = multipart(('name="phone"', b"89001234567")).replace(b"--xYz--", b"--xYz\r\nno headers, only Ivan\r\n--xYz--")
    delivery = one(request(body, "multipart/form-data; boundary=xYz"))
    assert delivery.suspicion == "broken_multipart"
    assert "only Ivan" in delivery.raw
    assert delivery.addresses[0].value == "+79001234567"


def test_half_a_surrogate_pair_does_not_reach_the_store() -> None:
    delivery = one(request(b'{"phone": "89001234567", "name": "\\ud800", "\\udfff": "x"}'))
    assert storable(delivery)


# --- refusals ---


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (request(b"", method="GET"), 405, "site_method"),
        (request(b"{}", method="PUT"), 405, "site_method"),
        (request(b""), 400, "site_nothing"),
        (request(b"  \n"), 400, "site_nothing"),
        (request(b"{}"), 400, "site_nothing"),
        (request(b"name=&phone=&message=", URLENCODED), 400, "site_nothing"),
        (
            request(
                json.dumps(
                    {
                        "name": " ",
                        "consent": "yes",
                        "consent_version": "2",
                        "page": "https://a.ru",
                        "submission_id": "1",
                        "hub_token": token(60),
                        "_wpcf7": "5",
                        "timezone": "Asia/Omsk",
                    }
                ).encode()
            ),
            400,
            "site_nothing",
        ),
        (request(b"x" * (MAX_BODY + 1)), 413, "site_too_large"),
        (request(b"x" * (MAX_BODY_WITH_FILES + 1), "multipart/form-data; boundary=x"), 413, "site_too_large"),
        (request(b'{"phone": "89001234567"}', origin="https://evil.ru"), 403, "site_origin"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_cannot_hold_a_lead_is_refused(sent: Request, status: int, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        accept(sent)
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert SENTENCES[code].ru.format(**refusal.value.params) != SENTENCES[code].en.format(**refusal.value.params)


def test_large_files_are_fine_where_a_large_text_is_not() -> None:
    body = multipart(('name="phone"', b"89001234567"), ('name="f"; filename="a.zip"', b"\x00\xff" * 2_000_000))
    assert len(one(request(body, "multipart/form-data; boundary=xYz")).files[0].data) == 4_000_000


CONTENT_TYPES = st.sampled_from(
    [
        JSON,
        URLENCODED,
        "text/plain",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "application/xml",
        "",
        URLENCODED + "; charset=utf-16",
        JSON + "; charset=punycode",
        'x; charset="',
        "application/json; charset=koi8-r",
    ]
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode()),
    st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40)), max_size=5).map(
        lambda pairs: b"&".join(b"%s=%s" % pair for pair in pairs)
    ),
    st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=40)), max_size=4).map(
        lambda parts: (
            b"".join(b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part for part in parts) + b"--b--"
        )
    ),
)


@given(
    body=BODIES,
    content_type=st.one_of(CONTENT_TYPES, st.text(max_size=40)),
    key=st.text(max_size=20),
    origin=st.sampled_from(["", "null", SITE]),
    referer=st.text(max_size=40),
)
def test_no_bytes_whatever_make_it_fail(body: bytes, content_type: str, key: str, origin: str, referer: str) -> None:
    """Never a 500: every body is a delivery that any store can hold, or a refusal with a sentence."""
    sent = request(body, content_type, idempotency_key=key, origin=origin, referer=referer)
    deliveries, refusal = outcome(sent)
    assert refusal is None or (400 <= refusal.status < 500 and refusal.code in SENTENCES)
    assert all(storable(delivery) for delivery in deliveries)


def outcome(sent: Request) -> tuple[tuple[Delivery, ...], Rejected | None]:
    try:
        return accept(sent).deliveries, None
    except Rejected as refusal:
        return (), refusal


# --- what would take the time of everybody ---


def test_more_files_than_a_person_attaches_are_kept_as_one_with_the_whole_body() -> None:
    """Each file takes the disk its time: eight thousand tiny ones took half a minute."""
    parts = [(f'name="f"; filename="{n}.txt"', str(n).encode()) for n in range(MAX_FILES + 1)]
    fine = multipart(('name="phone"', b"89001234567"), *parts[:-1])
    many = multipart(('name="phone"', b"89001234567"), *parts)
    delivery = one(request(fine, "multipart/form-data; boundary=xYz"))
    assert (delivery.suspicion, len(delivery.files)) == ("", MAX_FILES)
    delivery = one(request(many, "multipart/form-data; boundary=xYz"))
    assert delivery.suspicion == "too_many_files"
    assert [file.data for file in delivery.files] == [many]
    assert delivery.addresses[0].value == "+79001234567"
    again = one(request(many.replace(b"xYz", b"other"), "multipart/form-data; boundary=other"))
    assert again.payload_digest == delivery.payload_digest


def test_long_runs_of_combining_marks_are_never_sorted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorting them takes the square of their number: one request of 2 MB stopped the hub for minutes."""
    normalised: list[int] = []
    real = unicodedata.normalize

    def noted(form: str, text: str) -> str:
        normalised.append(len(text))
        return real(form, text)

    monkeypatch.setattr(unicodedata, "normalize", noted)
    zalgo = "и" + "\u0300\u0316" * 20_000
    sent = {"name": f"Иван {zalgo}", "phone": f"{zalgo} 8 900 123-45-67", f"поле {zalgo}": "1", "message": zalgo, "город": zalgo}
    delivery = posted(sent)
    assert delivery.fields == tuple(sent.items())
    assert max(normalised) < 100
    assert sum(normalised) < 1_000_000
    assert storable(delivery)
