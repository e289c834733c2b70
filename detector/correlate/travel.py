"""What of a callee's trouble its callers feel, and what of theirs it accounts for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.correlate.evidence import Calls, Kind, Scene
from detector.correlate.weighing import Pile

__all__ = ["fits", "share_of"]

Array = NDArray[np.float64]

# An excess that would show by so many spreads in a caller must show there.
_VISIBLE_SPREADS = 6.0
# Amounts are known to about a factor of 1.6: calls per request are taken from totals.
_AMOUNT_NOISE = 0.5


def fits(
    kind: Kind,
    services: Mapping[str, int],
    piles: Mapping[str, Pile],
    scene: Scene,
) -> Array:
    """How well trouble of a caller (row) agrees with coming from a callee (column): (n, n).

    1 where nothing is known of amounts, 0 where there are no calls or trouble of this kind stays.
    """
    agreed = np.zeros((len(services), len(services)))
    if kind in {Kind.RESOURCE, Kind.TRAFFIC}:
        return agreed
    served = _served_to(
        scene.calls,
        {name: told for name, told in scene.requests.items() if len(told) == len(scene.at)},
    )
    for call in scene.calls:
        if call.caller != call.callee:
            spot = services[call.caller], services[call.callee]
            told = scene.complaint is not None and scene.complaint.service == call.caller
            agreed[spot] = max(agreed[spot], _fit(kind, call, piles, served, told=told))
    return agreed


def _served_to(calls: Sequence[Calls], requests: Mapping[str, Array]) -> dict[str, Array]:
    """Calls of each callee on one request of any of its callers, by bins, where all is known."""
    asking: dict[str, Array] = {}
    for call in calls:
        if call.caller in requests:
            mine = np.nan_to_num(requests[call.caller])
            asking[call.callee] = asking.get(call.callee, np.zeros(1)) + mine
    return {
        callee: np.nan_to_num(requests[callee]) / np.maximum(asked, 1.0)
        for callee, asked in asking.items()
        if callee in requests
    }


def _fit(
    kind: Kind,
    call: Calls,
    piles: Mapping[str, Pile],
    per_request: Mapping[str, Array],
    *,
    told: bool,
) -> float:
    """How well the caller's excess agrees with coming from the callee, 0 to 1; 1 where unknown."""
    callee, caller = piles.get(call.callee), piles.get(call.caller)
    below = callee.amount if callee else None
    above = caller.amount if caller else None
    if below is None or above is None:
        return 1.0
    arriving = below.excess * (1.0 if kind is Kind.ERRORS else _calls_of(call, per_request))
    share = share_of(arriving, above.excess)
    if share is None or (above.odds <= 0.0 and not told):
        most, visible = arriving.max(initial=0.0), _VISIBLE_SPREADS * above.noise
        return float(most / visible) if most < visible else 1.0
    return float(np.exp(-0.5 * (min(0.0, np.log(max(share, 1e-9))) / _AMOUNT_NOISE) ** 2))


def _calls_of(call: Calls, per_request: Mapping[str, Array]) -> Array | float:
    if call.per_request is not None:
        return call.per_request
    return per_request.get(call.callee, np.float64(1.0))


def share_of(arriving: Array, felt: Array) -> float | None:
    """Of what the caller feels, in the bins where it feels most; None where it feels nothing."""
    if len(arriving) != len(felt) or float(felt.max(initial=0.0)) <= 0.0:
        return None
    worst = felt >= 0.5 * felt.max()
    return float(arriving[worst].sum() / felt[worst].sum())
