"""
Nobody learns of a document that they may not see: random worlds of users, groups, documents and changes of rights.

Each document carries a word of its own, in its text, title, heading, path and metadata. Whatever comes back to a
caller, at every address, is searched for the words of the documents that are hidden from them; counts must be those of
the visible ones; and a hidden document's address must answer exactly as one of a document that does not exist.

A plain run tries 100 worlds; `python -m pytest tests/service/test_worlds.py --hypothesis-profile worlds` 500, `proof`
10,000.
"""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from haystack import Document
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from components.stores.contract import Source
from components.stores.elasticsearch import ElasticsearchDocumentStore
from components.stores.lancedb import LanceDBDocumentStore
from indexing.index_writer import IndexWriter
from service.access.permissions import may_see, written
from service.documents.catalogue import Entry
from service.load.canary import QUESTION
from tests.components.stores.memory.store import InMemoryStore
from tests.service.conftest import World
from tests.service.engine import DIMENSION, build_engine, reader_of, vector_of

GROUPS = ("hr", "law", "lab")
USERS = ("ann", "bob")
PRINCIPALS = ("everyone", *(f"group:{name}" for name in GROUPS), *(f"user:{name}" for name in USERS))
CHANGES = ("allow", "rules", "delete", "reindex", "arrive")
ABSENT = "0" * 32
_ECHO = ("question", "query", "request_id", "timings")
_number = itertools.count()


@dataclass
class Doc:
    canary: str
    source_id: str
    allow: str
    rule: str | None  # the folder whose rule holds, where the document has no list of its own


@dataclass
class Case:
    """What hypothesis draws: who, which documents, which changes."""

    docs: list[tuple[tuple[str, ...], str | None]]
    changes: list[tuple[str, int, tuple[str, ...]]]
    caller: tuple[str | None, tuple[str, ...]]
    rules: dict[str, tuple[str, ...]] = field(default_factory=dict)


_lists = st.lists(st.sampled_from(PRINCIPALS), max_size=3, unique=True).map(tuple)
_groups = st.lists(st.sampled_from(GROUPS), max_size=2, unique=True).map(tuple)
_folders = st.sampled_from((None, None, "a", "b"))
_cases = st.builds(
    Case,
    docs=st.lists(st.tuples(_lists, _folders), min_size=1, max_size=5),
    changes=st.lists(
        st.tuples(st.sampled_from(CHANGES), st.integers(0, 4), _lists),
        max_size=3,
    ),
    caller=st.tuples(
        st.sampled_from((None, *USERS)), st.lists(st.sampled_from(GROUPS), max_size=2, unique=True).map(tuple)
    ),
    rules=st.fixed_dictionaries({"a": _lists, "b": _lists}),
)


def _secret(number: int) -> str:
    """A word that nothing else contains: letters only, so that it is a word for every tokenizer."""
    return "qx" + "".join("bcdfghjklm"[int(digit)] for digit in f"{number:05d}") + "vz"


class Worlds:
    """One service whose documents are exchanged from world to world."""

    def __init__(self, world: World) -> None:
        self.world, self.service = world, world.service
        self.store = world.service.engine.store
        self.rules = world.folder / "rules.yaml"
        self.admin = world.key("admin")
        self.docs: list[Doc] = []

    def begin(self, case: Case) -> None:
        self.store.delete_all_documents()
        self.store.sources.clear()
        self.service.catalogue.forget(list(self.service.catalogue.entries))
        self.write_rules(case.rules)
        self.docs = []
        for allow, folder in case.docs:
            number = next(_number)
            canary = _secret(number)
            doc = Doc(canary, f"{number + 1:032x}", written(allow), folder)
            if folder is not None:
                doc.allow = written(case.rules[folder])
            self.docs.append(doc)
            self.index(doc, "v1")
            if folder is None:
                path = f"/up/{doc.canary}"
                entry = Entry(doc.source_id, path, f"{canary}.txt", doc.allow, doc.allow, "{}", True, "x", 1.0)
                self.service.catalogue.put(entry)
        self.service.catalogue.synchronise()

    def index(self, doc: Doc, version: str) -> None:
        """As an index run of somebody else would: without a word on who may see it."""
        text = f"All documents speak of the common harbour. {doc.canary} says Ada {doc.canary.title()} here."
        source = Source(
            doc.source_id, self.path(doc), "h", "f", version, "indexed", size=1, title=f"About {doc.canary}",
            mime_type=f"text/{doc.canary}", passages=1, text=text, generation=1,
        )  # fmt: skip
        meta = {
            "source_id": doc.source_id, "source_version": version, "file_path": self.path(doc),
            "file_name": f"{doc.canary}.txt", "title": f"About {doc.canary}", "headings": f"Chapter {doc.canary}",
            "mime_type": f"text/{doc.canary}", "split_idx_start": 0, "tag": doc.canary,
        }  # fmt: skip
        passage = Document(id=f"{doc.source_id}{version}", content=text, meta=meta, embedding=vector_of(text))
        IndexWriter(self.store).write([source], [passage])

    def arrive(self) -> Doc:
        number = next(_number)
        doc = Doc(_secret(number), f"{number + 1:032x}", "unknown", "a")
        self.docs.append(doc)
        self.index(doc, "v1")
        return doc

    def path(self, doc: Doc) -> str:
        return f"/{doc.rule or 'up'}/{doc.canary}"

    def write_rules(self, rules: dict[str, tuple[str, ...]]) -> None:
        content = {"rules": [{"path": f"/{name}/**", "allow": list(allow)} for name, allow in rules.items()]}
        self.allow_of_rule = written(rules["a"])
        self.rules.write_text(f"# {next(_number)}\n{json.dumps(content)}", encoding="utf-8")

    def change(self, what: str, doc: Doc, allow: tuple[str, ...]) -> None:
        if what == "allow":
            reply = self.world.client.put(
                f"/documents/{doc.source_id}/allow", json={"allow": list(allow)}, headers=self.admin
            )
            assert reply.status_code == 200, reply.text
            doc.allow, doc.rule = written(allow), None
        elif what == "rules":
            self.write_rules({"a": allow, "b": allow})
            for other in self.docs:
                if other.rule is not None and other.allow != "gone":
                    other.allow = written(allow)
        elif what == "reindex":
            self.index(doc, f"v{next(_number)}")
        else:
            # What the route does at once; the removal itself is the indexer's, and may be late.
            entry = self.service.catalogue.get(doc.source_id)
            assert entry is not None
            self.service.catalogue.put(Entry(**{**vars(entry), "hidden": True}))
            doc.allow = "gone"


def _without_echo(reply: Any) -> str:
    """A reply's text without what repeats the request, and without ids and times that differ anyway."""
    try:
        content = reply.json()
    except ValueError:
        return str(reply.text)

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: clean(one)
                for key, one in value.items()
                if key not in ("question", "query", "request_id", "timings")
            }
        return [clean(one) for one in value] if isinstance(value, list) else value

    return json.dumps(clean(content), ensure_ascii=False)


def look_everywhere(worlds: Worlds, headers: dict[str, str], sees: Callable[[Doc], bool]) -> None:
    """Ask at every address as this caller, and hold what comes back against what may."""
    client = worlds.world.client
    hidden = [doc for doc in worlds.docs if not sees(doc)]
    visible = [doc for doc in worlds.docs if sees(doc)]

    def check(reply: Any) -> Any:
        text = _without_echo(reply).casefold()
        for doc in hidden:
            assert doc.canary not in text and doc.source_id not in text.replace(ABSENT, ""), (doc, text)
        assert reply.status_code < 500, text
        return reply

    def post(path: str, body: dict[str, Any]) -> Any:
        return check(client.post(path, json=body, headers=headers))

    common = "Who speaks of the common harbour?"
    reader = reader_of(worlds.service.engine)
    reader.read.clear()
    asked = post("/ask", {"question": common, "top_k": 50, "passages": True}).json()
    assert len(asked["passages"]) == len(visible)
    for doc in hidden[:2]:
        secret = post("/ask", {"question": f"What of {doc.canary}?", "passages": True}).json()
        assert len(secret["passages"]) == len(visible)
        only = {"field": "meta.tag", "operator": "==", "value": doc.canary}
        assert post("/ask", {"question": common, "filters": only}).json()["answers"] == []
        found = post("/search", {"query": doc.canary[:-1], "facets": ["tag", "title"], "limit": 50}).json()
        assert found["total"] == len(visible) and found["did_you_mean"] is None
        assert sum(one["count"] for one in found["facets"]["tag"]) == len(visible)
        for prefix in (doc.canary[:4], f"about {doc.canary[:-1]} x"):
            check(client.get("/suggestions", params={"q": prefix}, headers=headers))
        for part in ("", "/text", "/view", "/original", "/pages/1"):
            mine = check(client.get(f"/documents/{doc.source_id}{part}", headers=headers))
            absent = client.get(f"/documents/{ABSENT}{part}", headers=headers)
            assert (mine.status_code, _without_echo(mine)) == (absent.status_code, _without_echo(absent)) and (
                mine.status_code == 404
            )
        for method, part, body in (("PUT", "/allow", {"allow": ["everyone"]}), ("DELETE", "", None)):
            mine = check(client.request(method, f"/documents/{doc.source_id}{part}", json=body, headers=headers))
            absent = client.request(method, f"/documents/{ABSENT}{part}", json=body, headers=headers)
            assert (mine.status_code, _without_echo(mine)) == (absent.status_code, _without_echo(absent))
        place = {"question": "x", "verdict": "right", "document": doc.source_id, "start": 0, "end": 3}
        assert post("/feedback", place).status_code == 404
        tool = {"name": "get_document", "arguments": {"document": doc.source_id}}
        check(_mcp(client, headers, tool))
    read = {document.meta["source_id"] for query, document in reader.read if query != QUESTION}  # but the canary's
    assert read.isdisjoint(doc.source_id for doc in hidden), "a filter must hold before anything is read"
    listed = check(client.get("/documents", params={"name": "qx"}, headers=headers)).json()
    assert listed["total"] == len(visible)
    assert sum(one["count"] for one in listed["facets"]["mime_type"]) == len(visible)
    check(_mcp(client, headers, {"name": "ask", "arguments": {"question": common, "top_k": 50}}))
    check(_mcp(client, headers, {"name": "search", "arguments": {"query": common, "limit": 50}}))
    post("/v1/chat/completions", {"model": "excerpt", "top_k": 50, "messages": [{"role": "user", "content": common}]})
    post("/ask/run", {"question": common, "top_k": 50})
    check(client.get("/jobs", headers=headers))
    for doc in visible[:1]:
        assert client.get(f"/documents/{doc.source_id}/text", headers=headers).status_code == 200


def _mcp(client: Any, headers: dict[str, str], call: dict[str, Any]) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    return client.post("/mcp/", json=body, headers={**headers, "Accept": "application/json, text/event-stream"})


def prove(worlds: Worlds, case: Case) -> None:
    """One world: before and after each change, and once more when what others indexed has been marked."""
    user, groups = case.caller
    headers = worlds.world.key("ask", "upload", user=user, groups=groups)
    caller = worlds.service.keys.find(headers["Authorization"].removeprefix("Bearer "))
    assert caller is not None
    worlds.begin(case)

    def sees(doc: Doc) -> bool:
        return doc.allow not in ("gone", "unknown") and may_see(caller, doc.allow)

    look_everywhere(worlds, headers, sees)
    for what, number, allow in case.changes:
        doc = worlds.docs[number % len(worlds.docs)]
        if what == "arrive":
            # Somebody else indexes a document: nobody sees it before it is known who may.
            new = worlds.arrive()
            look_everywhere(worlds, headers, sees)
            worlds.service.catalogue.synchronise()
            new.allow = worlds.allow_of_rule
            look_everywhere(worlds, headers, sees)
            continue
        if doc.allow == "gone" and what != "rules":
            continue
        worlds.change(what, doc, allow)
        if what == "reindex":
            worlds.service.catalogue.synchronise()
        look_everywhere(worlds, headers, sees)


def open_worlds(make_world: Callable[..., World], folder: Path, store: Any) -> Worlds:
    """A service with a file of rules over this store."""
    folder.joinpath("rules.yaml").write_text("rules: []\n", encoding="utf-8")
    world = make_world(build_engine(folder, document_store=store), texts=False, rules=folder / "rules.yaml")
    world.service.indexer.close()  # the test says itself when others' work is taken over
    made = Worlds(world)
    made.rules = folder / "rules.yaml"
    return made


@pytest.fixture(scope="module")
def worlds(make_world: Callable[..., World], tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return open_worlds(make_world, tmp_path_factory.mktemp("worlds"), InMemoryStore("worlds"))


@pytest.fixture(scope="module")
def embedded_worlds(make_world: Callable[..., World], tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    folder = tmp_path_factory.mktemp("embedded")
    store = LanceDBDocumentStore(path=folder / "store", durable=False, embedding_dimension=DIMENSION)
    return open_worlds(make_world, folder, store)


@pytest.fixture(scope="module")
def elasticsearch_worlds(
    make_world: Callable[..., World], tmp_path_factory: pytest.TempPathFactory, elasticsearch_url: str
) -> Worlds:
    store = ElasticsearchDocumentStore(
        hosts=elasticsearch_url, index=f"worlds-{time.time_ns()}", replicas=0, embedding_dimension=DIMENSION
    )
    return open_worlds(make_world, tmp_path_factory.mktemp("elasticsearch"), store)


_SETTINGS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate),  # shrinking would ask thousands of times
}


@settings(**_SETTINGS)
@given(case=_cases)
def test_no_byte_betrays_a_hidden_document(worlds: Worlds, case: Case) -> None:
    prove(worlds, case)


@settings(max_examples=4, **_SETTINGS)
@given(case=_cases)
def test_nor_does_it_over_the_embedded_store(embedded_worlds: Worlds, case: Case) -> None:
    prove(embedded_worlds, case)


@pytest.mark.elasticsearch
@settings(max_examples=4, **_SETTINGS)
@given(case=_cases)
def test_nor_does_it_over_elasticsearch(elasticsearch_worlds: Worlds, case: Case) -> None:
    prove(elasticsearch_worlds, case)
