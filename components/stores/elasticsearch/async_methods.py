"""The asynchronous side of the Elasticsearch store: the blocking methods in threads, over the same connections."""

import asyncio
from typing import Any

from haystack import Document
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.document_stores.elasticsearch import ElasticsearchDocumentStore as HaystackStore


class AsyncMethods(HaystackStore):
    """Each does what the method without `_async` does, with the same parameters, errors and results."""

    async def count_documents_async(self) -> int:
        return await asyncio.to_thread(self.count_documents)

    async def filter_documents_async(self, filters: dict[str, Any] | None = None) -> list[Document]:
        return await asyncio.to_thread(self.filter_documents, filters)

    async def write_documents_async(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE, refresh: Any = True
    ) -> int:
        return await asyncio.to_thread(self.write_documents, documents, policy, refresh)

    async def delete_documents_async(self, document_ids: list[str], refresh: Any = True) -> None:
        await asyncio.to_thread(self.delete_documents, document_ids, refresh)

    async def delete_all_documents_async(self, recreate_index: bool = False, refresh: bool = True) -> None:
        await asyncio.to_thread(self.delete_all_documents, recreate_index, refresh)

    async def delete_by_filter_async(self, filters: dict[str, Any], refresh: bool = True) -> int:
        return await asyncio.to_thread(self.delete_by_filter, filters, refresh)

    async def update_by_filter_async(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = True) -> int:
        return await asyncio.to_thread(self.update_by_filter, filters, meta, refresh)

    async def count_documents_by_filter_async(self, filters: dict[str, Any]) -> int:
        return await asyncio.to_thread(self.count_documents_by_filter, filters)

    async def count_unique_metadata_by_filter_async(
        self, filters: dict[str, Any], metadata_fields: list[str]
    ) -> dict[str, int]:
        return await asyncio.to_thread(self.count_unique_metadata_by_filter, filters, metadata_fields)

    async def get_metadata_fields_info_async(self) -> dict[str, dict[str, str]]:
        return await asyncio.to_thread(self.get_metadata_fields_info)

    async def get_metadata_field_min_max_async(self, metadata_field: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.get_metadata_field_min_max, metadata_field)

    async def get_metadata_field_unique_values_async(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        return await asyncio.to_thread(
            self.get_metadata_field_unique_values, metadata_field, search_term, from_, size, filters
        )
