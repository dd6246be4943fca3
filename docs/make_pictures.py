"""Makes docs/pictures/conversation.png: a talk over VK, letters and Telegram on one card, as the browser test has it.

    python docs/make_pictures.py

It serves a hub of its own, with stand-ins for the three providers, and needs Chromium and Dovecot.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from tests.browser.conversation import far_ends, talk  # noqa: E402
from tests.browser.people import Person  # noqa: E402
from tests.browser.places import Product, Site, furnish  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1360, 1330


def main() -> int:
    """Have the talk and take the picture."""
    pictures = ROOT / "docs" / "pictures"
    pictures.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, far_ends() as ends, Site() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM if Path(CHROMIUM).exists() else None)
        # Letters are dated by the clock of this machine, so the hub goes by it as well.
        with Product(Path(folder) / "hub", datetime.now(UTC), HUB_CHANNELS_FILE=str(ends.settings(Path(folder)))) as product:
            furnish(product, site, anna="manager")
            product.start()
            context = browser.new_context(base_url=product.url, locale="ru-RU", timezone_id="Europe/Moscow", color_scheme="light",
                                          viewport={"width": WIDTH, "height": HEIGHT})
            manager = Person(context, product, "anna")
            talk(product, manager, ends)
            manager.page.get_by_role("navigation", name="Фильтр ленты").get_by_role("link", name="Общение").click()
            manager.page.wait_for_load_state("networkidle")
            manager.page.screenshot(path=str(pictures / "conversation.png"))
        browser.close()
    print(pictures / "conversation.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
