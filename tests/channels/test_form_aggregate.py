"""Given / when / then for the form: made, edited, retired, restored, tested, silent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from hub.domain.aggregate import Actor, Stamp
from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.form import (
    Form,
    FormEdited,
    FormMade,
    FormRestored,
    FormRetired,
    FormSettings,
    FormState,
    FormTested,
    consent_sha256,
    form_stream,
    silent,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
STAMP = Stamp(Actor("user:admin", frozenset({"administrator"})), NOW, UUID(int=7))
SITE = FormSettings(name="Сайт", origins=("https://agency.ru",), consent_text="Согласен")


def made(settings: FormSettings = SITE) -> Form:
    form = Form.at_address("main-site", STAMP)
    form.make("main-site", settings)
    return form


def kinds(form: Form) -> list[type]:
    return [type(event) for event in form.events]


def test_given_nothing_when_made_then_the_form_is_there() -> None:
    form = made()
    (event,) = form.events
    assert isinstance(event, FormMade)
    assert (event.TOPIC, event.originator_id, event.form) == ("form.made", form_stream("main-site"), "main-site")
    assert (form.state.id, form.state.name, form.state.consent_version, form.state.live_since) == ("main-site", "Сайт", 1, NOW)
    assert form.state.settings() == SITE


def test_its_events_alone_give_the_same_form() -> None:
    form = made()
    form.edit(structs.replace(SITE, consent_text="Согласен на обработку"))
    form.retire()
    form.restore()
    form.note_test("W-1")
    assert kinds(form) == [FormMade, FormEdited, FormRetired, FormRestored, FormTested]
    assert Form.fold(form.events) == form.state
    assert form.version == 5


@pytest.mark.parametrize("id", ["", "Site", "форма", "a b", "-a", "a-", "a" * 49, "../x", "a\n"])
def test_an_address_that_is_not_one_is_refused(id: str) -> None:
    with pytest.raises(Refused) as refusal:
        Form.at_address(id, STAMP)
    assert (refusal.value.code, refusal.value.field) == ("form_id_bad", "id")


def test_given_a_form_when_made_again_then_refused() -> None:
    form = made()
    with pytest.raises(Conflict) as refusal:
        form.make("main-site", SITE)
    assert refusal.value.code == "form_id_taken"
    assert "main-site" in refusal.value.say("ru")


def test_an_edit_that_changes_nothing_records_nothing() -> None:
    form = made()
    form.edit(structs.replace(SITE, name=" Сайт ", origins=("HTTPS://Agency.ru:443/",)))
    assert kinds(form) == [FormMade]


def test_the_consent_version_grows_only_with_its_text() -> None:
    form = made()
    form.edit(structs.replace(SITE, name="Другое имя"))
    assert form.state.consent_version == 1
    form.edit(structs.replace(SITE, consent_text="Новый текст"))
    assert form.state.consent_version == 2
    assert form.state.consent_texts == ("Согласен", "Новый текст")
    form.edit(structs.replace(SITE, consent_text=""))
    assert form.state.consent_version == 0
    form.edit(SITE)
    assert form.state.consent_version == 3
    assert consent_sha256("") == ""
    assert len(consent_sha256("Согласен")) == 64


def test_a_retired_form_is_neither_edited_nor_tested_until_restored() -> None:
    form = made()
    form.retire()
    commands: list[Callable[[], None]] = [lambda: form.edit(SITE), form.retire, lambda: form.note_test("W-1")]
    for command in commands:
        with pytest.raises(Refused) as refusal:
            command()
        assert refusal.value.code == "form_is_retired"
    form.restore()
    assert not form.state.retired
    with pytest.raises(Refused) as refusal:
        form.restore()
    assert refusal.value.code == "form_not_retired"


def test_a_form_that_was_never_made_cannot_be_worked_with() -> None:
    for name in ("retire", "restore"):
        with pytest.raises(NotFound):
            getattr(Form.at_address("ghost", STAMP), name)()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://site.ru", "https://site.ru"),
        ("https://Site.RU/", "https://site.ru"),
        ("https://site.ru:443", "https://site.ru"),
        ("https://site.ru:8443", "https://site.ru:8443"),
        ("https://пример.рф", "https://xn--e1afmkfd.xn--p1ai"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
    ],
)
def test_an_origin_is_kept_as_browsers_say_it(written: str, kept: str) -> None:
    assert made(structs.replace(SITE, origins=(written,))).state.origins == (kept,)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "  ", "form_name_empty"),
        *(
            ("origins", (bad,), "form_origin_bad")
            for bad in (
                "site.ru",
                "http://site.ru",
                "https://site.ru/contacts",
                "https://a@site.ru",
                "https://*.site.ru",
                "*",
                "null",
                "",
                "https://site.ru?x=1",
                "https://site.ru:99999",
                "https://[::1",
                "javascript:alert(1)",
                "https://a b.ru",
            )
        ),
        *(
            ("thank_you_urls", (bad,), "form_thank_you_bad")
            for bad in (
                "/thanks",
                "http://site.ru/thanks",
                "https://",
                "https://u:p@site.ru/",
                "https://site.ru/\r\nX: y",
                "javascript:alert(1)",
                "https://[x",
            )
        ),
        ("aliases", (("Ваш бюджет", "money"),), "form_alias_bad"),
        ("aliases", (("", "phone"),), "form_alias_bad"),
        ("phone_shown", "позвоните нам", "form_phone_bad"),
        ("min_fill_seconds", -1, "form_number_bad"),
        ("max_age_hours", 0, "form_number_bad"),
        ("rate_per_minute", 0, "form_number_bad"),
        ("rate_cap_per_minute", 10**6, "form_number_bad"),
        ("silence_days", 999, "form_number_bad"),
    ],
)
def test_a_wrong_setting_is_refused_at_its_field(field: str, value: Any, code: str) -> None:
    form = made()
    with pytest.raises(Refused) as refusal:
        form.edit(structs.replace(SITE, **{field: value}))
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert refusal.value.say("ru") != refusal.value.say("en")
    assert kinds(form) == [FormMade]


def test_a_form_is_silent_only_after_its_days() -> None:
    form = made(structs.replace(SITE, silence_days=3)).state
    day = timedelta(days=1)
    assert not silent(form, None, NOW + 3 * day)
    assert silent(form, None, NOW + 3.1 * day)
    assert not silent(form, NOW + 2 * day, NOW + 4 * day)
    assert silent(form, NOW + 2 * day, NOW + 6 * day)
    assert not silent(structs.replace(form, silence_days=0), None, NOW + 99 * day)
    assert not silent(structs.replace(form, retired=True), None, NOW + 99 * day)
    assert not silent(FormState(), None, NOW)


def test_a_restored_form_is_given_its_days_again() -> None:
    form = made(structs.replace(SITE, silence_days=3))
    form.retire()
    later = NOW + timedelta(days=30)
    form.stamp = stamp_at(later)
    form.restore()
    assert not silent(form.state, NOW, later + timedelta(days=1))


def stamp_at(at: datetime) -> Stamp:
    return Stamp(STAMP.actor, at, STAMP.correlation_id)
