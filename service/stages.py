"""How long does each stage of a run take, and which one is on? Told by Haystack's tracing, which names components."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from haystack import tracing
from haystack.tracing import Span, Tracer
from haystack.tracing.tracer import NullTracer


class Stages:
    """
    The stages of one run.

    :param on_begin: called with a component's name when it starts.
    """

    def __init__(self, on_begin: Callable[[str], None] | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.on_begin = on_begin


current_stages: ContextVar[Stages | None] = ContextVar("current_stages", default=None)

# What spans carry of a run's content: questions and texts must not reach whoever collects traces.
_CONTENT = ("haystack.pipeline.input_data", "haystack.pipeline.output_data")


class _SilentSpan(Span):
    """A span that passes on names and numbers, never content."""

    def __init__(self, inner: Span) -> None:
        self._inner = inner

    def set_tag(self, key: str, value: Any) -> None:
        if key not in _CONTENT:
            self._inner.set_tag(key, value)

    def set_content_tag(self, key: str, value: Any) -> None:
        """Dropped."""

    def raw_span(self) -> Any:
        return self._inner.raw_span()


class StageTracer(Tracer):
    """Times components for whoever set `current_stages`; hands spans, without content, to the tracer that was there."""

    def __init__(self, inner: Tracer) -> None:
        self._inner = inner

    @contextlib.contextmanager
    def trace(
        self, operation_name: str, tags: dict[str, Any] | None = None, parent_span: Span | None = None
    ) -> Iterator[Span]:
        tags = {key: value for key, value in (tags or {}).items() if key not in _CONTENT}
        stages = current_stages.get() if operation_name == "haystack.component.run" else None
        name = str(tags.get("haystack.component.name"))
        if stages is not None and stages.on_begin is not None:
            stages.on_begin(name)
        parent = parent_span._inner if isinstance(parent_span, _SilentSpan) else parent_span
        begin = time.perf_counter()
        try:
            with self._inner.trace(operation_name, tags=tags, parent_span=parent) as span:
                yield _SilentSpan(span)
        finally:
            if stages is not None:
                stages.seconds[name] = stages.seconds.get(name, 0.0) + time.perf_counter() - begin

    def current_span(self) -> Span | None:
        return self._inner.current_span()


def install_tracer() -> None:
    """Put the tracer in place, once a process."""
    if not isinstance(tracing.tracer.actual_tracer, StageTracer):
        inner = tracing.tracer.actual_tracer
        tracing.enable_tracing(StageTracer(inner if isinstance(inner, Tracer) else NullTracer()))
