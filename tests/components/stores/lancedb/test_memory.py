"""A long load keeps its memory bounded: the table is opened anew, and merged when it is worth it."""

from haystack import Document

from components.stores.lancedb import LanceDBDocumentStore, table
from components.stores.lancedb.disk.durability import versions


def passages(number: int) -> list[Document]:
    return [Document(id=f"{number}-{n}", content=f"word{number}", embedding=[1.0, n]) for n in range(2)]


def test_while_loading_the_table_is_opened_anew_and_holds_everything(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "COMMITS_BEFORE_OPENING_ANEW", 3)
    monkeypatch.setattr(table, "COMMITS_BEFORE_OPTIMISING", 5)
    monkeypatch.setattr(table, "ROWS_A_COMMIT", 4)
    given_back = []
    monkeypatch.setattr(table, "give_back", lambda: given_back.append(True))
    store = LanceDBDocumentStore(tmp_path / "store", durable=False)
    merged = []
    optimise = table.PassageTable.optimise
    monkeypatch.setattr(table.PassageTable, "optimise", lambda self: (merged.append(self._commits), optimise(self))[1])
    with store.loading():
        for number in range(20):
            store.write_documents(passages(number))
            assert store.count_documents() == 2 * (number + 1)
            [found] = store.hybrid_search([f"word{number}"], None)
            assert {one.content for one in found} == {f"word{number}"}
    anew = len(given_back)
    assert anew >= 6
    assert merged[0] == 5 and len(merged) <= 4, "merged more seldom the more there is"
    assert merged == sorted(merged)
    merged.clear()
    for number in range(20, 32):
        store.write_documents(passages(number))
    assert len(merged) >= 2 and len(given_back) == anew, "as always afterwards"
    assert store.count_documents() == 64 and versions(tmp_path / "store" / "passages.lance")
