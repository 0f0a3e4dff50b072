"""The settings of an Elasticsearch store; raises ValueError for values that are not allowed."""

import inspect
import warnings
from dataclasses import dataclass, fields
from typing import Any

from haystack.utils import Secret

from components.renamed import apply_renames
from components.stores.elasticsearch.index.languages import ANALYSERS, to_analyser, to_iso
from components.stores.elasticsearch.index.mapping import IndexDesign, Quantisation, Similarity
from components.suggest import suggest

DEFAULT_SEARCH_FIELDS = {"content": 1.0, "title": 0.5, "headings": 0.5}
RENAMED = {"embedding_dims": "embedding_dimension", "patience": "write_timeout", "wait": "connect_timeout"}
_LARGEST_DIMENSION = 4096  # of Elasticsearch's dense_vector


def _from_environment(variable: str) -> Secret:
    return Secret.from_env_var(variable, strict=False)


@dataclass(frozen=True, kw_only=True)
class ElasticsearchSettings:
    """
    The fields are the names that a pipeline's YAML uses.

    :param hosts: Addresses of the nodes; None takes ELASTICSEARCH_URL (several with commas between), else
        http://localhost:9200.
    :param index: Name of the alias, and the beginning of the names of the indices behind it.
    :param search_fields: What the words leg reads, with the weight of each: `content` and fields of `meta`. Which
        fields there are is fixed when the index is made, weights can change any time.
    :param language: ISO 639 code of the language whose stop words and stemming the words leg uses ("en", "de"), None
        for none; fixed with the index.
    :param quantisation: How vectors are kept for the search: `int8_hnsw`, `int4_hnsw`, `bbq_hnsw` (one bit, with
        rescoring), `hnsw` (as they are), and without a graph: `int8_flat`, `int4_flat`, `bbq_flat`, `flat`.
        `auto` is `int8_flat` up to 5,000 passages and then `bbq_hnsw` (`int8_hnsw` below 384 dimensions), decided
        when a `loading` ends; passages written without that find `int8_hnsw`.
    :param embedding_similarity_function: How vectors are compared; fixed with the index.
    :param embedding_dimension: Length of the vectors; None takes that of the first passage.
    :param meta_fields: Types (keyword, double, date ...) of meta fields whose first value would mislead.
    :param max_fields: Documents whose meta would make more fields than this are refused.
    :param shards: Number of primary shards: one serves tens of millions of passages.
    :param replicas: Copies of each shard, or a range like "0-1": as many as there are other nodes.
    :param hold_back_replicas: Write replicas only at the end of a first load. Faster, but a node lost meanwhile
        takes its passages along.
    :param oversampling: kNN looks at this many times the candidates that the fusion gets.
    :param fuzziness: "AUTO" also finds words with typing errors; eight times slower, and it lowers recall.
    :param timeout: Seconds a search may take in all, attempts and pauses included.
    :param write_timeout: Seconds a write goes on trying while the server is away, without any progress.
    :param connect_timeout: Seconds to wait for a server that is not there at the first use.
    :param connections: To each node, shared by all threads.
    :param bulk_connections: Bulk requests under way at once.
    :param bulk_bytes: Size of a bulk request.
    :param username: And `password`: by default ELASTICSEARCH_USERNAME (else "elastic") and ELASTICSEARCH_PASSWORD.
    :param api_key: And `api_key_id`, instead of a user: by default ELASTIC_API_KEY and ELASTIC_API_KEY_ID.
    :param ca_certs: File with the certificate of the authority that signed the server's.
    :param custom_mapping: A mapping of your own instead of the one that the settings above make.
    :param client_settings: What else `elasticsearch.Elasticsearch` takes.
    """

    hosts: str | list[str] | None = None
    index: str = "excerpt"
    search_fields: dict[str, float] | None = None
    language: str | None = "en"
    quantisation: Quantisation = "auto"
    embedding_similarity_function: Similarity = "cosine"
    embedding_dimension: int | None = None
    meta_fields: dict[str, str] | None = None
    max_fields: int = 1000
    shards: int = 1
    replicas: int | str = "0-1"
    hold_back_replicas: bool = False
    oversampling: float = 1.0
    fuzziness: str = "0"
    timeout: float = 10.0
    write_timeout: float = 120.0
    connect_timeout: float = 20.0
    connections: int = 16
    bulk_connections: int = 2
    bulk_bytes: int = 4_000_000
    username: Secret | None = _from_environment("ELASTICSEARCH_USERNAME")  # noqa: RUF009 - frozen
    password: Secret | None = _from_environment("ELASTICSEARCH_PASSWORD")  # noqa: RUF009
    api_key: Secret | str | None = _from_environment("ELASTIC_API_KEY")  # noqa: RUF009
    api_key_id: Secret | str | None = _from_environment("ELASTIC_API_KEY_ID")  # noqa: RUF009
    ca_certs: str | None = None
    custom_mapping: dict[str, Any] | None = None
    client_settings: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.timeout <= 0 or self.write_timeout < 0 or self.connect_timeout < 0:
            raise ValueError(
                f"timeout {self.timeout}, write_timeout {self.write_timeout} and connect_timeout "
                f"{self.connect_timeout} must be seconds, timeout above 0"
            )
        if min(self.shards, self.connections, self.bulk_connections) < 1 or self.bulk_bytes < 1 << 16:
            raise ValueError("shards, connections, bulk_connections must be at least 1, bulk_bytes at least 65536")
        if self.oversampling < 1:
            raise ValueError(f"oversampling is {self.oversampling}, but must be at least 1")
        if self.embedding_dimension is not None and not 1 <= self.embedding_dimension <= _LARGEST_DIMENSION:
            raise ValueError(
                f"embedding_dimension is {self.embedding_dimension}, but Elasticsearch takes 1 to {_LARGEST_DIMENSION}"
            )
        self.design()

    @classmethod
    def from_names(cls, given: dict[str, Any]) -> "ElasticsearchSettings":
        """
        The settings by name; the names and languages of earlier versions are taken with a FutureWarning.

        :raises TypeError: For a name that is no setting.
        :raises ValueError: For a value outside what is allowed.
        """
        settings = apply_renames(given, RENAMED, "ElasticsearchDocumentStore")
        allowed = [field.name for field in fields(cls)]
        if unknown := [name for name in settings if name not in allowed]:
            raise TypeError(f"ElasticsearchDocumentStore has no setting {unknown[0]!r}{suggest(unknown[0], allowed)}")
        language = settings.get("language")
        if isinstance(language, str) and language.lower() in ANALYSERS.values():
            settings["language"] = to_iso(language.lower())
            warnings.warn(
                f"ElasticsearchDocumentStore: language takes ISO codes: write {settings['language']!r} instead of "
                f"{language!r}",
                FutureWarning,
                stacklevel=3,
            )
        return cls(**settings)

    def to_parameters(self) -> dict[str, Any]:
        """The values by name, for YAML; a key that was given as text, not as a Secret, is left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: None if name.startswith("api_key") and isinstance(value, str) else value
            for name, value in values.items()
        }

    def design(self) -> IndexDesign:
        """What these settings say of the index's mapping."""
        return IndexDesign(
            to_analyser(self.language),
            dict(DEFAULT_SEARCH_FIELDS if self.search_fields is None else self.search_fields),
            self.quantisation,
            self.embedding_similarity_function,
            self.embedding_dimension,
            dict(self.meta_fields or {}),
        )

    @classmethod
    def signature(cls) -> inspect.Signature:
        """What the store's `__init__` takes: the settings, and their earlier names."""
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        earlier = (inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in RENAMED)
        return inspect.Signature([own, *inspect.signature(cls).parameters.values(), *earlier])
