"""Ports: what the domain needs from the world, as Protocols. Adapters live in `pipelines/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from detector.changes.ports import ChangeLog, LearnedStore, VersionStore
from detector.gate.aa import AaResult, Scope
from detector.gate.attempt import Attempt, Identity, Revision
from detector.gate.course import Streamed
from detector.gate.decision import AuditEntry, ModeChange, Override
from detector.gate.design import Elsewhere
from detector.gate.judgement import Judgement
from detector.gate.memory import Memory
from detector.gate.policy import Policy
from detector.gate.record import Chunk, Filter, Kept, Page, PolicyVersion, Pruned, StoredVerdict
from detector.gate.request import Stage
from detector.gate.telling import DeliveryState, Errand, Notice, Post, Settled
from detector.reports.kept import ReportStore
from detector.scans.ports import ScanStore
from detector.series import Answer, Query
from detector.signals.plan import Plan, Reading

__all__ = [
    "AaStore",
    "AnswerStore",
    "AttemptStore",
    "AuditLog",
    "Baselines",
    "Clock",
    "Correspondent",
    "Judge",
    "MetricCatalog",
    "MetricOutline",
    "MetricSource",
    "ModeStore",
    "Notifier",
    "Outbox",
    "OverrideStore",
    "PointStore",
    "PolicyStore",
    "Retention",
    "RevisionStore",
    "Stores",
    "VerdictStore",
]


class Clock(Protocol):
    """Now, in unix seconds."""

    def __call__(self) -> float:
        """Seconds since the epoch, as the machine believes them."""
        ...


class MetricSource(Protocol):
    """Raw samples by metric and matchers."""

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Raw samples with `start < time <= end` (unix seconds), one answer per query, in order.

        Blocks up to `timeout_s` in total, retries within it, and then raises `SourceError`.
        Stale markers are left out; NaN values are kept; HA duplicates come as separate series.
        """
        ...


class MetricCatalog(Protocol):
    """What exists in the source; used to discover and to bind, never for evidence."""

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """Names of all metrics that the source knows."""
        ...

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """Label sets (with `__name__`) of the series that had samples in the span."""
        ...

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """Values of one label over the series that match any of the queries, sorted."""
        ...


@runtime_checkable
class MetricOutline(Protocol):
    """The course of series over days, coarsely: to see where to look; never for evidence."""

    def outline(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        step_s: float,
        timeout_s: float,
    ) -> Sequence[Answer]:
        """The newest sample at each whole multiple of `step_s`, if not over five minutes old."""
        ...


class Baselines(Protocol):
    """What is learned of services whether anything is released or not: a stream beside the gate."""

    def told(self, tenant: str, plan: Plan, *, until: float) -> Streamed:
        """The past of the plan's service up to a time (unix seconds), by signal.

        Never raises and returns soon: what cannot be told, it says why.
        """
        ...


class Judge(Protocol):
    """The running statistics of one attempt; `detector.gate.session.Session` in life.

    A bin of `step` seconds is final `settle` seconds after its end.
    """

    step: float
    settle: float

    def readings(self) -> tuple[Reading, ...]:
        """Queries to send next."""
        ...

    def feed(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> None:
        """Take new raw samples and judge what became final by `now`."""
        ...

    def set_weight(self, at: float, weight: float) -> None:
        """The canary's weight in per cent, known since `at`."""
        ...

    @property
    def wants_memory(self) -> bool:
        """Whether bins wait to be judged until what the service did before is told."""
        ...

    @property
    def wants_elsewhere(self) -> bool:
        """Whether the newest answer depends on how other services are."""
        ...

    @property
    def wants_witness(self) -> bool:
        """Whether a fail waits for how other services are at this moment."""
        ...

    def recall(self, memory: Memory) -> None:
        """What the service did before its attempt."""
        ...

    def look(self, elsewhere: Elsewhere) -> None:
        """How other services of the cluster are."""
        ...

    def judge(self, *, as_of: float, stage: Stage, deadline: float | None) -> Judgement:
        """The answer that is due at `as_of`."""
        ...


class AttemptStore(Protocol):
    """Attempts; every method of a store raises `StoreError` when the store fails."""

    def save(self, attempt: Attempt, *, durable: bool = False) -> Attempt:
        """Insert, or replace the version that was read; the attempt as it is stored now.

        `ConflictError` where that version is not the newest, or where another attempt follows the
        same one. `durable` returns only when a power cut cannot undo it.
        """
        ...

    def get(self, id: str) -> Attempt:
        """By id; `NotFoundError`."""
        ...

    def newest(self, identity: Identity, *, asked_until: float) -> Attempt | None:
        """The attempt of this identity that was first asked about last, up to a moment."""
        ...


class VerdictStore(Protocol):
    """Verdicts with what replays them."""

    def save(self, stored: StoredVerdict, *, at: float) -> None:
        """Keep one answer, written at `at`; the same id again replaces it."""
        ...

    def get(self, id: str) -> StoredVerdict:
        """By id; `NotFoundError`."""
        ...

    def list(self, wanted: Filter) -> Page:
        """Newest first, one page."""
        ...


class PointStore(Protocol):
    """Raw samples of attempts as chained chunks."""

    def append(self, chunk: Chunk, *, at: float) -> None:
        """Keep one chunk; the same content twice is kept once."""
        ...

    def chain(self, head: str) -> Sequence[Chunk]:
        """The chunks that end at `head`, oldest first; `NotFoundError` when one is gone."""
        ...

    def since(self, head: str, known: str, *, most: int) -> Sequence[Chunk] | None:
        """The chunks after `known` up to `head`, oldest first; None where `most` do not reach."""
        ...


class AnswerStore(Protocol):
    """What a question leaves behind in the three stores above."""

    def keep(self, kept: Kept) -> None:
        """All of it, or nothing; `ConflictError` as `AttemptStore.save`."""
        ...


class PolicyStore(Protocol):
    """Named policies, each saved version kept."""

    def save(self, policy: Policy, *, at: float, person: str) -> int:
        """Save and return its version; the same content again keeps the version."""
        ...

    def get(self, name: str) -> Policy:
        """The newest version; `NotFoundError`."""
        ...

    def all(self) -> Sequence[PolicyVersion]:
        """The newest version of each, by name."""
        ...


class OverrideStore(Protocol):
    """Decisions of people on attempts."""

    def add(self, override: Override) -> None:
        """Keep one, durably."""
        ...

    def of(self, attempt: str) -> Sequence[Override]:
        """All of an attempt, oldest first."""
        ...


class ModeStore(Protocol):
    """Break-glass modes."""

    def add(self, change: ModeChange) -> None:
        """Keep one, durably."""
        ...

    def of(self, tenant: str) -> Sequence[ModeChange]:
        """All of a tenant, oldest first."""
        ...


class RevisionStore(Protocol):
    """Revisions that served as control."""

    def saw(self, revisions: Sequence[Revision], *, apart_s: float) -> None:
        """Lengthen what is known of each; a pause longer than `apart_s` begins anew."""
        ...

    def known(self, like: Revision, *, since: float) -> Sequence[Revision]:
        """Spans of the same scope and key that end after `since` and began before `like`."""
        ...


class AaStore(Protocol):
    """Self-checks of services."""

    def save(self, result: AaResult) -> None:
        """Keep one, durably."""
        ...

    def newest(self, scope: Scope, *, until: float) -> AaResult | None:
        """The last one of a service that was done by `until`; None before the first."""
        ...


class AuditLog(Protocol):
    """What people did, for ever."""

    def write(self, entry: AuditEntry) -> None:
        """Append, durably."""
        ...

    def entries(self, *, limit: int, before: float | None = None) -> Sequence[AuditEntry]:
        """Newest first."""
        ...


class Notifier(Protocol):
    """Somebody who is told; the same notice may come twice, and has the same id then."""

    def send(self, notice: Notice) -> None:
        """Return once the receiver acknowledged; else `DeliveryError`, within bounded time."""
        ...


@runtime_checkable
class Correspondent(Protocol):
    """A notifier that goes on where it told something before, as in one message of a chat."""

    def follow(self, errand: Errand) -> str:
        """As `send`; gives the receipt that comes with the next errand of the same thread."""
        ...


class Outbox(Protocol):
    """Notices on their way: kept with the answers that call for them, until they are delivered.

    Those of one thread go to one notifier in the order of their `nth`. None is given out while one
    before it is neither sent nor dropped; another thread never waits for it. Once any of a thread
    was sent, one that a later one follows is dropped, unless it `is_lasting`.
    """

    def put(self, posts: Sequence[Post]) -> None:
        """Keep what is not there yet; a notice of a known id is that one."""
        ...

    def claim(self, to: str, *, now: float, lease_s: float, most: int) -> Sequence[Errand]:
        """Errands that are due, longest first, which nobody else gets for `lease_s` seconds."""
        ...

    def settle(self, errand: Errand, settled: Settled) -> None:
        """How it ended, with its receipt; an errand that was claimed again since is left alone."""
        ...

    def tally(self) -> Mapping[tuple[str, DeliveryState], int]:
        """How many deliveries there are, by notifier and state."""
        ...


class Retention(Protocol):
    """What goes when it is old."""

    def prune(self, now: float) -> Pruned:
        """Delete what is past its time: passes and points 30 days, fails 400."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All stores of the gate."""

    attempts: AttemptStore
    verdicts: VerdictStore
    points: PointStore
    answers: AnswerStore
    policies: PolicyStore
    overrides: OverrideStore
    modes: ModeStore
    revisions: RevisionStore
    aa: AaStore
    outbox: Outbox
    audit: AuditLog
    changes: ChangeLog
    learned: LearnedStore
    scans: ScanStore
    reports: ReportStore
    versions: VersionStore
    retention: Retention
