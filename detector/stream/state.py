"""All that the operator holds of one tenant's stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.stream.anomaly import Subject
from detector.stream.columns import SeriesInfo
from detector.stream.excursion import Excursion
from detector.stream.gathering import Gathering
from detector.stream.scoring import Scorer
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from detector.stream.suppression import Window
from detector.stream.tracks import Tracks

__all__ = ["NEVER", "StreamState", "introduced"]

# Before any sample.
NEVER = -(2**62)


@dataclass(slots=True, kw_only=True)
class StreamState:
    """It is used up by each step, which gives it back changed: it has one owner at a time.

    `watermark` is the newest time of a sample (unix ms); `since` that at the last tick of the hour,
    when `live` series were counted. `due` is a time before which no excursion becomes silent.
    `subjects` by number, with `sizes`, how many series each has. Anomalies are `open`, or
    `resting`: closed, but so lately that the next excursion opens them again; both by subject. What
    swings to the other side of its range, as after a recovery, is still the same anomaly.
    """

    tenant: str
    scorer: Scorer
    settings: StreamSettings
    windows: tuple[Window, ...] = ()
    tracks: Tracks = field(default_factory=Tracks)
    subjects: list[Subject] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    excursions: dict[int, Excursion] = field(default_factory=dict)
    open: dict[int, Gathering] = field(default_factory=dict)
    resting: dict[int, Gathering] = field(default_factory=dict)
    watermark: int = NEVER
    since: int = NEVER
    live: int = 0
    due: int = NEVER
    numbers: dict[Subject, int] = field(default_factory=dict)

    def subject_of(self, series: int) -> int:
        """The number of a series' subject."""
        return int(self.tracks.arrays["subject"][series])

    def share(self) -> None:
        """Set what each series needs to alarm, after anything that it follows from has changed."""
        self.tracks.share(self.live, self.settings.alarms_a_week)


def introduced(state: StreamState, series: Sequence[SeriesInfo], owners: Owners) -> StreamState:
    """The state with new series, in the order of their ids; it must come before their samples."""
    found = np.array([_number(state, owners.subject(one)) for one in series], np.int32)
    state.tracks.add(found)
    state.scorer.grow([one.kind for one in series])
    return state


def _number(state: StreamState, subject: Subject) -> int:
    number = state.numbers.setdefault(subject, len(state.subjects))
    if number == len(state.subjects):
        state.subjects.append(subject)
        state.sizes.append(0)
    state.sizes[number] += 1
    return number
