"""A web site in the index: what changed is fetched, what is gone goes, and nothing is asked that should not be."""

import pytest

from indexing.maintenance.rebuild import RebuildError, bring_up_to_date
from indexing.passages import PassageSplitter
from indexing.remote.addresses import open_origin
from indexing.remote.connection import Connections, PrivateAddressError
from indexing.remote.origin import NotFetchedError, OriginError
from indexing.remote.site import WebSite
from indexing.run import IndexReport, index
from tests.indexing.pipeline import build, store_of
from tests.indexing.remote.web_server import Site, serving


@pytest.fixture
def site():
    with serving() as one:
        one.put("/docs/", '<p>Start of the house.</p><a href="a.html">A</a><a href="/docs/b.html#part">B</a>')
        one.put(
            "/docs/a.html", '<h1>Alpha</h1><p>The keeper is Ada.</p><a href="c.txt">C</a>', headers={"ETag": '"a1"'}
        )
        one.put(
            "/docs/b.html", '<p>The keeper was Bob.</p><a href="https://elsewhere.example/">x</a><a href="/x">x</a>'
        )
        one.put("/docs/c.txt", "The harbour was built in 1843.", kind="text/plain", headers={"ETag": '"c1"'})
        yield one


@pytest.fixture
def pipeline(tmp_path):
    return build(tmp_path / "store")


def run(pipeline, site: Site, path: str = "/docs/", **settings) -> IndexReport:
    site.asked.clear()
    origin = WebSite(site.url + path, delay=0.0, private_addresses=True, **settings)
    return index(pipeline, [], origins=[origin])


def paths(pipeline, site: Site) -> list[str]:
    return [one.path.removeprefix(site.url) for one in store_of(pipeline).sources.all() if one.state == "indexed"]


def test_everything_below_an_address_comes_in_and_then_only_what_changed(pipeline, site):
    report = run(pipeline, site)
    assert paths(pipeline, site) == ["/docs/", "/docs/a.html", "/docs/b.html", "/docs/c.txt"]
    assert (len(report.indexed), report.refused) == (4, [])
    assert ("/x", 404) not in site.asked and site.asked[0] == ("/robots.txt", 404)
    titles = {one.meta["file_name"]: one.meta["file_path"] for one in store_of(pipeline).filter_documents()}
    assert titles["c.txt"] == f"{site.url}/docs/c.txt"
    again = run(pipeline, site)
    assert (again.unchanged, again.indexed, again.removed) == (4, [], [])
    # c.txt is found again although a.html, which leads to it, was not sent.
    assert [one for one in site.asked if one[1] == 304] == [("/docs/a.html", 304), ("/docs/c.txt", 304)]
    site.put("/docs/a.html", '<p>The keeper is Eve.</p><a href="c.txt">C</a>', headers={"ETag": '"a2"'})
    site.put("/docs/b.html", "<p>The keeper was Bill.</p>")
    changed = run(pipeline, site)
    assert (changed.unchanged, len(changed.indexed)) == (2, 2)
    texts = {one.content for one in store_of(pipeline).filter_documents()}
    assert any("Eve" in text for text in texts) and not any("Ada" in text or "Bob" in text for text in texts)


def test_what_is_gone_goes_and_what_does_not_answer_stays(pipeline, site):
    run(pipeline, site)
    site.pages["/docs/b.html"].status = 500
    report = run(pipeline, site)
    assert [(one.path.rpartition("/")[2], one.reason) for one in report.refused] == [("b.html", "unreadable")]
    assert report.removed == [] and "/docs/b.html" in paths(pipeline, site)
    del site.pages["/docs/b.html"]
    site.put("/docs/a.html", "<p>The keeper is Ada, and links to nothing.</p>")
    assert sorted(one.rpartition("/")[2] for one in run(pipeline, site).removed) == ["b.html", "c.txt"]
    assert paths(pipeline, site) == ["/docs/", "/docs/a.html"]
    with pytest.raises(OriginError, match="cannot be read"):
        run(pipeline, Site("http://127.0.0.1:9"))
    assert len(paths(pipeline, site)) == 2


def test_a_page_alone_and_a_bound(pipeline, site):
    run(pipeline, site, "/docs/b.html")
    assert paths(pipeline, site) == ["/docs/b.html"]
    run(pipeline, site)
    report = run(pipeline, site, max_pages=2)
    assert report.removed == [], "a run that did not look at everything takes nothing for gone"
    assert len(paths(pipeline, site)) == 4


def test_robots_and_pages_that_ask_not_to_be_indexed(pipeline, site):
    site.put("/robots.txt", "User-agent: *\nDisallow: /docs/b\nCrawl-delay: 0\n", kind="text/plain")
    site.pages["/docs/c.txt"].headers["X-Robots-Tag"] = "noindex"
    run(pipeline, site)
    assert paths(pipeline, site) == ["/docs/", "/docs/a.html"]
    assert "/docs/b.html" not in [path for path, _ in site.asked]
    with pytest.raises(OriginError, match=r"robots\.txt"):
        run(pipeline, site, "/docs/b.html")
    site.pages["/robots.txt"].status = 503
    with pytest.raises(OriginError, match="503"):
        run(pipeline, site)


def test_a_sitemap_names_its_pages(pipeline, site):
    site.put("/alone.txt", "Not in any map.", kind="text/plain")
    run(pipeline, site, "/alone.txt")
    inner = f"<urlset><url><loc>{site.url}/docs/a.html</loc></url><url><loc>{site.url}/docs/c.txt</loc></url></urlset>"
    site.put("/inner.xml", inner, kind="text/xml")
    site.put(
        "/map.xml",
        f"<?xml version='1.0'?><sitemapindex><sitemap><loc>{site.url}/inner.xml</loc></sitemap>"
        "<sitemap><loc>https://elsewhere.example/map.xml</loc></sitemap></sitemapindex>",
    )
    run(pipeline, site, "/map.xml")
    assert paths(pipeline, site) == ["/alone.txt", "/docs/a.html", "/docs/c.txt"]
    assert run(pipeline, site, "/map.xml").unchanged == 2
    site.put("/inner.xml", f"<urlset><url><loc>{site.url}/docs/c.txt</loc></url></urlset>", kind="text/xml")
    assert [one.rpartition("/")[2] for one in run(pipeline, site, "/map.xml").removed] == ["a.html"]
    assert paths(pipeline, site) == ["/alone.txt", "/docs/c.txt"]


def test_a_changed_pipeline_fetches_the_pages_again_too(tmp_path, pipeline, site):
    run(pipeline, site)
    local = tmp_path / "local.txt"
    local.write_text("A file of this machine.")
    changed = build(tmp_path / "store", PassageSplitter(max_tokens=64))
    report = bring_up_to_date(changed, [local], private_addresses=True)
    assert report.pipeline_changes and len(report.indexed) == 5
    assert "/docs/c.txt" in paths(changed, site)
    assert run(changed, site).indexed == []
    site.pages["/docs/b.html"].status = 500
    with pytest.raises(RebuildError, match=r"b\.html"):
        bring_up_to_date(build(tmp_path / "store", PassageSplitter()), [local], private_addresses=True)
    assert len(paths(changed, site)) == 5


def test_this_network_is_not_asked_unless_allowed(site):
    connections = Connections()
    with pytest.raises(PrivateAddressError, match="--private-addresses"):
        connections.get(f"{site.url}/docs/", 1000)
    with pytest.raises(PrivateAddressError):
        connections.get(site.url.replace("127.0.0.1", "localhost"), 1000)
    for address in (
        "http://[::1]:80/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "http://[::ffff:10.0.0.1]/",
    ):
        with pytest.raises(PrivateAddressError):
            connections.get(address, 1000)
    assert site.asked == []


def test_bounds_of_a_response(site):
    connections = Connections(private_addresses=True)
    site.put("/big", "x" * 5000)
    with pytest.raises(NotFetchedError, match="more than 1,000 bytes"):
        connections.get(f"{site.url}/big", 1000)
    site.put("/away", "", status=302, headers={"Location": "http://localhost:1/"})
    with pytest.raises(NotFetchedError, match="another host"):
        connections.get(f"{site.url}/away", 1000)
    site.put("/round", "", status=302, headers={"Location": "/round"})
    with pytest.raises(NotFetchedError, match="redirects"):
        connections.get(f"{site.url}/round", 1000)
    site.put("/file", "", status=302, headers={"Location": "file:///etc/passwd"})
    with pytest.raises(NotFetchedError, match="another host"):
        connections.get(f"{site.url}/file", 1000)
    import gzip

    site.put("/bomb", "", headers={"Content-Encoding": "gzip"})
    site.pages["/bomb"].body = gzip.compress(b"\0" * 50_000_000)
    with pytest.raises(NotFetchedError, match="more than"):
        connections.get(f"{site.url}/bomb", 1_000_000)


@pytest.mark.parametrize(
    "address", ["http://", "https://ada:secret@host/", "ftp://", "lines:x/1", "file:///etc/passwd"]
)
def test_addresses_that_are_none(address):
    with pytest.raises(OriginError) as error:
        open_origin(address)
    assert "secret" not in str(error.value)
