"""The front-end base: budgets, vendored files, icons, what the strict CSP forbids, and the contrast of the colour tokens."""

import gzip
import hashlib
import json
import math
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "hub" / "web" / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = [path for path in TEMPLATES if "letters" not in path.parts]
VENDOR = json.loads((ROOT / "hub" / "web" / "vendor.json").read_text())
SHEETS = sorted(STATIC.glob("*.css"))
KILO = 1024

Oklch = tuple[float, float, float]


def packed(paths: list[Path]) -> int:
    """Bytes over the wire when each file is compressed by itself."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


# --- budgets ---------------------------------------------------------------------------------------------------------------


LAYOUT_SHEETS = [STATIC / f"{name}.css" for name in ("app", "components", "forms", "pages", "print")]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_css_of_every_page_stays_within_15_kb(page: Path) -> None:
    own = re.findall(r"filename='(\w+\.css)'", page.read_text()) if page.name != "layout.html" else []
    assert packed([*LAYOUT_SHEETS, *(STATIC / name for name in own)]) <= 15 * KILO


def test_every_sheet_is_linked_by_the_layout_or_by_a_page() -> None:
    linked = {name for page in PAGES for name in re.findall(r"filename='(\w+\.css)'", page.read_text())}
    assert {sheet.name for sheet in SHEETS} == linked | {sheet.name for sheet in LAYOUT_SHEETS}


LATER = r'data-sortable="[^>]*'
"""Where a page names what it fetches when everything else is there."""


def closure(script: Path) -> set[Path]:
    """A script and all that it imports, by itself or when it is asked for."""
    found, waiting = set[Path](), [script]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            asked = re.findall(r"""(?:from|import)\s*\(?["'](\.[^"']+)["']""", one.read_text())
            waiting += [(one.parent / name).resolve() for name in asked]
    return found


def scripts_of(page: Path) -> set[Path]:
    """What a page loads: what it and its frame name, and what those import. Sortable is fetched when the board has settled."""
    texts = [re.sub(LATER, "", path.read_text()) for path in (page, ROOT / "templates" / "layout.html")]
    named = [name for text in texts for name in re.findall(r"filename='([\w/.-]+\.js)'", text)]
    return {one for name in named for one in closure(STATIC / name)}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_scripts_of_every_page_stay_within_45_kb(page: Path) -> None:
    assert packed(sorted(scripts_of(page))) <= 45 * KILO


def test_dragging_is_fetched_once_the_board_has_settled() -> None:
    """Nothing of Sortable is in the way of the first look."""
    board = ROOT / "templates/board/board.html"
    assert "Sortable.min.js" in board.read_text()
    assert "Sortable.min.js" not in {one.name for one in scripts_of(board)}


def test_fonts_stay_within_80_kb() -> None:
    assert sum(path.stat().st_size for path in (STATIC / "vendor/golos-text").glob("*.woff2")) <= 80 * KILO


# --- vendored files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(VENDOR["sha256"]))
def test_vendored_file_is_the_one_of_its_package(path: str) -> None:
    assert hashlib.sha256((STATIC / path).read_bytes()).hexdigest() == VENDOR["sha256"][path]


def test_nothing_lies_under_vendor_that_vendor_json_does_not_name() -> None:
    found = {path.relative_to(STATIC).as_posix() for path in (STATIC / "vendor").rglob("*") if path.is_file()}
    assert found == {path for path in VENDOR["sha256"] if path.startswith("vendor/")}


def test_every_package_is_pinned_and_has_its_licence_beside_it() -> None:
    for package in VENDOR["packages"]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), package["name"]
        assert package["integrity"].startswith("sha512-")
        assert package["licence"]
        assert any(target.endswith("/LICENSE") for target in package["files"].values()), package["name"]


# --- icons -----------------------------------------------------------------------------------------------------------------

ICON_USES = (
    re.compile(r"""\bicon(?:_button|_of)?\(\s*['"]([a-z0-9-]+)['"]"""),
    re.compile(r"""\b(?:next_|source_)?icon\s*=\s*['"]([a-z0-9-]+)['"]"""),
    re.compile(r"""['"]icon['"]\s*:\s*['"]([a-z0-9-]+)['"]"""),
)


def sprite() -> set[str]:
    return set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))


def icons_used(text: str) -> set[str]:
    return {name for pattern in ICON_USES for name in pattern.findall(text)}


def test_every_icon_of_a_template_is_in_the_sprite() -> None:
    missing = {(path.name, name) for path in TEMPLATES for name in icons_used(path.read_text()) - sprite()}
    assert not missing, "add the name to icons in hub/web/vendor.json and run tools/vendor.py"


def test_the_icon_search_sees_all_ways_to_name_one() -> None:
    text = "{{ icon('phone') }} {{ icon_button('bell', 'x') }} {{ button('x', icon=\"plus\") }} {'icon': 'route'}"
    assert icons_used(text) == {"phone", "bell", "plus", "route"}


# --- what `script-src 'self'; style-src 'self'` would block -----------------------------------------------------------------

FORBIDDEN = {
    "style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.I),
    "style element": re.compile(r"<style\b", re.I),
    "inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "inline script": re.compile(r"<script(?![^>]*\bsrc=)", re.I),
    "javascript: address": re.compile(r"""["']\s*javascript:""", re.I),
    "htmx that needs eval": re.compile(r"""hx-on\b|hx-(?:vals|headers)[^=]*=\s*["']js:|hx-trigger\s*=\s*["'][^"']*\[""", re.I),
    "foreign script, sheet, image": re.compile(r"""<(?:script|link|img)\b[^>]*(?:src|href)\s*=\s*["'](?:https?:)?//""", re.I),
}


def without_expressions(text: str) -> str:
    """Jinja's own parts may hold < and >; they never stand in the answer as they are written."""
    return re.sub(r"\{[#%{].*?[#%}]\}", "", text, flags=re.S)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_has_nothing_that_the_content_security_policy_blocks(path: Path) -> None:
    text = without_expressions(path.read_text())
    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@pytest.mark.parametrize(
    "bad", ['<p style="a:b">', '<a onclick="x()">', "<script>x()</script>", '<a hx-on:click="x">', '<script src="https://cdn.example/x.js">']
)
def test_the_policy_check_finds_a_planted_fault(bad: str) -> None:
    assert any(pattern.search(bad) for pattern in FORBIDDEN.values())


def test_style_sheets_fetch_only_own_files() -> None:
    for sheet in SHEETS:
        for address in re.findall(r"url\(([^)]+)\)", sheet.read_text()):
            assert (STATIC / address.strip("'\"")).is_file(), f"{sheet.name}: {address}"


# --- contrast of the tokens, computed from the OKLCH values in the sheet ----------------------------------------------------


def tokens() -> dict[str, tuple[Oklch, Oklch]]:
    """Colour tokens of app.css as (light, dark)."""
    colour, any_colour = r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)", r"oklch\([^()]*\)"
    sheet = (STATIC / "app.css").read_text()
    found = {}
    for name, value in re.findall(rf"--([a-z0-9-]+):(light-dark\({any_colour},{any_colour}\)|{any_colour});", sheet):
        values = [(float(a), float(b), float(c)) for a, b, c in re.findall(colour, value)]
        found[name] = (values[0], values[-1])
    return found


def luminance(colour: Oklch) -> float:
    """WCAG relative luminance of an OKLCH colour, clipped to sRGB as a browser shows it."""
    light, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    cone_l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    cone_m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    cone_s = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * cone_l - 3.3077115913 * cone_m + 0.2309699292 * cone_s
    green = -1.2684380046 * cone_l + 2.6097574011 * cone_m - 0.3413193965 * cone_s
    blue = -0.0041960863 * cone_l - 0.7034186147 * cone_m + 1.7076147010 * cone_s
    red, green, blue = (min(1.0, max(0.0, part)) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Oklch, other: Oklch) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


GROUNDS = ("bg", "surface", "sunken", "raised")
TEXT_PAIRS = [
    *[(ink, ground) for ink in ("text", "muted") for ground in (*GROUNDS, "hover")],
    *[(ink, ground) for ink in ("accent", "ok", "warn", "bad", "past") for ground in GROUNDS],
    *[(tone, f"{tone}-soft") for tone in ("accent", "ok", "warn", "bad", "past")],
    *[("text", f"{tone}-soft") for tone in ("accent", "ok", "warn", "bad", "past")],
    *[("muted", f"{tone}-soft") for tone in ("accent", "bad", "past")],
    *[("on-fill", fill) for fill in ("accent-fill", "bad-fill", "past-fill", *(f"av-{n}" for n in range(8)))],
    *[("on-vip", "vip"), ("on-toast", "toast"), ("toast-link", "toast"), ("toast-bad", "toast"), ("text", "mark")],
]
EDGE_PAIRS = [
    *[("line-2", ground) for ground in GROUNDS],
    *[("ring", ground) for ground in GROUNDS],
    *[("accent-fill", ground) for ground in ("bg", "surface")],
]
THEMES = pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])


@THEMES
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_has_at_least_4_5_to_1(ink: str, ground: str, theme: int) -> None:
    palette = tokens()
    assert contrast(palette[ink][theme], palette[ground][theme]) >= 4.5


@THEMES
@pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
def test_edges_of_controls_have_at_least_3_to_1(edge: str, ground: str, theme: int) -> None:
    palette = tokens()
    assert contrast(palette[edge][theme], palette[ground][theme]) >= 3.0


def test_contrast_is_computed_as_wcag_says() -> None:
    assert contrast((0, 0, 0), (1, 0, 0)) == pytest.approx(21, abs=0.01)
    assert contrast((0.5999, 0, 0), (1, 0, 0)) == pytest.approx(3.95, abs=0.05)  # oklch(0.6 0 0) is #808080, 3.95:1 on white
