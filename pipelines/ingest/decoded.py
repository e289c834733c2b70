"""What a door made of a message: columns, and by name whatever it did not take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError, SerinusError
from detector.stream.columns import Columns

__all__ = [
    "BodyTooLargeError",
    "Decoded",
    "Dropped",
    "FullError",
    "Refusal",
    "Refused",
    "Window",
    "broken",
    "in_window",
    "joined",
    "windowed",
]


class Refusal(Enum):
    """Why a sample, or a line, was not taken. To send it again would not help."""

    SERIES_LIMIT = "series_limit"
    LABELS = "labels"
    TOO_OLD = "too_old"
    IN_THE_FUTURE = "in_the_future"
    NO_VALUE = "no_value"
    TEMPORALITY = "temporality"
    HISTOGRAM = "histogram"
    BODY = "body"


class Dropped(Enum):
    """What comes with samples and is not kept: no sample is lost by it."""

    EXEMPLARS = "exemplars"
    MIN_MAX = "min_max"


class FullError(SerinusError):
    """The queue behind the doors has no room: nothing of the message was taken."""


class BodyTooLargeError(InputError):
    """A body that is longer, as it came or unpacked, than is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Times that are taken, in unix milliseconds, both bounds included."""

    oldest: int
    newest: int


@dataclass(slots=True)
class Refused:
    """Samples that were not taken, by reason, and in words what was wrong with the first."""

    counts: Counter[Enum] = field(default_factory=Counter)
    words: str = ""

    def add(self, reason: Enum, count: int, words: str) -> None:
        """Count them; of words only the first are kept."""
        if count:
            self.counts[reason] += count
            self.words = self.words or words

    def told(self) -> str:
        """How many for which reason, and what was wrong with the first."""
        counts = ", ".join(f"{count} {reason.value}" for reason, count in self.counts.items())
        return f"{self.total} were refused ({counts}): {self.words}"

    @property
    def total(self) -> int:
        """All of them."""
        return self.counts.total()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The samples of a message that are taken; what was refused of it, and what is not kept."""

    columns: Columns
    refused: Refused = field(default_factory=Refused)
    dropped: Mapping[Dropped, int] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        """How many samples are taken."""
        return len(self.columns)


def windowed(
    series: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    window: Window,
    refused: Refused,
) -> Columns:
    """The samples of the window whose series is known (not negative); the others are counted."""
    if len(series) and series.min() >= 0 and _is_within(at, window):
        return Columns(series=series, at=at, value=value)
    known = series >= 0
    keep = in_window(at, known, window, refused)
    if keep.all():
        return Columns(series=series, at=at, value=value)
    return Columns(series=series[keep], at=at[keep], value=value[keep])


def _is_within(at: NDArray[np.int64], window: Window) -> bool:
    return bool(at.min() >= window.oldest and at.max() <= window.newest)


def in_window(
    at: NDArray[np.int64], known: NDArray[np.bool_], window: Window, refused: Refused
) -> NDArray[np.bool_]:
    """Which of the known are of the window; the others of them are counted."""
    late, early = at < window.oldest, at > window.newest
    if late.any() or early.any():
        _tell_times(at, known & late, known & early, refused)
    keep: NDArray[np.bool_] = known & ~late & ~early
    return keep


def _tell_times(
    at: NDArray[np.int64], late: NDArray[np.bool_], early: NDArray[np.bool_], refused: Refused
) -> None:
    for reason, where, words in (
        (Refusal.TOO_OLD, late, "is older than what is taken"),
        (Refusal.IN_THE_FUTURE, early, "lies in the future: check the sender's clock"),
    ):
        if where.any():
            first = int(at[where][0])
            refused.add(reason, int(where.sum()), f"the time {first} (unix milliseconds) {words}")


def joined(parts: tuple[Columns, ...]) -> Columns:
    """All samples of several columns, in order."""
    filled = [part for part in parts if len(part)] or [parts[0]]
    if len(filled) == 1:
        return filled[0]
    return Columns(
        series=np.concatenate([part.series for part in filled]),
        at=np.concatenate([part.at for part in filled]),
        value=np.concatenate([part.value for part in filled]),
    )


def broken(words: str) -> InputError:
    """The error of a body that cannot be read at all."""
    return InputError(words, field="body")
