from components.stores.elasticsearch.store import ElasticsearchDocumentStore

__all__ = ["ElasticsearchDocumentStore"]
