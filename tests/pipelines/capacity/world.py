"""Series of real exporters' names, told as a start and what they grow an hour, as OpenMetrics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

EXPOSED = Path(__file__).parent / "exposed"
_LINE = re.compile(
    r"(?P<series>(?P<name>\w+)\{.*\}) (?P<first>\S+)(?: \+(?P<grows>\S+))?(?P<counter> counter)?"
)
SCRAPE_S = 120


@dataclass(frozen=True, slots=True)
class Exposed:
    """One series: `first` at the beginning, `grows` more each hour."""

    name: str
    series: str
    first: float
    grows: float


def exposed(*names: str) -> list[Exposed]:
    """What is in files of `exposed/`."""
    return [one for name in names for one in _lines((EXPOSED / f"{name}.prom").read_text())]


def _lines(text: str) -> Iterator[Exposed]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            found = _LINE.fullmatch(line)
            assert found, line
            yield Exposed(
                found["name"], found["series"], float(found["first"]), float(found["grows"] or 0)
            )


def openmetrics(
    series: Sequence[Exposed], *, start: int, hours: int, scrape_s: int = SCRAPE_S
) -> str:
    """Samples of all of it, ending in `# EOF`."""
    times = np.arange(start, start + 3600 * hours + 1, scrape_s)
    lines: list[str] = []
    for name, some in groupby(sorted(series, key=lambda one: one.name), key=lambda one: one.name):
        lines.append(f"# TYPE {name} unknown")
        for one in some:
            values = one.first + one.grows * (times - start) / 3600
            lines += [f"{one.series} {v:.12g} {t}" for t, v in zip(times, values, strict=True)]
    return "\n".join([*lines, "# EOF\n"])
