"""Reads the addresses of Elasticsearch and who asks it; raises ElasticsearchStoreError for those that are none."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from elastic_transport.client_utils import url_to_node_config
from haystack.utils import Secret

from components.stores.elasticsearch.client.errors import ElasticsearchStoreError, without_password

DEFAULT_URL = "http://localhost:9200"


def parse_addresses(hosts: str | Sequence[str] | None) -> list[str]:
    """
    The nodes' addresses, each with scheme and port: the setting, else ELASTICSEARCH_URL (several with commas between),
    else localhost.

    :raises ElasticsearchStoreError: For an address that is none; a password in it is not repeated.
    """
    given = hosts if hosts is not None else os.environ.get("ELASTICSEARCH_URL") or DEFAULT_URL
    addresses = [one.strip() for one in given.split(",")] if isinstance(given, str) else list(given)
    for address in addresses:
        if not address.startswith(("http://", "https://")):
            shown = address.rpartition("@")[2]
            raise ElasticsearchStoreError(
                f"the address of Elasticsearch is {shown!r}: it must start with http:// or https://, like {DEFAULT_URL}"
            )
    return [_check(_add_port(address.rstrip("/"))) for address in addresses]


def _add_port(url: str) -> str:
    """The client demands a port; an address without one means the scheme's."""
    scheme, rest = url.split("://", 1)
    authority, slash, path = rest.partition("/")
    host = authority.rpartition("@")[2]
    if ":" in host.rpartition("]")[2]:
        return url
    return f"{scheme}://{authority}:{443 if scheme == 'https' else 80}{slash}{path}"


def _check(url: str) -> str:
    """
    The address, if the client understands it as it is meant: its own error would repeat it, password and all.

    An unescaped / ? or # in a password ends the host's part, and the @ comes after it.
    """
    path = re.split("[/?#]", url.split("://", 1)[1], maxsplit=1)[1:]
    try:
        url_to_node_config(url)
        without_password(url)  # as messages do
        understood = "@" not in "".join(path)
    except ValueError:
        understood = False
    if not understood:
        raise ElasticsearchStoreError(
            f"the address of Elasticsearch is not like {DEFAULT_URL} (not shown here, as it may hold a password): a "
            "password in it must be percent-encoded (/ is %2F, ? is %3F, # is %23); better give it as "
            "ELASTICSEARCH_PASSWORD"
        ) from None
    return url


@dataclass(frozen=True)
class Credentials:
    """An API key, or a user with a password; secrets are read when a connection is made and kept nowhere else."""

    api_key: Secret | str | None
    api_key_id: Secret | str | None
    username: Secret | None
    password: Secret | None

    def resolve(self) -> dict[str, Any]:
        """
        The credentials as `elasticsearch.Elasticsearch` takes them; empty when there are none.

        :raises ElasticsearchStoreError: When half of a pair is missing.
        """
        secrets = (self.api_key, self.api_key_id, self.username, self.password)
        key, key_id, user, password = (one.resolve_value() if isinstance(one, Secret) else one for one in secrets)
        if key:
            return {"api_key": (key_id, key) if key_id else key}
        if key_id:
            raise ElasticsearchStoreError("api_key_id is given without api_key (ELASTIC_API_KEY)")
        if password:
            return {"basic_auth": (user or "elastic", password)}
        return {}
