"""What a record says under a mapping, its paths looked up only where its shape can have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from detector.logs.lines import Level, Origin
from pipelines.ingest.records.levels import Scale, level_of
from pipelines.ingest.records.mapping import Mapping
from pipelines.ingest.records.paths import Path, path_of
from pipelines.ingest.records.workloads import origin_of_path, workload_of

__all__ = ["Fields", "Shapes"]

# Of a service, a pod …: what is longer is cut.
_WORD_MOST = 256
# Shapes of records that are remembered; a sender with more has ids in its names.
_SHAPES_MOST = 512
_NAMED = ("service", "namespace", "cluster", "pod", "version")
_Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Graded:
    path: Path
    scale: Scale


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping's paths, as far as records of one shape can have them."""

    mapping: Mapping
    when: tuple[Path, ...]
    paths: dict[str, tuple[Path, ...]]
    graded: tuple[_Graded, ...]

    def is_of(self, record: _Record) -> bool:
        """Whether a record is of this convention."""
        return any(path.find(record) is not None for path in self.when)

    def first(self, field: str, record: _Record, fits: Callable[[Any], bool]) -> Any:  # noqa: ANN401
        """The first value of a field that fits, None where there is none."""
        for path in self.paths[field]:
            value = path.find(record)
            if value is not None and fits(value):
                return value
        return None

    def level(self, record: _Record) -> Level:
        """The level by the first path whose value is one."""
        words = self.mapping.levels if self.mapping.words else None
        for one in self.graded:
            value = one.path.find(record)
            if value is not None:
                level = (
                    level_of(value, one.scale)
                    if words is None
                    else level_of(value, one.scale, words)
                )
                if level is not Level.UNKNOWN:
                    return level
        return Level.UNKNOWN

    def origin(self, record: _Record, told: Origin) -> Origin:
        """Who wrote it: what was told before goes before what the record says."""
        found = {
            name: getattr(told, name) or _word(self.first(name, record, _is_word))
            for name in _NAMED
        }
        if not found["namespace"]:
            found |= self._by_path(record, found["service"])
        if found["namespace"] and not found["service"]:
            found["service"] = workload_of(found["pod"])
        return Origin(**found)

    def _by_path(self, record: _Record, service: str) -> dict[str, str]:
        """What the path of the file tells where its shipper asked no cluster."""
        path = self.first("file", record, _is_word)
        named = origin_of_path(str(path)) if path is not None else None
        if named is None:
            return {}
        return {
            "service": service or named.service,
            "namespace": named.namespace,
            "pod": named.pod,
        }


class Shapes:
    """The mappings of a door; remembers which paths records of a shape can have."""

    def __init__(self, mappings: Sequence[Mapping]) -> None:
        self._every = tuple(_compiled(mapping) for mapping in mappings)
        self._known: dict[tuple[str, ...], tuple[Fields, ...]] = {}

    def of(self, record: _Record) -> Fields:
        """The fields of the convention that a record is of; the last mapping's where of none."""
        fields = self._of_shape(record)
        return next((one for one in fields if one.is_of(record)), fields[-1])

    def _of_shape(self, record: _Record) -> tuple[Fields, ...]:
        shape = tuple(record)
        known = self._known.get(shape)
        if known is None:
            known = tuple(_narrowed(one, record) for one in self._every)
            if len(self._known) < _SHAPES_MOST:
                self._known[shape] = known
        return known


def _compiled(mapping: Mapping) -> Fields:
    names = ("time", "text", "stack", "trace", "file", *_NAMED)
    graded = (
        _Graded(path_of(one), Scale.PINO)
        if isinstance(one, str)
        else _Graded(path_of(one.path), one.numbers)
        for one in mapping.level
    )
    return Fields(
        mapping=mapping,
        when=tuple(map(path_of, mapping.when)),
        paths={name: tuple(map(path_of, getattr(mapping, name))) for name in names},
        graded=tuple(graded),
    )


def _narrowed(fields: Fields, record: _Record) -> Fields:
    return Fields(
        mapping=fields.mapping,
        when=_possible(fields.when, record),
        paths={name: _possible(paths, record) for name, paths in fields.paths.items()},
        graded=tuple(one for one in fields.graded if one.path.may_be_in(record)),
    )


def _possible(paths: tuple[Path, ...], record: _Record) -> tuple[Path, ...]:
    return tuple(path for path in paths if path.may_be_in(record))


def _is_word(value: object) -> bool:
    return (isinstance(value, str) and bool(value.strip())) or type(value) is int


def _word(value: object) -> str:
    return "" if value is None else str(value).strip()[:_WORD_MOST]
