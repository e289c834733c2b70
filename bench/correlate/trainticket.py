"""Faults in the layout of Nezha (metrics, logs, traces), as scenes with the answer beside."""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.correlate.cases import Case
from detector.correlate.evidence import Gauge, Scene
from detector.correlate.naming import kind_of
from detector.correlate.passages import Line, Passage, called, steps, times
from models.templates.miner import Miner

__all__ = ["cases", "days"]

Array = NDArray[np.float64]
_GUARD = timedelta(seconds=30)
_LASTS = timedelta(minutes=3)
_REMEMBERED = timedelta(hours=3)
_BIN_MS = 15_000
_LEVEL = re.compile(
    r"\b(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE|CRITICAL)\b", re.IGNORECASE
)
# A logger's name and the line of its code: a statement that needs no mining.
_PLACE = re.compile(r"^\S+\s+(\S*[A-Za-z\]]#\d+)\s")
_TIMES = {"log": ("TimeUnixNano",), "trace": ("StartTimeUnixNano", "EndTimeUnixNano")}
csv.field_size_limit(1 << 27)
_GRAVE = {"ERROR", "FATAL", "SEVERE", "CRITICAL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    at: datetime
    pod: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Spans and lines of some minutes."""

    passages: list[Passage]
    lines: list[Line]

    def between(self, since: int, until: int) -> Seen:
        return Seen(
            passages=[one for one in self.passages if since <= one.at < until],
            lines=[one for one in self.lines if since <= one.at < until],
        )

    def with_(self, other: Seen) -> Seen:
        return Seen(passages=self.passages + other.passages, lines=self.lines + other.lines)


def days(folder: Path) -> list[Path]:
    """Folders with faults and their metrics, here and below."""
    return sorted(path.parent for path in folder.rglob("faults.json"))


def cases(folder: Path) -> Iterator[Case]:
    """Every fault, in the order of time; what came before is its past."""
    reader = _Reader()
    past = _joined(
        reader.minute(folder / "normal", minute) for minute in _minutes(folder / "normal")
    )
    metrics = _metrics(folder / "metric")
    faults = _faults(folder)
    for number, fault in enumerate(faults):
        start = int(fault.at.timestamp() * 1000)
        window = _joined(
            reader.minute(folder, f"{fault.at + timedelta(minutes=later):%H_%M}")
            for later in range(3)
        )
        guard = int(_GUARD.total_seconds() * 1000)
        past = past.with_(window.between(0, start - guard))
        now = window.between(start, start + int(_LASTS.total_seconds() * 1000))
        yield Case(
            name=f"{folder.name} {number} {fault.at:%H:%M} {fault.type}",
            group=fault.type,
            scene=_scene(
                start, past, now, metrics, [one.at.timestamp() for one in faults[:number]]
            ),
            guilty=fault.pod,
        )


def _faults(folder: Path) -> list[Fault]:
    told = json.loads((folder / "faults.json").read_text(encoding="utf-8"))
    faults = [
        Fault(
            at=datetime.strptime(one["inject_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC),
            pod=one["inject_pod"],
            type=one["inject_type"],
        )
        for of_hour in told.values()
        for one in of_hour
    ]
    return sorted(faults, key=lambda fault: fault.at)


def _minutes(folder: Path) -> list[str]:
    return sorted({path.name[:5] for path in folder.glob("*_trace.csv.gz")})


def _joined(parts: Iterator[Seen]) -> Seen:
    whole = Seen(passages=[], lines=[])
    for part in parts:
        whole = whole.with_(part)
    return whole


class _Reader:
    """Reads minutes once each; one miner learns the templates of all of them, as they come."""

    def __init__(self) -> None:
        self._miner = Miner()

    def minute(self, folder: Path, minute: str) -> Seen:
        spans, lines = (_file(folder, minute, kind) for kind in ("trace", "log"))
        return Seen(passages=_passages(spans), lines=self._lines(lines))

    def _lines(self, rows: list[dict[str, str]]) -> list[Line]:
        texts = [_text(row["Log"]) for row in rows]
        raw = [text.encode() for _, text in texts]
        ends = np.cumsum([len(text) for text in raw], dtype=np.int64)
        if not rows:
            return []
        numbers = self._miner.add(np.frombuffer(b"".join(raw), np.uint8), ends).number
        return [
            Line(
                span=row["SpanID"],
                template=self._statement(text, int(number)),
                grave=grave,
                at=_ms(row["TimeUnixNano"]),
            )
            for row, number, (grave, text) in zip(rows, numbers, texts, strict=True)
        ]

    def _statement(self, text: str, number: int) -> str:
        place = _PLACE.match(text)
        return place[0].strip() if place else self._miner.template(number).text


def _file(folder: Path, minute: str, kind: str) -> list[dict[str, str]]:
    places = (folder / f"{minute}_{kind}.csv.gz", folder / kind / f"{minute}_{kind}.csv.gz")
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        return []
    with gzip.open(found, "rt", encoding="utf-8", errors="replace", newline="") as file:
        return [row for row in csv.DictReader(file) if _whole(row, _TIMES[kind])]


def _whole(row: dict[str, str], times: tuple[str, ...]) -> bool:
    """Whether a row has all of its cells and no more, and its times are numbers."""
    return None not in row and None not in row.values() and all(row[t].isdigit() for t in times)


def _text(cell: str) -> tuple[bool, str]:
    """Whether a line is grave, and what it says."""
    try:
        said = str(json.loads(cell)["log"])
    except (ValueError, KeyError, TypeError):
        said = cell
    said = said.strip()
    level = _LEVEL.search(said[:120])
    return bool(level and level[1].upper() in _GRAVE), said[level.start() :] if level else said


def _ms(nanoseconds: str) -> int:
    return int(nanoseconds) // 1_000_000


def _passages(rows: list[dict[str, str]]) -> list[Passage]:
    inside: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        inside.setdefault(row["ParentID"], []).append(
            (int(row["StartTimeUnixNano"]), int(row["EndTimeUnixNano"]))
        )
    return [
        Passage(
            span=row["SpanID"],
            parent="" if row["ParentID"] == "root" else row["ParentID"],
            service=row["PodName"],
            operation=row["OperationName"],
            at=_ms(row["StartTimeUnixNano"]),
            own_ms=_own(row, inside.get(row["SpanID"], [])),
        )
        for row in rows
    ]


def _own(row: dict[str, str], children: list[tuple[int, int]]) -> float:
    begin, end = int(row["StartTimeUnixNano"]), int(row["EndTimeUnixNano"])
    busy, reached = 0, begin
    for since, until in sorted(children):
        busy += max(0, min(until, end) - max(since, reached))
        reached = max(reached, min(until, end))
    return (end - begin - busy) / 1e6


def _metrics(folder: Path) -> dict[str, tuple[Array, dict[str, Array]]]:
    """By pod: times in seconds, and the values of every metric."""
    found = {}
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows or "PodName" not in rows[0]:
            continue
        at = np.array([float(row["TimeStamp"]) for row in rows])
        names = [name for name in rows[0] if name not in {"Time", "TimeStamp", "PodName"}]
        values = {name: np.array([_number(row[name]) for row in rows]) for name in names}
        found[rows[0]["PodName"]] = (at, values)
    return found


def _number(cell: str | None) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        return math.nan


def _scene(
    start: int,
    past: Seen,
    now: Seen,
    metrics: dict[str, tuple[Array, dict[str, Array]]],
    known: list[float],
) -> Scene:
    return Scene(
        start=start,
        at=(),
        gauges=(
            *_gauges(start / 1000.0, metrics, known),
            *times(past.passages, now.passages, _BIN_MS),
        ),
        tallies=tuple(steps((past.passages, past.lines), (now.passages, now.lines), _BIN_MS)),
        calls=called(past.passages + now.passages),
        requests={},
    )


def _gauges(
    start: float, metrics: dict[str, tuple[Array, dict[str, Array]]], known: list[float]
) -> Iterator[Gauge]:
    """What came before without the incidents that were `known` by then."""
    guard, lasts = _GUARD.total_seconds(), _LASTS.total_seconds()
    for pod, (at, values) in metrics.items():
        before = (at < start - guard) & (at >= start - _REMEMBERED.total_seconds())
        for earlier in known:
            before &= (at < earlier) | (at > earlier + lasts + 60.0)
        during = (at >= start) & (at < start + lasts)
        for name, column in values.items():
            about = kind_of(name)
            if about is not None:
                yield Gauge(
                    service=pod, name=name, kind=about[0], side=about[1],
                    past=column[before], before=np.empty(0), during=column[during],
                )  # fmt: skip
