"""Everything the routes share: settings, engine, permissions, jobs, limits. One object a process."""

import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from components.batching import Batch, batch_observers
from service.access.audit import AuditLog
from service.access.keys import KeyFile
from service.access.rates import Rates
from service.access.rules import Rules
from service.access.tokens import TokenVerifier
from service.documents.catalogue import Catalogue
from service.documents.database import Database
from service.documents.indexer import Indexer
from service.documents.jobs import Jobs
from service.documents.originals import Originals
from service.documents.pages import PageCache
from service.engine import Engine, load_engine
from service.load.gate import Gate
from service.metrics import CHARACTERS_A_TOKEN, Metrics
from service.settings import Settings
from service.spelling import Vocabularies

FIRST_TOKEN_COST = 4000.0  # of a question, until the reader's batches say what it is
_SMOOTHING = 0.05  # weight of one question's cost against what was known


@dataclass
class Service:
    """
    :param token_cost: tokens of passages that are read for a question, learnt from the reader's batches.
    """

    settings: Settings
    engine: Engine
    keys: KeyFile
    tokens: TokenVerifier | None
    database: Database
    catalogue: Catalogue
    jobs: Jobs
    originals: Originals
    indexer: Indexer
    audit: AuditLog
    gate: Gate
    metrics: Metrics
    rates: Rates = field(default_factory=Rates)
    pages: PageCache = field(default_factory=PageCache)
    vocabularies: Vocabularies = field(default_factory=Vocabularies)
    draining: bool = False
    last_canary: float = -math.inf  # when a canary question was last answered, on the monotonic clock
    token_cost: float = FIRST_TOKEN_COST
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def ready(self) -> bool:
        """Whether a canary question was answered lately, and the server is not about to end; from any thread."""
        return not self.draining and time.monotonic() - self.last_canary <= self.settings.ready_within

    @property
    def needs_key(self) -> bool:
        """Whether callers must say who they are: as soon as there is a key, or an identity provider."""
        return self.tokens is not None or self.keys.is_configured

    def learn_cost(self, batch: Batch) -> None:
        """Learn from a batch of the reader what a question weighs; called by the reader's thread."""
        # The canary, which reads a single passage, weighs 1 at the gate: where it is alone there is nothing to learn.
        if batch.name == "reader" and batch.requests and self.gate.running_cost > 1:
            weight = 1.0 - (1.0 - _SMOOTHING) ** batch.requests
            cost = batch.cost / CHARACTERS_A_TOKEN / batch.requests
            self.token_cost += weight * (cost - self.token_cost)

    def close(self) -> None:
        if not self.closed.is_set():
            self.closed.set()
            if self.learn_cost in batch_observers:
                batch_observers.remove(self.learn_cost)
            self.indexer.close()
            self.engine.close()
            self.audit.close()
            self.metrics.close()
            self.database.close()


def build_service(
    settings: Settings, environment: Mapping[str, str] | None = None, engine: Engine | None = None
) -> Service:
    """
    Put the parts together; nothing slow is loaded yet (`Engine.warm_up`).

    :param environment: what fills `${NAME:-default}` in the pipelines' YAML; the process's by default.
    :raises SettingsError: for settings that cannot be used.
    :raises pipelines.loader.BrokenPipelineError: for a pipeline that cannot be used.
    """
    engine = engine or load_engine(settings.pipelines, dict(environment) if environment is not None else None)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    rules = Rules(settings.rules, settings.sidecars)
    tokens = TokenVerifier(settings.jwt) if settings.jwt is not None else None
    database = Database(settings.data / "service.sqlite3")
    catalogue = Catalogue(database, engine.store, rules)
    jobs = Jobs(database, catalogue, settings.max_waiting_jobs)
    originals = Originals(settings.data)
    indexer = Indexer(engine.index, engine.index.document_store, jobs, catalogue, originals)
    gate = Gate(settings.tokens_in_flight, settings.tokens_waiting, settings.key_share, settings.seconds_in_flight)
    audit = AuditLog(settings.data, settings.audit_mb, settings.audit_texts, settings.audit)
    service = Service(
        settings, engine, KeyFile(settings.data), tokens, database, catalogue, jobs, originals, indexer, audit, gate,
        Metrics(),
    )  # fmt: skip
    service.metrics.watch(service)
    batch_observers.append(service.learn_cost)
    return service


_building: ContextVar[Service | None] = ContextVar("building", default=None)


def current_service() -> Service | None:
    """The service whose application is being built: Hayhooks' wrapper takes part in it. None in plain Hayhooks."""
    return _building.get()


@contextmanager
def building(service: Service) -> Iterator[None]:
    """While the block runs, `current_service` is this one."""
    token = _building.set(service)
    try:
        yield
    finally:
        _building.reset(token)
