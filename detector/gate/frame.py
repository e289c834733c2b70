"""The frame: raw samples of one attempt as arrays, pods by bins, one arm beside the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from detector.gate.talk import Lines
from detector.series import FloatArray

__all__ = ["Arm", "Counts", "Frame", "Histogram", "truncated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Exposure `n` (requests, or pod-hours) and events `x`, each of shape (pods, bins)."""

    n: FloatArray
    x: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Requests per latency bucket, not cumulative: `counts` (pods, bins, len(edges) + 1).

    `edges` are the finite upper edges in seconds, ascending; the last bucket is beyond them.
    """

    edges: FloatArray
    counts: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm; pods in order of first sample (equal births: by name).

    `born`: unix seconds of the container's first start, -inf where it began before all data.
    `age`: (pods, bins) seconds since the latest container start at the bin's end, NaN before it.
    `seen`: (pods, bins) share of the bin that samples cover, 0..1.
    `requests`: (pods, bins). Dicts are keyed by signal name; gauges are NaN where absent.
    `newest`: unix seconds of the newest sample, -inf for none.
    """

    pods: tuple[str, ...]
    born: FloatArray
    age: FloatArray
    seen: FloatArray
    requests: FloatArray
    counts: Mapping[str, Counts] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    gauges: Mapping[str, FloatArray] = field(default_factory=dict)
    newest: float = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Both arms over the bins `first .. first + T - 1`; bin 0 starts at `start` (unix seconds).

    Bins are `step` seconds wide; negative bins are history. All arrays share T columns.
    `interval` is the median scrape interval in seconds. `lines`: what pods wrote to their logs,
    None where nobody counts it.
    """

    start: float
    step: float
    first: int
    interval: float
    canary: Arm
    control: Arm
    notes: Mapping[str, int] = field(default_factory=dict)
    lines: Lines | None = None

    @property
    def bins(self) -> int:
        """Number of columns."""
        return int(self.canary.requests.shape[1])


def truncated(frame: Frame, end: int) -> Frame:
    """The frame's bins before `end` (a bin number); views, nothing is copied."""
    keep = end - frame.first
    if keep >= frame.bins:
        return frame
    return replace(
        frame,
        canary=_truncated_arm(frame.canary, keep),
        control=_truncated_arm(frame.control, keep),
        lines=None if frame.lines is None else frame.lines.between(0, keep),
    )


def _truncated_arm(arm: Arm, keep: int) -> Arm:
    return replace(
        arm,
        age=arm.age[:, :keep],
        seen=arm.seen[:, :keep],
        requests=arm.requests[:, :keep],
        counts={k: Counts(n=c.n[:, :keep], x=c.x[:, :keep]) for k, c in arm.counts.items()},
        histograms={
            k: Histogram(edges=h.edges, counts=h.counts[:, :keep])
            for k, h in arm.histograms.items()
        },
        gauges={k: g[:, :keep] for k, g in arm.gauges.items()},
    )
