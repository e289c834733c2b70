"""Doors onto a sink in memory at a clock that stands still: what their tests share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.ingest.decoded import Decoded, Window
from pipelines.ingest.doors import Doors
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Door, Packing
from pipelines.testing.sink import MemorySink

__all__ = ["ALWAYS", "GOLDEN", "NOW_MS", "Doorway"]

NOW_MS = 1_764_000_000_000
ALWAYS = Window(oldest=-(2**63), newest=2**63 - 1)
GOLDEN = Path(__file__).parent / "golden"


class Doorway:
    """Doors and their sink."""

    def __init__(self, sink: MemorySink | None = None, **limits: int) -> None:
        self.sink = sink or MemorySink()
        self.doors = Doors(self.sink, Limits(**limits), clock=lambda: NOW_MS / 1000)

    def take(self, door: Door, body: bytes, packing: Packing = Packing.PLAIN) -> Decoded:
        """Push a body of the usual tenant."""
        return self.doors.take(door, "default", body, packing)

    def shown(self) -> dict[str, float]:
        """The last value of each series, by its name and what tells it from others of the name."""
        return {_spelled(dict(info.labels)): value for info, _, value in self.sink.samples()}


def _spelled(labels: Mapping[str, str]) -> str:
    told = [f'{name}="{labels[name]}"' for name in ("le", "quantile", "pod") if name in labels]
    return labels["__name__"] + ("{" + ",".join(told) + "}" if told else "")
