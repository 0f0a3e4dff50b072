"""Documents on the page: dropped, followed until searchable, refused with a reason, deleted; two tabs; keys."""

import json

from tests.service.page.conftest import Site, ask, pdf_bytes


def test_a_file_is_dropped_asked_about_and_deleted(site: Site) -> None:
    page = site.open("/?view=documents")
    page.wait_for_selector(".documents li")
    files = [
        {"name": "ferry.pdf", "mimeType": "application/pdf", "buffer": pdf_bytes("The ferry has Inga Petersen.")},
        {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""},
    ]  # fmt: skip
    page.set_input_files("#files", files)
    page.locator(".job.searchable", has_text="ferry.pdf").wait_for()
    assert "searchable now" in page.locator(".job.searchable").inner_text()
    refused = page.locator(".job", has_text="empty.txt")
    refused.wait_for()
    page.locator(".job.refused, .job.bad", has_text="empty").wait_for()
    ask(page, "Who has the ferry?")
    assert page.locator(".answer.best .words").inner_text() == "Inga Petersen"
    page.locator("#nav a", has_text="Documents").click()
    item = page.locator(".documents li", has_text="ferry.pdf")
    item.locator("button", has_text="Delete").click()
    page.locator("#dialog button", has_text="Delete").click()
    item.wait_for(state="detached")


def test_documents_are_found_by_name_and_open(site: Site) -> None:
    page = site.open("/?view=documents")
    page.wait_for_selector(".documents li")
    page.get_by_label("Find documents by name").fill("statio")
    page.wait_for_function("() => document.querySelectorAll('.documents li').length === 1")
    page.locator(".documents li .file").click()
    page.wait_for_selector(".page-image")


def test_two_tabs_keep_out_of_each_others_way(site: Site) -> None:
    first = site.open()
    second = first.context.new_page()
    site.watch(second)
    second.goto(site.address)
    ask(first, "Who built the tower of Kaltwasser?")
    ask(second, "Who designed the bridge of Ostheim?")
    assert first.locator(".answer.best .words").inner_text() == "Ada Brunner"
    assert second.locator(".answer.best .words").inner_text() == "Carl Winter"


def test_the_server_is_busy_then_it_is_not(site: Site) -> None:
    page = site.open()
    refusals = [1]

    def reply(route: object) -> None:
        if refusals:
            refusals.pop()
            error = {"error": {"code": "busy", "message": "busy", "type": "x", "param": None, "request_id": "1"}}
            route.fulfill(status=503, headers={"Retry-After": "1"}, body=json.dumps(error))  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/ask", reply)
    page.fill("#question", "Who built the tower of Kaltwasser?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".notice")
    assert "busy" in page.locator(".notice").inner_text()
    page.wait_for_selector(".answer.best")
    assert page.locator(".notice").count() == 0


def test_offline_is_said_and_an_error_names_what_happened(site: Site) -> None:
    page = site.open()
    page.route("**/ask", lambda route: route.abort())
    page.fill("#question", "Who built the tower?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".notice")
    assert "cannot be reached" in page.locator(".notice").inner_text()
    page.unroute("**/ask")
    page.route("**/ask", lambda route: route.fulfill(status=504, json={"error": {"code": "late", "message": "late"}}))
    page.fill("#question", "Who built the mill?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".notice.bad")
    assert "No answer in time" in page.locator(".notice").inner_text()
    site.complaints = [told for told in site.complaints if "ERR_FAILED" not in told]  # the browser tells of it, too


def test_a_key_is_asked_for_and_kept_for_the_tab(site: Site) -> None:
    page = site.open()
    page.wait_for_selector(".welcome")
    given: list[str | None] = []

    def reply(route: object) -> None:
        key = route.request.headers.get("x-api-key")  # type: ignore[attr-defined]
        given.append(key)
        if key == "right":
            route.fulfill(json={"name": "ann", "scopes": ["ask"], "principals": [], "needs_key": True, "limits": {}})  # type: ignore[attr-defined]
        else:
            route.fulfill(status=401, json={"error": {"code": "no_key", "message": "no key"}})  # type: ignore[attr-defined]

    page.route("**/me", reply)
    page.reload()
    page.wait_for_selector("#dialog[open]")
    page.fill("#key", "wrong")
    page.keyboard.press("Enter")
    page.get_by_text("does not know this key").wait_for()
    page.fill("#key", "right")
    page.keyboard.press("Enter")
    page.wait_for_selector("#dialog[open]", state="hidden")
    page.wait_for_selector(".welcome")
    assert page.evaluate("() => [sessionStorage.getItem('excerpt-key'), localStorage.getItem('excerpt-key')]") == [
        "right",
        None,
    ]
    assert page.locator("#nav a", has_text="Administration").count() == 0


def test_administration_shows_figures_and_settings(site: Site) -> None:
    page = site.open()
    ask(page, "Who built the tower of Kaltwasser?")
    page.locator("#nav a", has_text="Administration").click()
    page.wait_for_selector(".figures")
    figures = page.locator(".figures").first.inner_text().split("\n")
    assert int(figures[figures.index("answered") + 1]) >= 1
    assert "audit_texts" in page.locator(".admin", has_text="Questions without").inner_text()
    page.locator("summary", has_text="ask.yaml").click()
    assert "components:" in page.locator("pre").first.inner_text()
