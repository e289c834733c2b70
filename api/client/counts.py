"""What pods counted, as a source of counters, and the plan by which it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from api.client.series import milliseconds_of, numbers_of
from detector.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from detector.gate.request import VerdictRequest
    from pipelines.flows.locate import Discover
    from pipelines.sources.memory import MemorySource

__all__ = ["World", "discovery", "world_of"]

_ARMS = ("canary", "control")
_COLUMNS = ("arm", "pod", "requests", "errors")
_MOST_PODS = 2000
_REQUESTS = "http_requests_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What pods counted, as a source; from the canary's first scrape to the last one (unix s)."""

    source: MemorySource
    start: float
    end: float


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
    strange = sorted(map(str, set(held["arm"].unique()) - set(_ARMS)))
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
