"""
Which classes may a pipeline's YAML name? Excerpt's own, and Haystack's that run no code and reach no network; of those
that ask a language model, two whose settings `pipelines.language_models` holds to an address that the user names.
"""

from fnmatch import fnmatchcase

OUR_MODULES = ("components.*", "indexing.*")

# By package, as `from package import Name` finds them. Not in it: what asks a model on a server, runs Python or tools,
# fetches addresses, or renders templates that choose what runs next.
HAYSTACK = {
    "haystack.components.builders": ("PromptBuilder",),
    "haystack.components.caching": ("CacheChecker",),
    "haystack.components.converters": ("OutputAdapter", "TextFileToDocument", "CSVToDocument", "HTMLToDocument"),
    "haystack.components.embedders": ("MockDocumentEmbedder", "MockTextEmbedder"),
    "haystack.components.generators.chat": ("OpenAIChatGenerator",),
    "haystack.components.joiners": ("AnswerJoiner", "BranchJoiner", "DocumentJoiner", "ListJoiner", "StringJoiner"),
    "haystack.components.preprocessors": (
        "CSVDocumentCleaner",
        "CSVDocumentSplitter",
        "DocumentCleaner",
        "DocumentSplitter",
        "MarkdownHeaderSplitter",
        "RecursiveDocumentSplitter",
        "TextCleaner",
    ),
    "haystack.components.rankers": ("LostInTheMiddleRanker", "MetaFieldGroupingRanker", "MetaFieldRanker"),
    "haystack.components.retrievers": ("AutoMergingRetriever", "FilterRetriever", "SentenceWindowRetriever"),
    "haystack.components.retrievers.in_memory": ("InMemoryBM25Retriever", "InMemoryEmbeddingRetriever"),
    "haystack.components.routers": ("DocumentLengthRouter", "DocumentTypeRouter", "FileTypeRouter", "MetadataRouter"),
    "haystack.components.samplers": ("TopPSampler",),
    "haystack.components.writers": ("DocumentWriter",),
    "haystack.document_stores.in_memory": ("InMemoryDocumentStore",),
    "haystack_integrations.components.embedders.sentence_transformers": (
        "SentenceTransformersDocumentEmbedder",
        "SentenceTransformersTextEmbedder",
    ),
    "haystack_integrations.components.generators.ollama": ("OllamaChatGenerator",),
    "haystack_integrations.components.rankers.sentence_transformers": (
        "SentenceTransformersDiversityRanker",
        "SentenceTransformersSimilarityRanker",
    ),
    "haystack_integrations.components.readers.transformers": ("TransformersExtractiveReader",),
    "haystack_integrations.components.retrievers.elasticsearch": (
        "ElasticsearchBM25Retriever",
        "ElasticsearchEmbeddingRetriever",
    ),
    "haystack_integrations.document_stores.elasticsearch": ("ElasticsearchDocumentStore",),
}

# Names that classes had before they were moved: files that were written then go on working.
MOVED = {
    "components.reader.component.ExtractiveReader": "components.reader.ExtractiveReader",
    "components.stores.lancedb.store.LanceDBDocumentStore": "components.stores.lancedb.LanceDBDocumentStore",
    "components.stores.elasticsearch.store.ElasticsearchDocumentStore": (
        "components.stores.elasticsearch.ElasticsearchDocumentStore"
    ),
}


def is_ours(module: str) -> bool:
    """Whether a module belongs to Excerpt's rooms that a YAML may name."""
    return any(fnmatchcase(module, pattern) or module == pattern[:-2] for pattern in OUR_MODULES)


def is_allowed(module: str, name: str) -> bool:
    """Whether the class `name` may be named by `module`, its package or a module in it."""
    if is_ours(module):
        return not any(part.startswith("_") for part in (*module.split("."), name))
    return any(
        name in names and (module == package or module.startswith(f"{package}.")) for package, names in HAYSTACK.items()
    )


def names_in(module: str) -> tuple[str, ...]:
    """The classes of Haystack that may be named by `module`; empty for a module that has none."""
    return HAYSTACK.get(module, ())
