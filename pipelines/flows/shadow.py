"""The look back on what the gate judged, and on what became of it, from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

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
_Blames = Callable[[Attempt], str]


def look_back(
    stores: Stores,
    *,
    since: float,
    until: float,
    service: str | None = None,
    tenant: str | None = None,
    modes: Collection[Mode] = _TOLD_ON,
    incident: _Blames = lambda _: "",
    most: int = MOST,
) -> ShadowReport:
    """All attempts that were asked about in a span in some modes: by default, to go on anyway.

    `incident` names one that comes of an attempt. A rollback is no release.
    """
    wanted = Filter(
        tenant=tenant, service=service, since=since, until=until, limit=_PAGE, newest_only=True
    )
    newest = list(_newest(stores, wanted, most))
    attempts = {verdict.attempt: _attempt(stores, verdict) for verdict in newest}
    latest = _latest(newest, attempts)
    watched = [
        _watched(stores, verdict, attempt, until, _is_followed(attempt, latest), incident)
        for verdict in newest
        if (attempt := attempts[verdict.attempt]) is not None
        and attempt.rollback is None
        and verdict.mode in modes
    ]
    return shadow_report(watched, since=since, until=until)


def _newest(stores: Stores, wanted: Filter, most: int) -> Iterator[Verdict]:
    """The newest verdict of each attempt in the span."""
    for _ in range(-(-most // _PAGE)):
        page = stores.verdicts.list(wanted)
        yield from page.verdicts
        if page.next is None:
            return
        wanted = replace(wanted, after=page.next)


def _attempt(stores: Stores, verdict: Verdict) -> Attempt | None:
    try:
        return stores.attempts.get(verdict.attempt)
    except NotFoundError:
        return None


def _latest(
    newest: list[Verdict], attempts: Mapping[str, Attempt | None]
) -> dict[tuple[str, str], float]:
    """When the last rollout of each service began, by tenant."""
    found: dict[tuple[str, str], float] = {}
    for verdict in newest:
        attempt = attempts[verdict.attempt]
        if attempt is not None and verdict.started_at is not None:
            of = (attempt.identity.tenant, attempt.identity.service)
            found[of] = max(found.get(of, 0.0), verdict.started_at.timestamp())
    return found


def _is_followed(attempt: Attempt, latest: Mapping[tuple[str, str], float]) -> bool:
    """Whether another attempt of the service came after this one had ended."""
    of = (attempt.identity.tenant, attempt.identity.service)
    return latest.get(of, 0.0) > attempt.last_asked


def _watched(
    stores: Stores,
    newest: Verdict,
    attempt: Attempt,
    now: float,
    followed: bool,
    incident: _Blames,
) -> Watched:
    keys, outcome = canary_keys(attempt), _outcome(newest, attempt)
    start, acts = attempt.started_at or attempt.asked_at, newest.mode not in _TOLD_ON
    after = Aftermath(
        overrides=stores.overrides.of(attempt.id),
        incident=incident(attempt),
        served=any(_served(stores, attempt, key, start, now) for key in keys),
        followed=followed,
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


def _outcome(newest: Verdict, attempt: Attempt) -> Outcome:
    """What the gate judged itself; where a person decided it had not decided, as far as is kept."""
    if attempt.latch is not None:
        return Outcome.FAIL
    is_theirs = newest.reason.code == ReasonCode.OVERRIDDEN
    return Outcome.INCONCLUSIVE if is_theirs else newest.outcome


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
