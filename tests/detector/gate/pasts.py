"""Memories of services made by hand: what `rollouts.py` draws, as it was hours and weeks ago."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from detector.gate.memory import Amount, Memory, Then, moments
from detector.series import FloatArray
from tests.detector.gate.rollouts import EDGES

__all__ = ["amount", "changed", "memory", "shifted", "steady"]


def amount(*, requests: float = 1e5, errors: float = 0.003, slower: float = 0.0) -> Amount:
    """What was counted in a span: errors, and lognormal latencies round 60 ms."""
    z = (np.log(EDGES) - np.log(0.06) - slower) / 0.7
    below = (*(requests * stats.norm.cdf(z)).tolist(), requests)
    ladder = tuple(zip((*EDGES.tolist(), math.inf), below, strict=True))
    return Amount(
        counts={"error_rate": (requests, requests * errors)},
        below={"latency": ladder, "tail95": ladder, "tail99": ladder},
    )


def memory(
    slower: Sequence[float] | FloatArray, *, errors: float = 0.003, requests: float = 1e5
) -> Memory:
    """The comparison at every moment: half an hour that was so much slower than before it."""
    before = amount(requests=4 * requests, errors=errors)
    then = tuple(
        Then(
            moment=moment,
            before=before,
            lately=amount(requests=requests, errors=errors),
            after=amount(requests=requests, errors=errors, slower=float(effect)),
            changed=False,
        )
        for moment, effect in zip(moments(0.0, 1.0), slower, strict=True)
    )
    return Memory(at=0.0, then=then)


def steady(*, wander: float = 0.01, errors: float = 0.003) -> Memory:
    """A service whose latency wandered by so much (sd of its log)."""
    rng = np.random.default_rng(11)
    return memory(rng.normal(0, wander, len(moments(0.0, 1.0))), errors=errors)


def changed(told: Memory) -> Memory:
    """The same memory of a service that was released at every moment."""
    return replace(told, then=tuple(replace(t, changed=True) for t in told.then))


def shifted(told: Memory, slower: FloatArray) -> Memory:
    """The same memory of a service that was so much slower after each moment than before it."""
    afters = [amount(errors=0.003, slower=float(effect)) for effect in slower]
    then = zip(told.then, afters, strict=True)
    return replace(told, then=tuple(replace(t, after=after) for t, after in then))
