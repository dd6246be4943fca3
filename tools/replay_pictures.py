"""Pictures of the past for docs/replay.md: a card at a moment, a difference, «Почему?», what if, the board of a day.

    python -m tools.replay_pictures              those of the page, into docs/pictures
    python -m tools.replay_pictures FOLDER       all of them, to be looked at

Made from the demo's department on one fixed day, so that the same program makes the same pictures.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from hub.config import PACKAGED_PROCESS
from hub.demo import prepare
from hub.demo.people import PASSWORD
from tests.browser.places import MONDAY, Product
from tests.conftest import CHROMIUM, CHROMIUM_FLAGS

NOON = MONDAY + timedelta(days=1, hours=2)
LOOKS = {"light": ("light", 1440, 900), "dark": ("dark", 1440, 900), "phone": ("light", 390, 844)}
ON_THE_PAGE = ("past-card", "past-difference")
STAGE = "presentation"
"""The deal in the pictures is the first of this stage: it has much behind it."""


def main(folder: Path, only: tuple[str, ...] = ()) -> None:
    """Make the pictures in all looks; those of these names where any are given."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        prepare({"HUB_DATA_DIR": data}, at=NOON)
        changed = str(_other_process(Path(data)))
        with Product(Path(data), NOON, HUB_PROCESS_FILE=changed).start() as product, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_FLAGS)
            for look in LOOKS:
                _pictures(browser, product.url, folder, look, only)
            browser.close()


def _other_process(folder: Path) -> Path:
    """A file that moves bounds and shortens a deadline: with it in force today, «what if» has something to say."""
    text = PACKAGED_PROCESS.read_text(encoding="utf-8").replace("minutes = 15", "minutes = 5", 1)
    for old, new in (("from = 10", "from = 12"), ("to = 9\n", "to = 11\n"), ("head_above = 9", "head_above = 11")):
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "process.toml"
    file.write_text(text, encoding="utf-8")
    return file


def _pictures(browser: Browser, url: str, folder: Path, look: str, only: tuple[str, ...]) -> None:
    scheme, width, height = LOOKS[look]
    context = browser.new_context(base_url=url, locale="ru-RU", timezone_id="Europe/Moscow", reduced_motion="reduce",
                                  color_scheme="dark" if scheme == "dark" else "light",
                                  viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Логин").fill("auditor")
    page.get_by_label("Пароль").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    page.goto(f"/leads?stage={STAGE}")
    card = str(page.locator("tbody tr th a").first.get_attribute("href"))
    page.goto(card)
    count = int(str(page.locator("[data-slide] input").get_attribute("max")))
    then = count * 2 // 3
    for name, path in (("past-card", f"{card}?at={then}"), ("past-difference", f"{card}/difference?old={then}&new={count}"),
                       ("past-why", f"{card}/why?at={then}&group=score"), ("past-what-if", f"{card}/what-if?at={then}"),
                       ("past-board", f"/?at={MONDAY - timedelta(days=6):%Y-%m-%dT%H:%M}"),
                       ("past-list", f"/leads?at={MONDAY - timedelta(days=6):%Y-%m-%dT%H:%M}"),
                       ("past-map", f"/process?at={MONDAY - timedelta(days=6):%Y-%m-%d}"), ("past-none", f"{card}?at=2030-01-01"),
                       ("present-card", card)):
        if only and name not in only:
            continue
        page.goto(path)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=folder / f"{name}-{look}.png")
    if look == "light" and not only:
        page.goto(f"{card}/print?at={then}")
        page.emulate_media(media="print")
        page.screenshot(path=folder / "past-print.png")
    context.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        main(Path(__file__).parents[1] / "docs" / "pictures", ON_THE_PAGE)
