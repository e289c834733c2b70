"""Objectives looked at again and again: how each stands, and the alerts of those that burn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.errors import InputError, SourceError
from detector.incidents.burns import burn_symptom
from detector.incidents.ports import BurnStep, BurnStore
from detector.slo.blind import BlindObjectives
from detector.slo.counts import Counts, Flaw
from detector.slo.following import Alert, Following, followed
from detector.slo.objective import Counted, Objective, OfSignal
from detector.slo.standing import LONGEST_S, Standing, course_of, standing_of
from detector.slo.window import Rolling, span_of
from detector.slo.words import flaw_words
from pipelines.slo.budgets import Counters
from pipelines.slo.counting import STEP_S
from pipelines.slo.ledger import Ledger

__all__ = ["BurnMeters", "Burns", "Seen"]

# Whose the metric source is.
_TENANT = "default"
# A bin is looked at once its last samples have come.
_SETTLED_S = 20.0
# One question, and all of a look: what is left is asked for by the next.
_CALL_S, _LOOK_S = 10.0, 45.0
# Services move and metrics get other names: which counters a signal has is looked up anew.
_BOUND_S = 3600.0

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An objective as of the last look at it, unix seconds; `alert` is the last one, if any.

    `why` says what is wrong where something is.
    """

    standing: Standing
    looked_at: float
    alert: Alert | None = None
    why: str = ""

    @property
    def objective(self) -> Objective:
        """Which."""
        return self.standing.objective


@dataclass(slots=True)
class BurnMeters:
    """Running totals: questions that failed, and what was told of burns; and of the last look when
    it was (unix seconds), and how long it took.
    """

    failed: int = 0
    told: int = 0
    looked_at: float = 0.0
    took_s: float = 0.0


@dataclass(slots=True)
class _Bound:
    counted: Counted
    at: float


class Burns:
    """Looks at objectives whenever a bin of five minutes is over; one thread looks.

    `counters` says which counters an objective has, `store` where what was told is kept: None where
    nobody is told. What is told goes through the store with how far was looked, so it is told once
    over restarts and by several processes.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        source: object,
        counters: Counters,
        store: Callable[[], BurnStore] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._objectives = {(one.service, one.name): one for one in objectives}
        self._counters, self._store = counters, store
        self._clock, self._monotonic = clock, monotonic
        self._ledger = Ledger(source)
        self._bound: dict[Key, _Bound] = {}
        self._seen: dict[Key, Seen] = {}
        self._done: dict[Key, float] = {}
        self._next: list[Key] = list(self._objectives)
        self._own: dict[Key, Following] = {}
        self._blind = BlindObjectives()
        self.meters = BurnMeters()

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Every objective that was looked at, in the order of the configuration."""
        seen = self._seen
        return tuple(seen[key] for key in self._objectives if key in seen)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Those that are looked at."""
        return tuple(self._objectives.values())

    def blind(self) -> dict[str, str]:
        """What is not known of objectives and why, as probes that tell people of it."""
        return self._blind.found

    def look(self) -> bool:
        """Look at those of which a bin is over; whether there may be more at once. `StoreError`."""
        now, began = self._clock(), self._monotonic()
        end = STEP_S * ((now - _SETTLED_S) // STEP_S)
        counted = self._counted(end, began + _LOOK_S)
        try:
            if counted:
                self._follow(counted)
            self._done |= dict.fromkeys(counted, end)
        finally:
            self._blind.looked(self._unknown())
            self.meters.looked_at = now
            self.meters.took_s = self._monotonic() - began
        return False

    def _counted(self, end: float, until: float) -> dict[Key, Counts]:
        """What is counted of those that are due, up to `end`; nobody else where the source fails.

        A source that hangs costs the time of one question. The next look begins after it.
        """
        found: dict[Key, Counts] = {}
        failed: SourceError | None = None
        for key in [key for key in self._next if self._done.get(key) != end]:
            left_s = until - self._monotonic()
            if failed is not None:
                self._note(key, Flaw.SOURCE_FAILED, str(failed))
                continue
            if left_s <= 0:
                break
            self._next.remove(key)
            self._next.append(key)
            try:
                counts = self._counts(key, end, min(_CALL_S, left_s))
            except (SourceError, InputError) as error:
                self.meters.failed += 1
                self._bound.pop(key, None)
                self._note(key, Flaw.SOURCE_FAILED, str(error))
                if isinstance(error, SourceError) and error.retryable:
                    failed = error
                else:
                    self._done[key] = end
                continue
            if isinstance(counts, Counts):
                found[key] = counts
            else:
                # What is wrong is so for a while: it is asked for again with the next bin.
                self._bound.pop(key, None)
                self._done[key] = end
                self._note(key, counts, flaw_words(counts))
        return found

    def _counts(self, key: Key, end: float, timeout_s: float) -> Counts | Flaw:
        objective = self._objectives[key]
        begin, _ = span_of(objective.window, end)
        return self._ledger.counts(
            self._counters_of(key, end, timeout_s),
            min(begin, end - LONGEST_S),
            end,
            timeout_s=timeout_s,
        )

    def _counters_of(self, key: Key, end: float, timeout_s: float) -> Counted:
        bound = self._bound.get(key)
        if bound is None or end - bound.at > _BOUND_S:
            counted = self._counters(self._objectives[key], end, timeout_s)
            if bound is not None and bound.counted != counted:
                self._ledger.forget(bound.counted)
            bound = self._bound[key] = _Bound(counted, end)
        return bound.counted

    def _note(self, key: Key, found: Flaw, why: str) -> None:
        """It is not known how it stands."""
        standing = standing_of(self._objectives[key], found, 0.0)
        self._show(key, standing, self._alert(key), why)

    def _show(self, key: Key, standing: Standing, alert: Alert | None, why: str) -> None:
        seen = Seen(standing=standing, looked_at=self._clock(), alert=alert, why=why)
        self._seen = {**self._seen, key: seen}

    def _follow(self, counted: Mapping[Key, Counts]) -> None:
        """How they stand, and what is to be told of it; `StoreError`: it is told later."""
        for key, counts in counted.items():
            standing = self._stood(key, counts)
            why = "" if standing.flaw is None else flaw_words(standing.flaw)
            self._show(key, standing, self._alert(key), why)
        store = self._store() if self._store is not None else None
        known = dict(self._own if store is None else store.of(_TENANT))
        steps = [self._step(key, counts, known.get(key)) for key, counts in counted.items()]
        steps += self._orphans(known)
        fresh = [step for step in steps if step.following != known.get((step.service, step.name))]
        if store is not None and fresh:
            store.keep(_TENANT, fresh)
        self.meters.told += sum(len(step.symptoms) for step in fresh)
        self._own |= {(step.service, step.name): step.following for step in steps}
        for key in counted:
            self._show(key, self._seen[key].standing, self._alert(key), self._seen[key].why)

    def _alert(self, key: Key) -> Alert | None:
        return self._own[key].alert if key in self._own else None

    def _stood(self, key: Key, counts: Counts) -> Standing:
        objective = self._objectives[key]
        return standing_of(objective, counts, span_of(objective.window, counts.end)[0])

    def _step(self, key: Key, counts: Counts, was: Following | None) -> BurnStep:
        standing = self._seen[key].standing
        course = course_of(counts, standing.objective.budget)
        following, alerts = followed(was, course, counts.end)
        return _told(standing, following, alerts)

    def _orphans(self, known: Mapping[Key, Following]) -> list[BurnStep]:
        """Alerts of objectives that are configured no more end: nobody looks at them again."""
        steps = []
        for (service, name), was in known.items():
            if (service, name) in self._objectives or was.alert is None or not was.alert.is_on:
                continue
            ended = replace(was.alert, ended=max(was.at, was.alert.begun))
            nothing = Objective(
                name=name,
                service=service,
                target=0.0,
                window=Rolling(seconds=0.0, text="0d"),
                indicator=OfSignal(signal=""),
            )
            standing = standing_of(nothing, Flaw.NO_OBJECTIVE, 0.0)
            following = Following(at=was.at + STEP_S, alert=ended)
            steps.append(_told(standing, following, (ended,)))
        return steps

    def _unknown(self) -> dict[str, str]:
        """Why nothing is known of an objective; that nobody asks for anything is no blindness."""
        blind = [seen for seen in self.seen if seen.standing.flaw not in (None, Flaw.NO_EVENTS)]
        return {_name(one.objective): one.why for one in blind}


def _told(standing: Standing, following: Following, alerts: Iterable[Alert]) -> BurnStep:
    return BurnStep(
        service=standing.objective.service,
        name=standing.objective.name,
        following=following,
        symptoms=tuple(burn_symptom(standing, alert) for alert in alerts),
    )


def _name(objective: Objective) -> str:
    if objective.name == objective.service:
        return objective.service
    return f"{objective.service} ({objective.name})"
