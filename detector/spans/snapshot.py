"""The state of spans as arrays, and back: what goes on from there goes on to the bit."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import Origin
from detector.spans.lost import Lost
from detector.spans.names import Node, Operation
from detector.spans.settings import SpanSettings
from detector.spans.state import KeptTrace, SpanState, Wanted, opened

__all__ = ["SCHEMA", "Arrays", "from_arrays", "to_arrays"]

SCHEMA = 1
Arrays = Mapping[str, NDArray[Any]]
TableT = TypeVar("TableT", bound=tuple[Any, ...])
# The state's columns as they are; what is told by name besides.
_TABLES = ("seen", "tally", "edges", "waiting", "slots", "recent")
_PATHS = ("operations", "path", "own")


class _Names(msgspec.Struct, frozen=True, kw_only=True):
    origins: list[Origin]
    nodes: list[Node]
    operations: list[Operation]
    used: dict[str, list[int]]
    since: int


class _Rest(msgspec.Struct, frozen=True, kw_only=True):
    schema: int
    seed: int
    wanted: list[Wanted]
    kept: list[Wanted]
    is_whole: list[bool]
    lost: dict[str, int]
    counted: int
    first: int
    last: int


def to_arrays(state: SpanState) -> dict[str, NDArray[Any]]:
    """All that is held, as arrays of their own."""
    origins, nodes, operations = state.names.listed()
    names = _Names(
        origins=list(origins),
        nodes=list(nodes),
        operations=list(operations),
        used={service: sorted(used) for service, used in state.names.used.items()},
        since=state.names.since,
    )
    rest = _Rest(
        schema=SCHEMA,
        seed=state.seed,
        wanted=list(state.wanted),
        kept=[kept.wanted for kept in state.traces],
        is_whole=[kept.is_whole for kept in state.traces],
        lost={why.value: count for why, count in state.lost.items()},
        counted=state.counted,
        first=state.first,
        last=state.last,
    )
    sizes = [len(kept.operations) for kept in state.traces]
    return {
        "names": np.frombuffer(msgspec.msgpack.encode(names), dtype=np.uint8),
        "rest": np.frombuffer(msgspec.msgpack.encode(rest), dtype=np.uint8),
        "kept.sizes": np.array(sizes, dtype=np.int64),
        **{
            f"kept.{name}": np.concatenate(
                [np.zeros(0, np.int64), *(getattr(kept, name) for kept in state.traces)]
            )
            for name in _PATHS
        },
        **{key: array for table in _TABLES for key, array in _flat(table, getattr(state, table))},
    }


def from_arrays(arrays: Arrays, settings: SpanSettings | None = None) -> SpanState:
    """The state that `to_arrays` told; `ValueError` for another schema or bounds, or none."""
    if "rest" not in arrays:
        raise ValueError("no state of spans")
    try:
        return _read(arrays, settings)
    except LookupError as error:
        raise ValueError(f"a part of the state of spans is missing: {error}") from error


def _read(arrays: Arrays, settings: SpanSettings | None) -> SpanState:
    rest = msgspec.msgpack.decode(arrays["rest"].tobytes(), type=_Rest)
    if rest.schema != SCHEMA:
        raise ValueError(f"spans of schema {rest.schema}, this reads {SCHEMA}")
    state = opened(settings, rest.seed)
    names = msgspec.msgpack.decode(arrays["names"].tobytes(), type=_Names)
    state.names.restore(names.origins, names.nodes, names.operations)
    state.names.used = {service: set(used) for service, used in names.used.items()}
    state.names.since = names.since
    for table in _TABLES:
        setattr(state, table, _filled(table, getattr(state, table), arrays))
    state.wanted = deque(rest.wanted)
    state.traces.extend(_kept(rest, arrays))
    state.lost = Counter({Lost(why): count for why, count in rest.lost.items()})
    state.counted, state.first, state.last = rest.counted, rest.first, rest.last
    return state


def _flat(name: str, table: tuple[Any, ...]) -> list[tuple[str, NDArray[Any]]]:
    """The arrays of a table and of tables in it, by their path."""
    found: list[tuple[str, NDArray[Any]]] = []
    for own, value in table._asdict().items():  # type: ignore[attr-defined]
        path = f"{name}.{own}"
        found += _flat(path, value) if isinstance(value, tuple) else [(path, value.copy())]
    return found


def _filled(name: str, table: TableT, arrays: Arrays) -> TableT:
    """A table like one, of the arrays."""
    new: dict[str, Any] = {}
    for own, value in table._asdict().items():  # type: ignore[attr-defined]
        path = f"{name}.{own}"
        new[own] = _filled(path, value, arrays) if isinstance(value, tuple) else arrays[path].copy()
        if not isinstance(value, tuple) and new[own].shape != value.shape:
            raise ValueError(f"{path} has other bounds than the settings: begin anew, or set these")
    made: TableT = type(table)(**new)
    return made


def _kept(rest: _Rest, arrays: Arrays) -> list[KeptTrace]:
    ends = np.cumsum(arrays["kept.sizes"])[:-1]
    operations, path, own = (np.split(arrays[f"kept.{name}"], ends) for name in _PATHS)
    return [
        KeptTrace(
            wanted=wanted,
            operations=operations[nth].astype(np.int32),
            path=path[nth],
            own=own[nth],
            is_whole=rest.is_whole[nth],
        )
        for nth, wanted in enumerate(rest.kept)
    ]
