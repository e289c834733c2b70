"""The look back on what the gate judged, and on what became of it, from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace

from detector.backtest.shadow import (
    Aftermath,
    ShadowReport,
    Watched,
    canary_keys,
    shadow_report,
    truth_of,
)
from detector.errors import NotFoundError
from detector.gate.attempt import Attempt, Revision
from detector.gate.policy import Mode
from detector.gate.reason import ReasonCode
from detector.gate.record import Filter
from detector.gate.verdict import Outcome, Verdict
from detector.ports import Stores

__all__ = ["MOST", "look_back"]

# More rollouts are not looked at; the newest are.
MOST = 20_000
_PAGE = 200
_SERVED_S = 3600.0
_TOLD_ON = frozenset({Mode.SHADOW, Mode.ADVISE})


def look_back(
    stores: Stores,
    *,
    since: float,
    until: float,
    service: str | None = None,
    tenant: str | None = None,
    modes: Collection[Mode] = _TOLD_ON,
    incident: Callable[[Attempt], str] = lambda _: "",
    most: int = MOST,
) -> ShadowReport:
    """All attempts that were asked about in a span in some modes: by default, to go on anyway.

    `incident` names one that comes of an attempt. A rollback is no release.
    """
    wanted = Filter(
        tenant=tenant, service=service, since=since, until=until, limit=_PAGE, newest_only=True
    )
    looking = _Looking(stores=stores, until=until, incident=incident)
    watched = [
        found
        for verdict in _newest(stores, wanted, most)
        if (found := looking.at(verdict)) is not None and verdict.mode in modes
    ]
    return shadow_report(watched, since=since, until=until)


@dataclass(slots=True, kw_only=True)
class _Looking:
    """Looks at attempts, the newest first, and keeps little of each.

    `begun` is when the newest rollout of a service began so far, by tenant and service: what
    followed on an attempt has newer answers, so it was looked at before.
    """

    stores: Stores
    until: float
    incident: Callable[[Attempt], str]
    begun: dict[tuple[str, str], float] = field(default_factory=dict)

    def at(self, newest: Verdict) -> Watched | None:
        """What became of one by its newest verdict; None for a rollback, and for what is gone."""
        try:
            attempt = self.stores.attempts.get(newest.attempt)
        except NotFoundError:
            return None
        of = (attempt.identity.tenant, attempt.identity.service)
        is_followed = self.begun.get(of, 0.0) > attempt.last_asked
        if newest.started_at is not None:
            self.begun[of] = max(self.begun.get(of, 0.0), newest.started_at.timestamp())
        return None if attempt.rollback is not None else self._of(newest, attempt, is_followed)

    def _of(self, newest: Verdict, attempt: Attempt, is_followed: bool) -> Watched:
        keys, outcome = canary_keys(attempt), _outcome(newest, attempt)
        acts = newest.mode not in _TOLD_ON
        after = Aftermath(
            overrides=self.stores.overrides.of(attempt.id),
            incident=self.incident(attempt),
            served=any(_served(self.stores, attempt, key, self.until) for key in keys),
            followed=is_followed,
            is_known=bool(keys),
            was_stopped=acts and outcome is Outcome.FAIL,
        )
        truth, by = truth_of(after)
        return Watched(
            attempt=attempt.id,
            service=attempt.identity.service,
            revision=attempt.revision,
            at=newest.as_of.timestamp(),
            outcome=outcome,
            reason=str(newest.reason.code),
            truth=truth,
            by=by,
            policy=attempt.policy.name,
            acts=acts,
        )


def _newest(stores: Stores, wanted: Filter, most: int) -> Iterator[Verdict]:
    """The newest verdict of each attempt in the span."""
    for _ in range(-(-most // _PAGE)):
        page = stores.verdicts.list(wanted)
        yield from page.verdicts
        if page.next is None:
            return
        wanted = replace(wanted, after=page.next)


def _outcome(newest: Verdict, attempt: Attempt) -> Outcome:
    """What the gate judged itself; where a person decided it had not decided, as far as is kept."""
    if attempt.latch is not None:
        return Outcome.FAIL
    is_theirs = newest.reason.code == ReasonCode.OVERRIDDEN
    return Outcome.INCONCLUSIVE if is_theirs else newest.outcome


def _served(stores: Stores, attempt: Attempt, key: str, now: float) -> bool:
    """Whether a revision was the control of a later attempt, for an hour at least."""
    of, start = attempt.identity, attempt.started_at or attempt.asked_at
    like = Revision(
        tenant=of.tenant,
        cluster=of.cluster,
        namespace=of.namespace,
        service=of.service,
        key=key,
        since=now,
        until=now,
    )
    scale = attempt.policy.time_scale
    spans = stores.revisions.known(like, since=start)
    return any(span.until - max(span.since, start) >= _SERVED_S * scale for span in spans)
