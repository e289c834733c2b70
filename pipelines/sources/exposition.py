"""The text format that scrape targets speak: Prometheus 0.0.4, and OpenMetrics as far as alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Sample", "parse_exposition", "parse_series"]

# Each alternative begins with another character, so a match takes time in proportion to the text.
SERIES = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?')
PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,\s*|$)')
ESCAPE = re.compile(r"\\(.)")
ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}


class Sample(NamedTuple):
    """One line: the series as it is written, its value, and its own time stamp if it has one."""

    series: str
    value: float
    time: float | None


def parse_exposition(text: str) -> Iterator[Sample]:
    """The samples of a scrape, in order; `ValueError` names the first line that is not one."""
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield _sample(stripped, number)


def _sample(line: str, number: int) -> Sample:
    series = SERIES.match(line)
    rest = line[series.end() :].split() if series else []
    try:
        if series is None or not rest:
            raise ValueError("no value")
        stamp = rest[1] if len(rest) > 1 and rest[1] != "#" else None  # "#" begins an exemplar
        return Sample(series[0], float(rest[0]), None if stamp is None else _seconds(stamp))
    except ValueError as error:
        raise ValueError(f"line {number} is not a sample: {line[:120]!r}") from error


def _seconds(stamp: str) -> float:
    """Milliseconds in the Prometheus format, seconds with a point in OpenMetrics."""
    return float(stamp) if "." in stamp else int(stamp) / 1000


def parse_series(series: str) -> dict[str, str]:
    """Labels of a series as it is written, with `__name__`; `ValueError` when it is not one."""
    name, brace, rest = series.partition("{")
    labels = {"__name__": name}
    text = rest[:-1].strip() if brace else ""
    at = 0
    while at < len(text):
        pair = PAIR.match(text, at)
        if pair is None:
            raise ValueError(f"labels cannot be read: {series[:120]!r}")
        labels[pair[1]] = ESCAPE.sub(_unescape, pair[2])
        at = pair.end()
    return {name: value for name, value in labels.items() if value}


def _unescape(escape: re.Match[str]) -> str:
    return ESCAPED.get(escape[1], escape[0])
