"""What a metric is about, by the words that its name is made of."""

from __future__ import annotations

import re

from detector.correlate.evidence import Kind
from detector.stream.anomaly import Side

__all__ = ["kind_of"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|%")

# In this order: `request_errors_total` is about errors, `cpu_seconds_total` about a resource.
_ERRORS = {"error", "errors", "fail", "failed", "failure", "failures", "exception", "exceptions"}
_GOOD = {"success", "succeeded", "availability", "available", "uptime"}
_RESOURCE = {
    "cpu", "memory", "mem", "heap", "gc", "disk", "fs", "filesystem", "threads", "thread", "fd",
    "throttled", "swap", "rss", "cache", "syscall", "oom", "goroutines",
}  # fmt: skip
_LATENCY = {"latency", "duration", "latencies", "rtt", "elapsed", "delay", "response"}
_TRAFFIC = {
    "requests", "request", "workload", "load", "ops", "rps", "qps", "throughput", "calls", "bytes",
    "packets", "network", "receive", "transmit", "received", "sent", "rate", "connections",
}  # fmt: skip
# What a whole machine shows is no service's own.
_HOST = {"node", "host", "machine"}


def kind_of(name: str) -> tuple[Kind, Side | None] | None:
    """Its kind and the side of harm, None for what is not understood or belongs to a host.

    >>> kind_of("http_request_duration_seconds_p99")
    (<Kind.LATENCY: 'latency'>, <Side.ABOVE: 'above'>)
    >>> kind_of("nodeCpuUsage")
    """
    words = {word.lower() for word in _WORDS.findall(name)}
    if words & _HOST:
        return None
    for kind, side, known in (
        (Kind.ERRORS, Side.BELOW, _GOOD),
        (Kind.ERRORS, Side.ABOVE, _ERRORS),
        (Kind.RESOURCE, Side.ABOVE, _RESOURCE),
        (Kind.LATENCY, Side.ABOVE, _LATENCY),
        (Kind.TRAFFIC, None, _TRAFFIC),
    ):
        if words & known:
            return kind, side
    return None
