"""The plan: which metric families of one service are read, and which signals they feed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from detector.series import HashedOnce, Matcher, Query
from detector.signals.signal import Shape, Signal, Unit

__all__ = ["AgeGrowth", "ArmName", "BoundSignal", "Family", "Missing", "Plan", "Reading"]


class ArmName(StrEnum):
    """The two arms of a rollout."""

    CANARY = "canary"
    CONTROL = "control"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(HashedOnce):
    """One metric of the service, both arms.

    `matchers` always apply (scope of the service, the pack's own, health checks left out).
    With `joined` False the arms' selectors are matched against the series themselves; with
    `joined` True the series carry only pod names (container metrics) and are assigned by pod.
    `pod_label` names the pod; where a series lacks it the first of `pod_fallback` is used.
    `scale` turns the metric's unit into seconds, bytes or cores.
    `health` leaves out health-check traffic by series label (client side, RE2, any match drops).
    """

    metric: str
    shape: Shape
    matchers: tuple[Matcher, ...] = ()
    joined: bool = False
    pod_label: str = "pod"
    pod_fallback: tuple[str, ...] = ("instance",)
    scale: float = 1.0
    health: tuple[Matcher, ...] = ()

    __hash__ = HashedOnce.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeGrowth:
    """How much `starts` stable starts grew in one ten minutes of age, `window` from 0 (log).

    `variance` of what one more start would show. The last window is of every age beyond.
    """

    window: int
    median: float
    variance: float
    starts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundSignal:
    """A signal with the families that feed it.

    RATIO: `total` counts requests; the bad ones are the series of `bad_in` (None: of `total`),
    and of each family of `also`, that match every matcher of `bad`. LATENCY: `total` is the bucket
    family. EVENTS: `total` counts events (exposure is pod time), each family of `also` is added;
    with `apart` it counts lines, told apart by the values of that label (exposure is requests).
    GAUGE: `total` is the gauge, or a counter whose rate is the gauge (CPU seconds), normalised by
    `load` if given; of one that grows, `usual` is what earlier starts of the service did.
    """

    signal: Signal
    pack: str
    unit: Unit
    total: Family
    bad: tuple[Matcher, ...] = ()
    bad_in: Family | None = None
    also: tuple[Family, ...] = ()
    load: Family | None = None
    usual: tuple[AgeGrowth, ...] = ()
    apart: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A signal that was not bound, and why, in words for people."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(HashedOnce):
    """One query to send: a family with an arm's selector, or by pod names (`arm` None)."""

    family: Family
    arm: ArmName | None
    query: Query

    __hash__ = HashedOnce.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is read and judged for one attempt; fixed when the attempt starts.

    `requests` is the family whose counts are the traffic (it decides pods and load);
    `start_time` gives container starts where the service exposes them. `weight` selects the
    gauge in which the controller shows the canary's weight in per cent, None where there is none.
    `cohort` is the label whose values are users, or groups of them, where cohorts are compared.
    """

    service: str
    canary: tuple[Matcher, ...]
    control: tuple[tuple[Matcher, ...], ...]
    requests: Family
    signals: tuple[BoundSignal, ...]
    start_time: Family | None = None
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()
    unit: Unit = Unit.POD
    weight: Query | None = None
    cohort: str | None = None
