"""The asynchronous side of a store whose methods block: each in a thread, so that no event loop waits for it."""

import asyncio
from typing import Any

from haystack import Document
from haystack.document_stores.types import DuplicatePolicy


class AsyncMethods:
    """
    Each does what the method without `_async` does, with the same parameters, errors and results.

    `settings` are those that a store takes beyond Haystack's protocol, such as `refresh` of Elasticsearch.
    """

    async def count_documents_async(self: Any) -> int:
        return await asyncio.to_thread(self.count_documents)

    async def filter_documents_async(self: Any, filters: dict[str, Any] | None = None) -> list[Document]:
        return await asyncio.to_thread(self.filter_documents, filters)

    async def write_documents_async(
        self: Any,
        documents: list[Document],
        policy: DuplicatePolicy = DuplicatePolicy.NONE,
        *settings: Any,
        **named: Any,
    ) -> int:
        return await asyncio.to_thread(self.write_documents, documents, policy, *settings, **named)

    async def delete_documents_async(self: Any, document_ids: list[str], *settings: Any, **named: Any) -> None:
        await asyncio.to_thread(self.delete_documents, document_ids, *settings, **named)

    async def delete_all_documents_async(self: Any, recreate_index: bool = False, *settings: Any, **named: Any) -> None:
        await asyncio.to_thread(self.delete_all_documents, recreate_index, *settings, **named)

    async def delete_by_filter_async(self: Any, filters: dict[str, Any], *settings: Any, **named: Any) -> int:
        return await asyncio.to_thread(self.delete_by_filter, filters, *settings, **named)

    async def update_by_filter_async(
        self: Any, filters: dict[str, Any], meta: dict[str, Any], *settings: Any, **named: Any
    ) -> int:
        return await asyncio.to_thread(self.update_by_filter, filters, meta, *settings, **named)

    async def count_documents_by_filter_async(self: Any, filters: dict[str, Any]) -> int:
        return await asyncio.to_thread(self.count_documents_by_filter, filters)

    async def count_unique_metadata_by_filter_async(
        self: Any, filters: dict[str, Any], metadata_fields: list[str]
    ) -> dict[str, int]:
        return await asyncio.to_thread(self.count_unique_metadata_by_filter, filters, metadata_fields)

    async def get_metadata_fields_info_async(self: Any) -> dict[str, dict[str, str]]:
        return await asyncio.to_thread(self.get_metadata_fields_info)

    async def get_metadata_field_min_max_async(self: Any, metadata_field: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.get_metadata_field_min_max, metadata_field)

    async def get_metadata_field_unique_values_async(
        self: Any,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        return await asyncio.to_thread(
            self.get_metadata_field_unique_values, metadata_field, search_term, from_, size, filters
        )

    async def close_async(self: Any) -> None:
        await asyncio.to_thread(self.close)
