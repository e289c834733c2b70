"""Small rollouts whose pods write to their logs: frames with error lines of several templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detector.gate.frame import Arm, Counts, Frame
from detector.gate.talk import Lines
from detector.series import FloatArray
from detector.signals.plan import BoundSignal, Family
from detector.signals.signal import Absent, Kind, Shape, Signal, Unit
from tests.detector.gate.rollouts import PLAN, Recipe, make

__all__ = ["LOGGED", "LOGS", "NEW", "Talk", "logged"]

WRITTEN = Family(metric="serinus_log_lines_total", shape=Shape.COUNTER, joined=True)
LOGS = BoundSignal(
    signal=Signal(name="log_templates", kind=Kind.EVENTS, absent=Absent.ZERO),
    pack="serinus-logs",
    unit=Unit.POD,
    total=WRITTEN,
    apart="template",
)
LOGGED = replace(PLAN, signals=(*PLAN.signals, LOGS))
NEW = "lt_00000000000000ff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """Error lines per request of each template: of both arms, and of the canary alone.

    `spread`: sd of the log by which pods differ in the former; `later`: from which bin on the
    canary's own begin; `pods`: which of its pods write them, None for all.
    """

    both: Mapping[str, float] = field(default_factory=lambda: {"lt_0a": 2e-3, "lt_0b": 2e-4})
    canary: Mapping[str, float] = field(default_factory=dict)
    spread: float = 0.0
    later: int = 0
    pods: Sequence[int] | None = None
    seed: int = 5


def logged(recipe: Recipe, talk: Talk) -> Frame:
    """The rollout of a recipe, with what its pods write."""
    frame = make(recipe)
    rng = np.random.default_rng([talk.seed, recipe.seed])
    names = tuple(sorted({*talk.both, *talk.canary}))
    ours, theirs = (_lines(rng, frame, talk, names, canary=c) for c in (True, False))
    pods = len(ours), len(theirs)
    counts = np.concatenate([one.reshape(-1, frame.bins) for one in (ours, theirs)])
    lines = Lines(
        templates=names,
        template=np.tile(np.arange(len(names)), sum(pods)),
        pod=np.repeat(np.concatenate([np.arange(n) for n in pods]), len(names)),
        canary=np.repeat(np.arange(sum(pods)) < pods[0], len(names)),
        counts=counts,
    )
    canary, control = _told(frame.canary, ours), _told(frame.control, theirs)
    return replace(frame, canary=canary, control=control, lines=lines)


def _lines(
    rng: np.random.Generator, frame: Frame, talk: Talk, names: Sequence[str], *, canary: bool
) -> FloatArray:
    """Lines by pod, template and bin."""
    arm = frame.canary if canary else frame.control
    out = np.zeros((len(arm.pods), len(names), frame.bins))
    late = np.arange(frame.bins) + frame.first >= talk.later
    for at, name in enumerate(names):
        each = np.exp(talk.spread * rng.standard_normal((len(arm.pods), 1)))
        mean = talk.both.get(name, 0.0) * each * arm.requests
        more = talk.canary.get(name, 0.0) * late * arm.requests
        if canary and talk.pods is not None:
            more = more * np.isin(np.arange(len(arm.pods)), talk.pods)[:, None]
        out[:, at] = rng.poisson(mean + (more if canary else 0.0))
    return out


def _told(arm: Arm, lines: FloatArray) -> Arm:
    counts = Counts(n=arm.requests, x=lines.sum(axis=1))
    return replace(arm, counts={**arm.counts, "log_templates": counts})
