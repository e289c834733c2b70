"""A shop in a few lines: data for notebooks and for trying things out, the same for each seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detector.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BEGIN", "Watched", "rollout", "usage", "watched"]

# A Monday.
BEGIN = "2026-03-02T00:00:00Z"
_HISTORY_M = 70
_SCRAPE_S = 15
# A gibibyte, of which disks fill up with some each day.
_GIB = 2.0**30


def rollout(
    *,
    seed: int,
    errors: float = 0.004,
    usual: float = 0.004,
    minutes: int = 30,
    canaries: int = 3,
    controls: int = 6,
    per_second: float = 20.0,
) -> pd.DataFrame:
    """What pods of a release counted each 15 s, as `client.judge` takes it.

    Of the requests of a canary pod a share of `errors` fails, of a control pod `usual`. The control
    is there for 70 minutes before, the canary comes at 10:00.
    """
    import pandas as pd

    if not (0 <= errors <= 1 and 0 <= usual <= 1):
        raise InputError("errors: a share of requests is between 0 and 1", field="errors")
    if not (1 <= minutes <= 1440 and 1 <= canaries <= 100 and 1 <= controls <= 100):
        raise InputError("minutes: a day at most, and 1 to 100 pods an arm", field="minutes")
    rng = np.random.default_rng(seed)
    pods = [("control", n, -_HISTORY_M, usual) for n in range(controls)]
    pods += [("canary", n, 0, errors) for n in range(canaries)]
    counted = [
        _pod(rng, arm, f"shop-{_hash(arm)}-{n}", begin, minutes, share, per_second)
        for arm, n, begin, share in pods
    ]
    return pd.concat(counted).sort_index(kind="stable")


def _hash(arm: str) -> str:
    return "6d9f7c" if arm == "canary" else "5c4b8d"


def _pod(
    rng: Generator, arm: str, pod: str, begin: int, end: int, share: float, per_second: float
) -> pd.DataFrame:
    import pandas as pd

    at = np.arange(60 * begin + rng.integers(1, _SCRAPE_S), 60 * end, _SCRAPE_S)
    requests = rng.poisson(per_second * _SCRAPE_S, len(at))
    index = pd.Timestamp(BEGIN) + pd.to_timedelta(at + 36_000, unit="s")
    counted = {
        "arm": arm,
        "pod": pod,
        "requests": requests,
        "errors": rng.binomial(requests, share),
    }
    return pd.DataFrame(counted, index=pd.DatetimeIndex(index.as_unit("ns"), name="at"))


@dataclass(frozen=True, slots=True)
class Watched:
    """`values`: metrics by minute. `faults`: how far each is off, `since` when and `until`."""

    values: pd.DataFrame
    faults: pd.DataFrame

    def found(self, anomalies: pd.DataFrame, *, within: str = "15min") -> pd.DataFrame:
        """The faults, with how many minutes `late` each was told, missing where it was not.

        An anomaly is of a fault where it began `within` that time after it, in the same metric;
        `attrs["false"]` is how many are of none.
        """
        import pandas as pd

        spans = anomalies[["metric", "since"]].merge(self.faults, on="metric", suffixes=("", "_of"))
        after = spans["since"] - spans["since_of"]
        told = spans[(after >= pd.Timedelta(0)) & (after <= pd.Timedelta(within))]
        late = (told["since"] - told["since_of"]).dt.total_seconds() / 60
        first = late.groupby(told["metric"]).min()
        faults = self.faults.assign(late=self.faults["metric"].map(first).astype("float64"))
        faults.attrs["false"] = len(anomalies) - len(told)
        return faults


def watched(*, seed: int, days: int = 14, metrics: int = 4) -> Watched:
    """Metrics of a shop with a day and a week in them, and a fault of each in the second half."""
    import pandas as pd

    if not (2 <= days <= 365 and 1 <= metrics <= 100):
        raise InputError("days: 2 to 365, and 1 to 100 metrics", field="days")
    rng = np.random.default_rng(seed)
    index = pd.date_range(BEGIN, periods=1440 * days, freq="1min", name="at").as_unit("ns")
    values, faults = {}, []
    for number in range(metrics):
        name = f"metric_{number}"
        level = 100.0 * _rhythm(np.arange(len(index)) / 60, 0.3, 0.15)
        values[name] = level + 4.0 * _noise(rng, len(index), 0.5)
        first = int(rng.integers(len(index) // 2, len(index) - 180))
        last = first + int(rng.integers(20, 120))
        by = float(rng.choice([-1.0, 1.0]) * rng.uniform(25, 50))
        values[name][first:last] += by
        faults.append((name, index[first], index[last - 1], by))
    told = pd.DataFrame(faults, columns=["metric", "since", "until", "by"])
    told = told.astype({"metric": "string"})
    return Watched(pd.DataFrame(values, index=index), told)


def usage(*, seed: int, weeks: int = 8, kind: str = "traffic") -> pd.Series:
    """Usage by hour: "traffic" with a day and a week in it, or a "disk" that fills up (bytes)."""
    import pandas as pd

    if not 1 <= weeks <= 520:
        raise InputError("weeks: 1 to 520", field="weeks")
    rng, hours = np.random.default_rng(seed), np.arange(168 * weeks)
    match kind:
        case "traffic":
            values = 200.0 * _rhythm(hours, 0.4, 0.2) * (1 + hours / 168 * 0.01)
            values *= np.exp(0.05 * _noise(rng, len(hours), 0.7))
        case "disk":
            pace = 0.15 * np.exp(0.25 * _noise(rng, len(hours), 0.95))
            written = _rhythm(hours, 0.5, 0.3) * pace * rng.gamma(4.0, 0.25, len(hours))
            values = _GIB * (300 + np.cumsum(written))
        case _:
            raise InputError(f"kind: {kind!r} is neither 'traffic' nor 'disk'", field="kind")
    index = pd.date_range(BEGIN, periods=len(hours), freq="1h", name="at").as_unit("ns")
    return pd.Series(values, index=index, name=kind)


def _rhythm(hours: NDArray[Any], day: float, week: float) -> NDArray[np.float64]:
    """A level of 1 that is highest in the afternoon and sinks towards the weekend."""
    of_day = np.cos(2 * np.pi * (hours - 15) / 24)
    of_week = np.clip(np.cos(2 * np.pi * (hours - 144) / 168), 0, None) ** 2
    level: NDArray[np.float64] = 1 + day * of_day - week * of_week
    return level


def _noise(rng: Generator, count: int, kept: float) -> NDArray[np.float64]:
    """Standard noise of which each value keeps a part of the one before."""
    new = rng.standard_normal(count) * np.sqrt(1 - kept**2)
    noise = np.empty(count)
    last = 0.0
    for place, one in enumerate(new):
        noise[place] = last = kept * last + one
    return noise
