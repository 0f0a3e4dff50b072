"""An exam is mended: kept, dropped, reworded; and on a page in a real browser."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.exam.file import Exam, read_exam
from evaluation.exam.page import exam_page
from evaluation.exam.review import drop, keep, reword, unread
from tests.evaluation.exam.test_exam import NONE, ONE
from tests.service.page.conftest import NAMES, QUIET


def test_what_was_decided_is_in_the_exam() -> None:
    exam = Exam((ONE, NONE), {"seed": 3})
    assert unread(exam) == [ONE, NONE]
    exam = keep(exam, ONE)
    assert unread(exam) == [NONE] and exam.about == {"seed": 3, "reviewed": ["a"]}
    exam = reword(exam, ONE, "When did the viaduct open?")
    assert (exam.questions[0].question, exam.questions[0].answer) == ("When did the viaduct open?", "1874")
    assert exam.questions[0].difficulty == 1.0
    assert drop(exam, NONE).questions == exam.questions[:1] and not unread(drop(exam, NONE))


@pytest.mark.slow
def test_the_page_saves_what_was_mended(tmp_path: Path) -> None:
    """Words are counted as the file counts them, behind characters that the browser counts twice; \\r stays."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if (program := next(filter(None, map(shutil.which, NAMES)), None)) is None:
        pytest.skip("no browser here: install chromium")
    context = "🙂\r\n</script><b>Ada Holm</b> opened the bridge in 1874 and the road in 1875."
    start = context.index("1874")
    one = replace(ONE, context=context, start=start)
    page_file = tmp_path / "exam.html"
    page_file.write_text(exam_page(Exam((one, NONE), {"seed": 3})), encoding="utf-8", newline="")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        page = browser.new_page(accept_downloads=True)
        page.goto(page_file.as_uri())
        page.locator("article[data-id=a] h2").fill("When was the road opened?")
        page.evaluate(
            """() => { const text = document.querySelector("article[data-id=a] .passage").lastChild;
                       const range = document.createRange(), at = text.textContent.indexOf("1875");
                       range.setStart(text, at); range.setEnd(text, at + 4);
                       getSelection().removeAllRanges(); getSelection().addRange(range); }"""
        )
        page.locator("article[data-id=a] .take").click()
        page.locator("article[data-id=b] .drop").check()
        with page.expect_download() as download:
            page.locator("#save").click()
        download.value.save_as(tmp_path / "mended.json")
        browser.close()
    (mended,) = read_exam(tmp_path / "mended.json").questions
    assert (mended.question, mended.answer) == ("When was the road opened?", "1875")
    assert (mended.start, mended.context) == (context.index("1875"), context)
    assert read_exam(tmp_path / "mended.json").about["reviewed"] == ["a"]
