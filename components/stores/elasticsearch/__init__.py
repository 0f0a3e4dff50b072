from components.stores.elasticsearch.store import ElasticsearchDocumentStore

__all__ = ["ElasticsearchDocumentStore"]

# The name that YAML files know it by, wherever in this package it is written.
ElasticsearchDocumentStore.__module__ = __name__
