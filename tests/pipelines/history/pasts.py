"""One past for every history source: three months with a gap, a late birth, resets, odd names."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.series import FloatArray
from tests.servers import require_server

__all__ = [
    "DAY",
    "MEMORY",
    "ODD",
    "PAST",
    "REQUESTS",
    "RESETS",
    "T0",
    "Sampled",
    "long_blocks",
    "make_months",
]

T0 = 1_767_225_600  # 2026-01-01: blocks of a past year stay within the retention
DAY, EVERY = 86_400, 300
DAYS = 90
MEMORY, REQUESTS = "memory_bytes", "requests_total"
ODD = 'a.b|c+("ä")\\'
RESETS = (20 * DAY, 41 * DAY + 7_500)


@dataclass(frozen=True, slots=True)
class Sampled:
    """One series of the past."""

    metric: str
    pod: str
    times: FloatArray
    values: FloatArray


def _past() -> Iterator[Sampled]:
    at = np.arange(0, DAYS * DAY, EVERY, dtype=np.float64)
    day = 100 + 10 * np.sin(2 * np.pi * at / DAY) + at / DAY
    gap = (at < 30 * DAY) | (at >= 60 * DAY)
    yield Sampled(MEMORY, "a", T0 + at[gap], day[gap])
    late = at >= 70 * DAY
    yield Sampled(MEMORY, "late", T0 + at[late], day[late] + 1)
    yield Sampled(MEMORY, ODD, T0 + at, day + 2)
    # It grows by two a second, and counts from 0 after each reset.
    since = at - np.max([np.where(at >= reset, reset, 0) for reset in RESETS], axis=0)
    yield Sampled(REQUESTS, "a", T0 + at, 2 * since)


PAST = tuple(_past())


def make_months(data: Path) -> None:
    """The past as blocks of a Prometheus, of a month each."""
    lines = [
        f"{one.metric}{{pod={_quoted(one.pod)}}} {value:.17g} {at:.0f}"
        for one in PAST
        for at, value in zip(one.times, one.values, strict=True)
    ]
    long_blocks("\n".join([*lines, "# EOF"]) + "\n", data)


def long_blocks(openmetrics: str, data: Path) -> None:
    """Months of samples as few blocks: of two hours each there would be hundreds."""
    data.mkdir(parents=True)
    text = data.parent / "months.om"
    text.write_text(openmetrics, encoding="utf-8")
    command = [str(require_server("promtool")), "tsdb", "create-blocks-from"]
    command += ["--max-block-duration=720h", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
