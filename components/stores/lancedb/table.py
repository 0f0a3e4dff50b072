"""The LanceDB table of a store: opened or created when first needed, kept tidy, forced to disk."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from components.stores.lancedb import lazy_import as lancedb_import
from components.stores.lancedb import rows
from components.stores.lancedb.disk.durability import Durability, newest_version, sweep_abandoned, writing
from components.stores.lancedb.disk.recovery import in_thread, open_whole
from components.stores.lancedb.memory import give_back

if TYPE_CHECKING:
    from lancedb import AsyncConnection
    from lancedb.table import AsyncTable

logger = logging.getLogger(__name__)

TABLE = "passages"
FORMAT = 1
REBUILD = "`excerpt index PATH... --rebuild`"
# Every commit leaves a fragment, and searches slow down with each (300 commits of one row: 8 times slower).
COMMITS_BEFORE_OPTIMISING = 32
# While much is written: one more for so many rows there are, up to so many.
ROWS_A_COMMIT = 150
MOST_COMMITS = 256
COMMITS_BEFORE_OPENING_ANEW = 32
# Old versions live on for readers in the middle of a search; those that are slower start it again.
KEEP_OLD_VERSIONS = timedelta(seconds=30)
_KEEP_ALL = timedelta(days=36_500)
# Below, comparing with every vector is as fast as an approximate index, and exact.
ROWS_FOR_VECTOR_INDEX = 50_000
# LanceDB's own bounds (6 GB and 1 GB) are a server's.
INDEX_CACHE_BYTES = 1 << 30
METADATA_CACHE_BYTES = 256 << 20


@dataclass
class PassageTable:
    """
    :param path: Folder of the store; the table lies in `passages.lance` below it.
    :param fields: The searchable fields.
    :param language: Whose stemmer the full-text indexes use.
    :param dimension: Length of the embeddings; None until the first document with one is written.
    :param durable: Force each batch to disk before its write is called done.
    :param loading: Much is written: the table is opened anew now and then, which keeps memory bounded.
    :param any_settings: Open it also where it was made by others: to read documents, not to search.
    """

    path: Path
    fields: Sequence[str]
    language: str
    dimension: int | None
    durable: bool
    any_settings: bool = False
    loading: bool = False
    _connection: "AsyncConnection | None" = None
    _table: "AsyncTable | None" = None
    _commits: int = 0
    _since_opened: int = 0
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _creating: asyncio.Lock = field(default_factory=asyncio.Lock)
    _durability: Durability = field(init=False)

    def __post_init__(self) -> None:
        self._durability = Durability(self.folder)

    @property
    def folder(self) -> Path:
        return self.path / f"{TABLE}.lance"

    async def connection(self) -> "AsyncConnection":
        if self._connection is None:
            lancedb = lancedb_import.lancedb()
            self._connection = await lancedb.connect_async(
                self.path,
                read_consistency_interval=timedelta(0),  # what another process has written is seen at once
                session=lancedb.Session(
                    index_cache_size_bytes=INDEX_CACHE_BYTES, metadata_cache_size_bytes=METADATA_CACHE_BYTES
                ),
            )
        return self._connection

    async def existing(self) -> "AsyncTable | None":
        """The table, None while nothing has been written. Raises ValueError when it was made by other settings."""
        if self._table is not None or newest_version(self.folder) is None:
            return self._table
        async with self._opening:
            if self._table is None:
                table = await open_whole(await self.connection(), TABLE, self.folder, self._durability)
                if table is None:
                    return None  # another process is creating it
                if not self.any_settings:
                    await self._check(table)
                # Fragments that others left count as commits that await tidying up.
                stats = await table.stats()
                self._commits = max(0, stats["fragment_stats"]["num_fragments"] - 1)  # type: ignore[index]
                self._table = table
        return self._table

    async def at_version(self, version: int) -> "AsyncTable":
        """A handle that stays at `version`, whatever is written meanwhile."""
        table = await (await self.connection()).open_table(TABLE)
        await table.checkout(version)
        return table

    @asynccontextmanager
    async def change(self, dimension: int | None = None) -> AsyncIterator["AsyncTable"]:
        """The table for one change of it, which is on disk when the block is left, and tidied up when it is time."""
        await self.existing()  # what is to be put right is put right before anything is added
        async with in_thread(writing(self.path)):
            if not self.durable:
                self._durability.unmark()
            yield await self._for_writing(dimension)
            await self._sync()
            self._commits += 1
            self._since_opened += 1
        if self._commits >= COMMITS_BEFORE_OPTIMISING and self._commits >= await self._commits_allowed():
            await self._try_to_optimise()
        if self.loading and self._since_opened >= COMMITS_BEFORE_OPENING_ANEW:
            # Not closed: a search may be in the middle of something. What nobody holds any more goes by itself.
            self._table = self._connection = None
            self._since_opened = 0
            await asyncio.to_thread(give_back)

    async def finish_loading(self) -> None:
        """Tidy up what a load has left, if it was long."""
        self.loading = False
        if self._table is not None and self._commits >= COMMITS_BEFORE_OPTIMISING:
            await self._try_to_optimise()

    async def _commits_allowed(self) -> int:
        """
        How many commits may wait to be merged. Merging writes the whole table and its indexes: every 32 commits, that
        would take most of the time of a long load. While much is written, they wait until they are worth it.
        """
        if not self.loading or self._table is None:
            return COMMITS_BEFORE_OPTIMISING
        return min(MOST_COMMITS, await self._table.count_rows() // ROWS_A_COMMIT)

    async def _try_to_optimise(self) -> None:
        try:
            await self.optimise()
        except Exception as error:  # what was to be written is written
            logger.warning("The index in %s could not be tidied up, which is tried again: %s", self.path, error)

    async def _for_writing(self, dimension: int | None) -> "AsyncTable":
        """The table, created when missing; with a vector column when `dimension` is given."""
        table = await self.existing()
        if table is not None and (dimension is None or self.dimension is not None):
            return table
        self.path.mkdir(parents=True, exist_ok=True)
        # The first lock keeps out this process's other writers, which share the loop, the second one other processes.
        async with self._creating:
            with FileLock(self.path / ".create.lock"):
                table = await self.existing() or await self._create(dimension)
                if dimension is not None and self.dimension is None:
                    await self._add_vectors(table, dimension)
        return table

    async def optimise(self) -> None:
        """Merge fragments, bring the indexes up to date, make those that are missing, delete what is no longer used."""
        table = await self.existing()
        if table is None:
            return
        self._commits = 0
        async with in_thread(writing(self.path)):
            try:
                await self._make_indexes(table)
                # Nothing is deleted before what takes its place is on disk: until then it is what a crash goes back to.
                await table.optimize(cleanup_older_than=_KEEP_ALL)
                await self._sync()
                await table.optimize(cleanup_older_than=KEEP_OLD_VERSIONS)
            except RuntimeError as error:
                if "conflict" not in str(error).lower():
                    raise
                logger.debug("Another process is optimising the index in %s", self.path)
            finally:
                await asyncio.to_thread(sweep_abandoned, self.folder)
                await self._sync()

    async def drop(self) -> None:
        if await self.existing() is not None:
            self._durability.unmark()
            await (await self.connection()).drop_table(TABLE)
            self._durability = Durability(self.folder)
        self._table = None

    def close(self) -> None:
        if self._table is not None:
            self._table.close()
        if self._connection is not None:
            self._connection.close()
        self._table = self._connection = None

    async def _sync(self) -> None:
        if self.durable:
            await asyncio.to_thread(self._durability.sync)

    async def _create(self, dimension: int | None) -> "AsyncTable":
        about = {"format": FORMAT, "language": self.language}
        connection = await self.connection()
        table = await connection.create_table(TABLE, schema=rows.schema(self.fields, dimension, about))
        # Without it two processes that write the same ids at once both succeed, and every id is there twice.
        await table.set_unenforced_primary_key("id")
        for name in self.fields:
            await self._index_words(table, name)
        self.dimension = dimension
        self._table = table
        return table

    async def _add_vectors(self, table: "AsyncTable", dimension: int) -> None:
        import pyarrow as pa

        schema = await table.schema()
        if rows.VECTOR not in schema.names:
            await table.add_columns(pa.schema([pa.field(rows.VECTOR, pa.list_(pa.float32(), dimension))]))
            schema = await table.schema()
        self.dimension = schema.field(rows.VECTOR).type.list_size

    async def _index_words(self, table: "AsyncTable", name: str) -> None:
        from lancedb.index import FTS

        # Stop words stay: questions such as "who is The Who" are made of them, and BM25 weighs them next to nothing.
        await table.create_index(
            rows.field_column(name),
            config=FTS(language=self.language, stem=True, remove_stop_words=False, ascii_folding=True),
        )

    async def _make_indexes(self, table: "AsyncTable") -> None:
        from lancedb.index import BTree, IvfSq, LabelList

        have = {column for index in await table.list_indices() for column in index.columns}
        count = await table.count_rows()
        if count == 0:
            return
        if "kv" not in have:
            await table.create_index("kv", config=LabelList())
        if "id" not in have:
            await table.create_index("id", config=BTree())
        if self.dimension is not None and rows.VECTOR not in have and count >= ROWS_FOR_VECTOR_INDEX:
            await table.create_index(rows.VECTOR, config=IvfSq(distance_type="cosine"))  # type: ignore[arg-type]

    async def _check(self, table: "AsyncTable") -> None:
        schema = await table.schema()
        about = json.loads((schema.metadata or {}).get(b"excerpt", b"{}"))
        if about.get("format") != FORMAT:
            raise ValueError(
                f"The index in {self.path} has format {about.get('format')}, this version of Excerpt reads format "
                f"{FORMAT}. Use the version it was made with, or index anew into an empty folder."
            )
        if about["language"] != self.language:
            raise ValueError(
                f"The index in {self.path} was made for language {about['language']!r}, the setting `language` says "
                f"{self.language!r}. Set it back, or make it anew with this one: {REBUILD}"
            )
        missing = [name for name in self.fields if rows.field_column(name) not in schema.names]
        if missing:
            raise ValueError(
                f"The index in {self.path} cannot search the fields {missing} named in `search_fields`: it was made "
                f"without them. Take them out, or make it anew with them: {REBUILD}"
            )
        if rows.VECTOR in schema.names:
            dimension = schema.field(rows.VECTOR).type.list_size
            if self.dimension not in (None, dimension):
                raise ValueError(
                    f"The index in {self.path} holds embeddings of {dimension} numbers, the setting "
                    f"`embedding_dimension` says {self.dimension}. Use the embedder it was made with, or make it anew "
                    f"with this one: {REBUILD}"
                )
            self.dimension = dimension
