"""One document for one caller: there, or not there; never "there, but not for you"."""

from components.stores.contract import Source
from service.access.caller import Caller
from service.documents.catalogue import Entry
from service.errors import not_found
from service.service import Service


def find_document(service: Service, caller: Caller, document_id: str) -> tuple[Source | None, Entry | None]:
    """
    A document with its text; an upload that waits has no source yet. Reads the store: call it in a thread.

    :raises ServiceError: 404 when it is not there, and when the caller may not see it: the same for both.
    """
    entry = service.catalogue.get(document_id)
    if not service.catalogue.may_see(caller, document_id):
        raise not_found("document")
    source = service.engine.store.sources.get(document_id)
    if source is None and entry is None:
        raise not_found("document")
    return source, entry
