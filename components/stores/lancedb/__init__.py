"""The embedded store: passages, words, vectors and metadata in one folder, without a server."""

from components.stores.lancedb.store import LanceDBDocumentStore

__all__ = ["LanceDBDocumentStore"]

# The name that YAML files know it by, wherever in this package it is written.
LanceDBDocumentStore.__module__ = __name__
