"""Documents that want to run, leave, or reorder what stands around them: a hundred of them, seen on every view."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.live import live
from tests.service.page.conftest import Site, ask, build

TRICKS = [
    "<script>window.broken = 1</script>",
    "<img src=x onerror='window.broken=1'>",
    "<svg onload=window.broken=1>",
    "<iframe src='javascript:parent.broken=1'></iframe>",
    "<a href='javascript:window.broken=1'>click</a>",
    "<base href='http://192.0.2.1/'>",
    "<link rel=stylesheet href='http://192.0.2.1/a.css'>",
    "<img src='http://192.0.2.1/pixel.png'>",
    "<form action='http://192.0.2.1/'><button>Ask</button></form>",
    "<style>*{display:none}</style>",
    "<meta http-equiv=refresh content='0;url=http://192.0.2.1/'>",
    "{{constructor.constructor('window.broken=1')()}}",
    "${window.broken=1}",
    "\u202egnp.exe\u202c",
    "\u2066\u2067isolates\u2069 without end \u2068",
    "\x1b]8;;http://192.0.2.1\x07link\x1b]8;;\x07",
    "\x00null\x07bell",
    "'-alert(1)-'",
    "\"><script>window.broken=1</script>",
    "</mark></p></article><h1>Lady Nobody</h1>",
]  # fmt: skip


def hostile(folder: Path) -> Path:
    """A hundred files: each trick in the text, the name, the title, a heading and a table."""
    folder.mkdir()
    for number, trick in enumerate(TRICKS):
        shown = trick.replace("\x00", "").replace("/", "∕")[:80]
        (folder / f"text {number}.txt").write_text(f"The keeper {trick} is Hanna Berg. {trick} {trick}")
        (folder / f"{number} {shown}.txt").write_text(f"The warden number {number} is Jonas Kern.")
        escaped = trick.replace("&", "&amp;").replace("<", "&lt;")
        (folder / f"title {number}.html").write_text(
            f"<html><head><title>{escaped}</title></head><body><h1>{escaped}</h1>"
            f"<p>The guard {escaped} is Lea Moor.</p></body></html>"
        )
        (folder / f"heading {number}.md").write_text(f"# {trick}\n\nThe porter {trick} is Till Roth.\n")
        (folder / f"table {number}.csv").write_text(
            f'Name,{"Trick"}\nMara Voss,"{trick.replace(chr(34), chr(34) * 2)}"\n'
        )
    return folder


@pytest.fixture(scope="module")
def hostile_site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    files = hostile(tmp_path_factory.mktemp("hostile") / "files")
    service = build(tmp_path_factory.mktemp("service"), files)
    assert sum(source.state == "indexed" for source in service.engine.store.sources.all()) >= 95
    with live(service) as address:
        yield Site(address, service, browser)


def test_nothing_runs_and_nothing_leaves(hostile_site: Site) -> None:
    page = hostile_site.open()
    for question in (
        "Who is the keeper?",
        "Who is the guard?",
        "Who is the porter?",
        "Who is the warden number 3?",
        "Mara Voss trick",
    ):
        ask(page, question)
        for summary in page.locator("summary").all():
            summary.click()
        for number in range(min(3, page.locator("[data-open]").count())):
            page.locator("[data-open]").nth(number).click()
            page.wait_for_selector("#viewer .reading > *")
        assert page.evaluate("() => window.broken") is None
        assert page.locator("h1").all_inner_texts() == [question]  # the page's own
        assert page.locator("script, iframe, base, form").count() == 2  # the page's own module and its search form
    page.goto(f"{hostile_site.address}/?view=documents")
    page.wait_for_selector(".documents li")
    assert page.evaluate("() => window.broken") is None
    page.fill("#question", "<img src=x onerror=window.broken=1>")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answers:not([aria-busy])")
    page.goto(
        f"{hostile_site.address}/?q=%3Cscript%3Ewindow.broken%3D1%3C%2Fscript%3E&filter=mime_type:%3Csvg%20onload%3Dx%3E"
    )
    page.wait_for_selector(".chip")
    assert page.evaluate("() => window.broken") is None
    hostile_site.close_tabs()
    assert not hostile_site.complaints


def test_direction_marks_do_not_act(hostile_site: Site) -> None:
    page = hostile_site.open("/?view=documents")
    page.wait_for_selector(".documents li")
    text = page.locator(".documents").inner_text()
    assert "\u202e" not in text and "\u2067" not in text and "\x1b" not in text
    assert page.locator(".documents bdi").count() > 20
    hostile_site.close_tabs()
