"""Documents that a store does not take: which ones, and why, so that whoever wrote them can go on with the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from haystack.document_stores.errors import DocumentStoreError


@dataclass(frozen=True)
class Refused:
    """
    A document that a store refused.

    :param field: where it is known which one is to blame.
    :param reason: what was found, what is allowed, what to do; never text of the document.
    """

    id: str
    field: str | None
    reason: str


class RefusedDocuments(DocumentStoreError):
    """Some documents were refused; the others are written. `refused` lists them all, `written` counts the others."""

    def __init__(self, refused: Sequence[Refused], written: int) -> None:
        self.refused = list(refused)
        self.written = written
        shown = "; ".join(f"document {item.id}: {item.reason}" for item in self.refused[:5])
        more = f"; and {len(refused) - 5} more" if len(refused) > 5 else ""
        super().__init__(f"{len(refused)} documents refused, {written} written: {shown}{more}")


class InvalidDocuments(RefusedDocuments, ValueError):
    """Some documents could never be stored, as is seen without asking the store; the others are written."""
