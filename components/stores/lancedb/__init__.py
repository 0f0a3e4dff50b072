from components.stores.lancedb.store import LanceDBDocumentStore

__all__ = ["LanceDBDocumentStore"]
