"""The search page as a person uses it: ask, see the words on their page, go back, narrow down, say what was wrong."""

import re

import pytest

from tests.service.page.conftest import Site, ask

STATION = "Who opened the railway station of Osterbrook?"


def test_an_answer_is_shown_on_the_picture_of_its_page(site: Site) -> None:
    page = site.open()
    ask(page, STATION)
    best = page.locator(".answer.best")
    assert best.locator(".words").inner_text() == "Konrad Fischer"
    assert best.locator(".context mark").inner_text() == "Konrad Fischer"
    assert "station.pdf" in best.inner_text() and "page 2" in best.inner_text()
    assert best.locator(".meter").inner_text().split("\n")[0] in {"almost certain", "likely"}
    best.locator("[data-open]").click()
    page.wait_for_selector(".page-image")
    assert page.locator(".page-image").evaluate("image => image.naturalWidth") > 600
    assert yellow(page) > 100
    assert "page=2" in page.url and "doc=" in page.url and "at=" in page.url
    page.locator("[aria-label='Next page']").click()
    page.wait_for_url(re.compile("page=3"))
    page.wait_for_selector(".page-image")
    assert yellow(page) == 0
    page.keyboard.press("Escape")
    page.wait_for_selector("#viewer", state="hidden")


def yellow(page: object) -> int:
    """How many pixels of the page's picture are marked."""
    return page.locator(".page-image").evaluate(  # type: ignore[attr-defined,no-any-return]
        """image => {
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const drawing = canvas.getContext("2d");
            drawing.drawImage(image, 0, 0);
            const data = drawing.getImageData(0, 0, canvas.width, canvas.height).data;
            let count = 0;
            for (let at = 0; at < data.length; at += 4) {
                if (data[at] > 200 && data[at + 1] > 150 && data[at + 2] < 120) count += 1;
            }
            return count;
        }"""
    )


def test_the_address_reproduces_the_view_and_back_works(site: Site) -> None:
    page = site.open()
    ask(page, STATION)
    asked = page.url
    page.locator(".answer.best [data-open]").click()
    page.wait_for_selector(".page-image")
    shown = page.url
    other = site.open(shown.removeprefix(site.address))
    other.wait_for_selector(".page-image")
    other.wait_for_selector(".answer.best")
    assert other.locator("#question").input_value() == STATION
    page.go_back()
    page.wait_for_selector("#viewer", state="hidden")
    assert page.url == asked
    page.go_back()
    page.wait_for_selector(".welcome")
    page.go_forward()
    page.wait_for_selector(".answer.best")


def test_a_text_is_read_with_its_words_marked(site: Site) -> None:
    page = site.open()
    ask(page, "Who built the tower of Kaltwasser?")
    page.locator(".answer.best [data-open]").click()
    page.wait_for_selector("#viewer mark")
    assert page.locator("#viewer mark").inner_text() == "Ada Brunner"


def test_a_row_of_a_table_is_shown_as_cells(site: Site) -> None:
    page = site.open()
    ask(page, "Gerda Lind nurse hours")
    page.locator(".passage", has_text="wages.csv").locator("[data-open]").first.click()
    page.wait_for_selector("#viewer .cells")
    assert "Job\nnurse" in page.locator("#viewer .cells", has_text="Gerda Lind").inner_text()


def test_no_answer_is_said_first_and_the_nearest_passages_follow(site: Site) -> None:
    page = site.open()
    page.route("**/ask", lambda route: route.fulfill(json={
        "question": "x", "answers": [], "no_answer_probability": 0.95, "abstained": True, "degraded": None,
        "timings": {}, "request_id": "1", "state": "not_in_documents",
    }))  # fmt: skip
    ask(page, "What is the meaning of blue?")
    assert page.locator(".none").inner_text() == "The documents do not hold the answer"
    assert "95 %" in page.locator(".answers").inner_text()
    assert page.locator(".passage").count() > 0


def test_answers_that_differ_stand_beside_each_other(site: Site) -> None:
    def answer(words: str, probability: float, sources: int) -> dict[str, object]:
        places = [
            {"document_id": f"{words}{n}", "source_id": f"{n:032x}", "file": "a.txt", "page": None, "start": 0,
             "end": 4, "start_in_file": 0, "end_in_file": 4}
            for n in range(sources)
        ]  # fmt: skip
        rest = {
            "context": f"It was {words}.",
            "start_in_context": 7,
            "end_in_context": 11,
            "title": None,
            "headings": None,
            "links": None,
        }
        return {"answer": words, "probability": probability, **places[0], "places": places, **rest}

    page = site.open()
    page.route("**/ask", lambda route: route.fulfill(json={
        "question": "when", "answers": [answer("1856", 0.5, 2), answer("1857", 0.3, 1)], "no_answer_probability": 0.1,
        "abstained": False, "degraded": None, "timings": {}, "request_id": "1",
    }))  # fmt: skip
    ask(page, "When?")
    assert "2 say “1856”, 1 says “1857”" in page.locator(".differ").inner_text()


def test_facets_narrow_down_and_chips_take_it_back(site: Site) -> None:
    page = site.open()
    ask(page, "Who built or opened what?")
    page.locator(".facets fieldset", has_text="Type").locator("label", has_text="PDF").locator("input").check()
    page.wait_for_selector(".chip")
    page.wait_for_selector(".passages:not([aria-busy]) .passage")
    assert all("station.pdf" in text for text in page.locator(".passage .where").all_inner_texts())
    assert "filter=mime_type" in page.url
    page.locator(".chip").click()
    page.wait_for_selector(".chip", state="detached")
    page.wait_for_selector(".passages:not([aria-busy]) .passage")
    assert len({text.split(" · ")[0] for text in page.locator(".passage .where").all_inner_texts()}) > 1


def test_suggestions_and_spelling_come_from_the_documents(site: Site) -> None:
    page = site.open()
    page.locator("#question").press_sequentially("The old br")
    page.wait_for_selector("#suggestions li")
    assert "The old bridge" in page.locator("#suggestions").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator("#question").get_attribute("aria-activedescendant") == "suggestion-0"
    page.keyboard.press("Enter")
    page.wait_for_selector(".answers:not([aria-busy])")
    ask(page, "Who run the mil at Grünbach untill the flod?")
    if page.locator(".meant").count():
        assert "flood" in page.locator(".meant").inner_text()


def test_a_question_in_flight_is_cancelled_by_the_next(site: Site) -> None:
    page = site.open()
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.fill("#question", "sleep=3 Who built the tower?")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    ask(page, STATION)
    assert page.locator(".answer.best .words").inner_text() == "Konrad Fischer"
    assert any(url.endswith("/ask") for url in failed)


@pytest.mark.parametrize("verdict", ["Right", "Wrong"])
def test_feedback_is_thanked_stored_and_undone(site: Site, verdict: str) -> None:
    page = site.open()
    ask(page, STATION)
    before = len(site.service.database.rows("SELECT * FROM feedback"))
    page.locator(".feedback button", has_text=re.compile(f"^{verdict}$")).click()
    page.locator(".feedback button", has_text="Undo").wait_for()
    assert len(site.service.database.rows("SELECT * FROM feedback")) == before + 1
    page.locator(".feedback button", has_text="Undo").click()
    page.locator(".feedback button", has_text=re.compile("^Right$")).wait_for()
    assert len(site.service.database.rows("SELECT * FROM feedback")) == before


def test_the_right_words_are_selected_and_found_in_the_export(site: Site) -> None:
    page = site.open()
    ask(page, STATION)
    page.locator(".feedback button", has_text="Right place").click()
    page.locator(".feedback button", has_text="Use the selected").click()
    assert "Select some words" in page.locator(".feedback").inner_text()
    page.evaluate(
        """() => {
            const sentence = document.querySelector(".answer.best .context");
            const walker = document.createTreeWalker(sentence, NodeFilter.SHOW_TEXT);
            const range = document.createRange();
            while (walker.nextNode()) {
                const at = walker.currentNode.data.indexOf("1889");
                if (at >= 0) { range.setStart(walker.currentNode, at); range.setEnd(walker.currentNode, at + 4); }
            }
            getSelection().removeAllRanges();
            getSelection().addRange(range);
        }"""
    )
    page.locator(".feedback button", has_text="Use the selected").click()
    page.locator(".feedback button", has_text="Undo").wait_for()
    exported = page.evaluate("async () => (await fetch('/feedback/export')).json()")
    answers = [
        a["text"] for article in exported["data"] for p in article["paragraphs"] for q in p["qas"] for a in q["answers"]
    ]
    assert "1889" in answers
