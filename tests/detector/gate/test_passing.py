"""What holds a pass back, and which reason is told first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.reason import ReasonCode
from tests.detector.gate.moments import (
    BINS,
    EACH,
    RATE,
    STEP,
    T0,
    arm,
    at_end,
    codes,
    moment,
    spread,
    state,
)

C = ReasonCode


def test_nothing_wrong_holds_nothing_back() -> None:
    """A healthy release goes on: no rule is a reason to wait for ever."""
    assert codes(moment()) == []


FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    C.STALE_DATA: lambda o: o.update(as_of=T0 + BINS * STEP + 136),
    C.NO_CANARY_DATA: lambda o: o.update(canary=replace(o["canary"], newest=-math.inf)),
    C.SIGNAL_MISSING: lambda o: o.update(missing=("latency",)),
    C.INCOMPATIBLE_HISTOGRAMS: lambda o: o.update(incompatible=True),
    C.SHARED_INCIDENT: lambda o: o["signal"].update(incidents=np.ones(8)),
    C.BUDGET_BURNING: lambda o: o.update(
        control=arm("control", 6, failed=at_end({20: 9.0}, EACH * RATE, 6))
    ),
    C.BURST: lambda o: o.update(burst="error_rate"),
    C.SUSPICIOUS: lambda o: o["signal"].update(suspicion=3.0),
    C.WARMING_UP: lambda o: o.update(canary=replace(o["canary"], age=spread(3, 100.0))),
    C.PARTIAL_DATA: lambda o: o.update(canary=replace(o["canary"], seen=at_end({9: 0.0}, 1.0))),
    C.COLLECTING: lambda o: o.update(exposure_since=T0 + 590),
    C.LOW_TRAFFIC: lambda o: o["signal"].update(bound=1.0),
}


@given(st.sets(st.sampled_from(sorted(FAULTS)), min_size=1), st.randoms(use_true_random=False))
def test_reasons_come_in_the_documented_order(chosen: set[str], random: Random) -> None:
    """What a person can mend comes before what only time mends, whatever else is wrong."""
    options: dict[str, Any] = {"canary": arm("canary", 3), "signal": {}}
    told = sorted(chosen)
    random.shuffle(told)
    for code in told:
        FAULTS[code](options)
    signal = options.pop("signal")
    found = codes(moment(states={"error_rate": state(**signal)}, **options))
    assert found == [code for code in ReasonCode if code in chosen]
