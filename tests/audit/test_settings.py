"""The settings of the proof: bad values are refused by name, and a key never stands in a sentence."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from hub.bootstrap import audit_options
from hub.config import BadSetting, load
from tests.audit.authority import authority

KEY = base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(("name", "value", "sentence"), [
    ("HUB_AUDIT_HOURS", "0", "from 1 to 8760"), ("HUB_AUDIT_HOURS", "day", "from 1 to 8760"),
    ("HUB_AUDIT_KEY", "secret-that-is-too-short", "openssl rand"), ("HUB_AUDIT_FOLDER", __file__, "give a folder"),
    ("HUB_AUDIT_MAIL", "notary", "e-mail addresses"), ("HUB_AUDIT_MAIL", "a@b.example,", "e-mail addresses"),
    ("HUB_AUDIT_STAMP_URL", "http://tsa.example", "belong together"),
    ("HUB_AUDIT_STAMP_ROOTS", __file__, "belong together"),
])
def test_what_makes_no_sense_is_refused(name: str, value: str, sentence: str) -> None:
    with pytest.raises(BadSetting, match=sentence) as caught:
        load({name: value})
    assert name in str(caught.value)
    assert "secret-that" not in str(caught.value)


@pytest.mark.parametrize(("url", "roots", "sentence"), [("ftp://tsa", "", "no address"), ("http://", "", "no address"),
                                                        ("http://tsa.example/x", __file__, "PEM certificates")])
def test_an_authority_needs_an_address_and_certificates(tmp_path: Path, url: str, roots: str, sentence: str) -> None:
    with authority(tmp_path) as tsa, pytest.raises(BadSetting, match=sentence):
        load({"HUB_AUDIT_STAMP_URL": url, "HUB_AUDIT_STAMP_ROOTS": roots or str(tsa.roots)})


def test_good_values_reach_the_hub(tmp_path: Path) -> None:
    with authority(tmp_path / "tsa") as tsa:
        settings = load({
            "HUB_DATA_DIR": str(tmp_path), "HUB_AUDIT_HOURS": "6", "HUB_AUDIT_KEY": KEY,
            "HUB_AUDIT_FOLDER": str(tmp_path / "points"), "HUB_AUDIT_MAIL": "a@b.example, c@d.example",
            "HUB_AUDIT_STAMP_URL": tsa.url, "HUB_AUDIT_STAMP_ROOTS": str(tsa.roots),
            "HUB_PUBLIC_URL": "https://hub.example"})
        options = audit_options(settings)
    assert (options.every.total_seconds(), options.folder, options.mail, options.host) == (
        6 * 3600, tmp_path / "points", ("a@b.example", "c@d.example"), "hub.example")
    assert options.stamps is not None
    assert KEY not in repr(settings)
    assert audit_options(load({"HUB_DATA_DIR": str(tmp_path)})).folder == tmp_path / "checkpoints"
