"""Capacity packs: which metrics of people's systems run out against which limits, as data."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from detector.capacity.packs.parse import parse_capacity_pack
from detector.capacity.packs.schema import CapacityPack, Driver, Fold, Measured

__all__ = ["CapacityPack", "Driver", "Fold", "Measured", "parse_capacity_pack", "shipped_capacity"]


@cache
def shipped_capacity() -> tuple[CapacityPack, ...]:
    """The packs of this version, by file name."""
    found = [entry for entry in files(__name__).iterdir() if entry.name.endswith(".yaml")]
    found.sort(key=lambda entry: entry.name)
    return tuple(
        parse_capacity_pack(entry.read_text("utf-8"), origin=entry.name) for entry in found
    )
