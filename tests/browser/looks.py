"""How pages are judged: axe-core on the page as it is, in light, dark and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = (Path(__file__).parents[1] / "vendor/axe-core/axe.min.js").read_text(encoding="utf-8")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS: dict[str, tuple[Any, Any]] = {"light": ("light", DESK), "dark": ("dark", DESK), "phone": ("light", PHONE)}
"""Colour scheme and size of the window."""

RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  const told = n => n.failureSummary.split("\\n")[1]?.trim();
  return found.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(" ")}: ${told(n)}`));
}"""


def look(page: Page, name: str) -> None:
    """Let the page be seen in one of the looks."""
    scheme, size = LOOKS[name]
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(size)


def violations(page: Page) -> list[str]:
    """What axe finds wrong on the page; evaluated past the page's CSP, which would rightly keep it out."""
    page.evaluate(f"() => {{ if (!window.axe) {{ {AXE} }} }}")
    found: list[str] = page.evaluate(RUN)
    return found


def too_wide(page: Page) -> bool:
    """Whether the page scrolls sideways as a whole."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth"))
