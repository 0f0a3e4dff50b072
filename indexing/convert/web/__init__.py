"""HTML: what a reader would see of the page. Also for what becomes HTML first: Markdown, mail, e-books."""

from indexing.convert.web.page import convert_html, html_text

__all__ = ["convert_html", "html_text"]
