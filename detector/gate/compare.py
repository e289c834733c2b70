"""What differs between two answers, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from detector.gate.render import Json

__all__ = ["ABSENT", "Moved", "moved"]

ABSENT = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A field (`signals.latency.evidence`) that two answers have otherwise; values as JSON text.

    `ABSENT` stands for a field that one of them does not have at all.
    """

    field: str
    before: str
    after: str


def moved(before: Json, after: Json) -> tuple[Moved, ...]:
    """All fields that differ, in the order of the answer; signals are compared by their names."""
    old, new = dict(_fields("", before)), dict(_fields("", after))
    return tuple(
        Moved(field=field, before=old.get(field, ABSENT), after=new.get(field, ABSENT))
        for field in dict.fromkeys((*old, *new))
        if old.get(field) != new.get(field)
    )


def _fields(place: str, value: Json) -> Iterator[tuple[str, str]]:
    named = _named(value)
    if not named:
        yield place, json.dumps(value, ensure_ascii=False)
        return
    for name, inner in named.items():
        yield from _fields(f"{place}.{name}" if place else name, inner)


def _named(value: Json) -> dict[str, Json]:
    """What is compared one by one: an object's members, and objects of a list by their names."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return {}
    names = [item.get("name") if isinstance(item, dict) else None for item in value]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return {}
    return {str(name): item for name, item in zip(names, value, strict=True)}
