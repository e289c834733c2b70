"""What the doors are compared with: libraries and loops that make an object of each series."""

from __future__ import annotations

import json
from typing import Any

import cramjam

from pipelines.testing.remote_write import message

__all__ = ["JsonLoop", "ProtobufLoop", "RiverJsonLoop", "RiverLoop"]

_Key = tuple[tuple[str, str], ...]


class _Series:
    """The last sample of a series, as a plain program keeps it."""

    __slots__ = ("at", "value")

    def __init__(self) -> None:
        self.at, self.value = 0, 0.0

    def take(self, at: int, value: float) -> None:
        """Keep it, if it is newer."""
        if at >= self.at:
            self.at, self.value = at, value


class ProtobufLoop:
    """The protobuf library, then a dictionary of objects by labels."""

    def __init__(self) -> None:
        self.series: dict[_Key, Any] = {}
        self.request = message("WriteRequest")

    def __call__(self, body: bytes) -> int:
        """How many samples a request had."""
        told, done = self.request.FromString(bytes(cramjam.snappy.decompress_raw(body))), 0
        for series in told.timeseries:
            own = self.own(tuple((label.name, label.value) for label in series.labels))
            for sample in series.samples:
                own.take(sample.timestamp, sample.value)
                done += 1
        return done

    def own(self, key: _Key) -> Any:  # noqa: ANN401 - of this loop or of one made from it
        """The object of a series."""
        found = self.series.get(key)
        if found is None:
            found = self.series[key] = self.made()
        return found

    def made(self) -> Any:  # noqa: ANN401
        """A new one."""
        return _Series()


class JsonLoop:
    """JSON of the standard library, then a dictionary of objects by labels."""

    def __init__(self) -> None:
        self.series: dict[_Key, Any] = {}

    def __call__(self, body: bytes) -> int:
        """How many samples a list had."""
        told = json.loads(body)
        for sample in told:
            key = tuple(sorted(sample["labels"].items()))
            own = self.series.get(key)
            if own is None:
                own = self.series[key] = self.made()
            own.take(sample["timestamp"], sample["value"])
        return len(told)

    def made(self) -> Any:  # noqa: ANN401 - of this loop or of one made from it
        """A new one."""
        return _Series()


class _RiverSeries:
    """river's running mean and variance of a series."""

    def __init__(self) -> None:
        from river import stats

        self.mean, self.spread = stats.EWMean(fading_factor=0.1), stats.EWVar(fading_factor=0.1)

    def take(self, at: int, value: float) -> None:
        """Learn a sample."""
        self.mean.update(value)
        self.spread.update(value)


class _RiverScored(_RiverSeries):
    """The same, and how far each sample is from what was expected, in standard deviations."""

    def take(self, at: int, value: float) -> None:
        """Score a sample, then learn it."""
        spread = self.spread.get()
        self.score = abs(value - self.mean.get()) / spread**0.5 if spread else 0.0
        super().take(at, value)


class RiverJsonLoop(JsonLoop):
    """JSON, and river's statistics in each object score the sample."""

    def made(self) -> Any:  # noqa: ANN401
        """A new one."""
        return _RiverScored()


class RiverLoop(ProtobufLoop):
    """The same loop, with river's statistics in each object."""

    def made(self) -> Any:  # noqa: ANN401
        """A new one."""
        return _RiverSeries()
