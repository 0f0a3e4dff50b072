"""A chat generator that can be waited for only so long, and whose errors give nothing away."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from haystack.components.generators.chat.types import ChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret

_LOCAL = ("localhost", "127.0.0.1", "::1")


class LanguageModelError(RuntimeError):
    """The language model gave no usable reply. Holds neither the question, nor a passage, nor a key."""


@dataclass(frozen=True)
class Reply:
    """What was written; `cut_off` when the model ran out of tokens."""

    text: str
    cut_off: bool


class LanguageModel:
    """
    :param generator: Any chat generator of Haystack.
    :param timeout: Seconds for a whole reply: a server that sends a word now and then is not waited for either.
    """

    def __init__(self, generator: ChatGenerator, timeout: float) -> None:
        self.generator: Any = generator
        self.timeout = timeout
        self._waking = threading.Lock()

    def warm_up(self) -> None:
        """
        Make the generator's client.

        :raises LanguageModelError: when no key is set for a server that is not on this machine.
        """
        if hasattr(self.generator, "warm_up"):
            with self._waking, self._key():
                self.generator.warm_up()

    def close(self) -> None:
        """Let go of the generator's connections."""
        if hasattr(self.generator, "close"):
            self.generator.close()

    def ask(self, messages: list[ChatMessage]) -> Reply:
        """
        What the model writes.

        :raises LanguageModelError: when it fails, or has not ended after `timeout`.
        """
        self.warm_up()
        outcome: Future[dict[str, Any]] = Future()

        def work() -> None:
            try:
                outcome.set_result(self.generator.run(messages=messages))
            except BaseException as error:  # whoever waits must be told
                outcome.set_exception(error)

        # a daemon: a server that hangs keeps nobody from leaving
        threading.Thread(target=work, name="language model", daemon=True).start()
        try:
            return _reply(outcome.result(self.timeout))
        except Exception as error:
            raise self._told(error) from None  # the error's own words may hold the key or the passages

    async def ask_async(self, messages: list[ChatMessage]) -> Reply:
        """`ask`, without keeping the event loop waiting; the request ends when the time is over."""
        if not hasattr(self.generator, "run_async"):
            return await asyncio.to_thread(self.ask, messages)
        try:
            if hasattr(self.generator, "warm_up_async"):
                with self._key():
                    await self.generator.warm_up_async()
            return _reply(await asyncio.wait_for(self.generator.run_async(messages=messages), self.timeout))
        except LanguageModelError:
            raise
        except Exception as error:
            raise self._told(error) from None

    @contextmanager
    def _key(self) -> Iterator[None]:
        """A server on this machine needs no key, but the client of OpenAI insists on one: it gets a word."""
        key = getattr(self.generator, "api_key", None)
        if not isinstance(key, Secret) or key.resolve_value() is not None:
            yield
            return
        address = getattr(self.generator, "api_base_url", None)
        if not address or urlsplit(address).hostname not in _LOCAL:
            names = " or ".join(getattr(key, "_env_vars", ()))
            raise LanguageModelError(f"the language model's server needs a key; set {names}")
        self.generator.api_key = Secret.from_token("none-needed")
        try:
            yield
        finally:
            self.generator.api_key = key

    def _told(self, error: BaseException) -> LanguageModelError:
        if isinstance(error, LanguageModelError):
            return error
        if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
            return LanguageModelError(
                f"the language model did not end within {self.timeout:g} seconds; give it longer (`timeout`), or ask "
                "a faster one"
            )
        status = getattr(error, "status_code", None)
        said = f"its server answered with status {status}" if status else f"it failed with {type(error).__name__}"
        return LanguageModelError(f"the language model gave no reply: {said}; see that server's own log")


def _reply(result: dict[str, Any]) -> Reply:
    replies = result.get("replies") or []
    if not replies or not (replies[0].text or "").strip():
        raise LanguageModelError("the language model sent an empty reply")
    reason = str(replies[0].meta.get("finish_reason") or "")
    # Ollama's own generator and others call it done_reason, or a limit on tokens
    return Reply(replies[0].text, reason in ("length", "max_tokens") or not reason)
