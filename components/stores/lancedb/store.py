"""The embedded store: passages, words, vectors and metadata in one folder, without a server."""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from haystack import Document, default_from_dict, default_to_dict
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

from components.languages import language_name
from components.stores.async_methods import AsyncMethods
from components.stores.contract import StoreStatus, check_search
from components.stores.filters import require
from components.stores.fusion import Fusion
from components.stores.lancedb import metadata, rows
from components.stores.lancedb.disk.lock import FolderLock, one_writer
from components.stores.lancedb.disk.rebuild import discard, next_folder, switch
from components.stores.lancedb.disk.recovery import LOSSES, expect_again
from components.stores.lancedb.filters import condition_sql, ids_condition, to_sql
from components.stores.lancedb.memory import limit_arenas
from components.stores.lancedb.open_store import OpenStore
from components.stores.lancedb.passages import IDS_AT_ONCE, Passages
from components.stores.lancedb.runtime import run
from components.stores.lancedb.sources import SQLiteSourceRecord
from components.stores.lancedb.table import PassageTable

_T = TypeVar("_T")
DEFAULT_SEARCH_FIELDS = {"content": 1.0, "title": 0.5, "headings": 0.5}


class LanceDBDocumentStore(AsyncMethods):
    """
    A Haystack DocumentStore in a folder, over LanceDB, with hybrid search and a record of its sources.

    Any number of processes may read while one or more write; each search sees one state of the table whole. Nothing is
    opened or created before the first use, and copies (deepcopy, pickle, YAML) open anew.
    """

    def __init__(
        self,
        path: str | Path,
        search_fields: dict[str, float] | None = None,
        language: str = "en",
        embedding_dimension: int | None = None,
        durable: bool = True,
    ) -> None:
        """
        :param path: The folder; made with the first write.
        :param search_fields: What full-text search reads, with the weight of each: `content` and fields of `meta`.
            Which fields there are is fixed when the store is made, weights can change any time; 0 leaves a field out.
        :param language: Whose stemming the full-text search uses, by its ISO code; fixed when the store is made.
        :param embedding_dimension: Length of the embeddings; None takes it from the first document that has one.
        :param durable: Force what is written to disk before a write returns (20 ms a batch), so that a power cut
            loses nothing that was reported as written.
        :raises ValueError: When `search_fields` lacks `content` or has a weight below 0, or no weight above 0.
        """
        fields = DEFAULT_SEARCH_FIELDS if search_fields is None else search_fields
        if "content" not in fields or min(fields.values()) < 0 or max(fields.values()) <= 0:
            raise ValueError(
                f"search_fields is {fields!r}, but must name 'content' and give weights of 0 or more, one above 0, "
                f"such as {DEFAULT_SEARCH_FIELDS!r}"
            )
        self.path = str(path)
        self.search_fields = search_fields
        self.language = language
        self._language_name = language_name(language, "LanceDBDocumentStore")
        self.embedding_dimension = embedding_dimension
        self.durable = durable
        self._boosts = {name: weight for name, weight in fields.items() if weight > 0}
        self._fields = list(fields)
        self._open = self._opened()

    def _opened(self, pinned: Path | None = None, any_settings: bool = False) -> OpenStore:
        def make_table(home: Path) -> PassageTable:
            return PassageTable(
                home, self._fields, self._language_name, self.embedding_dimension, self.durable, any_settings
            )

        return OpenStore(Path(self.path), make_table, self._boosts, self.durable, pinned)

    # What a pipeline needs to write the store down and to copy it.

    def to_dict(self) -> dict[str, Any]:
        """The settings, for a pipeline's YAML."""
        return default_to_dict(
            self,
            path=self.path,
            search_fields=self.search_fields,
            language=self.language,
            embedding_dimension=self.embedding_dimension,
            durable=self.durable,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "LanceDBDocumentStore":
        """The store that `to_dict` described."""
        return default_from_dict(cls, data)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_open")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open = self._opened()

    def warm_up(self) -> None:
        """Import LanceDB (half a second) and open the table, so that the first search need not; may run in a thread."""
        run(self._passages.snapshot())

    def close(self) -> None:
        """Let go of files and connections; the next use opens them again."""
        self._open.close()

    def optimise(self) -> None:
        """
        Merge small files, bring indexes up to date, delete old versions. Writes do it now and then by themselves; at
        the end of a long load it is worth a call of its own.
        """
        run(self._passages.table.optimise())

    @property
    def sources(self) -> SQLiteSourceRecord:
        """The record of what is indexed, in `sources.sqlite3` beside the passages."""
        return self._open.sources

    @property
    def home(self) -> Path:
        """The folder inside the store that passages and record lie in now; another one after a rebuild."""
        return self._open.home

    @property
    def folder(self) -> Path:
        """The folder of the store, which holds nothing else."""
        return Path(self.path)

    def one_writer(self, wait: float = 0.0) -> AbstractContextManager[FolderLock]:
        """
        The right to index while the block runs; it ends with the process, however that ends.

        :param wait: Seconds to wait for another index run to end.
        :raises StoreBusyError: When it has not ended by then; names its process id.
        """
        return one_writer(self.path, wait)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """
        While this is open much is written; this store holds nothing back, and tidies up as it goes, memory included
        (`memory`). What a crash has cost is looked for first: files of which passages are missing are made pending in
        the record.
        """
        limit_arenas()
        run(self._passages.table.existing())
        losses = self.home / LOSSES
        if losses.exists():
            expect_again(self.sources, self._metas())
            losses.unlink(missing_ok=True)
        table = self._passages.table
        table.loading = True
        try:
            yield
        finally:
            run(table.finish_loading())

    def as_made(self) -> "LanceDBDocumentStore":
        """This store to read documents from, by whatever settings it was made."""
        made = copy.copy(self)
        made._open = made._opened(self.home, any_settings=True)
        return made

    @contextmanager
    def rebuilt(self, before_switch: Callable[[], None] | None = None) -> Iterator["LanceDBDocumentStore"]:
        """
        A new, empty store beside the one in use; questions go on over the old one.

        At the end of the block it takes the old one's place by one rename, and once it answers the old one is deleted.
        A search that is under way then begins again. When the block fails, the old one stays as it was.

        :param before_switch: Called directly before the switch; what it raises stops it.
        """
        store, old, last = Path(self.path), self.home, self.sources.next_generation()
        new, home = copy.copy(self), next_folder(store)
        new._open = new._opened(home)
        try:
            new.sources.continue_generations(last)
            yield new
            new.optimise()
            expected = new.count_documents()
            if before_switch is not None:
                before_switch()
        except BaseException:
            new.close()
            discard(store, home)
            raise
        new.close()
        switch(store, home)
        if self.count_documents() != expected:
            raise RuntimeError(f"The rebuilt index in '{home}' lacks passages. The old one is in '{old}'.")
        discard(store, old)

    def status(self) -> StoreStatus:
        """The folder, and what its files take on disk."""
        sizes = (file.stat().st_size for file in self.folder.rglob("*") if file.is_file())
        return StoreStatus(str(self.folder), sum(sizes))

    # Reading

    def count_documents(self) -> int:
        """How many documents the store holds."""
        return self._open.read(lambda passages: passages.count(None))

    def count_documents_by_filter(self, filters: dict[str, Any]) -> int:
        """How many documents match."""
        where = to_sql(filters)
        return self._open.read(lambda passages: passages.count(where))

    def filter_documents(self, filters: dict[str, Any] | None = None) -> list[Document]:
        """
        The documents that match, with embeddings.

        :raises FilterError: When the filter is malformed.
        """
        columns = [*rows.DOCUMENT_COLUMNS, rows.VECTOR]
        where = to_sql(filters)
        table = self._open.read(lambda passages: passages.select(where, columns))
        return [] if table is None else rows.to_documents(table)

    def hybrid_search(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None,
        top_k: int = 20,
        filters: dict[str, Any] | None = None,
        fusion: Fusion = Fusion(),  # noqa: B008 - frozen
    ) -> list[list[Document]]:
        """
        The passages that fit each question by words (BM25) and by meaning (cosine), fused.

        :param queries: The questions. Any text: nothing in it is an operator.
        :param embeddings: One a question, or None to search by words alone.
        :param top_k: How many passages a question gets at most.
        :param filters: Hold for both legs, inside the database.
        :param fusion: How the legs are joined; one with weight 0 is not asked.
        :returns: One list a question, best first, equal scores by id; with `score`, without embedding.
        :raises ValueError: When embeddings do not fit the questions or the store, or top_k is below 1.
        :raises FilterError: When the filter is malformed.
        """
        check_search(queries, embeddings, top_k)
        where = to_sql(filters)
        return self._open.read(lambda passages: passages.search(queries, embeddings, top_k, where, fusion))

    async def hybrid_search_async(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None,
        top_k: int = 20,
        filters: dict[str, Any] | None = None,
        fusion: Fusion = Fusion(),  # noqa: B008 - frozen
    ) -> list[list[Document]]:
        """What `hybrid_search` does, without keeping the event loop waiting."""
        check_search(queries, embeddings, top_k)
        where = to_sql(filters)
        return await self._open.read_async(lambda passages: passages.search(queries, embeddings, top_k, where, fusion))

    def count_unique_metadata_by_filter(self, filters: dict[str, Any], metadata_fields: list[str]) -> dict[str, int]:
        """How many distinct values each field has among the documents that match."""
        metas = self._metas(filters)
        return {name.removeprefix("meta."): len(metadata.unique_values(metas, name)) for name in metadata_fields}

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """The metadata fields there are, each with its type (keyword, int, float, boolean)."""
        return metadata.fields_info(self._metas())

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """The smallest ("min") and largest ("max") value of a field; None where there is none."""
        return metadata.min_max(self._metas(), metadata_field)

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """
        A page of a field's distinct values, and how many there are in all.

        :param search_term: Only the values that contain it, whatever its case.
        """
        values = metadata.unique_values(self._metas(filters), metadata_field, search_term)
        return values[from_ : from_ + size], len(values)

    # Writing

    def write_documents(self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        """
        Write the documents in one commit: all of them or, if it fails, none.

        :param policy: What to do with ids that are there already; NONE means FAIL.
        :returns: How many were written; with OVERWRITE the number of documents given.
        :raises DuplicateDocumentError: With FAIL, when an id is there already or twice in `documents`.
        :raises ValueError: When `documents` is no list of Documents, or one of them cannot be stored (it is named).
        """
        if not isinstance(documents, list) or not all(isinstance(document, Document) for document in documents):
            raise ValueError("write_documents takes a list of haystack Documents")
        unique = _without_duplicates(documents, policy)
        if not unique:
            return 0
        written = run(self._passages.write(self._table_of(unique), policy))
        return len(documents) if policy == DuplicatePolicy.OVERWRITE else written

    def replace_passages(self, documents: list[Document], source_ids: Sequence[str]) -> None:
        """Put these passages in place of all that there are of these sources, in one commit."""
        unique = _without_duplicates(documents, DuplicatePolicy.OVERWRITE)
        where = to_sql({"field": "meta.source_id", "operator": "in", "value": list(source_ids)})
        if not unique:
            run(self._passages.delete(where or "false"))
            return
        run(self._passages.replace(self._table_of(unique), where or "false"))

    def delete_documents(self, document_ids: list[str]) -> None:
        """Delete the documents with these ids; ids that are not there are ignored."""
        for start in range(0, len(document_ids), IDS_AT_ONCE):
            run(self._passages.delete(ids_condition(document_ids[start : start + IDS_AT_ONCE])))

    def delete_by_filter(self, filters: dict[str, Any]) -> int:
        """Delete the documents that match, and return how many there were."""
        return run(self._passages.delete(condition_sql(require(filters))))

    def delete_all_documents(self, recreate_index: bool = False) -> None:
        """
        Delete all documents, and the record of their sources with them.

        :param recreate_index: Also make the table anew with the next write, by the settings of then.
        """
        run(self._passages.delete_all(recreate_index))
        self.sources.clear()

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any]) -> int:
        """Merge `meta` into the meta of the documents that match, and return how many there were."""
        return run(self._passages.update(condition_sql(require(filters)), meta))

    def _table_of(self, documents: list[Document]) -> Any:
        """The documents as rows, made outside the loop, on which other threads may be searching."""
        dimension = next((len(one.embedding) for one in documents if one.embedding is not None), None)
        return rows.to_table(documents, self._fields, run(self._passages.prepare_writing(dimension)))

    def _metas(self, filters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        where = to_sql(filters)
        table = self._open.read(lambda passages: passages.select(where, ["meta"]))
        return [] if table is None else [json.loads(meta) for meta in table["meta"].to_pylist()]

    @property
    def _passages(self) -> Passages:
        return self._open.passages


def _without_duplicates(documents: list[Document], policy: DuplicatePolicy) -> list[Document]:
    """One document an id: the last one where ids are overwritten, otherwise the first."""
    unique: dict[str, Document] = {}
    for document in documents:
        if document.id in unique:
            if policy in (DuplicatePolicy.NONE, DuplicatePolicy.FAIL):
                raise DuplicateDocumentError(f"Document {document.id} is twice among those to write")
            if policy == DuplicatePolicy.SKIP:
                continue
        unique[document.id] = document
    return list(unique.values())
