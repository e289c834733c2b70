"""How OTLP's attributes and Loki's labels tell who wrote a line: mappings, as those of records."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from detector.logs.lines import Origin
from pipelines.ingest.logs.named import Names, Role, names_of
from pipelines.ingest.logs.remembering import Owner
from pipelines.ingest.records.fields import Shapes
from pipelines.ingest.records.levels import Scale
from pipelines.ingest.records.mapping import Mapping, NumberedPath, parse_mapping

__all__ = ["NAMELESS", "Convention", "convention"]

NAMELESS = Origin(service="")
_FIELDS = {
    Role.SERVICE: "service",
    Role.NAMESPACE: "namespace",
    Role.CLUSTER: "cluster",
    Role.POD: "pod",
    Role.VERSION: "version",
    Role.LEVEL: "level",
    Role.TRACE: "trace",
    Role.STACK: "stack",
}


@dataclass(frozen=True, slots=True)
class Convention:
    """One mapping, whose paths are whole names.

    `names` are all of them, as columns for a walk, `spelled` as texts; `scales` what numbers of
    each would mean.
    """

    names: Names
    spelled: frozenset[str]
    scales: tuple[Scale, ...]
    shapes: Shapes

    def owner(self, told: dict[str, object]) -> Owner:
        """What a resource's attributes or a stream's labels tell of all its lines."""
        fields = self.shapes.of(told)
        return Owner(origin=fields.origin(told, NAMELESS), level=fields.level(told))


@cache
def convention(name: str) -> Convention:
    """A shipped one, by the name of its file."""
    folder = files("pipelines.ingest.logs.mappings")
    text = (folder / f"{name}.yaml").read_text("utf-8")
    return _convention(parse_mapping(text, origin=f"{name}.yaml"))


def _convention(mapping: Mapping) -> Convention:
    every = [
        (_name(path), role, path.numbers if isinstance(path, NumberedPath) else Scale.OTEL)
        for role, field in _FIELDS.items()
        for path in getattr(mapping, field)
    ]
    return Convention(
        names_of((name, role) for name, role, _ in every),
        frozenset(name for name, *_ in every),
        tuple(scale for *_, scale in every),
        Shapes([mapping]),
    )


def _name(path: str | NumberedPath) -> str:
    return path if isinstance(path, str) else path.path
