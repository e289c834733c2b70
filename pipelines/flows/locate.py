"""Where an attempt begins: its plan, the canary's first sample and the scrape interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from detector.gate.presence import scrape_interval
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog, MetricSource
from detector.series import Answer, Matcher, Query, Series
from detector.signals.plan import Plan

__all__ = ["Discover", "Located", "Locator"]

# One name for the time left: seconds, or a SourceError when there is none.
Left = Callable[[], float]
_GUESS_S = 600.0
_SLICE_S = 300.0
_NEAR_S = 3600.0
_FAR_S = 86_400.0
_DEFAULT_INTERVAL_S = 15.0


class Discover(Protocol):
    """`detector.discovery.discover` with its packs."""

    def __call__(
        self,
        catalog: MetricCatalog,
        request: VerdictRequest,
        *,
        start: float,
        end: float,
        timeout_s: float,
    ) -> Plan:
        """The plan of a service; `InputError` where a selector does not parse."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A plan, and the start and interval of the attempt; both None while no canary is seen."""

    plan: Plan
    start: float | None
    interval: float | None


@dataclass(frozen=True, slots=True)
class Locator:
    """Finds plan and start by the ports of a source."""

    source: MetricSource
    catalog: MetricCatalog
    discover: Discover

    def locate(
        self, request: VerdictRequest, scale: float, *, now: float, not_before: float, left_s: Left
    ) -> Located:
        """The plan at the attempt's start; the canary's first sample is never `not_before`."""
        asked = None if request.started_at is None else request.started_at.timestamp()
        guess = now - _GUESS_S * scale if asked is None else min(asked, now)
        guess = max(guess, not_before)
        plan = self.discover(self.catalog, request, start=guess, end=now, timeout_s=left_s())
        canary = _queries(plan, [plan.canary])
        if not canary:
            return Located(plan=plan, start=None, interval=None)
        start: float | None = guess
        if asked is None:
            start = self._first(canary, scale, now=now, not_before=not_before, left_s=left_s)
        elif not self._there(canary, guess, now, _GUESS_S * scale, left_s):
            start = None
        if start is None:
            return Located(plan=plan, start=None, interval=None)
        if start < guess - _GUESS_S * scale:
            plan = self.discover(self.catalog, request, start=start, end=now, timeout_s=left_s())
        interval = self._interval(plan, start, scale, now, left_s)
        return Located(plan=plan, start=start, interval=interval)

    def _there(
        self, queries: Sequence[Query], start: float, now: float, near: float, left_s: Left
    ) -> bool:
        """Whether the canary has been seen lately, or at its start."""
        lately = max(min(start, now - near), now - near)
        return self._seen(queries, lately, now, left_s) or (
            start < lately and self._seen(queries, start, start + near, left_s)
        )

    def _seen(self, queries: Sequence[Query], start: float, end: float, left_s: Left) -> bool:
        answers = self.source.read(queries, start, end, timeout_s=left_s())
        return any(s.times.size for a in answers for s in a.series)

    def _first(
        self,
        queries: Sequence[Query],
        scale: float,
        *,
        now: float,
        not_before: float,
        left_s: Left,
    ) -> float | None:
        """First sample of the canary's present run: it may be up to a day ago.

        Thin slices at growing distance tell how far back it was there; the span in which it came
        is halved until an hour is left to read.
        """
        near, slice_s = _NEAR_S * scale, _SLICE_S * scale
        there, gone = now, now - near
        while gone > now - _FAR_S and gone > not_before:
            if not self._seen(queries, gone - slice_s, gone, left_s):
                break
            there, gone = gone, now - 2 * (now - gone)
        gone = max(gone, now - _FAR_S, not_before)
        while there - gone > near:
            middle = (there + gone) / 2
            if self._seen(queries, middle - slice_s, middle, left_s):
                there = middle
            else:
                gone = middle
        answers = self.source.read(queries, gone, there, timeout_s=left_s())
        return min((float(s.times[0]) for s in _series(answers)), default=None)

    def _interval(self, plan: Plan, start: float, scale: float, now: float, left_s: Left) -> float:
        """Median scrape interval around the start, both arms."""
        begin = min(start, now) - _GUESS_S * scale
        end = min(now, start + _GUESS_S * scale)
        queries = _queries(plan, [plan.canary, *plan.control])
        found = scrape_interval(self.source.read(queries, begin, end, timeout_s=left_s()))
        return _DEFAULT_INTERVAL_S * scale if found is None else found


def _queries(plan: Plan, arms: Sequence[tuple[Matcher, ...]]) -> list[Query]:
    """The request series of some arms; none where nothing was bound."""
    family = plan.requests
    if not family.metric or not plan.signals:
        return []
    return [Query(family.metric, (*family.matchers, *arm)) for arm in arms]


def _series(answers: Sequence[Answer]) -> list[Series]:
    return [s for a in answers for s in a.series if s.times.size]
