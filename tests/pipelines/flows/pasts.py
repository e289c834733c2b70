"""Past rollouts of the shop, and a source that tells what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from detector.backtest.course import PastRollout, Truth
from detector.errors import SourceError
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.series import Answer, Query
from pipelines.flows.backtest import Past
from pipelines.flows.discovery import Discovery
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from tests.pipelines.flows.shops import DIALECTS, T0, Faults, fill

__all__ = ["POLICY", "Counted", "past_of", "rollout", "shop"]

POLICY = Policy(history_s=3600.0)


@dataclass(slots=True)
class Counted:
    """A source that counts its questions, and fails once `down`."""

    source: MemorySource
    asked: list[tuple[Query, float, float]] = field(default_factory=list)
    down: bool = False

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """See `MetricSource`."""
        if self.down:
            raise SourceError("the shop's Prometheus is away")
        self.asked += [(query, start, end) for query in queries]
        return self.source.read(queries, start, end, timeout_s=timeout_s)


@cache
def shop(*, errors: float = 0.004, seed: int = 5) -> MemorySource:
    """Two hours of stable pods and half an hour of a canary, as client libraries write them."""
    return fill(DIALECTS[0], Faults(errors=errors), seed)


def past_of(source: MemorySource, counted: Counted | None = None) -> Past:
    """The world as the source remembers it."""
    read = counted or Counted(source)
    return Past(source=read, catalog=source, discover=Discovery(load_packs(), read))


def rollout(
    *, length_s: float = 1500.0, truth: Truth | None = None, **changes: object
) -> PastRollout:
    """The canary of the shop."""
    request = VerdictRequest(
        service="checkout",
        namespace="shop",
        canary=DIALECTS[0].canary,
        started_at=datetime.fromtimestamp(T0, UTC),
        deadline=datetime.fromtimestamp(T0 + length_s, UTC),
    )
    made = {"request": request, "start": T0, "end": T0 + length_s, "truth": truth, **changes}
    return PastRollout(**made)  # type: ignore[arg-type]
