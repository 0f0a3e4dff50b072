"""The first load of an index: refreshes and replicas held back while it runs, and put back whatever happens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, cause
from components.stores.elasticsearch.client.requests import Requests
from components.stores.elasticsearch.index.mapping import IndexDesign

_NOTE = "loading"  # the document, beside the sources, that says what is held back and until when
# Seconds after which a load that says nothing more is taken for dead. One that lives, and only embeds slowly, loses no
# more than the speed that holding back gains.
_LEASE = 120.0
_WITHIN = 60.0
_MERGING = 3600.0
# Passages from which on the graph is built while loading, by all threads, instead of by one at the end.
_GRAPH_FROM = 100_000
_A_PIECE = 1_000_000  # passages of a segment at most, where it is for us to say
_SETTINGS = ("refresh_interval", "number_of_replicas", "auto_expand_replicas")


class Loading:
    """
    Settings held back during a load, with a note of what they were in the index of sources.

    A load that is killed leaves the note behind; whoever opens the store after its lease is over, or loads next, puts
    the settings back.

    :param requests: Sends requests.
    :param index: The passages' index.
    :param notes: The index of sources.
    :param design: How vectors are kept once the load is over; while it runs, an index that was made without their
        graph stays without: it is built at the end, in one piece, which is searched in half the time of many.
    :param replicas: Whether replicas are held back too: faster, but until they are back one lost node loses passages
        (which the next `excerpt index` would not know of).
    """

    def __init__(self, requests: Requests, index: str, notes: str, replicas: bool, design: IndexDesign) -> None:
        self.requests, self.index, self.notes, self.replicas = requests, index, notes, replicas
        self.design = design
        self.written = 0

    @contextmanager
    def held_back(self) -> Iterator[Callable[[int], None]]:
        """Yields a function to call with the number of passages written, so that the load is not taken for dead."""
        self.put_back(dead_only=False)
        kept = self._settings()
        held: dict[str, Any] = {"refresh_interval": "-1"}
        if self.replicas:
            held |= {"number_of_replicas": 0, "auto_expand_replicas": "false"}
        self._note(kept)
        renewed = time.monotonic()
        self._put(held)

        def renew(count: int) -> None:
            nonlocal renewed
            self.written += count
            if self.written > _GRAPH_FROM >= self.written - count:
                self._add_graph(self.written)
            if time.monotonic() - renewed > _LEASE / 4:
                self._note(kept)
                renewed = time.monotonic()

        try:
            yield renew
        finally:
            found = self.put_back(dead_only=False)
        if not found:  # somebody took this load for dead
            self.grown(first=True)

    def put_back(self, dead_only: bool = True) -> bool:
        """Put back what a load held back; `dead_only`: unless it seems to be still running. True if there was one."""
        found = self.requests("GET", f"/{self.notes}/_doc/{_NOTE}", within=_WITHIN, allow=(404,))
        if not found.get("found"):
            return False
        note = found["_source"]
        if dead_only and note["until"] > time.time():
            return False
        self._put(note["settings"], missing_ok=note["index"] != self.index, index=note["index"])
        if note["index"] == self.index:
            self.grown(first=True)
        self.requests("DELETE", f"/{self.notes}/_doc/{_NOTE}", within=_WITHIN, allow=(404,))
        return True

    def grown(self, first: bool = False) -> None:
        """
        Show what was written, and build the graph of the vectors, in one piece, if there are enough of them now.

        :param first: after the first load of an index: what was written before the graph began has none, and a search
            of it looks at each vector.
        """
        self.requests("POST", f"/{self.index}/_refresh", within=_WITHIN)
        count = int(self.requests("GET", f"/{self.index}/_count", within=_WITHIN)["count"])
        if self._add_graph(count) or (first and count > _GRAPH_FROM):
            pieces = str(-(-count // _A_PIECE))
            self.requests("POST", f"/{self.index}/_forcemerge", within=_MERGING, params={"max_num_segments": pieces})
            self.requests("POST", f"/{self.index}/_refresh", within=_WITHIN)

    def _add_graph(self, passages: int) -> bool:
        """Whether the vectors had no graph yet; what is written or merged from now on gets it."""
        reply = self.requests("GET", f"/{self.index}/_mapping", within=_WITHIN)
        vector = reply[self.index]["mappings"].get("properties", {}).get("embedding", {})
        graphs = self.design.graphs(vector.get("dims"), passages)
        now = vector.get("index_options", {}).get("type")
        if now is None or now.endswith("hnsw") or not graphs:
            return False
        for options in graphs:
            body = {"properties": {"embedding": {**vector, "index_options": options}}}
            reply = self.requests("PUT", f"/{self.index}/_mapping", body, within=_WITHIN, allow=(400,))
            kind, reason = cause(reply)
            if not kind:
                return True
        raise ElasticsearchStoreError(f"index {self.index} got no graph for its vectors: {kind}: {reason[:300]}")

    def _settings(self) -> dict[str, Any]:
        reply = self.requests("GET", f"/{self.index}/_settings", within=_WITHIN, params={"flat_settings": "true"})
        now = next(iter(reply.values()))["settings"]
        # null is "Elasticsearch's default"
        return {name: now.get(f"index.{name}") for name in _SETTINGS}

    def _note(self, settings: dict[str, Any]) -> None:
        note = {"index": self.index, "settings": settings, "until": time.time() + _LEASE}
        self.requests("PUT", f"/{self.notes}/_doc/{_NOTE}", note, within=_WITHIN)

    def _put(self, settings: dict[str, Any], missing_ok: bool = False, index: str | None = None) -> None:
        allow = (404,) if missing_ok else ()
        self.requests("PUT", f"/{index or self.index}/_settings", {"index": settings}, within=_WITHIN, allow=allow)
