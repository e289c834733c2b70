"""Where a canary's requests spend more or less time than the control's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.spans.names import NodeKind, Operation
from detector.spans.shift import Arms, Measure, TimeShift
from detector.spans.state import KeptTrace, SpanState
from models.traces.chosen import BY_LOT
from models.traces.difference import mean_differences

__all__ = ["LEAST_TRACES", "time_shifts"]

# With fewer on a side a few long ones move the mean further than the interval tells.
LEAST_TRACES = 20
_NS = 1e9


def time_shifts(
    state: SpanState, arms: Arms, *, measure: Measure = Measure.PATH, chance: float = 0.05
) -> tuple[TimeShift, ...]:
    """All differences, the largest first; nothing of entries with too few traces on a side.

    Times on the critical path add up to the duration of the request, so that the differences of an
    entry's operations add up to that of the whole. Requests to one entry are compared with
    requests to the same, so that another mix of requests is no difference.
    """
    _, nodes, operations = state.names.listed()
    canary: dict[int, list[KeptTrace]] = defaultdict(list)
    control: dict[int, list[KeptTrace]] = defaultdict(list)
    for kept in _by_lot(state):
        node = nodes[kept.wanted.node]
        is_meant = node.kind is NodeKind.SERVICE and node.name == arms.service
        if is_meant and arms.since <= kept.wanted.at <= arms.until:
            if node.version in arms.canary:
                canary[kept.wanted.operation].append(kept)
            elif node.version in arms.control:
                control[kept.wanted.operation].append(kept)
    entries = [
        entry for entry in canary if min(len(canary[entry]), len(control[entry])) >= LEAST_TRACES
    ]
    found = [
        shift
        for entry in entries
        for shift in _shifts(
            operations, entry, (canary[entry], control[entry]), measure, chance / len(entries)
        )
    ]
    return tuple(sorted(found, key=lambda shift: -abs(shift.value)))


def _by_lot(state: SpanState) -> Iterator[KeptTrace]:
    """Of each minute those that had the lot in the end, so that all were as likely."""
    groups: dict[tuple[int, int, int], list[KeptTrace]] = defaultdict(list)
    for kept in state.traces:
        if kept.wanted.why & BY_LOT:
            wanted = kept.wanted
            groups[wanted.node, wanted.operation, wanted.minute].append(kept)
    for drawn in groups.values():
        drawn.sort(key=lambda kept: kept.wanted.number)
        yield from drawn[: state.settings.by_lot]


def _shifts(
    operations: Sequence[Operation],
    entry: int,
    arms: tuple[list[KeptTrace], list[KeptTrace]],
    measure: Measure,
    chance: float,
) -> Iterator[TimeShift]:
    """The differences of one entry's requests; the last column is the request as a whole."""
    numbers = sorted({int(one) for arm in arms for kept in arm for one in kept.operations})
    rows = [_rows(arm, numbers, measure) for arm in arms]
    told = mean_differences(rows[0], rows[1])
    strict = mean_differences(rows[0], rows[1], chance=chance / len(numbers))
    for column in range(len(numbers) + 1):
        is_total = column == len(numbers)
        yield TimeShift(
            entry=operations[entry],
            operation=operations[entry if is_total else numbers[column]],
            canary=float(told.first[column]),
            control=float(told.second[column]),
            value=float(told.value[column]),
            low=float(told.low[column]),
            high=float(told.high[column]),
            is_certain=bool(strict.low[column] > 0 or strict.high[column] < 0),
            is_total=is_total,
            canary_traces=len(arms[0]),
            control_traces=len(arms[1]),
        )


def _rows(
    arm: Iterable[KeptTrace], numbers: Sequence[int], measure: Measure
) -> NDArray[np.float64]:
    """Seconds of each trace in each operation, and as a whole."""
    columns = {number: column for column, number in enumerate(numbers)}
    rows = []
    for kept in arm:
        row = np.zeros(len(numbers) + 1)
        spent = kept.path if measure is Measure.PATH else kept.own
        row[[columns[int(one)] for one in kept.operations]] = spent / _NS
        row[-1] = kept.wanted.duration / _NS
        rows.append(row)
    return np.array(rows)
