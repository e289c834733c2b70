"""What the types of a pack do not say: which of its parts make sense together."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from detector.errors import InputError
from detector.selector import matches
from detector.series import Matcher, MatchOp
from detector.signals.packs.schema import Durations, Errors, Extra, Pack, Requests, Resource, Role
from detector.signals.signal import Direction, Kind, Shape

__all__ = ["problems"]

# How a metric of each role can be read: a start time counts its changes as restarts.
_ROLES = {
    Role.START_TIME: (Shape.START_TIME,),
    Role.RESTARTS: (Shape.COUNTER, Shape.START_TIME),
    Role.OOM: (Shape.COUNTER,),
    Role.CPU: (Shape.COUNTER, Shape.GAUGE),
    Role.MEMORY: (Shape.GAUGE,),
    Role.LOG_LINES: (Shape.COUNTER,),
}
_KINDS = {
    Kind.RATIO: (Shape.COUNTER,),
    Kind.LATENCY: (Shape.BUCKETS,),
    Kind.RATE: (Shape.COUNTER,),
    Kind.EVENTS: (Shape.COUNTER, Shape.START_TIME),
    Kind.GAUGE: (Shape.GAUGE, Shape.COUNTER),
}
# Signals that every service has: a pack adds others beside them.
_OWN = (
    "error_rate", "latency", "tail95", "tail99", "restarts", "log_templates",
    "cpu_per_request", "memory_growth",
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
Patterns = Iterator[tuple[str, str]]


def problems(pack: Pack) -> Iterator[str]:
    """What is wrong with a pack whose keys and types are right, each with its key in front."""
    yield from _whole(pack)
    for at, requests in enumerate(pack.requests):
        yield from _errors(f"requests[{at}].errors", requests.errors)
    for at, durations in enumerate(pack.durations):
        yield from _buckets(f"durations[{at}]", durations.metric)
        yield from _scale(f"durations[{at}]", durations.scale)
    for at, resource in enumerate(pack.resources):
        yield from _shape(
            f"resources[{at}]", f"role {resource.role}", resource.shape, _ROLES[resource.role]
        )
        yield from _scale(f"resources[{at}]", resource.scale)
        if (resource.role is Role.LOG_LINES) is not bool(resource.apart):
            yield f"resources[{at}].apart: the label that tells templates, of log_lines alone"
    for at, extra in enumerate(pack.signals):
        yield from _extra(f"signals[{at}]", extra)
    for key, pattern in _patterns(pack):
        try:
            matches(Matcher("value", MatchOp.MATCHES, pattern), {})
        except InputError as error:
            yield f"{key}: {error}"


def _whole(pack: Pack) -> Iterator[str]:
    if pack.durations and not pack.requests:
        yield "durations: without requests they have no traffic to belong to"
    if not (pack.requests or pack.resources or pack.signals):
        yield f"{pack.name!r} has neither requests nor resources nor signals"
    for label, pattern in pack.spelled.items():
        if "<service>" not in pattern:
            yield f"spelled.{label}: does not say where the name is; write <service> there"


def _errors(key: str, errors: Errors) -> Iterator[str]:
    if not (errors.labels or errors.metrics):
        yield f"{key}.labels: say which label tells errors, or which metrics count them apart"
    if errors.labels and not errors.match:
        yield f"{key}.match: say which values are errors, or name a table with codes"
    if errors.metrics and (errors.labels or errors.match):
        yield f"{key}.metrics: they count errors alone; labels and match have nothing to tell"


def _buckets(key: str, metric: str) -> Iterator[str]:
    if not metric.endswith("_bucket"):
        yield f"{key}.metric: {metric!r} does not end in _bucket"


def _scale(key: str, scale: float) -> Iterator[str]:
    if not 0 < scale < math.inf:
        yield f"{key}.scale: {scale} is no factor to seconds, bytes or cores"


def _shape(key: str, what: str, shape: Shape | None, allowed: Sequence[Shape]) -> Iterator[str]:
    if shape not in allowed:
        told = ", ".join(one.value for one in allowed)
        yield f"{key}.shape: for the {what} it is one of {told}"


def _extra(key: str, extra: Extra) -> Iterator[str]:
    if extra.name in _OWN or not _NAME.fullmatch(extra.name):
        yield f"{key}.name: {extra.name!r} is no name of its own in lower case, as queue_wait"
    yield from _shape(key, f"kind {extra.kind}", extra.shape, _KINDS[extra.kind])
    yield from _scale(key, extra.scale)
    if extra.kind is Kind.LATENCY:
        yield from _buckets(key, extra.metric)
    if extra.kind is Kind.RATIO and extra.errors is None:
        yield f"{key}.errors: a ratio needs them"
    if extra.kind is not Kind.RATIO and extra.errors is not None:
        yield f"{key}.errors: only a ratio has them"
    if extra.errors is not None:
        yield from _errors(f"{key}.errors", extra.errors)
    if (extra.per_request or extra.grows) and extra.kind is not Kind.GAUGE:
        yield f"{key}.kind: only a gauge is divided by the load, or grows"
    if extra.judged and extra.kind in {Kind.GAUGE, Kind.RATE}:
        yield f"{key}.judged: a {extra.kind} is shown only"
    elif extra.judged and extra.direction is not Direction.UP:
        yield f"{key}.direction: what is judged has its harm upwards; count what fails instead"


def _patterns(pack: Pack) -> Patterns:
    """Every regular expression of a pack with its key."""
    yield from _of("health", pack.health)
    for label, pattern in pack.spelled.items():
        plain = pattern.replace("<service>", "s").replace("<namespace>", "n")
        yield f"spelled.{label}", plain
    parts: dict[str, Sequence[Requests | Durations | Resource | Extra]] = {
        "requests": pack.requests,
        "durations": pack.durations,
        "resources": pack.resources,
        "signals": pack.signals,
    }
    for kind, group in parts.items():
        for at, part in enumerate(group):
            yield from _of(f"{kind}[{at}].where", part.where)
            yield from _of(f"{kind}[{at}].without", part.without)
            if isinstance(part, Requests | Extra) and part.errors is not None:
                yield from _errors_patterns(f"{kind}[{at}].errors", part.errors)


def _errors_patterns(key: str, errors: Errors) -> Patterns:
    yield f"{key}.match", errors.match
    yield f"{key}.like", errors.like
    yield from _of(f"{key}.without", errors.without)


def _of(key: str, patterns: Mapping[str, str]) -> Patterns:
    for label, pattern in patterns.items():
        yield f"{key}.{label}", pattern
