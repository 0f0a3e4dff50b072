"""For everybody: keyboard alone, screen readers (axe-core), small screens, dark, another language; light to load."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.service.page.conftest import Site, ask

PAGE = Path(__file__).resolve().parents[3] / "service" / "page"
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


def show(site: Site, view: str, **options: Any) -> Any:
    page = site.open(
        "/?view=documents" if view == "documents" else "/?view=admin" if view == "admin" else "/", **options
    )
    if view == "documents":
        page.wait_for_selector(".documents li")
    elif view == "admin":
        page.wait_for_selector(".figures")
    elif view == "help":
        page.wait_for_selector(".welcome")
        page.keyboard.press("?")
    elif view != "welcome":
        ask(page, "Who opened the railway station of Osterbrook?")
        if view == "page":
            page.locator(".answer.best [data-open]").click()
            page.wait_for_selector(".page-image")
        if view == "text":
            page.locator(".passage", has_text="mill.txt").locator("[data-open]").click()
            page.wait_for_selector("#viewer mark")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["welcome", "answers", "page", "text", "documents", "admin", "help"])
def test_no_violation_is_found_by_axe(site: Site, view: str, scheme: str) -> None:
    page = show(site, view, color_scheme=scheme, bypass_csp=True)
    found = Axe().run(page, options=RULES).response["violations"]
    assert not [(told["id"], [node["html"][:120] for node in told["nodes"]][:3]) for told in found]


@pytest.mark.parametrize("view", ["welcome", "answers", "page", "text", "documents", "admin"])
@pytest.mark.parametrize("size", [(360, 700), (640, 430)], ids=["360px", "200%"])
def test_nothing_is_cut_on_small_and_zoomed_screens(site: Site, view: str, size: tuple[int, int]) -> None:
    page = show(site, view, viewport={"width": size[0], "height": size[1]})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
    small = page.evaluate(
        """() => [...document.querySelectorAll("button:not(.link), select, .top a")]
            .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 24)
            .map((element) => element.outerHTML)"""
    )
    assert not small


def test_everything_is_reached_by_keyboard_alone(site: Site) -> None:
    page = site.open()
    page.wait_for_selector(".welcome")
    page.keyboard.press("/")
    page.keyboard.type("Who opened the railway station of Osterbrook?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer.best")
    page.wait_for_selector(".passages:not([aria-busy]) .passage")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("() => document.activeElement.className") == "answer best"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_selector(".page-image")
    assert page.evaluate("() => document.activeElement.id") == "viewer"
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**page=3**")
    page.keyboard.press("+")
    page.keyboard.press("Escape")
    page.wait_for_selector("#viewer", state="hidden")
    page.keyboard.press("?")
    page.wait_for_selector("#dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#dialog[open]", state="hidden")
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("() => document.activeElement.textContent.trim().slice(0, 20)"))
    assert {"Right", "Wrong", "Copy with source"} <= seen


def test_another_language_is_one_choice_and_is_kept(site: Site) -> None:
    page = site.open()
    page.get_by_label("Language").select_option("de")
    page.get_by_label("Frage", exact=True).wait_for()
    assert page.evaluate("() => document.documentElement.lang") == "de"
    page.reload()
    assert page.locator("#go").inner_text() == "Fragen"
    german = site.open(locale="de-DE")
    assert german.locator("#go").inner_text() == "Fragen"


def test_both_languages_have_the_same_messages(site: Site) -> None:
    page = site.open()
    differ = page.evaluate(
        """async () => {
            const files = [import("/messages/en.js"), import("/messages/de.js")];
            const [en, de] = (await Promise.all(files)).map((file) => Object.keys(file.default));
            return [...en.filter((key) => !de.includes(key)), ...de.filter((key) => !en.includes(key))];
        }"""
    )
    assert not differ


def test_the_page_is_light_and_has_nothing_from_elsewhere() -> None:
    files = [file for file in PAGE.rglob("*") if file.is_file()]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 60_000
    assert sum(file.read_text(encoding="utf-8").count("\n") for file in files) < 3000
    for file in files:
        assert "//cdn" not in file.read_text(encoding="utf-8") and "innerHTML" not in file.read_text(encoding="utf-8")


def test_the_first_answer_is_drawn_soon_after_the_reply(site: Site) -> None:
    """The bar is 300 ms on an idle machine; here only that drawing waits for nothing else, not for the passages."""
    page = site.open()
    page.route("**/search", lambda route: None)  # never answered
    page.fill("#question", "Who built the tower of Kaltwasser?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer.best")


def test_without_motion_nothing_moves(site: Site) -> None:
    page = site.open(reduced_motion="reduce")
    assert page.evaluate("() => getComputedStyle(document.documentElement).scrollBehavior") == "auto"
