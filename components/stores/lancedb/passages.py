"""What the embedded store does with its table, as coroutines of the one background loop."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from haystack import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

from components.stores.fusion import Fusion
from components.stores.lancedb import rows
from components.stores.lancedb.filters import ids_condition
from components.stores.lancedb.search import Snapshot
from components.stores.lancedb.table import ROWS_FOR_VECTOR_INDEX, PassageTable

# Ids in one statement; longer lists cost the SQL parser more than a second statement.
IDS_AT_ONCE = 5_000


@dataclass
class Passages:
    """
    :param table: The table to work on.
    :param boosts: The searchable fields and their weights, all above 0.
    """

    table: PassageTable
    boosts: dict[str, float]
    _snapshot: Snapshot | None = None

    async def snapshot(self) -> Snapshot | None:
        """The newest version of the table; the same object as long as nothing has been written by anyone."""
        table = await self.table.existing()
        if table is None:
            return None
        version = await table.version()
        if self._snapshot is None or self._snapshot.version != version:
            pinned = await self.table.at_version(version)
            names = await pinned.schema()
            dimension = names.field(rows.VECTOR).type.list_size if rows.VECTOR in names.names else None
            self._snapshot = Snapshot(pinned, version, dimension, self.boosts, ROWS_FOR_VECTOR_INDEX)
        return self._snapshot

    async def search(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None,
        top_k: int,
        where: str | None,
        fusion: Fusion,
        last_try: bool = False,
    ) -> list[list[Document]]:
        try:
            snapshot = await self.snapshot()
            if snapshot is None or not queries:
                return [[] for _ in queries]
            vectors = None
            if embeddings is not None:
                vectors = (
                    rows.stack_vectors(embeddings, snapshot.dimension)
                    if snapshot.dimension is not None
                    else np.zeros((len(queries), 0), dtype=np.float32)  # nothing is near
                )
            return await snapshot.search(queries, vectors, top_k, where, fusion)
        except (RuntimeError, OSError) as error:
            # A search that took longer than old versions are kept finds files gone; the newest version is there.
            if last_try or "not found" not in str(error).lower():
                raise
            self._snapshot = None
        return await self.search(queries, embeddings, top_k, where, fusion, last_try=True)

    async def count(self, where: str | None) -> int:
        table = await self.table.existing()
        return 0 if table is None else await table.count_rows(where)

    async def select(self, where: str | None, columns: Sequence[str]) -> Any:
        table = await self.table.existing()
        if table is None:
            return None
        names = (await table.schema()).names
        query = table.query().select([column for column in columns if column in names])
        return await (query if where is None else query.where(where)).to_arrow()

    async def prepare_writing(self, dimension: int | None) -> int | None:
        if await self.table.existing() is None or (dimension is not None and self.table.dimension is None):
            async with self.table.change(dimension):
                pass
        return self.table.dimension

    async def write(self, table: Any, policy: DuplicatePolicy) -> int:
        if policy in (DuplicatePolicy.NONE, DuplicatePolicy.FAIL):
            await self._refuse_existing(table["id"].to_pylist())
        async with self.table.change() as passages:
            merge = passages.merge_insert("id").when_not_matched_insert_all()
            if policy == DuplicatePolicy.OVERWRITE:
                merge = merge.when_matched_update_all()
            result = await merge.execute(table, on_bad_vectors="null")
        written = int(result.num_inserted_rows + result.num_updated_rows)
        if policy in (DuplicatePolicy.NONE, DuplicatePolicy.FAIL) and written < len(table):
            raise DuplicateDocumentError(
                f"{len(table) - written} of {len(table)} documents were written by another process meanwhile"
            )
        return written

    async def replace(self, table: Any, where: str) -> None:
        """Put the rows in place of those with their ids and those that match, in one commit."""
        # Only a look at an index; the deletion would read the whole table, also where nothing is to be deleted.
        deletes = await self.count(where) > 0
        async with self.table.change() as passages:
            merge = passages.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            if deletes:
                merge = merge.when_not_matched_by_source_delete(where)
            await merge.execute(table, on_bad_vectors="null")

    async def _refuse_existing(self, ids: list[str]) -> None:
        for start in range(0, len(ids), IDS_AT_ONCE):
            found = await self.select(ids_condition(ids[start : start + IDS_AT_ONCE]), ["id"])
            if len(found):
                raise DuplicateDocumentError(
                    f"{len(found)} documents are in the store already, such as {found['id'][0].as_py()}. Write with "
                    "the policy OVERWRITE or SKIP to replace or keep them."
                )

    async def delete(self, where: str) -> int:
        if await self.count(where) == 0:
            return 0
        async with self.table.change() as passages:
            return int((await passages.delete(where)).num_deleted_rows)  # type: ignore[attr-defined]

    async def delete_all(self, recreate_index: bool) -> None:
        if recreate_index:
            await self.table.drop()
            self._snapshot = None
        else:
            await self.delete("true")

    async def update(self, where: str, changes: dict[str, Any]) -> int:
        import pyarrow as pa

        found = await self.select(where, ["id", "meta"])
        if found is None or not len(found):
            return 0
        metas = [
            (document_id, json.loads(meta) | changes)
            for document_id, meta in zip(found["id"].to_pylist(), found["meta"].to_pylist(), strict=True)
        ]
        columns = {"id": found["id"].to_pylist(), **rows.meta_columns(metas, self.table.fields)}
        whole = rows.schema(self.table.fields, None, {})
        schema = pa.schema([whole.field(name) for name in columns])
        table = pa.Table.from_arrays([pa.array(columns[name.name], name.type) for name in schema], schema=schema)
        async with self.table.change() as passages:
            result = await passages.merge_insert("id").when_matched_update_all().execute(table)
        return int(result.num_updated_rows)
