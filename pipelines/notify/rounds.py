"""What no question brings up: rollouts gone silent, weekly notices, and shares for metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import structlog

from detector.backtest.shadow import Watched
from detector.errors import NotFoundError, StoreError
from detector.explain.weekly import (
    QUIET_S,
    SPAN_S,
    WEEK_S,
    Shares,
    WeeklyAt,
    ailing_of,
    digests,
    shares_of,
)
from detector.gate.attempt import Attempt
from detector.gate.record import Filter
from detector.gate.telling import Notice, Post, Route, addressed, silence_of
from detector.gate.verdict import Outcome, Verdict
from detector.ports import Clock, Outbox, Stores

__all__ = ["MOST", "Rounds", "Week"]

EVERY_S = 60.0
# More rollouts of four weeks are not looked at; the newest are.
MOST = 20_000
_PAGE = 500
# An attempt that fell silent longer ago is no news: somebody has dealt with it.
_SILENT_S = 7200.0
_SHARES_EVERY_S = 300.0


@dataclass(slots=True, kw_only=True)
class Week:
    """What is told once a week: `posts` makes it, for the moment that it is due, unix seconds.

    It may be made again, after a restart or by another replica: notices have fixed names.
    """

    moment: WeeklyAt
    posts: Callable[[float], Sequence[Post]]
    _done: float = -float("inf")

    def tell(self, outbox: Outbox, now: float) -> None:
        """Put what is due into the outbox, once; `StoreError`: it is tried at the next look."""
        at = self.moment.before(now)
        if self._done < at:
            outbox.put(list(self.posts(at)))
            self._done = at


@dataclass(slots=True, kw_only=True)
class Rounds:
    """Looks at what is stored, once a minute. Several replicas may: notices have fixed names.

    `watched` are rollouts of a span (unix seconds) with what became of them, for the weekly notice
    of the gate; `weeks` is what else is told once a week.
    """

    stores: Stores
    clock: Clock
    routes: Sequence[Route] = ()
    weekly: WeeklyAt | None = None
    watched: Callable[[float, float], Sequence[Watched]] = lambda since, until: ()
    weeks: list[Week] = field(default_factory=list)
    shares: Shares = field(default_factory=lambda: Shares(ended=0, inconclusive={}))
    _counted_at: float = -float("inf")

    def __post_init__(self) -> None:
        if self.weekly is not None:
            self.weeks = [Week(moment=self.weekly, posts=self._of_gate), *self.weeks]

    def run(self, stopped: threading.Event) -> None:
        """Until it is stopped; a store that fails is waited for."""
        log = structlog.get_logger("serinus.notify")
        while True:
            try:
                self.turn()
            except StoreError as error:
                log.warning("stored verdicts cannot be read", error=str(error))
            if stopped.wait(EVERY_S):
                return

    def turn(self) -> None:
        """One look."""
        now = self.clock()
        if now - self._counted_at >= _SHARES_EVERY_S:
            self._counted_at = now
            # Without their signals: thousands of rollouts need not be in memory whole.
            light = [replace(v, signals=()) for v in self._newest(now - WEEK_S)]
            self.shares = shares_of(light, now=now)
        if not self.routes:
            return
        for notice in self._silent(now):
            self.stores.outbox.put(addressed(notice, self.routes))
        for week in self.weeks:
            self._tell(week, now)

    def _tell(self, week: Week, now: float) -> None:
        """One that cannot be told yet holds up nothing else."""
        try:
            week.tell(self.stores.outbox, now)
        except StoreError as error:
            log = structlog.get_logger("serinus.notify")
            log.warning("the weekly notice cannot be made yet", error=str(error))

    def _of_gate(self, at: float) -> list[Post]:
        """Who never gets a verdict, and what came of those that were given."""
        ailing = ailing_of(list(self._newest(at - SPAN_S, until=at)), at=at)
        watched = self.watched(at - SPAN_S, at)
        return list(digests(ailing, self.routes, at=at, watched=watched))

    def _silent(self, now: float) -> Iterator[Notice]:
        """Attempts that were polled for a while, and that nobody asks about any more."""
        followed: set[tuple[str, str | None]] = set()
        for verdict in self._newest(now - _SILENT_S):
            name = (verdict.service, verdict.rollout)
            if name in followed:
                continue
            followed.add(name)
            if verdict.answer is Outcome.INCONCLUSIVE and not verdict.final:
                notice = self._silence(verdict, now)
                if notice is not None:
                    yield notice

    def _silence(self, verdict: Verdict, now: float) -> Notice | None:
        try:
            attempt = self.stores.attempts.get(verdict.attempt)
        except NotFoundError:
            return None
        return silence_of(verdict, attempt, now=now) if _is_silent(attempt, now) else None

    def _newest(self, since: float, until: float | None = None) -> Iterator[Verdict]:
        """The newest verdict of each attempt, newest first."""
        wanted = Filter(since=since, until=until, limit=_PAGE, newest_only=True)
        for _ in range(MOST // _PAGE):
            page = self.stores.verdicts.list(wanted)
            yield from page.verdicts
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)


def _is_silent(attempt: Attempt, now: float) -> bool:
    quiet = QUIET_S * attempt.policy.time_scale
    polled = attempt.last_asked - attempt.asked_at
    return polled >= quiet and now - attempt.last_asked >= quiet
