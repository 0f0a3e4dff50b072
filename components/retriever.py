"""The retriever: one request to a store that searches by words and by meaning."""

import json
from dataclasses import replace
from typing import Any, Literal, NamedTuple, get_args

from haystack import Document, component

from components.batching import DynamicBatcher, RestartingBatcher
from components.languages import language_name
from components.phrases import phrase_shares
from components.questions import pairs, search_text
from components.retrieval.copies import add_copies, search_past_copies, set_copies_apart
from components.search_form import search_form
from components.stores.contract import PassageStore, check_search
from components.stores.fusion import Fusion, Method
from components.stores.typos import spell_as_documents

FilterPolicy = Literal["merge", "replace"]
_HITS = 50  # passages looked at for how a word is spelt


class _Request(NamedTuple):
    query: str
    embedding: list[float] | None
    filters: dict[str, Any] | None
    top_k: int | None


@component
class HybridRetriever:
    """
    Finds the passages in which a question may be answered.

    The store is asked without the words that only ask ("what", "how many"), and the best of what it returns is put in
    order once more by how much of the question's wording each passage repeats. Both were measured on training articles
    (docs/retrieval.md), as all settings were.

    Without `query_embedding` it searches by words alone, and with `words_weight` 1 or 0 by one leg alone: the other is
    then not asked at all. Documents come back best first with their fused score, and without embeddings.
    """

    def __init__(
        self,
        document_store: PassageStore,
        top_k: int = 20,
        fusion: Method = Fusion.method,
        words_weight: float = Fusion.words_weight,
        candidates: int = Fusion.candidates,
        rank_constant: int = Fusion.rank_constant,
        phrase_weight: float = 0.5,
        phrase_candidates: int = 30,
        forgive_typos: bool = True,
        language: str = "en",
        distinct: bool = True,
        filters: dict[str, Any] | None = None,
        filter_policy: FilterPolicy = "merge",
        timeout: float = 60.0,
        max_waiting: int = 1024,
    ) -> None:
        """
        :param document_store: A `components.stores.contract.PassageStore`: those in `components.stores`.
        :param top_k: How many passages to return for a question; of different texts, when `distinct`.
        :param fusion: How the legs are joined: `convex` or `rrf` (see `components.stores.fusion.Fusion`).
        :param words_weight: 1.0 is words (BM25) only, 0.0 is meaning (vectors) only.
        :param candidates: How many passages each leg brings to the fusion; at least `top_k` are asked for.
        :param rank_constant: The k of reciprocal rank fusion.
        :param phrase_weight: How much a passage gains that repeats the question's wording, measured against the best
            fused score; 0 keeps the store's order. A search by meaning alone keeps it, too.
        :param phrase_candidates: How many of the store's best passages are looked at for that.
        :param forgive_typos: Whether a long word that stands in no document is looked for as the documents write it
            (`components.stores.typos`); asks the store twice more where there is such a word.
        :param language: Of the questions, by its ISO code: it decides which words only ask.
        :param distinct: Passages of equal text (a file and its copies) count once for `top_k`; the copies come behind
            them, so that an answer tells all its places.
        :param filters: Filters in Haystack's syntax that hold for every question.
        :param filter_policy: What filters given with a question do: `merge` asks for both (AND), so that a filter set
            here cannot be undone by a caller; `replace` takes the question's instead.
        :param timeout: Seconds after which a question asked by `run_async` is given up with an error.
        :param max_waiting: More questions than this waiting in `run_async` are refused at once.
        :raises ValueError: When a setting is outside what is allowed.
        """
        if top_k < 1:
            raise ValueError(f"top_k is {top_k}, but the retriever must return at least 1 passage")
        if filter_policy not in get_args(FilterPolicy):
            allowed = ", ".join(repr(policy) for policy in get_args(FilterPolicy))
            raise ValueError(f"filter_policy is {filter_policy!r}, but must be one of {allowed}")
        if phrase_weight < 0:
            raise ValueError(f"phrase_weight is {phrase_weight}, but must be 0 (off) or more")
        if phrase_candidates < 1:
            raise ValueError(f"phrase_candidates is {phrase_candidates}, but must be at least 1")
        Fusion(fusion, words_weight, candidates, rank_constant)  # says at once what is wrong with the settings
        self.document_store = document_store
        self.top_k = top_k
        self.fusion = fusion
        self.words_weight = words_weight
        self.candidates = candidates
        self.rank_constant = rank_constant
        self.phrase_weight = phrase_weight
        self.phrase_candidates = phrase_candidates
        self.forgive_typos = forgive_typos
        self.language = language
        self.distinct = distinct
        self._language_name = language_name(language, "HybridRetriever")
        self.filters = filters
        self.filter_policy = filter_policy
        self.timeout = timeout
        self.max_waiting = max_waiting
        self._batcher = RestartingBatcher(self._make_batcher)

    def warm_up(self) -> None:
        """Open the store, so that the first question does not wait for it."""
        self.document_store.warm_up()

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str,
        query_embedding: list[float] | None = None,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
    ) -> dict[str, list[Document]]:
        """
        Search for one question.

        :param query: The question.
        :param query_embedding: Its embedding; without it, words alone are searched.
        :param filters: Filters in Haystack's syntax; see `filter_policy`.
        :param top_k: Overrides the setting; 0 returns nothing.
        :returns: `documents`, best first.
        :raises ValueError: When `top_k` is negative, or the retriever is set to meaning alone and no embedding came.
        """
        embeddings = None if query_embedding is None else [query_embedding]
        return {"documents": self.search([query], embeddings, filters, top_k)[0]}

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str,
        query_embedding: list[float] | None = None,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
    ) -> dict[str, list[Document]]:
        """
        `run`, without blocking the event loop: what is asked at the same time goes to the store in one request.

        :raises components.batching.QueueFull: When too many questions wait.
        :raises components.batching.RequestTimeout: After `timeout` seconds.
        """
        request = _Request(query, query_embedding, filters, top_k)
        return {"documents": await self._batcher.ask(request)}

    def close(self) -> None:
        """Answer whoever still waits in `run_async` with an error; the next question starts again."""
        self._batcher.close()

    def search(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None = None,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
    ) -> list[list[Document]]:
        """
        Search for many questions in one request to the store.

        :param queries: The questions.
        :param embeddings: One embedding a question; `None` searches by words alone.
        :param filters: As in `run`, the same for all questions.
        :param top_k: As in `run`.
        :returns: One list of documents a question, best first.
        :raises ValueError: As `run`, and when questions and embeddings differ in number.
        """
        top_k = self._checked(queries, embeddings, top_k)
        if not queries or top_k == 0:
            return [[] for _ in queries]
        found = self.document_store.hybrid_search(*self._request(queries, embeddings, filters, top_k))
        if self.forgive_typos and self.words_weight > 0.0:
            queries = self._spelt(queries, embeddings, filters, top_k, found)
        if self.distinct:

            def deeper(numbers: list[int], depth: int) -> list[list[Document]]:
                some = [queries[number] for number in numbers]
                vectors = None if embeddings is None else [embeddings[number] for number in numbers]
                return self.document_store.hybrid_search(*self._request(some, vectors, filters, depth))

            search_past_copies(found, self._depth(top_k), top_k, deeper)
        return self._finished(queries, found, top_k)

    def _spelt(
        self,
        queries: list[str],
        embeddings: list[list[float]] | None,
        filters: dict[str, Any] | None,
        top_k: int,
        found: list[list[Document]],
    ) -> list[str]:
        """The questions as the documents spell them; what is found for those that change replaces what was `found`."""

        def ask(words: list[str], typos: bool) -> list[list[Document]]:
            fusion = Fusion(words_weight=1.0, candidates=_HITS, typos=typos)
            return self.document_store.hybrid_search(words, None, _HITS, self._filters(filters), fusion)

        spelt = spell_as_documents(queries, found, ask, self._language_name)
        changed = [number for number, query in enumerate(queries) if spelt[number] != query]
        if changed:
            vectors = None if embeddings is None else [embeddings[number] for number in changed]
            request = self._request([spelt[number] for number in changed], vectors, filters, top_k)
            for number, documents in zip(changed, self.document_store.hybrid_search(*request), strict=True):
                found[number] = documents
        return spelt

    def _make_batcher(self) -> DynamicBatcher[_Request, list[Document]]:
        return DynamicBatcher(
            self._together, batch_cost=64, queue_cost=self.max_waiting, timeout=self.timeout, name="retriever"
        )

    def _together(self, requests: list[_Request]) -> list[list[Document]]:
        """Requests with equal filters and top_k are one search."""
        groups: dict[str, list[int]] = {}
        for position, one in enumerate(requests):
            alike = json.dumps([one.filters, one.top_k, one.embedding is None], sort_keys=True, default=repr)
            groups.setdefault(alike, []).append(position)
        answers: dict[int, list[Document]] = {}
        for positions in groups.values():
            group = [requests[position] for position in positions]
            vectors = [one.embedding for one in group if one.embedding is not None]
            found = self.search([one.query for one in group], vectors or None, group[0].filters, group[0].top_k)
            answers.update(zip(positions, found, strict=True))
        return [answers[position] for position in range(len(requests))]

    def _checked(self, queries: list[str], embeddings: list[list[float]] | None, top_k: int | None) -> int:
        top_k = self.top_k if top_k is None else top_k
        if top_k < 0:
            raise ValueError(f"top_k is {top_k}, but must be 0 or more")
        if embeddings is None and self.words_weight == 0.0:
            raise ValueError(
                "the retriever has words_weight 0 (meaning only), but the question came without an embedding: "
                "connect an embedder to query_embedding, or raise words_weight"
            )
        check_search(queries, embeddings, max(top_k, 1))
        return top_k

    def _request(
        self, queries: list[str], embeddings: list[list[float]] | None, filters: dict[str, Any] | None, top_k: int
    ) -> tuple[list[str], list[list[float]] | None, int, dict[str, Any] | None, Fusion]:
        """The arguments of the store's `hybrid_search`."""
        depth = self._depth(top_k)
        fusion = Fusion(self.fusion, self.words_weight, max(self.candidates, depth), self.rank_constant)
        texts = [search_text(search_form(query), self._language_name) for query in queries]
        return texts, embeddings, depth, self._filters(filters), fusion

    def _depth(self, top_k: int) -> int:
        """How many passages the store is asked for."""
        return max(top_k, self.phrase_candidates) if self._looks_at_phrases else top_k

    @property
    def _looks_at_phrases(self) -> bool:
        return self.phrase_weight > 0.0 and self.words_weight > 0.0

    def _finished(self, queries: list[str], found: list[list[Document]], top_k: int) -> list[list[Document]]:
        finished = []
        for query, documents in zip(queries, found, strict=True):
            firsts, copies = set_copies_apart(documents) if self.distinct else (documents, [])
            ranked = self._by_phrases(query, firsts, top_k) if self._looks_at_phrases else firsts[:top_k]
            finished.append(add_copies(ranked, copies))
        return finished

    def _by_phrases(self, query: str, documents: list[Document], top_k: int) -> list[Document]:
        """The documents in the order of fused score and phrases together; scores still lie between 0 and 1."""
        near, rest = documents[: self.phrase_candidates], documents[self.phrase_candidates :]
        shares = phrase_shares(
            pairs(search_form(query), self._language_name), [document.content or "" for document in near]
        )
        fused = [document.score or 0.0 for document in near]
        gain = self.phrase_weight * max(fused, default=0.0)
        scores = [score + gain * share for score, share in zip(fused, shares, strict=True)]
        order = sorted(range(len(near)), key=lambda position: (-scores[position], near[position].id))
        scored = [(near[position], scores[position]) for position in order]
        scored += [(document, document.score or 0.0) for document in rest]
        whole = 1.0 + self.phrase_weight
        return [replace(document, score=score / whole) for document, score in scored[:top_k]]

    def _filters(self, given: dict[str, Any] | None) -> dict[str, Any] | None:
        # Haystack's own merge drops the setting's filter when the operators differ or the field is the same; a filter
        # that someone relies on must not fall away because a caller phrased theirs differently.
        if not given:
            return self.filters
        if not self.filters or self.filter_policy == "replace":
            return given
        return {"operator": "AND", "conditions": [self.filters, given]}
