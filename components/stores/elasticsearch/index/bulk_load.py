"""
Holds back refreshes and replicas during the first load of an index and restores them whatever happens; raises
ElasticsearchStoreError when the server takes neither.
"""

import time
from typing import Any

from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, cause
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.index.mapping import IndexDesign

_NOTE = "loading"  # the document, beside the sources, that says what is held back and until when
# Seconds after which a load that says nothing more is taken for dead. One that lives, and only embeds slowly, loses no
# more than the speed that holding back gains.
_LEASE = 120.0
_TIMEOUT = 60.0  # seconds a request may take
_MERGE_TIMEOUT = 3600.0
# Passages from which on the graph is built while loading, by all threads, instead of by one at the end.
_GRAPH_FROM = 100_000
_A_PIECE = 1_000_000  # passages of a segment at most, where it is for us to say
_SETTINGS = ("refresh_interval", "number_of_replicas", "auto_expand_replicas")


class BulkLoad:
    """
    Settings held back during a load, with a note of what they were in the index of sources.

    A load that is killed leaves the note behind; whoever opens the store after its lease is over, or loads next,
    restores the settings.

    :param requests: Sends requests.
    :param index: The passages' index.
    :param notes: The index of sources.
    :param design: How vectors are kept once the load is over; while it runs, an index that was made without their
        graph stays without: it is built at the end, in one piece, which is searched in half the time of many.
    :param hold_back_replicas: Whether replicas are held back too: faster, but until they are back one lost node loses
        passages (which the next `excerpt index` would not know of).
    """

    def __init__(
        self, requests: Requests, index: str, notes: str, design: IndexDesign, hold_back_replicas: bool
    ) -> None:
        self.requests, self.index, self.notes = requests, index, notes
        self.design, self.hold_back_replicas = design, hold_back_replicas
        self.written = 0
        self._original: dict[str, Any] = {}
        self._renewed = 0.0

    def begin(self) -> None:
        """Hold back refreshes (and replicas); what an earlier load held back is restored first."""
        self.restore_settings(dead_only=False)
        self._original = self._read_settings()
        held: dict[str, Any] = {"refresh_interval": "-1"}
        if self.hold_back_replicas:
            held |= {"number_of_replicas": 0, "auto_expand_replicas": "false"}
        self._write_note()
        self._write_settings(held)

    def add(self, passages: int) -> None:
        """So many passages more were written: the load is alive, and may be large enough for a graph."""
        before, self.written = self.written, self.written + passages
        if before <= _GRAPH_FROM < self.written:
            self._add_graph(self.written)
        if time.monotonic() - self._renewed > _LEASE / 4:
            self._write_note()

    def restore_settings(self, dead_only: bool = True) -> bool:
        """
        Restore what a load held back.

        :param dead_only: Leave alone a load that seems to be still running.
        :returns: Whether there was one.
        """
        path = f"/{self.notes}/_doc/{_NOTE}"
        reply = self.requests.send("GET", path, timeout=_TIMEOUT, allow=(404,))
        if not reply.get("found"):
            return False
        note = reply["_source"]
        if dead_only and note["until"] > time.time():
            return False
        ours = note["index"] == self.index
        self._write_settings(note["settings"], missing_ok=not ours, index=note["index"])
        if ours:
            self.finish(first=True)
        self.requests.send("DELETE", path, timeout=_TIMEOUT, allow=(404,))
        return True

    def finish(self, first: bool = False) -> None:
        """
        Show what was written, and build the graph of the vectors, in one piece, if there are enough of them now.

        :param first: after the first load of an index: what was written before the graph began has none, and a search
            of it looks at each vector.
        """
        self.requests.send("POST", f"/{self.index}/_refresh", timeout=_TIMEOUT)
        count = int(self.requests.send("GET", f"/{self.index}/_count", timeout=_TIMEOUT)["count"])
        if self._add_graph(count) or (first and count > _GRAPH_FROM):
            params = {"max_num_segments": str(-(-count // _A_PIECE))}
            self.requests.send("POST", f"/{self.index}/_forcemerge", timeout=_MERGE_TIMEOUT, params=params)
            self.requests.send("POST", f"/{self.index}/_refresh", timeout=_TIMEOUT)

    def _add_graph(self, passages: int) -> bool:
        """Whether the vectors had no graph yet; what is written or merged from now on gets it."""
        reply = self.requests.send("GET", f"/{self.index}/_mapping", timeout=_TIMEOUT)
        vector = reply[self.index]["mappings"].get("properties", {}).get("embedding", {})
        graphs = self.design.graphs(vector.get("dims"), passages)
        now = vector.get("index_options", {}).get("type")
        if now is None or now.endswith("hnsw") or not graphs:
            return False
        for options in graphs:
            body = {"properties": {"embedding": {**vector, "index_options": options}}}
            reply = self.requests.send("PUT", f"/{self.index}/_mapping", body, timeout=_TIMEOUT, allow=(400,))
            kind, reason = cause(reply)
            if not kind:
                return True
        raise ElasticsearchStoreError(f"index {self.index} got no graph for its vectors: {kind}: {reason[:300]}")

    def _read_settings(self) -> dict[str, Any]:
        params = {"flat_settings": "true"}
        reply = self.requests.send("GET", f"/{self.index}/_settings", timeout=_TIMEOUT, params=params)
        now = next(iter(reply.values()))["settings"]
        # null is "Elasticsearch's default"
        return {name: now.get(f"index.{name}") for name in _SETTINGS}

    def _write_note(self) -> None:
        note = {"index": self.index, "settings": self._original, "until": time.time() + _LEASE}
        self.requests.send("PUT", f"/{self.notes}/_doc/{_NOTE}", note, timeout=_TIMEOUT)
        self._renewed = time.monotonic()

    def _write_settings(self, settings: dict[str, Any], missing_ok: bool = False, index: str | None = None) -> None:
        path, allow = f"/{index or self.index}/_settings", (404,) if missing_ok else ()
        self.requests.send("PUT", path, {"index": settings}, timeout=_TIMEOUT, allow=allow)
