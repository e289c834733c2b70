"""What is known of services around an incident: measurements, counted events, who calls whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detector.stream.anomaly import Side

__all__ = ["Calls", "Complaint", "Gauge", "Kind", "Scene", "Tally"]

Array = NDArray[np.float64]


class Kind(StrEnum):
    """What a measurement is about, which tells how its oddity travels.

    Latency, errors and behaviour (which steps follow on a request) are felt by callers; what an own
    resource lacks stays, and comes out as one of these; traffic is felt by those who are called.
    """

    LATENCY = "latency"
    ERRORS = "errors"
    BEHAVIOUR = "behaviour"
    RESOURCE = "resource"
    TRAFFIC = "traffic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A measurement of a service: past values (n,), the last ones before, and those during (m,).

    NaN is a value that is missing. `side` is where harm is, None where either may be. Of means that
    add up over calls, such as a mean latency, `additive` says so; then a callee's excess accounts
    for its caller's, and its `during` are the bins of the scene. Gauges of one `family`, by default
    those of one name, are alike enough over services that one's wild past is a warning for all.
    """

    service: str
    name: str
    kind: Kind
    side: Side | None
    past: Array
    before: Array
    during: Array
    additive: bool = False
    family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Events among their occasions, by bins of time, in the past (n,) and during (m,).

    Lines per request, failures per request, steps per operation. `side` as of a gauge; `occasion`
    says what the occasions are, in words.
    """

    service: str
    name: str
    kind: Kind
    side: Side | None
    past_events: Array
    past_occasions: Array
    events: Array
    occasions: Array
    occasion: str = "requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """That `caller` calls `callee`; `per_request` how often on each of its requests, if known."""

    caller: str
    callee: str
    per_request: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What people were called for: a service whose latency, errors, ... broke its objective."""

    service: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that is known of an incident that began at about `start`; times in unix milliseconds.

    `at` are the bins that values during the incident stand for. `requests` are the requests that a
    service served in each of them, where known. Services are all that anything here names.
    """

    start: int
    at: tuple[int, ...]
    gauges: tuple[Gauge, ...] = ()
    tallies: tuple[Tally, ...] = ()
    calls: tuple[Calls, ...] = ()
    requests: dict[str, Array]
    complaint: Complaint | None = None
