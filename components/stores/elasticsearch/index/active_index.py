"""
Remembers which index a store's alias names and what is in it, so that a question need not ask; raises
ElasticsearchStoreError when that index was made with other settings, StoreUnavailable when nobody says in time.
"""

import threading

from components.stores.elasticsearch.client.errors import StoreUnavailable
from components.stores.elasticsearch.index.field_types import FieldTypes
from components.stores.elasticsearch.index.indices import IndexSet, IndexTarget


class ActiveIndex:
    """
    The indices in use, looked up at the first need and kept until `forget`.

    :param indices: Finds and makes them.
    """

    def __init__(self, indices: IndexSet) -> None:
        self.indices = indices
        self._lock = threading.Lock()
        self._declared = indices.declared_fields()
        self.forget()

    def forget(self) -> None:
        """Look up everything again at the next need: the alias may name another index now."""
        self._target: IndexTarget | None = None
        self._sources: IndexTarget | None = None
        self._dimension: int | None = None
        self._labelled = True
        self.field_types = FieldTypes(self._read_mapping, self._declared)

    def find(self) -> IndexTarget | None:
        """Where the passages are; None while nobody has written any."""
        if self._target is None:
            # Whoever asks a question waits no longer for another's look-up than for one of its own.
            if not self._lock.acquire(timeout=self.indices.requests.left(threading.TIMEOUT_MAX)):
                raise StoreUnavailable("Elasticsearch did not say in time where the index is: is it overloaded?")
            try:
                if self._target is None and (target := self.indices.find()) is not None:
                    self._dimension, self._labelled = self.indices.check(target)
                    self._target = target
            finally:
                self._lock.release()
        return self._target

    def make(self, with_graph: bool = True) -> IndexTarget:
        """Where the passages are, made if need be (`with_graph` False: the vectors' graph is added at the end)."""
        if (target := self.find()) is None:
            self.indices.make(with_graph)
            target = self.find()
            assert target is not None  # noqa: S101 - just made
        return target

    def dimension(self) -> int | None:
        """Length of the vectors; asked again until there are some."""
        if self._dimension is None and (target := self.find()) is not None:
            self._dimension, self._labelled = self.indices.check(target)
        return self._dimension

    def is_labelled(self) -> bool:
        """Whether passages carry labels for filters; an index not made yet will have them if its mapping does."""
        self.find()
        return self._labelled

    def find_sources(self) -> IndexTarget | None:
        """Where the record of sources is; None while there is none."""
        if self._sources is None:
            self._sources = self.indices.find_sources()
        return self._sources

    def make_sources(self) -> IndexTarget:
        """Where the record of sources is, made if need be."""
        if self._sources is None:
            self._sources = self.indices.make_sources()
        return self._sources

    def _read_mapping(self) -> dict[str, object]:
        return {} if (target := self.find()) is None else self.indices.mapping(target)
