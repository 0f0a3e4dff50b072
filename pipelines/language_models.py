"""Which language model may a pipeline's YAML ask? One at an address that its user names, with a key made for that."""

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# Chat generators, and the setting of each that holds the server's address.
ADDRESSES = {"OpenAIChatGenerator": "api_base_url", "OllamaChatGenerator": "url"}
MODULES = ("haystack.components.generators", "haystack_integrations.components.generators.ollama")
ADDRESS_VARIABLE = "EXCERPT_LLM_URL"
KEY_VARIABLES = ("EXCERPT_LLM_KEY", "OPENAI_API_KEY")
# Not among them: clients' own settings (a proxy would see all), tools, headers.
_SETTINGS = ("api_key", "model", "generation_kwargs", "timeout", "max_retries", "keep_alive", "think")
_SAMPLING = (
    *("temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "num_predict", "num_ctx", "seed", "stop"),
    *("frequency_penalty", "presence_penalty", "repeat_penalty", "reasoning_effort"),
)


def is_language_model(cls: type) -> bool:
    """Whether this is one of the chat generators that a YAML may name."""
    return cls.__name__ in ADDRESSES and cls.__module__.startswith(MODULES)


def check_language_model(cls: type, settings: Mapping[str, Any], filled: Mapping[str, str]) -> tuple[str, str] | None:
    """
    What is wrong with the settings of a chat generator: a YAML from elsewhere must not send documents, or what stands
    in any variable of the environment, to a server of its choice.

    :param settings: with variables filled in.
    :param filled: value -> name of the variable of the environment that it came from.
    :returns: (setting, what is wrong with it); None when nothing is.
    """
    setting = ADDRESSES[cls.__name__]
    for name in settings:
        if name not in (*_SETTINGS, setting):
            return name, f"is not allowed for a language model; allowed are {', '.join((*_SETTINGS, setting))}"
    address = settings.get(setting)
    if not isinstance(address, str) or not address:
        return setting, f"must name the server: ${{{ADDRESS_VARIABLE}:-http://localhost:11434/v1}}"
    if filled.get(address) != ADDRESS_VARIABLE and not _is_this_machine(address):
        return setting, (
            f"names a server that passages would be sent to; only this machine may stand in the file, "
            f"another address in the environment: write ${{{ADDRESS_VARIABLE}:-...}} and set {ADDRESS_VARIABLE}"
        )
    key = settings.get("api_key")
    if key is not None and not (
        isinstance(key, dict)
        and key.get("type") == "env_var"
        and isinstance(key.get("env_vars"), list)
        and all(name in KEY_VARIABLES for name in key["env_vars"])
    ):
        return "api_key", f"must be {{type: env_var, env_vars: [...]}} with {' or '.join(KEY_VARIABLES)}"
    for name in settings.get("generation_kwargs") or {}:
        if name not in _SAMPLING:
            return "generation_kwargs", f"may not set `{name}`; allowed are {', '.join(_SAMPLING)}"
    return None


def _is_this_machine(address: str) -> bool:
    try:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or parts.username is not None or parts.hostname is None:
            return False
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False
