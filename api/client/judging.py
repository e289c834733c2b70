"""Verdicts by hand: what pods counted, judged by the very engine that answers controllers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from api.client.series import milliseconds_of, numbers_of, seconds_of
from api.client.verdict import Verdict
from detector.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from detector.gate.policy import Policy
    from detector.gate.request import VerdictRequest
    from pipelines.flows.gate import Gate
    from pipelines.flows.locate import Discover
    from pipelines.sources.memory import MemorySource

__all__ = [
    "ARMS",
    "Told",
    "World",
    "discovery",
    "every_of",
    "follow",
    "judge",
    "policy_of",
    "world_of",
]

ARMS = ("canary", "control")
_COLUMNS = ("arm", "pod", "requests", "errors")
# Answers of one call: a day of a question each minute.
_MOST_POLLS = 1440
_MOST_PODS = 2000
_REQUESTS = "http_requests_total"
# Of samples in memory nothing is waited for; a busy machine must not change an answer.
_BOUND_S = 300.0
Told: TypeAlias = str | Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What pods counted, as a source; from the canary's first scrape to the last one (unix s)."""

    source: MemorySource
    start: float
    end: float


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


def discovery() -> Discover:
    """What `counts` have: requests, of which some are errors, of two arms that are named."""
    from detector.ports import MetricCatalog
    from detector.selector import parse_selector
    from detector.series import Matcher, MatchOp
    from detector.signals.plan import BoundSignal, Family, Plan
    from detector.signals.signal import Absent, Kind, Shape, Signal, Unit

    requests = Family(metric=_REQUESTS, shape=Shape.COUNTER)
    errors = BoundSignal(
        signal=Signal(name="error_rate", kind=Kind.RATIO, required=True, absent=Absent.ZERO),
        pack="by hand",
        unit=Unit.POD,
        total=requests,
        bad=(Matcher("code", MatchOp.EQUAL, "500"),),
    )

    def discover(
        catalog: MetricCatalog,
        request: VerdictRequest,
        *,
        start: float,
        end: float,
        timeout_s: float,
    ) -> Plan:
        del catalog, start, end, timeout_s
        service = Matcher("service", MatchOp.EQUAL, request.service)
        return Plan(
            service=request.service,
            canary=(service, *parse_selector(request.canary, field="canary")),
            control=((service, Matcher("arm", MatchOp.EQUAL, "control")),),
            requests=requests,
            signals=(errors,),
        )

    return discover


def world_of(counts: pd.DataFrame, service: str) -> World:
    """Counts as a source of counters."""
    from pipelines.sources.memory import MemorySource

    held = _checked(counts)
    source = MemorySource(retention_s=float("inf"))
    for (arm, pod), rows in held.groupby(["arm", "pod"], sort=True):
        _add(source, {"service": service, "arm": str(arm), "pod": str(pod)}, rows)
    canary = held.loc[held["arm"] == "canary", "at"]
    return World(source=source, start=float(canary.min()), end=float(held["at"].max()))


def _add(source: MemorySource, labels: dict[str, str], rows: pd.DataFrame) -> None:
    """The counters of one pod, from 0 on: what its first row counted came in the step before."""
    at = rows["at"].to_numpy()
    if (np.diff(at) == 0).any():
        words = f"counts: pod {labels['pod']} has two rows of one time"
        raise InputError(words, field="counts")
    apart = float(np.median(np.diff(at))) if len(at) > 1 else 15.0
    times = np.concatenate([[at[0] - apart], at])
    good = rows["requests"].to_numpy() - rows["errors"].to_numpy()
    for code, counted in (("200", good), ("500", rows["errors"].to_numpy())):
        total = np.concatenate([[0.0], np.cumsum(counted)])
        source.add({"__name__": _REQUESTS, **labels, "code": code}, times, total)


def _checked(counts: pd.DataFrame) -> pd.DataFrame:
    """Rows by time in unix seconds; `InputError` for the first thing that is wrong with them."""
    import pandas as pd

    if not isinstance(counts, pd.DataFrame):
        raise InputError("counts: give a DataFrame of pandas", field="counts")
    lacks = [name for name in _COLUMNS if name not in counts.columns]
    if lacks:
        words = f"counts: there is no column {lacks[0]!r}; it needs {', '.join(_COLUMNS)}"
        raise InputError(words, field="counts")
    at = milliseconds_of(counts.index, "counts") / 1000
    held = counts.loc[:, list(_COLUMNS)].reset_index(drop=True).assign(at=at)
    held = held.sort_values("at", kind="stable")
    _check_arms(held)
    held = held.assign(**{name: _counted(held[name], name) for name in ("requests", "errors")})
    if (held["errors"] > held["requests"]).any():
        raise InputError("counts: a row has more errors than requests", field="counts")
    return held


def _check_arms(held: pd.DataFrame) -> None:
    strange = sorted(map(str, set(held["arm"].unique()) - set(ARMS)))
    if strange:
        words = f"counts: arm {strange[0]!r} is neither canary nor control"
        raise InputError(words, field="counts")
    if "canary" not in set(held["arm"]):
        raise InputError("counts: there is no row of the canary", field="counts")
    arms = held.groupby("pod")["arm"].nunique()
    if len(arms) > _MOST_PODS:
        raise InputError(f"counts: {len(arms)} pods, above {_MOST_PODS}", field="counts")
    if (arms > 1).any():
        words = f"counts: pod {arms.idxmax()!r} is on both arms"
        raise InputError(words, field="counts")


def _counted(values: pd.Series, name: str) -> NDArray[np.float64]:
    field = f"counts.{name}"
    found = numbers_of(values, field)
    if not (found >= 0).all():
        raise InputError(f"{field}: a count is missing, or below 0", field=field)
    return found


def _second(at: datetime, field: str) -> float:
    if at.utcoffset() is None:
        raise InputError(f"{field}: {at} has no time zone", field=field)
    return at.astimezone(UTC).timestamp()
