"""Weeks looked back on: what teams were told, what came of policies, sent and asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from api.correlating import Correlating
from api.settings import Settings
from detector.alerts.digest import Digest
from detector.alerts.history import History
from detector.backtest.shadow import Watched, scores_of
from detector.errors import InputError, NotFoundError, StoreError
from detector.explain.teams import Span, team_digests
from detector.explain.weekly import SPAN_S, WeeklyAt
from detector.gate.attempt import Attempt
from detector.gate.policy import Mode
from detector.gate.scored import PolicyScore
from detector.ports import Clock, Stores
from pipelines.flows.blamed import Blamed
from pipelines.flows.shadow import MOST, look_back
from pipelines.flows.team_weeks import TeamWeeks, histories_of
from pipelines.notify.rounds import Rounds, Week

__all__ = ["ASKED_MOST", "Weekly", "weekly_of"]

# Rollouts of four weeks that one question looks at: each is several looks into the store.
ASKED_MOST = 1000
_FIRST = date(2010, 1, 1)
# What the gate has to say is told without incidents then.
_PATIENCE_S = 3600.0
_USUAL = WeeklyAt(day=0, hour=9, minute=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """The weeks of one process; `correlating` is None without a stream."""

    settings: Settings
    stores: Stores
    clock: Clock
    correlating: Correlating | None = None

    def join(self, rounds: Rounds) -> None:
        """Have both notices told: that of the gate, and that of each team."""
        rounds.watched = self.watched
        teams = self._teams()
        if teams is not None:
            rounds.weeks.append(Week(moment=teams.moment, posts=teams.posts))

    def span(self, day: date | None = None) -> Span:
        """The last whole week or, so far, that in which a day ends.

        `InputError` for one that has not begun, and for one of before there were any.
        """
        now, moment = self.clock(), self.settings.alerts.digest.moment or _USUAL
        if day is None:
            until = moment.before(now)
            return Span(since=moment.before(until - 1.0), until=until)
        if day < _FIRST:
            raise InputError(f"{day} is before {_FIRST}", field="week", semantic=True)
        if day > datetime.fromtimestamp(now, UTC).date():
            raise InputError(f"{day} is not yet", field="week", semantic=True)
        ends = datetime.combine(day, time(), UTC) + timedelta(days=1)
        since = moment.before(min(now, ends.timestamp() - 0.001))
        return Span(since=since, until=min(now, moment.after(since)))

    def digests(self, tenant: str, span: Span, team: str | None) -> tuple[Digest, ...]:
        """Of each team of a tenant, or of one; none where no rules say who is told."""
        if self.correlating is None:
            return ()
        history = histories_of(self.correlating.kept).get(tenant, History())
        return team_digests(history, span, team=team, public_url=self._url)

    def scores(self, tenant: str, span: Span) -> tuple[PolicyScore, ...]:
        """What came of each policy in the four weeks before the end of a span."""
        since = span.until - SPAN_S
        return scores_of(self.watched(since, span.until, tenant=tenant, most=ASKED_MOST))

    def watched(
        self, since: float, until: float, *, tenant: str | None = None, most: int = MOST
    ) -> tuple[Watched, ...]:
        """Rollouts of a span, in whatever mode, with what became of them; `StoreError`."""
        return look_back(
            self.stores,
            since=since,
            until=until,
            tenant=tenant,
            modes=frozenset(Mode),
            incident=self._blamed(since, until),
            most=most,
        ).watched

    def _blamed(self, since: float, until: float) -> Callable[[Attempt], str]:
        """By incidents where there are any; a stream that does not open is not waited for long."""
        if self.correlating is None:
            return lambda _: ""
        try:
            store = self.correlating.store
        except StoreError:
            if self.clock() < until + _PATIENCE_S:
                raise
            return lambda _: ""
        return Blamed(store, self.stores.changes, since=since).incident

    @property
    def _url(self) -> str:
        return self.settings.notify.public_url or ""

    def _teams(self) -> TeamWeeks | None:
        """None where nobody is told by rules, or never."""
        alerts, correlating = self.settings.alerts, self.correlating
        tree, moment = alerts.native().route, alerts.digest.moment
        if correlating is None or tree is None or moment is None:
            return None
        return TeamWeeks(
            stores=lambda: correlating.kept,
            tree=tree,
            routes=tuple(one.route for one in self.settings.notify.native()),
            moment=moment,
            clock=self.clock,
            public_url=self._url,
        )


def weekly_of(weekly: Weekly | None) -> Weekly:
    """Where nothing is kept there are no weeks."""
    if weekly is None:
        raise NotFoundError("This serinus keeps no weeks.")
    return weekly
