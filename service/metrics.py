"""What Prometheus can ask for: latencies by stage, the queue, batches, abstentions, refusals, the index."""

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from components.batching import Batch, batch_observers

if TYPE_CHECKING:
    from service.service import Service

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
CHARACTERS_A_TOKEN = 4.5  # of English text, for the reader's batches, whose cost is characters


class Metrics:
    """
    One registry a service, so that tests and several services in a process do not meet.

    Labels are route templates, component names and codes of ours: never a path, a question or a key.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "excerpt_requests_total", "Requests by route and status", ["route", "status"], registry=registry
        )
        self.latency = Histogram(
            "excerpt_request_seconds", "Time to answer a request", ["route"], buckets=_SECONDS, registry=registry
        )
        self.stages = Histogram(
            "excerpt_stage_seconds",
            "Time in a stage, its queue included",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.answers = Counter(
            "excerpt_answers_total",
            "Questions by outcome: answered or abstained",
            ["outcome", "door"],
            registry=registry,
        )
        self.refusals = Counter("excerpt_refusals_total", "Refused requests by reason", ["reason"], registry=registry)
        self.batches = Histogram(
            "excerpt_batch_requests", "Requests in a batch", ["worker"], buckets=_BATCHES, registry=registry
        )
        self.batch_seconds = Histogram(
            "excerpt_batch_seconds", "Time to compute a batch", ["worker"], buckets=_SECONDS, registry=registry
        )
        self.tokens = Counter("excerpt_reader_tokens_total", "Tokens read, as estimated", registry=registry)
        self.feedback = Counter("excerpt_feedback_total", "Feedback by verdict", ["verdict"], registry=registry)
        self.jobs = Counter(
            "excerpt_jobs_total", "Finished jobs by kind and outcome", ["kind", "state"], registry=registry
        )
        self.canary = Gauge("excerpt_canary_seconds", "Time the last canary question took", registry=registry)
        batch_observers.append(self._observe)

    def watch(self, service: "Service") -> None:
        """Report what is asked for when it is asked for: queue, readiness, index."""
        self.registry.register(_Live(service))

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)

    def close(self) -> None:
        if self._observe in batch_observers:
            batch_observers.remove(self._observe)

    def _observe(self, batch: Batch) -> None:
        self.batches.labels(batch.name).observe(batch.requests)
        self.batch_seconds.labels(batch.name).observe(batch.seconds)
        if batch.name == "reader":
            self.tokens.inc(batch.cost / CHARACTERS_A_TOKEN)


class _Live:
    """Gauges that are looked up when they are collected."""

    def __init__(self, service: "Service") -> None:
        self.service = service

    def collect(self) -> Any:
        service, gate = self.service, self.service.gate
        for name, what, value in (
            ("excerpt_ready", "1 when a canary question was answered lately", float(service.ready)),
            ("excerpt_queue_requests", "Requests that wait for the pipeline", float(gate.waiting)),
            ("excerpt_queue_tokens", "Tokens that wait for the pipeline", float(gate.waiting_cost)),
            ("excerpt_running_requests", "Requests in the pipeline", float(gate.running)),
            ("excerpt_capacity_tokens_per_second", "What the pipeline gets through when busy", gate.rate),
            ("excerpt_jobs_waiting", "Uploads that wait to be indexed", float(service.jobs.waiting())),
            ("excerpt_documents", "Documents the service knows", float(len(service.catalogue.entries))),
            ("excerpt_last_indexed_timestamp_seconds", "When a job last ended well", service.jobs.last_success()),
        ):
            yield GaugeMetricFamily(name, what, value=value)
