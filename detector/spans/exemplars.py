"""Traces to look at: those that failed, the slowest, and an ordinary one to compare them with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from detector.logs.plain import plain
from detector.spans.names import Node, Operation
from detector.spans.series import About
from detector.spans.state import KeptTrace, SpanState, Wanted
from detector.stream.anomaly import Anomaly
from detector.stream.traced import SPENT, SpentNote, TraceNote, TraceWhy, merged
from models.traces.chosen import BY_LOT, FAILED, SLOWEST

__all__ = ["BEFORE_MS", "Sought", "examples", "sought_for"]

# How long before the time that is asked for ordinary requests are looked for.
BEFORE_MS = 600_000
_LONGEST = 200
# Spans come some time after what was measured of the same requests.
_LATE_MS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Of which requests: to a service, to one of its versions or operations, between two times.

    `since` and `until`: unix milliseconds by our clock, when their spans came. `operations`: None
    for any. `lead`: what is wanted most, failed ones or slow ones.
    """

    service: str
    since: int
    until: int
    namespace: str = ""
    version: str | None = None
    operations: frozenset[str] | None = None
    lead: TraceWhy = TraceWhy.FAILED

    def is_of(self, node: Node) -> bool:
        """Whether a request was to the service, and where one is told, in the namespace."""
        is_there = not self.namespace or node.namespace in ("", self.namespace)
        return node.name == self.service and is_there and self.version in (None, node.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A request that was kept, or (without `kept`) one whose spans are waited for still."""

    wanted: Wanted
    came: int
    node: Node
    operation: Operation
    kept: KeptTrace | None = None


def sought_for(anomaly: Anomaly, about: About, *, now: int, back_ms: int) -> Sought:
    """Requests from so long before its first abnormal sample up to its last one, or up to now.

    Of what opened again that is the first one since then: before it lie hours of usual ones.
    """
    first = anomaly.start if anomaly.again is None else anomaly.again
    return Sought(
        service=anomaly.subject.service,
        namespace=anomaly.subject.namespace,
        since=first - back_ms,
        until=now if anomaly.end is None else anomaly.end + _LATE_MS,
        operations=about.operations,
        lead=about.lead,
    )


def examples(state: SpanState, asked: Sequence[Sought]) -> list[tuple[TraceNote, ...]]:
    """A handful for each that is asked: odd ones, and one that is not, from before if there is."""
    _, nodes, operations = state.names.listed()
    found = list(_found(state, asked, nodes, operations))
    return [_handful(found, sought, operations) for sought in asked]


def _handful(
    found: Iterable[_Found], sought: Sought, operations: Sequence[Operation]
) -> tuple[TraceNote, ...]:
    own = [one for one in found if _is_meant(one, sought)]
    usual = _usual(own, sought.since)
    odd = [one for one in own if one.came >= sought.since and one.wanted.why & (SLOWEST | FAILED)]
    notes = [_note(one, usual.get(one.operation, 0.0), operations) for one in odd]
    notes.sort(key=lambda note: -note.excess_s)
    best = merged(notes, (), sought.lead)
    if not best:
        return ()
    like = next(one for one in odd if one.wanted.trace.hex() == best[0].trace)
    ordinary = _ordinary(own, like, sought.since)
    if ordinary is None:
        return best
    note = _note(ordinary, usual.get(like.operation, 0.0), operations)
    return merged(best, [replace(note, why=TraceWhy.ORDINARY)], sought.lead)


def _usual(found: Iterable[_Found], before: int) -> dict[Operation, float]:
    """What requests by lot took, by operation, if some came before the time that is asked for."""
    lots: dict[Operation, list[float]] = {}
    for one in found:
        if one.came < before and one.wanted.why & BY_LOT:
            lots.setdefault(one.operation, []).append(one.wanted.duration / 1e9)
    return {operation: median(took) for operation, took in lots.items()}


def _ordinary(found: Iterable[_Found], like: _Found, before: int) -> _Found | None:
    """The middle one of those by lot that are like one and did not fail, from before if any."""
    lots = [
        one
        for one in found
        if one.kept is not None
        and one.wanted.why & BY_LOT
        and not one.wanted.failed
        and one.operation == like.operation
        and one.wanted.trace != like.wanted.trace
    ]
    lots = [one for one in lots if one.came < before] or [
        one for one in lots if not one.wanted.why & SLOWEST
    ]
    lots.sort(key=lambda one: (one.wanted.duration, one.wanted.number))
    return lots[len(lots) // 2] if lots else None


def _found(
    state: SpanState,
    asked: Sequence[Sought],
    nodes: Sequence[Node],
    operations: Sequence[Operation],
) -> Iterator[_Found]:
    """Requests to any of the services that are asked for, of their times and shortly before."""
    places = {number for number, node in enumerate(nodes) if any(s.is_of(node) for s in asked)}
    since = min((sought.since for sought in asked), default=0) - BEFORE_MS
    settle = round(1000 * state.settings.settle_s)
    for wanted in reversed(state.wanted):
        if wanted.node in places:
            node, operation = nodes[wanted.node], operations[wanted.operation]
            yield _Found(wanted=wanted, came=wanted.due - settle, node=node, operation=operation)
    for kept in reversed(state.traces):
        wanted = kept.wanted
        # They are kept about in the order in which they came.
        if wanted.due < since:
            break
        if wanted.node in places:
            node, operation = nodes[wanted.node], operations[wanted.operation]
            yield _Found(
                wanted=wanted, came=wanted.due - settle, node=node, operation=operation, kept=kept
            )


def _is_meant(one: _Found, sought: Sought) -> bool:
    is_then = sought.since - BEFORE_MS <= one.came <= sought.until
    is_it = sought.operations is None or one.operation.name in sought.operations
    return is_then and is_it and sought.is_of(one.node)


def _note(one: _Found, usual_s: float, operations: Sequence[Operation]) -> TraceNote:
    wanted = one.wanted
    return TraceNote(
        trace=wanted.trace.hex(),
        span=f"{wanted.span:016x}",
        at=wanted.at,
        duration_s=wanted.duration / 1e9,
        why=TraceWhy.FAILED if wanted.failed else TraceWhy.SLOWEST,
        has_failed=wanted.failed,
        service=_shown(one.node.name),
        version=_shown(one.node.version),
        operation=_shown(one.operation.name),
        usual_s=usual_s,
        spent=() if one.kept is None else _spent(one.kept, operations),
    )


def _spent(kept: KeptTrace, operations: Sequence[Operation]) -> tuple[SpentNote, ...]:
    """The operations that took longest."""
    order = np.argsort(-kept.path, kind="stable")[:SPENT].tolist()
    told = ((operations[int(kept.operations[nth])], int(kept.path[nth])) for nth in order)
    return tuple(
        SpentNote(service=_shown(of.service), operation=_shown(of.name), seconds=took / 1e9)
        for of, took in told
        if took > 0
    )


def _shown(text: str) -> str:
    """Whoever writes spans chooses their names."""
    return plain(text)[:_LONGEST]
