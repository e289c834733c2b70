"""What kind the series of Prometheus are: by metadata where it came, else by their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from detector.stream.columns import SeriesKind

__all__ = ["Families", "Family", "FamilyType", "suffixed"]

_COUNTER_SUFFIXES = ("_total", "_bucket", "_count", "_sum")
_SUFFIXES = ("", *_COUNTER_SUFFIXES, "_created", "_gcount", "_gsum", "_info")


class FamilyType(IntEnum):
    """prompb.MetricMetadata.MetricType."""

    UNKNOWN = 0
    COUNTER = 1
    GAUGE = 2
    HISTOGRAM = 3
    GAUGE_HISTOGRAM = 4
    SUMMARY = 5
    INFO = 6
    STATE_SET = 7


_COUNTED = {
    FamilyType.COUNTER: ("", "_total"),
    FamilyType.HISTOGRAM: ("_bucket", "_count", "_sum"),
    FamilyType.SUMMARY: ("_count", "_sum"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Metadata of a metric family."""

    name: str
    type: FamilyType
    unit: str = ""


class Families:
    """The families of one tenant, as far as they are known; not more than `most` of them."""

    def __init__(self, *, most: int = 100_000) -> None:
        self._families: dict[str, Family] = {}
        self._most = most

    def of(self, name: str) -> tuple[SeriesKind, str]:
        """Kind and unit of the series of a name."""
        for suffix in _SUFFIXES:
            family = (
                self._families.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
            )
            if family is not None:
                return _kind_in(family, suffix), family.unit
        is_counted = name.endswith(_COUNTER_SUFFIXES)
        return (SeriesKind.CUMULATIVE if is_counted else SeriesKind.GAUGE), ""

    def known(self) -> tuple[Family, ...]:
        """What was learned, in the order in which it came."""
        return tuple(self._families.values())

    def learn(self, families: Iterable[Family]) -> list[str]:
        """Take metadata in; the names of series about which it says something new."""
        fresh = [family for family in families if self._is_news(family)]
        for family in fresh:
            if len(self._families) < self._most or family.name in self._families:
                self._families[family.name] = family
        return suffixed(family.name for family in fresh)

    def _is_news(self, family: Family) -> bool:
        return family.type is not FamilyType.UNKNOWN and self._families.get(family.name) != family


def suffixed(families: Iterable[str]) -> list[str]:
    """The names that series of some families may have."""
    return [name + suffix for name in families for suffix in _SUFFIXES]


def _kind_in(family: Family, suffix: str) -> SeriesKind:
    is_counted = suffix in _COUNTED.get(family.type, ())
    return SeriesKind.CUMULATIVE if is_counted else SeriesKind.GAUGE
