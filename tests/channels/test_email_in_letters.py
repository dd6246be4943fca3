"""What letters become: every sample in ``letters/`` against what its index says, and the rest that they cannot show."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.channels.base import FETCHED, Accepted, Request, Unreadable
from hub.channels.email_html import to_text
from hub.channels.email_kind import kind_of
from hub.channels.email_mime import parse
from hub.channels.email_quotes import split
from hub.channels.email_read import read_letter
from hub.channels.email_settings import EmailSettings
from hub.domain.errors import SENTENCES

LETTERS = Path(__file__).parent / "letters"
INDEX: dict[str, dict[str, Any]] = tomllib.loads((LETTERS / "index.toml").read_text(encoding="utf-8"))
SETTINGS = EmailSettings(address="info@studio.example", password="secret", imap="imap.studio.example", own=("@studio.example",),
                         forms=("@site.example",))
AT = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)


def sample(name: str) -> bytes:
    """A sample as it came."""
    return (LETTERS / f"{name}.eml").read_bytes()


def request(data: bytes, at: str = "2026-11-23T08:20:00+00:00") -> Request:
    """A letter as a poll finds it."""
    return Request(FETCHED, "", {"content-type": 'message/rfc822; {"folder":"INBOX","uidvalidity":1,"uid":7}'}, data, "", AT, at)


def read(data: bytes, at: str = "2026-11-23T08:20:00+00:00") -> Accepted:
    """What it becomes."""
    return read_letter(request(data, at), SETTINGS, "email/main", "Почта")


def test_every_sample_is_in_the_index_and_there_are_enough() -> None:
    assert sorted(INDEX) == sorted(path.stem for path in LETTERS.glob("*.eml"))
    assert len(INDEX) >= 60


SUSPICIONS = {"list": "mail_list", "own": "mail_own", "notification": "mail_robot"}


@pytest.mark.parametrize("name", sorted(INDEX))
def test_a_sample_becomes_what_its_index_says(name: str) -> None:
    wanted, data = INDEX[name], sample(name)
    assert kind_of(parse(data), SETTINGS) == wanted["kind"]
    accepted = read(data)
    if wanted.get("nothing"):
        assert (accepted.deliveries, accepted.facts) == ((), ())
        return
    if "about" in wanted:
        (fact,) = accepted.facts
        assert accepted.deliveries == ()
        assert (fact.about, fact.kind, fact.status) == (wanted["about"], "message", wanted["status"])
        assert bool(fact.why) == (fact.status == "failed")
        assert wanted.get("why", "") in fact.why
        return
    (delivery,) = accepted.deliveries
    fields, addresses = dict(delivery.fields), sorted(a.value for a in delivery.addresses)
    assert delivery.suspicion == SUSPICIONS.get(wanted["kind"], "")
    assert delivery.automatic == (wanted["kind"] in ("auto", "bounce"))
    assert delivery.text.strip(), "an empty text"
    assert "\ufffd" not in delivery.text
    exact = {"text": delivery.text, "subject_line": delivery.subject_line, "name": delivery.name, "addresses": addresses,
             "recipients": addresses, "file_count": len(delivery.files), "files": [f.name for f in delivery.files]}
    for what, found in exact.items():
        if what in wanted:
            assert found == wanted[what], what
    for piece in wanted.get("has", ()):
        assert piece in delivery.text
    for piece in wanted.get("lacks", ()):
        assert piece not in delivery.text
    for piece in wanted.get("lacks_in_names", ()):
        assert not any(piece in f.name for f in delivery.files)
    if "quoted" in wanted:
        assert wanted["quoted"] in fields.get("mail_quoted", "")
        assert bool(wanted["quoted"]) == ("mail_quoted" in fields)
    if "address" in wanted:
        assert wanted["address"] in addresses
    for offer, value in wanted.get("offers", {}).items():
        assert fields.get(offer) == value
    assert [t for t in delivery.threads if t in wanted.get("threads", ())] == wanted.get("threads", [])
    kept = delivery.raw.encode("latin-1" if delivery.content_type.endswith("latin-1") else "utf-8")
    assert kept == data, "the whole is kept"


# ── what samples cannot show ─────────────────────────────────────────────────────────


def test_every_suspicion_has_a_sentence() -> None:
    assert all(f"suspect_{code}" in SENTENCES for code in (*SUSPICIONS.values(), "mail_bounce"))
    assert {"unread_mail_unfetched", "out_email_bounced"} <= set(SENTENCES)


@pytest.mark.parametrize("page", [
    "<div>" * 20_000 + "слово", "<style>слово", "<!-- слово", "<p" * 20_000 + ">слово", "<a>" * 5_000 + "</b>" * 5_000 + "слово",
    "<head><title>x<body>слово", "<div hidden>слово", "<script>1</script>слово", "<![CDATA[слово]]>", "слово <", "&#1089;лово"])
def test_no_page_loses_its_words(page: str) -> None:
    assert "слово" in to_text(page)


@pytest.mark.parametrize("text", [
    "\n".join("пн 23.11.2026 10:15 <a@b.example " * 8 + ":" for _ in range(300)), "> x\n" * 5_000, "on wrote " * 30 + ":",
    (" " * 290 + ":\n") * 300, "--- " * 20_000, "От: а\nКому: б\n" * 2_000])
def test_no_text_becomes_empty_however_odd(text: str) -> None:
    assert split(text).own.strip()
    assert read(b"From: a@b.example\nContent-Type: text/plain; charset=utf-8\n\n" + text.encode()).deliveries[0].text


def test_the_same_letter_by_another_way_is_the_same_and_on_another_day_without_a_date_is_not() -> None:
    def id_of(data: bytes, at: str = "2026-11-23T08:20:00+00:00") -> str:
        return read(data, at).deliveries[0].delivery_id
    for name in ("html-only", "header-no-message-id", "header-no-message-id-no-date"):
        data = sample(name)
        assert id_of(b"Received: from x\r\nX-Spam: no\r\nReturn-Path: <a@b.example>\r\n" + data) == id_of(data)
        assert id_of(data.replace(b"\r\n", b"\n")) == id_of(data)
    undated = sample("header-no-message-id-no-date")
    assert id_of(undated, "2026-11-24T08:20:00+00:00") != id_of(undated)


@pytest.mark.parametrize("data", [b"", b"\r\n \r\n", b"\x00\x01\x02"])
def test_what_is_no_letter_is_a_dead_letter(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)
