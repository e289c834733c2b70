"""What can be wrong with a canary of the demo, and how each of its pods then behaves."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from detector.errors import InputError

__all__ = ["Behaviour", "Fault", "behaviour", "fault_named"]

# What a healthy pod does: a few requests fail, and no two pods are quite alike.
ERROR_SHARE = 0.003
LATENCY_SPREAD = 0.02
ERROR_SPREAD = 0.05


class Fault(StrEnum):
    """The regression of a bad version; `leak` ends in restarts, `one-pod` hits the eldest.

    `logs` shows in the log alone: every answer is right, and none comes later.
    """

    NONE = "none"
    ERRORS = "errors"
    LATENCY = "latency"
    LEAK = "leak"
    ONE_POD = "one-pod"
    LOGS = "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How a pod answers: its latency as a factor, its share of errors, bytes lost per request.

    `query`: how much longer the database takes, as a share of what a request takes in health.
    `lost_receipts`: the share of requests whose receipt is not sent, of which only the log tells.
    """

    latency: float = 1.0
    query: float = 0.0
    errors: float = ERROR_SHARE
    leak_bytes: int = 0
    lost_receipts: float = 0.0


def fault_named(word: str) -> Fault:
    """The fault of that name; `InputError` names the others."""
    try:
        return Fault(word)
    except ValueError:
        known = ", ".join(Fault)
        raise InputError(f"fault {word!r} is unknown; there are {known}", field="fault") from None


def behaviour(fault: Fault, pod: str, *, index: int) -> Behaviour:
    """What the pod of that name does, `index` counting the pods of its version from 0."""
    draw = random.Random(pod)
    latency = draw.lognormvariate(0.0, LATENCY_SPREAD)
    errors = ERROR_SHARE * draw.lognormvariate(0.0, ERROR_SPREAD)
    match fault:
        case Fault.NONE:
            return Behaviour(latency=latency, errors=errors)
        case Fault.ERRORS:
            return Behaviour(latency=latency, errors=errors + 0.05)
        case Fault.LATENCY:
            return Behaviour(latency=latency, query=0.8, errors=errors)
        case Fault.LEAK:
            leak = round(200_000 * draw.uniform(0.7, 1.3))
            return Behaviour(latency=latency, errors=errors, leak_bytes=leak)
        case Fault.ONE_POD if index == 0:
            return Behaviour(latency=latency * 1.3, errors=errors + 0.25)
        case Fault.LOGS:
            return Behaviour(latency=latency, errors=errors, lost_receipts=0.05)
        case Fault.ONE_POD:
            return Behaviour(latency=latency, errors=errors)
