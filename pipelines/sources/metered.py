"""A source that also counts for whom it was asked, so that each rollout's cost can be seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from detector.series import Answer, Columns, Query
from pipelines.sources.open import Source

__all__ = ["Charge", "MeteredSource", "charged_to"]

# Rollouts come and go for ever; the ones beyond share one account.
ACCOUNTS_MAX = 200
OTHERS = "other"

_ACCOUNT: ContextVar[str] = ContextVar("account", default=OTHERS)


@contextmanager
def charged_to(account: str) -> Iterator[None]:
    """What is asked in this block, by this thread, is charged to the account."""
    token = _ACCOUNT.set(account)
    try:
        yield
    finally:
        _ACCOUNT.reset(token)


@dataclass(slots=True)
class Charge:
    """Running totals of one account."""

    queries: int = 0
    samples: int = 0


class MeteredSource:
    """The source it wraps, with `charges` per account. Safe for threads."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._charges: dict[str, Charge] = {}
        self._lock = threading.Lock()

    @property
    def charges(self) -> Mapping[str, Charge]:
        """The totals now."""
        with self._lock:
            return {name: Charge(c.queries, c.samples) for name, c in self._charges.items()}

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """See `MetricSource`."""
        answers: Sequence[Answer] = ()
        try:
            answers = self.source.read(queries, start, end, timeout_s=timeout_s)
        finally:
            samples = sum(len(Columns.of(answer.series).times) for answer in answers)
            self._charge(len(queries), samples)
        return answers

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """See `MetricCatalog`."""
        self._charge(1, 0)
        return self.source.metrics(timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """See `MetricCatalog`."""
        self._charge(len(queries), 0)
        return self.source.series(queries, start, end, timeout_s=timeout_s)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """See `MetricCatalog`."""
        self._charge(1, 0)
        return self.source.label_values(label, queries, start, end, timeout_s=timeout_s)

    def _charge(self, queries: int, samples: int) -> None:
        with self._lock:
            name = _ACCOUNT.get()
            if name not in self._charges and len(self._charges) >= ACCOUNTS_MAX:
                name = OTHERS
            charge = self._charges.setdefault(name, Charge())
            charge.queries += queries
            charge.samples += samples
