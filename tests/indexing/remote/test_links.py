"""Links and sitemaps of whoever wrote them: addresses come out, or nothing."""

import gzip

import pytest

from indexing.remote.links import plain, read_links, read_sitemap


def test_links_are_absolute_plain_and_once():
    page = b"""<base href="/x/"><a href="b#1">1</a><a href="b#2">2</a><a href="//Other.example/c">3</a>
    <a rel="nofollow" href="no">4</a><area href="?q=1"><a href="javascript:alert(1)">5</a><a href="http://[bad">6</a>"""
    found = read_links(page, "http://host/a/")
    assert found[:3] == ["http://host/x/b", "http://other.example/c", "http://host/x/?q=1"]
    assert all("bad" not in link for link in found)
    assert read_links(b'<meta name="robots" content="noindex, NOFOLLOW"><a href="b">', "http://host/") == []


def test_plain():
    assert plain("HTTP://Host.Example?x=1#y") == "http://host.example/?x=1"


@pytest.mark.parametrize(
    "page", [b"<a " * 100_000, b"<a href=" + b"x" * 10**6, b"<![" * 10_000, b"\xff\xfe<a href='b'>", b"<!--" * 50_000]
)
def test_broken_pages_end(page):
    assert isinstance(read_links(page, "http://host/"), list)


def test_sitemaps():
    whole = b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc> http://h/a </loc></url>'
    assert read_sitemap(whole + b"</urlset>") == (["http://h/a"], [])
    assert read_sitemap(whole) == (["http://h/a"], []), "torn: what came before is good"
    assert read_sitemap(gzip.compress(whole)) == (["http://h/a"], [])
    assert read_sitemap(b"<html><p>no</p></html>") is None
    assert read_sitemap(gzip.compress(whole)[:20]) is None
    laughs = b'<!DOCTYPE urlset [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
    assert read_sitemap(laughs) == ([], [])
