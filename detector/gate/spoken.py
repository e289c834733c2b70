"""Single log templates beside a verdict, for a page: when, and on which side, they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.gate.curve import Curve, line_curves
from detector.gate.frame import Arm, Frame
from detector.series import FloatArray
from detector.signals.plan import Plan

__all__ = ["Course", "Spoken", "spoken"]

# What lies between two samples is spread over two bins: less is no line.
_TRACE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One template over time; times in unix seconds, None where that side never wrote it.

    `before`: lines of the control in the history before the attempt. `pods`: canary pods that wrote
    it since, of `of`.
    """

    template: str
    canary_first: float | None
    control_first: float | None
    control_last: float | None
    before: float
    pods: int
    of: int
    curve: Curve | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """Templates of one attempt, whose pods are on which side, and since when there is a control."""

    courses: tuple[Course, ...] = ()
    canary: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    since: float | None = None


def spoken(
    frame: Frame, plan: Plan, templates: Sequence[str], *, most: int, time_scale: float = 1.0
) -> Spoken:
    """What a frame knows of some templates; curves have about `most` points or fewer."""
    drawn = line_curves(frame, plan, templates, most=most, time_scale=time_scale)
    curves = {curve.signal: curve for curve in drawn}
    known = () if frame.lines is None else frame.lines.templates
    return Spoken(
        courses=tuple([_course(frame, one, curves.get(one)) for one in templates if one in known]),
        canary=frame.canary.pods,
        control=frame.control.pods,
        since=_times(frame, frame.control.seen)[0],
    )


def _course(frame: Frame, template: str, curve: Curve | None) -> Course:
    ours, theirs = (_lines(frame, template, canary=canary) for canary in (True, False))
    zero = max(0, -frame.first)
    canary, control = _times(frame, ours), _times(frame, theirs)
    return Course(
        template=template,
        canary_first=canary[0],
        control_first=control[0],
        control_last=control[1],
        before=float(theirs[:, :zero].sum()),
        pods=int(np.count_nonzero(ours[:, zero:].sum(axis=1) > _TRACE)),
        of=_seen(frame.canary, zero),
        curve=curve,
    )


def _lines(frame: Frame, template: str, *, canary: bool) -> FloatArray:
    """Lines of an arm's pods in all bins of the frame."""
    assert frame.lines is not None
    at = frozenset({frame.lines.templates.index(template)})
    arm = frame.canary if canary else frame.control
    return frame.lines.of(at, len(arm.pods), canary=canary)


def _times(frame: Frame, counts: FloatArray) -> tuple[float | None, float | None]:
    """When the first and the last bin begin in which any pod has some."""
    there = np.flatnonzero(counts.sum(axis=0) > _TRACE)
    if not len(there):
        return None, None
    first, last = (frame.start + (frame.first + int(at)) * frame.step for at in there[[0, -1]])
    return first, last


def _seen(arm: Arm, zero: int) -> int:
    return int(np.count_nonzero(arm.seen[:, zero:].sum(axis=1) > 0))
