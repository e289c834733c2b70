"""`serinus serve` as a process with a stream, that takes columns and can be killed.

`python -m tests.api.streaming DATA PORT [ROOM]`: it serves the real app with the real doors.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import uvicorn
from numpy.typing import NDArray

from api.compose import open_gate
from api.ingest_settings import IngestSettings
from api.serving import serving_app
from api.settings import Settings
from api.stream_settings import StreamSection
from api.streaming import open_streaming
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from pipelines.ingest.columnar import packed
from pipelines.sources.memory import MemorySource
from tests.api.doors import quiet_logs

__all__ = ["MINUTE", "T0", "message", "values_of"]

T0 = 1_790_000_000_000 - 1_790_000_000_000 % 3_600_000
MINUTE = 60_000
# Samples of a test lie where they lie, whatever the day is.
ALWAYS = 1e10


def values_of(minutes: int, series: int = 4) -> NDArray[np.float64]:
    """(minutes, series); from the 200th on two series are far out for twenty minutes."""
    value = 10 + np.random.default_rng(7).normal(size=(minutes, series))
    value[200:220, :2] += 30
    return value


def message(first: int, value: NDArray[np.float64]) -> bytes:
    """Some minutes of all series as one columnar message."""
    minutes, series = value.shape
    table = [
        SeriesInfo(
            labels=(("__name__", "queue"), ("pod", f"checkout-{n}"), ("service", "checkout")),
            kind=SeriesKind.GAUGE,
        )
        for n in range(series)
    ]
    at = np.repeat(T0 + np.arange(first, first + minutes, dtype=np.int64) * MINUTE, series)
    ids = np.tile(np.arange(series, dtype=np.int32), minutes)
    return packed(table, Columns(series=ids, at=at, value=value.ravel()))


def _serve(data: Path, port: int, room: int = 2_000_000) -> None:
    settings = Settings(
        data=data,
        ingest=IngestSettings(ahead_s=ALWAYS, behind_s=ALWAYS),
        stream=StreamSection(checkpoint_s=0.5, alarms_a_week=0.1, room=room),
    )
    quiet_logs()
    opened, streaming = open_gate(settings, source=MemorySource()), open_streaming(settings)
    app = serving_app(opened, settings, on_stop=streaming.close, streaming=streaming)
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), *map(int, sys.argv[2:]))
