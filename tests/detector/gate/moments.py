"""Moments at which a pass is decided, made by hand: ten quiet minutes, of which one thing differs.

Six control pods and three of the canary serve ten requests a second each, three in a thousand fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from detector.gate.frame import Arm, Counts, Frame
from detector.gate.learn import Learned
from detector.gate.moment import Moment
from detector.gate.passing import holds
from detector.gate.policy import Policy
from detector.gate.reason import Reason
from detector.gate.request import Stage
from detector.gate.rule import ARM, Candidate
from detector.gate.state import State, Tally
from detector.gate.track import Track
from detector.gate.window import Rows, Window, window
from detector.series import FloatArray
from detector.signals.plan import Family, Plan
from detector.signals.signal import Shape
from models.sequential.bound import Interval, Outlook
from models.sequential.noise import Noise
from models.sequential.rows import ROWS, RowName
from models.sequential.shares import Start

__all__ = [
    "BINS",
    "EACH",
    "LIMIT",
    "RATE",
    "T0",
    "arm",
    "at_end",
    "codes",
    "moment",
    "only",
    "spread",
    "state",
    "windowed",
]

T0 = 1_790_000_000.0
STEP, BINS = 15.0, 40
# Requests of one pod in one bin, and the share of them that fails.
EACH, RATE = 150.0, 0.003
TOLERATE, LIMIT = 0.2, 0.7
PLAN = Plan(
    service="checkout",
    canary=(),
    control=((),),
    requests=Family(metric="http_requests_total", shape=Shape.COUNTER),
    signals=(),
)


def spread(pods: int, value: float) -> FloatArray:
    """The same value in every bin of every pod."""
    return np.full((pods, BINS), value)


def arm(
    name: str,
    pods: int,
    *,
    requests: FloatArray | None = None,
    failed: FloatArray | None = None,
    age: FloatArray | None = None,
    seen: FloatArray | None = None,
    newest: float = T0 + BINS * STEP,
) -> Arm:
    """One arm; pods are as old as the attempt, or as all data where it is the control."""
    served = spread(pods, EACH) if requests is None else requests
    errors = served * RATE if failed is None else failed
    began = (np.arange(BINS) + 1) * STEP if name == "canary" else np.full(BINS, np.inf)
    return Arm(
        pods=tuple(f"{name}-{at}" for at in range(pods)),
        born=np.full(pods, T0),
        age=np.tile(began, (pods, 1)) if age is None else age,
        seen=spread(pods, 1.0) if seen is None else seen,
        requests=served,
        counts={"error_rate": Counts(n=served, x=errors)},
        newest=newest,
    )


def state(name: str = "error_rate", row: RowName = RowName.ERROR, /, **changes: object) -> State:
    """A signal whose harm is known to be far below its limit.

    `judged`, `required`, `pod_sd`, `unrest` and `incidents` (of the last bins) are its track's.
    """
    shown = _track(name, row, changes)
    start = Start(0, 0)
    candidate = Candidate(
        bin=BINS - 1, track=shown, scope=ARM, start=start, log_e=-1.0, log_needed=7.0
    )
    base = State(
        track=shown,
        strongest=candidate,
        suspicion=-2.0,
        effect=Interval(0.0, -0.1, 0.1),
        bound=0.3,
        bound_now=0.3,
        unmasked=0.3,
        exposure_log_e=-1.0,
        tally=Tally(canary=np.array([1000.0, 3.0]), control=np.array([2000.0, 6.0])),
        counted=1000.0,
        bins=float(BINS),
        on_history=0.0,
        info=0.01,
        outlook=Outlook(requests=500.0, units=None),
        smallest=0.5,
        load=0.0,
        excused=0.0,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def _track(name: str, row: RowName, changes: dict[str, object]) -> Track:
    sd = changes.pop("pod_sd", 0.05)
    learned = Learned(
        row=ROWS[row].with_limits(TOLERATE, LIMIT),
        noise=Noise(tau_grid=np.array([sd]), rho=np.ones(1), sigma=0.1),
        arm=0.08,
        rate=RATE,
        eps0=5e-4,
        pods=6,
        unrest=float(changes.pop("unrest", 0.0)),  # type: ignore[arg-type]
    )
    track = Track(
        name=name,
        learned=learned,
        judged=bool(changes.pop("judged", True)),
        required=bool(changes.pop("required", True)),
        weight=0.3,
        tally=2,
        on_counts=row is not RowName.LATENCY,
        told_apart=True,
    )
    lately = changes.pop("incidents", None)
    if lately is not None:
        track.incidents = np.asarray(lately, dtype=np.float64)
    return track


def windowed(canary: Arm, control: Arm, scale: float = 1.0, **notes: int) -> Window:
    """Both arms as the judge sees them."""
    frame = Frame(
        start=T0,
        step=STEP * scale,
        first=0,
        interval=STEP * scale,
        canary=canary,
        control=control,
        notes=notes,
    )
    return window(frame, Rows(), scale, pods_told_apart=True)


def moment(
    *,
    canary: Arm | None = None,
    control: Arm | None = None,
    states: Mapping[str, State] | None = None,
    policy: Policy | None = None,
    notes: Mapping[str, int] | None = None,
    **changes: object,
) -> Moment:
    """Ten minutes after the start, nothing wrong but what is told."""
    rules = policy or Policy()
    ours, theirs = canary or arm("canary", 3), control or arm("control", 6)
    base = Moment(
        plan=PLAN,
        policy=rules,
        stage=Stage.STEP,
        as_of=T0 + BINS * STEP,
        evaluated_to=T0 + BINS * STEP,
        started_at=T0,
        exposure_since=T0,
        window=windowed(ours, theirs, rules.time_scale, **(notes or {})),
        states={"error_rate": state()} if states is None else states,
        missing=(),
        incompatible=False,
        burst=None,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def codes(m: Moment) -> list[str]:
    """Every reason, in the order in which people are told."""
    return [reason.code for reason in holds(m)]


def only(m: Moment) -> Reason:
    """The one reason."""
    (reason,) = holds(m)
    return reason


def at_end(values: Mapping[int, float], usual: float = EACH, pods: int = 3) -> FloatArray:
    """The usual value, but others in the last so many bins."""
    out = spread(pods, usual)
    for bins, value in sorted(values.items(), reverse=True):
        out[:, BINS - bins :] = value
    return out
