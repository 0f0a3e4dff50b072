"""Makes the mapping and the settings of a passage index; raises ValueError for a design Elasticsearch cannot have."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from components.stores.elasticsearch.index.languages import analysis, to_iso

Quantisation = Literal[
    "auto", "hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw", "flat", "int8_flat", "int4_flat", "bbq_flat"
]
Similarity = Literal["cosine", "dot_product", "l2_norm", "max_inner_product"]

ANALYZER = "excerpt_words"
# What a Document is made of besides its meta; a meta field of one of these names would overwrite it.
WRITTEN = "content_as_written"  # where it differs from `content`, which is kept as words are looked for in it
LABELS = "meta_labels"  # what filters ask for, see components/stores/filter_labels.py
RESERVED = frozenset({"id", "content", WRITTEN, LABELS, "embedding", "score", "blob", "sparse_embedding"})
# Passages carry these (see components/stores): they are filtered by, or only kept.
PASSAGE_FIELDS: dict[str, dict[str, Any]] = {
    "source_id": {"type": "keyword"},
    "source_version": {"type": "keyword"},
    "file_path": {"type": "keyword", "ignore_above": 8191},
    "file_name": {"type": "keyword", "ignore_above": 8191},
    "page_number": {"type": "integer"},
    "split_id": {"type": "integer"},
    "split_idx_start": {"type": "long"},
}
# Up to so many passages `auto` compares a question with every vector, which takes as long as a walk through a graph
# and needs none to be built.
_FLAT_UP_TO = 5_000
# One bit a dimension, rescored with the exact vectors, finds more than eight bits and loads faster; with fewer
# dimensions a bit each says too little (Elasticsearch 9 draws the line there too).
_BBQ_FROM = 384
WORDS = "words"  # the analysed sub-field of a meta field that is searched
# What an index notes of its design, and what the setting is called that decides it.
_SETTINGS = {
    "language": "language",
    "quantisation": "quantisation",
    "similarity": "embedding_similarity_function",
    "embedding_dims": "embedding_dimension",
}


@dataclass(frozen=True)
class IndexDesign:
    """
    What decides the mapping; kept in the index, so that a store with other settings is told so.

    :param language: Elasticsearch's name of the passages' language, for stemming and stop words (`to_analyser`); `None`
        takes words as they are.
    :param search_fields: Searched fields and their boosts; those besides `content` come from meta.
    :param quantisation: How vectors are kept for the search; the exact ones are kept besides. `auto` fits any index.
    :param similarity: How vectors are compared.
    :param embedding_dims: Length of the vectors; `None` takes that of the first passage.
    :param meta_fields: Types of meta fields that should not be guessed from their first value.
    :raises ValueError: When a setting is outside what is allowed.
    """

    language: str | None = "english"
    search_fields: dict[str, float] = field(default_factory=lambda: {"content": 1.0})
    quantisation: Quantisation = "auto"
    similarity: Similarity = "cosine"
    embedding_dims: int | None = None
    meta_fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kinds in (("quantisation", Quantisation), ("similarity", Similarity)):
            value, allowed = getattr(self, name), get_args(kinds)
            if value not in allowed:
                raise ValueError(f"{_SETTINGS[name]} is {value!r}, but must be one of {', '.join(map(repr, allowed))}")
        if not self.search_fields or any(not boost > 0 for boost in self.search_fields.values()):
            raise ValueError(f"search_fields is {self.search_fields!r}, but must name fields with boosts above 0")
        if bad := (set(self.search_fields) - {"content"}) & RESERVED or set(self.meta_fields) & RESERVED:
            raise ValueError(f"{', '.join(sorted(bad))} cannot be a field of meta: the name is the Document's own")

    def analysis(self) -> dict[str, Any]:
        """The index's analyser of words."""
        return analysis(self.language, ANALYZER)

    def graphs(self, dims: int | None, passages: int) -> list[dict[str, Any]]:
        """
        The `index_options` with which so many passages are searched by a graph, the best first; a server that does
        not know one yet refuses it. Empty when they are to be searched without.
        """
        if self.quantisation == "auto":
            if passages <= _FLAT_UP_TO:
                return []
            fine = {"type": "bbq_hnsw", "rescore_vector": {"oversample": 2.0}}
            return [*([fine] if (dims or 0) >= _BBQ_FROM else []), {"type": "int8_hnsw"}]
        return [{"type": self.quantisation}] if self.quantisation.endswith("hnsw") else []

    def _options(self, with_graph: bool) -> dict[str, Any]:
        """`index_options` of a new index; one without a graph gets it with one change of the mapping."""
        if self.quantisation == "auto":
            return {"type": "int8_hnsw" if with_graph else "int8_flat"}
        flat = self.quantisation.replace("hnsw", "flat").replace("flat_flat", "flat")
        return {"type": self.quantisation if with_graph else flat}

    def mapping(self, with_graph: bool = True) -> dict[str, Any]:
        """
        The mapping of the index.

        :param with_graph: False leaves the graph of the vectors for later.
        """
        words = {"type": "text", "analyzer": ANALYZER}
        vector: dict[str, Any] = {
            "type": "dense_vector",
            "index": True,
            "similarity": self.similarity,
            "index_options": self._options(with_graph),
        }
        if self.embedding_dims is not None:
            vector["dims"] = self.embedding_dims
        searched = {
            name: {"type": "keyword", "ignore_above": 8191, "fields": {WORDS: words}}
            for name in self.search_fields
            if name != "content"
        }
        return {
            "_meta": {"excerpt": asdict(self)},
            "dynamic": True,
            # Only what is a date beyond doubt: "2024" or "10/11" stays text.
            "dynamic_date_formats": ["strict_date_optional_time"],
            "dynamic_templates": [
                {"texts": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 8191}}},
                # One type for all numbers: a first 5 must not make a later 5.5 be rounded. "5" in quotes is no number.
                {"whole": {"match_mapping_type": "long", "mapping": {"type": "double", "coerce": False}}},
                {"broken": {"match_mapping_type": "double", "mapping": {"type": "double", "coerce": False}}},
            ],
            "properties": {
                "id": {"type": "keyword"},
                "content": words,
                "embedding": vector,
                "blob": {"type": "object", "enabled": False},
                "sparse_embedding": {"type": "object", "enabled": False},
                WRITTEN: {"type": "object", "enabled": False},
                LABELS: {"type": "keyword", "doc_values": False},
                **PASSAGE_FIELDS,
                **searched,
                **{name: {"type": kind} for name, kind in self.meta_fields.items()},
            },
        }

    @property
    def declared(self) -> frozenset[str]:
        """The fields of meta whose type is not guessed from their first value."""
        return frozenset({*PASSAGE_FIELDS, *self.search_fields, *self.meta_fields})

    def query_fields(self) -> list[str]:
        """The fields of the words leg, with their boosts, as `multi_match` takes them."""
        return [
            f"{name if name == 'content' else f'{name}.{WORDS}'}^{boost:g}"
            for name, boost in self.search_fields.items()
        ]

    def differences(self, mapping: dict[str, Any]) -> list[str]:
        """
        What an existing index was made with that these settings contradict, in words; empty when they fit.

        :param mapping: The index's mapping as Elasticsearch returns it.
        """
        made_with = mapping.get("_meta", {}).get("excerpt")
        if not made_with:  # made by another program, or with a mapping of the user's own
            made_with = _read_off(mapping)
        found = []
        for name, setting in _SETTINGS.items():
            there, here = made_with.get(name), getattr(self, name)
            open_to_all = here == "auto" or (name == "embedding_dims" and None in (there, here))
            if name in made_with and there != here and not open_to_all:
                if name == "language":
                    there, here = to_iso(there), to_iso(here)
                found.append(f"{setting} is {there!r} in the index and {here!r} in the settings")
        properties = mapping.get("properties", {})
        for name in self.search_fields:
            searchable = properties.get(name, {})
            if name != "content" and WORDS not in searchable.get("fields", {}):
                found.append(f"search_fields names {name!r}, which the index was not made to search")
        dims = properties.get("embedding", {}).get("dims")
        already = any(text.startswith("embedding_dimension") for text in found)
        if self.embedding_dims and dims and dims != self.embedding_dims and not already:
            found.append(f"embedding_dimension is {dims} in the index and {self.embedding_dims} in the settings")
        return found


def _read_off(mapping: dict[str, Any]) -> dict[str, Any]:
    """The settings of an index that another program made, as far as they show."""
    vector = mapping.get("properties", {}).get("embedding", {})
    return {"similarity": vector["similarity"]} if "similarity" in vector else {}


_KEYWORD = {"type": "keyword", "ignore_above": 8191}
# Of the record of sources: only what is asked for is indexed, the rest is kept in `_source`.
SOURCES_MAPPING: dict[str, Any] = {
    "_meta": {"excerpt": {}},  # the mark by which a rebuild knows an index of ours
    "dynamic": False,
    "properties": {"path": _KEYWORD, "folders": _KEYWORD, "state": {"type": "keyword"}},
}


def index_settings(shards: int, replicas: int | str, max_fields: int) -> dict[str, Any]:
    """
    The settings of a new index.

    :param shards: Number of primary shards.
    :param replicas: Copies of each shard, or a range such as "0-1": as many of them as there are other nodes.
    :param max_fields: More fields than this are refused: a mapping that grows without end takes a cluster down.
    """
    copies = {"auto_expand_replicas": replicas} if isinstance(replicas, str) else {"number_of_replicas": replicas}
    return {"number_of_shards": shards, **copies, "mapping": {"total_fields": {"limit": max_fields}}}
