"""One question sees one version of each file, also while the file is being written again."""

from collections import defaultdict
from collections.abc import Sequence

from haystack import Document

from components.stores.contract import SourceRecord


def keep_one_version(found: Sequence[Sequence[Document]], record: SourceRecord) -> list[list[Document]]:
    """
    Leave out passages of a file's older version where passages of a newer one were found too.

    For stores that cannot put new passages in the old ones' place in one step. Which version is the newer one is asked
    of the record, and only where two were found: it is recorded before the first new passage is written.

    :param found: what questions found, one list each.
    """
    versions: dict[str, set[str]] = defaultdict(set)
    for documents in found:
        for one in documents:
            if "source_version" in one.meta:
                versions[str(one.meta.get("source_id"))].add(str(one.meta["source_version"]))
    newest = {}
    for source_id, seen in versions.items():
        if len(seen) > 1 and (source := record.get(source_id)) is not None and source.version in seen:
            newest[source_id] = source.version
    return [[one for one in documents if not _is_older(one, newest)] for documents in found]


def _is_older(document: Document, newest: dict[str, str]) -> bool:
    version = newest.get(str(document.meta.get("source_id")))
    return version is not None and document.meta.get("source_version") != version
