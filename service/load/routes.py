"""Every address there is, and who may use it. What is not in this table does not exist for anybody."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from service.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "page"


@dataclass(frozen=True)
class Route:
    """
    :param name: for metrics and the docs: method and template.
    :param scope: which a key must have; None: any key will do.
    :param public: for everybody, without a key.
    :param setting: a setting that makes it public.
    :param hidden: not even there for strangers.
    :param drains: refused while the server is about to end.
    """

    method: str
    template: str
    scope: str | None = None
    public: bool = False
    setting: str | None = None
    hidden: bool = False
    is_upload: bool = False
    is_page: bool = False
    drains: bool = True

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    def is_public(self, settings: Settings) -> bool:
        return self.public or (self.setting is not None and bool(getattr(settings, self.setting)))


ROUTES = (
    Route("POST", "/ask", "ask"),
    Route("POST", "/search", "ask"),
    Route("GET", "/suggestions", "ask"),
    Route("GET", "/documents", "ask"),
    Route("POST", "/documents", "upload", is_upload=True),
    Route("GET", "/documents/{id}", "ask"),
    Route("PUT", "/documents/{id}", "upload", is_upload=True),
    Route("DELETE", "/documents/{id}", "upload"),
    Route("PUT", "/documents/{id}/allow", "upload"),
    Route("GET", "/documents/{id}/original", "ask"),
    Route("GET", "/documents/{id}/text", "ask"),
    Route("GET", "/documents/{id}/view", "ask"),
    Route("GET", "/documents/{id}/pages/{n}", "ask"),
    Route("GET", "/jobs", "upload"),
    Route("GET", "/jobs/{id}", "upload"),
    Route("POST", "/feedback", "ask"),
    Route("DELETE", "/feedback/{id}", "ask"),
    Route("GET", "/feedback/export", "admin"),
    Route("POST", "/v1/chat/completions", "ask"),
    Route("GET", "/v1/models", "ask"),
    Route("POST", "/mcp/", "ask"),
    Route("GET", "/me"),
    Route("GET", "/admin/overview", "admin"),
    Route("POST", "/ask/run", "ask"),
    Route("GET", "/metrics", "metrics", setting="public_metrics", hidden=True, drains=False),
    Route("GET", "/docs", setting="public_docs", hidden=True),
    Route("GET", "/openapi.json", setting="public_docs", hidden=True),
    Route("GET", "/health/live", public=True, drains=False),
    Route("GET", "/health/ready", public=True, drains=False),
)
_PAGE = Route("GET", "/", public=True, is_page=True, drains=False)
_PARTS = {"id": r"[0-9a-f]{24,32}", "n": r"[0-9]{1,6}"}


@lru_cache
def _compiled(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", lambda match: _PARTS[match[1]], template))


_EXACT = {(route.method, route.template): route for route in ROUTES if "{" not in route.template}
_PATTERNS = [(route, _compiled(route.template)) for route in ROUTES if "{" in route.template]


def find_route(method: str, path: str) -> Route | None:
    """The route of a request; HEAD is answered where GET is. Files of the search page are found in its folder."""
    method = "GET" if method == "HEAD" else method
    if (route := _EXACT.get((method, path))) is not None:
        return route
    for route, pattern in _PATTERNS:
        if route.method == method and pattern.fullmatch(path):
            return route
    return _PAGE if method == "GET" and is_page_file(path) else None


def methods_of(path: str) -> list[str]:
    """The methods that an address takes; empty when there is no such address, or it is hidden."""
    return [
        route.method
        for route in ROUTES
        if not route.hidden and (route.template == path or _compiled(route.template).fullmatch(path))
    ]


def is_page_file(path: str, folder: Path | None = None) -> bool:
    """Whether a path names a file of the search page. `..`, hidden files and links out of the folder are none."""
    folder = folder or PAGE
    if path == "/":
        return (folder / "index.html").is_file()
    parts = path.split("/")[1:]
    if len(path) > 500 or not all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", part) for part in parts):
        return False
    file = folder.joinpath(*parts)
    return file.is_file() and file.resolve().is_relative_to(folder.resolve())
