"""Verdicts by hand: what pods counted, judged by the very engine that answers controllers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from api.client.counts import World, discovery, world_of
from api.client.series import seconds_of
from api.client.verdict import Verdict
from detector.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from detector.gate.policy import Policy
    from detector.gate.request import VerdictRequest
    from pipelines.flows.gate import Gate
    from pipelines.sources.memory import MemorySource

__all__ = ["Told", "every_of", "follow", "judge", "policy_of"]

# Answers of one call: a day of a question each minute.
_MOST_POLLS = 1440
# Of samples in memory nothing is waited for; a busy machine must not change an answer.
_BOUND_S = 300.0
Told: TypeAlias = str | Mapping[str, object] | None


def judge(
    counts: pd.DataFrame,
    *,
    service: str = "service",
    policy: Told = None,
    as_of: datetime | None = None,
    stage: str = "step",
) -> Verdict:
    """Is this canary safe to go on?

    `counts` has times with a time zone as its index and the columns `arm` ("canary" or "control"),
    `pod`, `requests` and `errors`: what a pod counted since its row before, as scrapes of its
    counters differ. `policy` is one by its fields, `as_of` the moment that is judged: the last row
    unless told. `InputError` names what of it cannot be used.
    """
    world = world_of(counts, service)
    at = world.end if as_of is None else _second(as_of, "as_of")
    gate = _gate(world.source, lambda: at)
    return _asked(gate, _request(service, policy_of(policy), stage))


def follow(
    counts: pd.DataFrame,
    *,
    every: str | float | pd.Timedelta = "60s",
    service: str = "service",
    policy: Told = None,
    stage: str = "step",
) -> pd.DataFrame:
    """As `judge`, asked each `every` from the canary's first row to the last: a row an answer.

    The columns are those of `Client.verdicts`, and of errors `canary`, `control`, `effect`, `low`,
    `high`, `evidence` and `needed`.
    """
    import pandas as pd

    world, moved = world_of(counts, service), _Moved()
    gate, request = _gate(world.source, moved), _request(service, policy_of(policy), stage)
    rows = []
    for moved.at in _moments(world, every_of(every, world)):
        verdict = _asked(gate, request)
        rows.append(pd.concat([verdict.row, _of_errors(verdict)]))
    return pd.DataFrame(rows).reset_index(drop=True).astype(_dtypes(rows))


def every_of(told: str | float | pd.Timedelta, world: World) -> float:
    """Seconds between answers; `InputError` where a rollout would have too many of them."""
    every_s = seconds_of(told, "every")
    if (world.end - world.start) / every_s > _MOST_POLLS:
        words = f"every: {told} gives above {_MOST_POLLS} answers of one rollout; ask less often"
        raise InputError(words, field="every")
    return every_s


def _moments(world: World, every_s: float) -> Iterator[float]:
    polls = max(1, math.ceil((world.end - world.start) / every_s - 1e-9))
    yield from (min(world.start + (n + 1) * every_s, world.end) for n in range(polls))


def _of_errors(verdict: Verdict) -> pd.Series:
    """The figures of the error rate; missing ones where it was not looked at yet."""
    signals = verdict.signals
    names = ["canary", "control", "effect", "low", "high", "evidence", "needed"]
    found = signals.loc[signals["name"] == "error_rate", names]
    return found.reindex([0]).iloc[0] if found.empty else found.iloc[0]


def _dtypes(rows: list[Any]) -> dict[str, Any]:
    from api.client.columns import VERDICTS

    named = {one.name: one.dtype.value for one in VERDICTS}
    return {name: named.get(name, "float64") for name in rows[0].index}


class _Moved:
    """A clock that is moved by hand; unix seconds."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def _asked(gate: Gate, request: VerdictRequest) -> Verdict:
    from detector.gate.render import verdict_body

    return Verdict(dict(verdict_body(gate.judge(request), brief=False)))


def _request(service: str, policy: Policy, stage: str) -> VerdictRequest:
    from detector.gate.request import Stage, VerdictRequest

    if stage not in set(Stage):
        words = f"stage: {stage!r} is none of {', '.join(Stage)}"
        raise InputError(words, field="stage")
    return VerdictRequest(
        service=service, canary='{arm="canary"}', policy=policy, stage=Stage(stage)
    )


def policy_of(told: Told) -> Policy:
    """A policy by its fields; `InputError` names the first that cannot be.

    Counts have no durations, so that no pass waits for them unless the policy says so.
    """
    from api.bodies.policy import PolicyBody
    from api.cli.doors import filled
    from detector.gate.policy import SignalPolicy

    if isinstance(told, str):
        words = "policy: without a server there are no names; give its fields"
        raise InputError(words, field="policy")
    try:
        policy = filled(PolicyBody, told or {}).native()
    except InputError as error:
        field = f"policy.{error.field}".rstrip(".")
        raise InputError(f"{field}: {error}", field=field, semantic=True) from error
    latency = policy.signals.get("latency", SignalPolicy())
    if latency.required is not None:
        return policy
    unneeded = replace(latency, required=False)
    return replace(policy, signals={**policy.signals, "latency": unneeded})


def _gate(source: MemorySource, clock: Callable[[], float]) -> Gate:
    from detector.gate.session import Session
    from pipelines.flows.gate import Gate, GateSettings
    from pipelines.stores.memory import memory_stores

    return Gate(
        source=source,
        catalog=source,
        stores=memory_stores(),
        clock=clock,
        discover=discovery(),
        session_factory=Session,
        settings=GateSettings(bound_s=_BOUND_S),
    )


def _second(at: datetime, field: str) -> float:
    if at.utcoffset() is None:
        raise InputError(f"{field}: {at} has no time zone", field=field)
    return at.astimezone(UTC).timestamp()
