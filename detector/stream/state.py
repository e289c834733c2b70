"""All that the operator holds of one tenant's stream."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.stream.anomaly import Side, Subject
from detector.stream.excursion import Excursion
from detector.stream.gathering import Gathering
from detector.stream.scoring import Scorer
from detector.stream.settings import StreamSettings
from detector.stream.suppression import Window
from detector.stream.tracks import Tracks

__all__ = ["NEVER", "StreamState"]

# Before any sample.
NEVER = -(2**62)


@dataclass(slots=True, kw_only=True)
class StreamState:
    """It is used up by each step, which gives it back changed: it has one owner at a time.

    `watermark` is the newest time of a sample (unix ms); `since` that at the last tick of the hour,
    when `live` series were counted. `hours` counts hours that had samples, up to the one that is
    under way, and `first` is the one that the last tick began. `due` is a time before which no
    excursion becomes silent.

    `subjects` by number, with `sizes`, how many series each has, and `rows_of`, how many rows, also
    those of forgotten series; numbers without a row are `spare`. `absent` rows are of forgotten
    series; `forgotten` is how many were since the start, `gone` those not told to who gives ids.

    `origin` is which part of a stream it judges, where there are several: ids of series are a
    part's own.

    Anomalies are `open`, or `resting`: closed, but so lately that the next excursion opens them
    again; both by subject and side. What swings to the other side of its range is another anomaly,
    and each side of a series has an excursion of its own.
    """

    tenant: str
    scorer: Scorer
    settings: StreamSettings
    windows: tuple[Window, ...] = ()
    origin: str = ""
    tracks: Tracks = field(default_factory=Tracks)
    subjects: list[Subject] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    rows_of: list[int] = field(default_factory=list)
    spare: list[int] = field(default_factory=list)
    excursions: dict[tuple[int, Side], Excursion] = field(default_factory=dict)
    open: dict[tuple[int, Side], Gathering] = field(default_factory=dict)
    resting: dict[tuple[int, Side], Gathering] = field(default_factory=dict)
    watermark: int = NEVER
    since: int = NEVER
    live: int = 0
    hours: int = 0
    first: int = 0
    due: int = NEVER
    numbers: dict[Subject, int] = field(default_factory=dict)
    absent: int = 0
    forgotten: int = 0
    gone: list[NDArray[np.int32]] = field(default_factory=list)

    @property
    def place(self) -> str:
        """What tells its anomalies from those of another state that has series of one subject."""
        return f"{self.origin}\0{self.tenant}" if self.origin else self.tenant

    def subject_of(self, series: int) -> int:
        """The number of a series' subject."""
        return int(self.tracks["subject"][series])

    def share(self) -> None:
        """Set what each series needs to alarm, after anything that it follows from has changed."""
        self.tracks.share(self.live, self.settings.alarms_a_week)
