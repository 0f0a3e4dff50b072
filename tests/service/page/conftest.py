"""A real Chromium in front of a real port. Skipped where there is no browser; REQUIRE_BROWSER=1 lets that fail."""

import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen import canvas

from indexing.run import index
from service.service import Service, build_service
from service.settings import Settings
from tests.service.conftest import write_texts
from tests.service.engine import build_engine
from tests.service.live import live

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def write_pdf(path: Path, pages: list[list[str]]) -> Path:
    drawn = canvas.Canvas(str(path))
    for lines in pages:
        for number, line in enumerate(lines):
            drawn.drawString(72, 760 - 20 * number, line)
        drawn.showPage()
    drawn.save()
    return path


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    # Of the package, not of the session: while it is open its event loop runs in this thread, and async tests cannot.
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("no browser: install chromium (Debian package) and playwright (extra `test`)")
        pytest.skip("no browser here: install chromium to run the search page's tests")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield launched
        launched.close()


@dataclass
class Site:
    """An address, what is behind it, and everything a page did that it should not."""

    address: str
    service: Service
    browser: Any
    complaints: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)

    def open(self, path: str = "/", **options: Any) -> Any:
        """A new tab, in a context of its own; what goes wrong in it is noted."""
        context = self.browser.new_context(
            **({"viewport": {"width": 1280, "height": 860}, "locale": "en-GB"} | options)
        )
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        self.watch(page)
        page.goto(self.address + path)
        return page

    def watch(self, page: Any) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "console",
            lambda said: said.type == "error" and "status of" not in said.text and self.complaints.append(said.text),
        )
        page.on("request", lambda request: self._leaves(request.url) and self.complaints.append(request.url))

    def _leaves(self, url: str) -> bool:
        return not url.startswith((self.address, "blob:", "data:"))

    def close_tabs(self) -> None:
        while self.contexts:
            self.contexts.pop().close()


def build(folder: Path, documents: Path) -> Service:
    """A service without keys over these documents."""
    engine = build_engine(folder / "store")
    report = index(engine.index, [documents])
    assert report.indexed, report
    return build_service(Settings(data=folder / "data"), engine=engine)


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Texts, a PDF of three pages, and a table."""
    folder = write_texts(tmp_path_factory.mktemp("town") / "texts")
    write_pdf(
        folder / "station.pdf",
        [
            ["Reports of the railway", *("A year passed on the line without anything to tell." for _ in range(30))],
            ["The railway station of Osterbrook was opened in 1889 by Konrad Fischer."],
            ["Index of places", *("Nothing but names of places follows here." for _ in range(30))],
        ],
    )
    (folder / "wages.csv").write_text("Name,Job,Hours\nGerda Lind,nurse,38\nOle Brandt,smith,40\n", encoding="utf-8")
    return build(tmp_path_factory.mktemp("service"), folder)


@pytest.fixture(scope="package")
def _address(town: Service, browser: Any) -> Iterator[str]:
    with live(town) as address:
        yield address


@pytest.fixture
def site(_address: str, town: Service, browser: Any) -> Iterator[Site]:
    """The search page; a test fails when a page complained, asked elsewhere, or opened a dialog of the browser."""
    made = Site(_address, town, browser)
    yield made
    made.close_tabs()
    assert not made.complaints


def ask(page: Any, question: str) -> None:
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(".answers:not([aria-busy])")
    page.wait_for_selector(".passages:not([aria-busy])")


def pdf_bytes(line: str) -> bytes:
    buffer = io.BytesIO()
    drawn = canvas.Canvas(buffer)
    drawn.drawString(72, 700, line)
    drawn.save()
    return buffer.getvalue()
