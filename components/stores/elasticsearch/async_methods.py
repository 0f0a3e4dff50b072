"""The parents of the Elasticsearch store: elasticsearch-haystack's, with the asynchronous side in threads."""

from haystack_integrations.document_stores.elasticsearch import ElasticsearchDocumentStore as HaystackStore

from components.stores import async_methods


class AsyncMethods(async_methods.AsyncMethods, HaystackStore):
    """Over the same connections as the blocking methods."""
