"""The look back on shadow mode, from what is stored."""

from __future__ import annotations

from collections.abc import Iterator

from detector.backtest.shadow import ShadowReport, Watched, canary_keys, shadow_report, truth_of
from detector.errors import NotFoundError
from detector.gate.attempt import Attempt, Revision
from detector.gate.policy import Mode
from detector.gate.record import Filter
from detector.gate.verdict import Outcome, Verdict
from detector.ports import Stores

__all__ = ["look_back"]

_PAGE = 200
_SERVED_S = 3600.0
_TOLD_ON = frozenset({Mode.SHADOW, Mode.ADVISE})


def look_back(
    stores: Stores, *, since: float, until: float, service: str | None = None
) -> ShadowReport:
    """All attempts that were asked about in a span while controllers were told to go on."""
    newest = list(_newest(stores, since, until, service))
    attempts = {verdict.attempt: _attempt(stores, verdict) for verdict in newest}
    watched = [
        _watched(stores, verdict, attempt, until)
        for verdict in newest
        if (attempt := attempts[verdict.attempt]) is not None and verdict.mode in _TOLD_ON
    ]
    return shadow_report(watched, since=since, until=until)


def _newest(stores: Stores, since: float, until: float, service: str | None) -> Iterator[Verdict]:
    """The newest verdict of each attempt in the span."""
    after: str | None = None
    while True:
        wanted = Filter(
            service=service,
            since=since,
            until=until,
            after=after,
            limit=_PAGE,
            newest_only=True,
        )
        page = stores.verdicts.list(wanted)
        yield from page.verdicts
        after = page.next
        if after is None:
            return


def _attempt(stores: Stores, verdict: Verdict) -> Attempt | None:
    try:
        return stores.attempts.get(verdict.attempt)
    except NotFoundError:
        return None


def _watched(stores: Stores, newest: Verdict, attempt: Attempt, now: float) -> Watched:
    keys = canary_keys(attempt)
    start = attempt.started_at or attempt.asked_at
    truth, by = truth_of(
        stores.overrides.of(attempt.id),
        served_after=any(_served(stores, attempt, key, start, now) for key in keys),
        followed=_followed(stores, attempt),
        is_known=bool(keys),
    )
    return Watched(
        attempt=attempt.id,
        service=attempt.identity.service,
        revision=attempt.revision,
        at=newest.as_of.timestamp(),
        outcome=Outcome.FAIL if attempt.latch is not None else newest.outcome,
        reason=str(newest.reason.code),
        truth=truth,
        by=by,
    )


def _served(stores: Stores, attempt: Attempt, key: str, start: float, now: float) -> bool:
    """Whether a revision was the control of a later attempt, for an hour at least."""
    of = attempt.identity
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


def _followed(stores: Stores, attempt: Attempt) -> bool:
    """Whether another attempt of the service came after this one had ended."""
    later = stores.verdicts.list(
        Filter(
            tenant=attempt.identity.tenant,
            service=attempt.identity.service,
            since=attempt.last_asked + 1,
            limit=_PAGE,
            newest_only=True,
        )
    )
    return any(
        verdict.attempt != attempt.id
        and verdict.started_at is not None
        and verdict.started_at.timestamp() > attempt.last_asked
        for verdict in later.verdicts
    )
