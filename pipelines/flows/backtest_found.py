"""Past rollouts that nobody listed: attempts that the store remembers, or pods of a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from detector.backtest.course import PastRollout
from detector.discovery.census import census
from detector.discovery.looking import Look
from detector.discovery.survey import views
from detector.errors import NotFoundError
from detector.gate.attempt import Attempt
from detector.gate.record import Filter
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Verdict
from detector.ports import Stores
from detector.signals.packs import Pack
from pipelines.flows.history import History, past_rollout
from pipelines.sources.open import Source

__all__ = ["Found", "seen_rollouts", "stored_rollouts"]

_PAGE = 100
_SHORTEST_S = 60.0
_HOUR_S, _DAY_S = 3600.0, 86_400.0
_TIMEOUT_S = 60.0


def stored_rollouts(
    stores: Stores, *, most: int, now: float, service: str | None = None
) -> list[PastRollout]:
    """The newest attempts that are over, oldest first; each with its own policy and weights.

    An attempt ends at its deadline, or where it was asked about last.
    """
    found = (_rollout(stores, verdict, now) for verdict in _newest(stores, service))
    kept = list(islice((one for one in found if one is not None), most))
    return sorted(kept, key=lambda one: one.start)


def _newest(stores: Stores, service: str | None) -> Iterator[Verdict]:
    """The newest verdict of each attempt, the newest first."""
    after: str | None = None
    while True:
        page = stores.verdicts.list(
            Filter(service=service, after=after, limit=_PAGE, newest_only=True)
        )
        yield from page.verdicts
        if page.next is None:
            return
        after = page.next


def _rollout(stores: Stores, newest: Verdict, now: float) -> PastRollout | None:
    """None for what is not over, was never seen, or lasted no minute."""
    try:
        attempt = stores.attempts.get(newest.attempt)
        deadline = stores.verdicts.get(newest.id).seen.deadline
    except NotFoundError:
        return None
    end = attempt.last_asked if deadline is None else min(deadline, now)
    start = attempt.started_at
    is_over = newest.final or (deadline is not None and deadline <= now)
    if start is None or not is_over or end - start < _SHORTEST_S:
        return None
    return PastRollout(
        request=_request(attempt, start, end),
        start=start,
        end=end,
        weights=attempt.weights,
        name=" ".join(filter(None, (attempt.identity.service, attempt.revision))),
    )


def _request(attempt: Attempt, start: float, end: float) -> VerdictRequest:
    """The question as it was asked; a control that was told is in the plan."""
    of = attempt.identity
    return VerdictRequest(
        tenant=of.tenant,
        cluster=of.cluster,
        namespace=of.namespace,
        service=of.service,
        rollout=of.rollout,
        canary="{" + of.canary + "}",
        revision=attempt.revision,
        started_at=datetime.fromtimestamp(start, UTC),
        deadline=datetime.fromtimestamp(end, UTC),
        policy=attempt.policy,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rollouts that a source remembers, oldest first, and what was not looked at, in words."""

    rollouts: tuple[PastRollout, ...]
    skipped: tuple[str, ...]


def seen_rollouts(
    source: Source,
    packs: Sequence[Pack],
    *,
    most: int,
    now: float,
    days: float,
    service: str | None = None,
    namespace: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Found:
    """The newest rollouts of the last days, told by their pods' hashes, versions or starts.

    What became of each stands in its name; that it was taken back does not say that it was bad.
    """
    near = Look(catalog=source, start=now, end=now, timeout_s=_TIMEOUT_S)
    whole = replace(near, start=now - days * _DAY_S + _HOUR_S)
    found = census(near, packs, names=near.names())
    wanted = [one for one in found.sightings if service in {None, one.service}]
    held, skipped = views(whole, packs, wanted, whole=True)
    history = History(look=whole, source=source, left_s=lambda: _TIMEOUT_S, tell=tell)
    dug = history.dig({name: best[0] for name, best in held.items()}, most=most)
    rollouts = (
        replace(made, name=f"{made.name}, {one.ending.value}")
        for one in dug.read
        if (made := past_rollout(one, namespace)).end - made.start >= _SHORTEST_S
    )
    notes = [f"{one.what}: {one.why}" for one in (*found.skipped, *skipped, *dug.skipped)]
    return Found(rollouts=tuple(sorted(rollouts, key=lambda one: one.start)), skipped=tuple(notes))
