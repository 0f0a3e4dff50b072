"""What can be set of the Elasticsearch store, what is allowed, and how it is written into a pipeline's YAML."""

from typing import Any, Self

from haystack import default_from_dict, default_to_dict
from haystack.utils import Secret

from components.stores.elasticsearch.async_methods import AsyncMethods
from components.stores.elasticsearch.index.mapping import IndexDesign, Quantisation, Similarity
from components.stores.elasticsearch.passages import Limits

DEFAULT_SEARCH_FIELDS = {"content": 1.0, "title": 0.5, "headings": 0.5}


class Settings(AsyncMethods):
    """The settings of an `ElasticsearchDocumentStore`."""

    def __init__(
        self,
        *,
        hosts: str | list[str] | None = None,
        index: str = "excerpt",
        search_fields: dict[str, float] | None = None,
        language: str | None = "english",
        quantisation: Quantisation = "auto",
        embedding_similarity_function: Similarity = "cosine",
        embedding_dims: int | None = None,
        meta_fields: dict[str, str] | None = None,
        max_fields: int = 1000,
        shards: int = 1,
        replicas: int | str = "0-1",
        hold_back_replicas: bool = False,
        oversampling: float = 1.0,
        fuzziness: str = "0",
        timeout: float = 10.0,
        patience: float = 120.0,
        wait: float = 20.0,
        connections: int = 16,
        bulk_connections: int = 2,
        bulk_bytes: int = 4_000_000,
        username: Secret | None = Secret.from_env_var("ELASTICSEARCH_USERNAME", strict=False),  # noqa: B008
        password: Secret | None = Secret.from_env_var("ELASTICSEARCH_PASSWORD", strict=False),  # noqa: B008
        api_key: Secret | str | None = Secret.from_env_var("ELASTIC_API_KEY", strict=False),  # noqa: B008
        api_key_id: Secret | str | None = Secret.from_env_var("ELASTIC_API_KEY_ID", strict=False),  # noqa: B008
        ca_certs: str | None = None,
        custom_mapping: dict[str, Any] | None = None,
        client_settings: dict[str, Any] | None = None,
    ) -> None:
        """
        :param hosts: Addresses of the nodes; None takes ELASTICSEARCH_URL (several with commas between), else
            http://localhost:9200.
        :param index: Name of the alias, and the beginning of the names of the indices behind it.
        :param search_fields: What the words leg reads, with the weight of each: `content` and fields of `meta`. Which
            fields there are is fixed when the index is made, weights can change any time.
        :param language: Whose stop words and stemming the words leg uses, None for none; fixed with the index.
        :param quantisation: How vectors are kept for the search: `int8_hnsw`, `int4_hnsw`, `bbq_hnsw` (one bit, with
            rescoring), `hnsw` (as they are), and without a graph: `int8_flat`, `int4_flat`, `bbq_flat`, `flat`.
            `auto` is `int8_flat` up to 5,000 passages and then `bbq_hnsw` (`int8_hnsw` below 384 dimensions), decided
            when a `loading` ends; passages written without that find `int8_hnsw`.
        :param embedding_similarity_function: How vectors are compared; fixed with the index.
        :param embedding_dims: Length of the vectors; None takes that of the first passage.
        :param meta_fields: Types (keyword, double, date ...) of meta fields whose first value would mislead.
        :param max_fields: Documents whose meta would make more fields than this are refused.
        :param shards: Number of primary shards: one serves tens of millions of passages.
        :param replicas: Copies of each shard, or a range like "0-1": as many as there are other nodes.
        :param hold_back_replicas: Write replicas only at the end of a first load. Faster, but a node lost meanwhile
            takes its passages along.
        :param oversampling: kNN looks at this many times the candidates that the fusion gets.
        :param fuzziness: "AUTO" also finds words with typing errors; eight times slower, and it lowers recall.
        :param timeout: Seconds a search may take in all, attempts and pauses included.
        :param patience: Seconds a write goes on trying while the server is away, without any progress.
        :param wait: Seconds to wait for a server that is not there at the first use.
        :param connections: To each node, shared by all threads.
        :param bulk_connections: Bulk requests under way at once.
        :param bulk_bytes: Size of a bulk request.
        :param username: And `password`: by default ELASTICSEARCH_USERNAME (else "elastic") and ELASTICSEARCH_PASSWORD.
        :param ca_certs: File with the certificate of the authority that signed the server's.
        :param custom_mapping: A mapping of your own instead of the one that the settings above make.
        :param client_settings: What else `elasticsearch.Elasticsearch` takes.
        :raises ValueError: When a setting is outside what is allowed.
        """
        if timeout <= 0 or patience < 0 or wait < 0:
            raise ValueError(f"timeout {timeout}, patience {patience} and wait {wait} must be seconds, timeout above 0")
        if min(shards, connections, bulk_connections) < 1 or bulk_bytes < 1 << 16:
            raise ValueError("shards, connections, bulk_connections must be at least 1, bulk_bytes at least 65536")
        if oversampling < 1:
            raise ValueError(f"oversampling is {oversampling}, but must be at least 1")
        super().__init__(
            hosts=hosts,  # type: ignore[arg-type]
            index=index,
            custom_mapping=custom_mapping,
            api_key=api_key,
            api_key_id=api_key_id,
            embedding_similarity_function=embedding_similarity_function,
            **(client_settings or {}),
        )
        self._settings: dict[str, Any] = {
            "hosts": hosts, "index": index, "search_fields": search_fields, "language": language,
            "quantisation": quantisation, "embedding_similarity_function": embedding_similarity_function,
            "embedding_dims": embedding_dims, "meta_fields": meta_fields, "max_fields": max_fields, "shards": shards,
            "replicas": replicas, "hold_back_replicas": hold_back_replicas, "oversampling": oversampling,
            "fuzziness": fuzziness, "timeout": timeout, "patience": patience, "wait": wait, "connections": connections,
            "bulk_connections": bulk_connections, "bulk_bytes": bulk_bytes, "username": username, "password": password,
            "api_key": api_key, "api_key_id": api_key_id, "ca_certs": ca_certs, "custom_mapping": custom_mapping,
            "client_settings": client_settings,
        }  # fmt: skip
        self.design = IndexDesign(
            language,
            dict(DEFAULT_SEARCH_FIELDS if search_fields is None else search_fields),
            quantisation,
            embedding_similarity_function,
            embedding_dims,
            dict(meta_fields or {}),
        )
        self.limits = Limits(timeout, patience, bulk_connections, bulk_bytes)
        self._set_up()

    def _set_up(self) -> None:
        """Makes what holds connections: `components.stores.elasticsearch.opening`."""

    def to_dict(self) -> dict[str, Any]:
        """The settings, for a pipeline's YAML; secrets by the name of their variable only."""
        secrets = {
            name: value.to_dict() if isinstance(value := self._settings[name], Secret) else None
            for name in ("username", "password", "api_key", "api_key_id")
        }
        return default_to_dict(self, **{**self._settings, **secrets})

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The store that `to_dict` described."""
        given = dict(data.get("init_parameters", {}))
        for name in ("username", "password", "api_key", "api_key_id"):
            if isinstance(given.get(name), dict):
                given[name] = Secret.from_dict(given[name])
        return default_from_dict(cls, {**data, "init_parameters": given})
