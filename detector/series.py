"""What a metric source is asked for and what it answers: raw samples with their own times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Answer", "FloatArray", "MatchOp", "Matcher", "Query", "Series"]

FloatArray = NDArray[np.float64]


class MatchOp(StrEnum):
    """The four PromQL label matching operators."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher; regular expressions are anchored and RE2, as in PromQL."""

    label: str
    op: MatchOp
    value: str


@dataclass(frozen=True, slots=True)
class Query:
    """One metric name with matchers: what `name{matchers}` selects."""

    metric: str
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Raw samples of one series: `times` are unix seconds, ascending; same length as `values`."""

    labels: Mapping[str, str]
    times: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the source said to one query; `warnings` mean that series may be missing."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()
