"""People at their browsers: they click, type and read; what a page must never say fails the test."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Response, expect

from tests.browser.places import PASSWORD, Product
from tests.serving import until

TELL = "document.addEventListener('securitypolicyviolation', e => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`))"
REFUSED = re.compile(r"Failed to load resource: (the server responded with a status of (401|403|404|409|422) "
                     r"|net::ERR_(INCOMPLETE_CHUNKED_ENCODING|CONNECTION_REFUSED))")
"""The browser writes every refused form down as an error, and the first look of a page after its session has ended; it is the
hub's sentence in its place that is checked there. So it does with the stream of a live page whose hub is killed."""
BY_MOVE = ("move", "win", "lose", "refuse")
"""Commands of the menu «Перевести»; all others are in «Ещё»."""


class Watch:
    """Everything wrong that pages of a context said."""

    def __init__(self, context: BrowserContext) -> None:
        self.faults: list[str] = []
        context.add_init_script(TELL)
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("response", self._response)

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning") and not REFUSED.match(said.text):
            self.faults.append(f"{said.page.url if said.page else '?'}: {said.type}: {said.text}")

    def _response(self, response: Response) -> None:
        part = response.request.resource_type not in ("document", "xhr", "fetch")
        if response.status >= 500 or (part and response.status >= 400):
            self.faults.append(f"{response.url}: {response.status}")

    def check(self) -> None:
        """Fail if anything was wrong."""
        assert not self.faults, "\n".join(self.faults)


class Person:
    """Somebody of the department in a browser of their own."""

    def __init__(self, context: BrowserContext, product: Product, login: str, password: str = PASSWORD, *,
                 first: bool = False) -> None:
        self.product = product
        self.login = login
        self.watch = Watch(context)
        self.page = context.new_page()
        self.page.set_default_timeout(10_000)
        self._sign_in(password)
        if first:
            self._choose_password(password)

    def _sign_in(self, password: str) -> None:
        self.page.goto("/")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Вход")
        self.page.get_by_label("Логин").fill(self.login)
        self.page.get_by_label("Пароль").fill(password)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", level=1)).not_to_have_text("Вход")

    def _choose_password(self, given: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Новый пароль")
        self.page.get_by_label("Временный пароль").fill(given)
        self.page.get_by_label("Новый пароль", exact=True).fill(PASSWORD)
        self.page.get_by_label("Новый пароль ещё раз").fill(PASSWORD)
        self.page.get_by_role("button", name="Сменить пароль").click()
        # An empty hub shows its administrator the first steps in the board's place.
        expect(self.page.get_by_role("heading", level=1)).to_have_text(re.compile("Доска|Первые шаги"))

    def come_back(self) -> None:
        """A new day: the session has ended."""
        self._sign_in(PASSWORD)

    def open(self, path: str) -> None:
        """Go to a page."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, path

    def sees(self, text: str | re.Pattern[str], within: str = "main") -> None:
        """Read something on the page; it is loaded again until it says so, as time takes a moment to be noticed."""
        def there() -> bool:
            if self.page.locator(within).get_by_text(text).count():
                return True
            self.page.reload()
            return bool(self.page.locator(within).get_by_text(text).count())
        until(there, 20, f"{text!r} is on {self.page.url}")

    # ── forms ────────────────────────────────────────────────────────────────────

    def fill(self, box: Locator, **values: Any) -> None:
        """Answer questions by the names of their fields: texts, days, choices (a list of ticks), True or False for a tick."""
        for name, value in values.items():
            fields = box.locator(f'[name="{name}"]')
            kind = fields.first.evaluate("e => e.type || e.tagName")
            if isinstance(value, bool):
                fields.set_checked(value)
            elif kind == "hidden":  # the link that led here has said it
                expect(fields).to_have_value(str(value))
            elif isinstance(value, list) and kind == "checkbox":
                for n in range(fields.count()):
                    one = fields.nth(n)
                    one.set_checked(one.get_attribute("value") in value or self._label(one) in value)
            elif isinstance(value, list):
                for n, text in enumerate(value):
                    one = fields.nth(n)
                    one.select_option(label=text) if kind.startswith("select") else one.fill(text)
            elif kind == "radio":
                box.locator(f'[name="{name}"][value="{value}"]').check()
            elif kind.startswith("select"):
                options = fields.locator("option").evaluate_all("all => all.map(o => o.value)")
                fields.select_option(value if value in options else None, label=None if value in options else value)
            else:
                fields.fill(value.isoformat() if isinstance(value, date) else str(value))

    def _label(self, field: Locator) -> str:
        return str(field.evaluate("e => e.closest('label')?.innerText.trim() ?? ''"))

    def press(self, button: Locator) -> None:
        """Press what leads to another page, and wait for it."""
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            button.click()

    # ── the lead card ────────────────────────────────────────────────────────────

    def card(self, number: int) -> None:
        """Open a lead's card."""
        self.open(f"/leads/{number}")

    def _menu(self, title: str) -> None:
        self.page.locator("main summary").filter(has_text=re.compile(rf"^\s*{title}\s*$"), visible=True).click()

    def ask(self, command: str) -> Locator:
        """Open the window of a command by the link that is in sight, else by the menu that has it; the window."""
        links = self.page.locator(f'main a[data-act][href*="/do/{command}"]')
        if not links.filter(visible=True).count():
            self._menu("Перевести" if command.partition("?")[0] in BY_MOVE else "Ещё")
        links.filter(visible=True).first.click()
        window = self.page.locator("dialog#act")
        expect(window.locator("form")).to_be_visible()
        return window

    def do(self, command: str, **values: Any) -> None:
        """Give a command by its window."""
        window = self.ask(command)
        self.fill(window, **values)
        self.press(window.locator(".actions button").first)
        expect(self.page.locator(".flashes .notice").first).to_be_visible()

    def refused(self, command: str, sentence: str, field: str = "", **values: Any) -> None:
        """A command that is refused: the sentence stands in its place, at its field where it has one; the window is closed."""
        window = self.ask(command)
        self.fill(window, **values)
        window.locator(".actions button").first.click()
        self.told(window, sentence, field)
        window.get_by_role("button", name="Закрыть", exact=True).first.click()
        expect(window).to_be_hidden()

    def told(self, box: Locator, sentence: str, field: str = "") -> None:
        """A refusal is shown, and said to belong to ``field``."""
        told = box.locator(".error, .notice.bad").filter(has_text=sentence)
        expect(told).to_be_visible()
        if field:
            marked = box.locator(f'[name="{field}"][aria-invalid=true]').first
            expect(marked).to_be_attached()

    def at_once(self, name: str) -> None:
        """Press a button of the card that asks nothing."""
        self.press(self.page.locator("main").get_by_role("button", name=name, exact=True).filter(visible=True).first)

    def move(self, stage: str) -> None:
        """Move the card by the menu «Перевести»."""
        self._menu("Перевести")
        self.at_once(stage)
        self.stage(stage)

    def stage(self, title: str) -> None:
        """The card is in this stage."""
        expect(self.page.locator(".stages [aria-current=step] b")).to_have_text(title)

    def tick(self, item: str) -> None:
        """Tick a line of a checklist; the page stays."""
        self.page.get_by_role("checkbox", name=item, exact=True).click()
        expect(self.page.get_by_role("checkbox", name=item, exact=True)).to_have_attribute("aria-checked", "true")

    def score(self, marks: dict[str, int], total: str, segment: str) -> None:
        """Fill the sheet; it adds itself up."""
        window = self.ask("score")
        asked = list(dict.fromkeys(window.locator(".tri input").evaluate_all("all => all.map(i => i.name)")))
        assert len(asked) == 15
        for name in asked:
            mark = marks.get(name.removeprefix("mark-"), marks["*"])
            window.locator(f'input[name="{name}"][value="{mark}"]').check(force=True)
        expect(window.locator("[data-score-total]").first).to_have_text(total)
        expect(window.locator("[data-score-segment]").first).to_have_text(f"сегмент {segment}")
        self.press(window.locator(".actions button").first)
        expect(self.page.locator(".flashes .notice").first).to_contain_text(f"Сумма {total}, сегмент {segment}")
