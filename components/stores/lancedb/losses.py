"""After passages were lost to a crash: which files does the record call indexed although not all of them is there?"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from components.stores.contract import SourceRecord

_AT_ONCE = 500


def expect_again(record: SourceRecord, metas: Iterable[dict[str, Any]]) -> int:
    """
    Make pending every source of which passages are missing, so that the next index run does it again.

    :param metas: of all passages there are.
    :returns: how many sources these are.
    """
    there = Counter((meta.get("source_id"), meta.get("source_version")) for meta in metas)
    short = [
        source.source_id
        for source in record.all()
        if source.state == "indexed" and there[source.source_id, source.version] != source.passages
    ]
    for first in range(0, len(short), _AT_ONCE):
        found = [record.get(source_id) for source_id in short[first : first + _AT_ONCE]]
        record.put([replace(source, state="pending") for source in found if source is not None])
    return len(short)
