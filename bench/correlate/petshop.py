"""Incidents of PetShop in its published layout, as scenes with the answer beside."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.correlate.cases import Case
from detector.correlate.evidence import Calls, Complaint, Gauge, Kind, Scene, Tally
from detector.stream.anomaly import Side

__all__ = ["cases", "normal_cases", "scenarios"]

Array = NDArray[np.float64]
Column = tuple[str, str, str]
_STEP_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    at: Array
    columns: Mapping[Column, Array]


def scenarios(folder: Path) -> list[Path]:
    """Folders with a graph and a normal period, here and below."""
    return sorted(path.parent for path in folder.rglob("graph.csv"))


def _table(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    names = list(zip(*(row[1:] for row in rows[:3]), strict=True))
    body = [row for row in rows[3:] if row and _number(row[0]) == _number(row[0])]
    values = np.array([[_number(cell) for cell in row] for row in body])
    return Table(
        at=values[:, 0],
        columns={(a, b, c): values[:, place + 1] for place, (a, b, c) in enumerate(names)},
    )


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _calls(path: Path) -> tuple[Calls, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return tuple(
        Calls(caller=row[0], callee=callee)
        for row in rows[1:]
        for callee, cell in zip(rows[0][1:], row[1:], strict=True)
        if _number(cell) > 0.0
    )


def cases(folder: Path) -> Iterator[Case]:
    """Every incident of a scenario; one that hit latency, or availability, is of that group."""
    past, calls = _table(folder / "noissue" / "metrics.csv"), _calls(folder / "graph.csv")
    for path in sorted(folder.glob("t*/issue_*/target.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        target, table = told["target"], _table(path.with_name("metrics.csv"))
        complaint = Complaint(service=target["node"], kind=_complained(target["metric"]))
        yield Case(
            name=f"{path.parent.parent.name}/{path.parent.name}",
            group=target["metric"],
            scene=_scene(past, table, calls, float(target["timestamp"]), complaint),
            guilty=told["root_cause"]["node"],
        )


def normal_cases(folder: Path, every: int, service: str) -> Iterator[Case]:
    """Windows of five rows of the normal period, each judged by the rest of it."""
    past, calls = _table(folder / "noissue" / "metrics.csv"), _calls(folder / "graph.csv")
    for metric in ("latency", "availability"):
        complaint = Complaint(service=service, kind=_complained(metric))
        for begin in range(0, len(past.at) - 5, every):
            inside = np.zeros(len(past.at), dtype=bool)
            inside[begin : begin + 5] = True
            start = float(past.at[begin + 2])
            scene = _scene(_rows(past, ~inside), _rows(past, inside), calls, start, complaint)
            yield Case(name=f"normal {begin}", group=metric, scene=scene, guilty=None)


def _rows(table: Table, kept: NDArray[np.bool_]) -> Table:
    columns = {name: values[kept] for name, values in table.columns.items()}
    return Table(at=table.at[kept], columns=columns)


def _complained(metric: str) -> Kind:
    return Kind.LATENCY if metric == "latency" else Kind.ERRORS


def _scene(
    past: Table, table: Table, calls: tuple[Calls, ...], start: float, complaint: Complaint
) -> Scene:
    during = table.at > start - _STEP_S
    nodes = {node for node, _, _ in past.columns}
    return Scene(
        start=int(start * 1000),
        at=tuple(int(at * 1000) for at in table.at[during]),
        gauges=tuple(_gauges(past, table, during)),
        tallies=tuple(
            tally for node in sorted(nodes) for tally in _failures(past, table, during, node)
        ),
        calls=calls,
        requests={
            node: table.columns[node, "requests", "Sum"][during]
            for node in nodes
            if (node, "requests", "Sum") in table.columns
        },
        complaint=complaint,
    )


def _gauges(past: Table, table: Table, during: NDArray[np.bool_]) -> Iterator[Gauge]:
    for (node, metric, statistic), values in past.columns.items():
        now = table.columns.get((node, metric, statistic))
        if now is None or metric == "availability":
            continue
        latency = metric == "latency"
        if latency and statistic != "Average":
            continue
        yield Gauge(
            service=node,
            name=f"{metric} {statistic}",
            kind=Kind.LATENCY if latency else Kind.TRAFFIC,
            side=Side.ABOVE if latency else None,
            past=values,
            before=now[~during],
            during=now[during],
            additive=latency and statistic == "Average",
        )


def _failures(past: Table, table: Table, during: NDArray[np.bool_], node: str) -> Iterator[Tally]:
    needed = [(node, "availability", "Average"), (node, "requests", "Sum")]
    if any(name not in past.columns or name not in table.columns for name in needed):
        return
    before, now = (_failed(where.columns, node) for where in (past, table))
    yield Tally(
        service=node,
        name="failures",
        kind=Kind.ERRORS,
        side=Side.ABOVE,
        past_events=before[0],
        past_occasions=before[1],
        events=now[0][during],
        occasions=now[1][during],
    )


def _failed(columns: Mapping[Column, Array], node: str) -> tuple[Array, Array]:
    requests = np.nan_to_num(columns[node, "requests", "Sum"])
    available = columns[node, "availability", "Average"]
    requests = np.where(np.isfinite(available), requests, 0.0)
    return requests * (1.0 - np.nan_to_num(available, nan=100.0) / 100.0), requests
