"""Who is asking: the name, what they may do, and as whom they see documents."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal["ask", "upload", "admin", "metrics"]
SCOPES: tuple[str, ...] = get_args(Scope)


@dataclass(frozen=True)
class Caller:
    """
    :param name: for the audit log and per-key limits; unique among keys.
    :param scopes: what they may do; `admin` may do everything and sees every document.
    :param principals: `user:NAME` and `group:NAME`: as whom they see documents.
    :param rate: questions a second, None for no limit.
    :param share: part of the waiting room they may fill, None for the server's setting.
    """

    name: str
    scopes: frozenset[str] = frozenset({"ask"})
    principals: frozenset[str] = frozenset()
    rate: float | None = None
    share: float | None = None

    @property
    def sees_all(self) -> bool:
        return "admin" in self.scopes

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


# Whoever sits at the machine while no key is configured.
LOCAL = Caller("local", frozenset(SCOPES))

# Set at the door; what is deeper inside and gets no request (MCP tools, Hayhooks' wrapper) reads it here.
current_caller: ContextVar[Caller | None] = ContextVar("current_caller", default=None)
