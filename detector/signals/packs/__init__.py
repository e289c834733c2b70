"""Packs: what is known of the metrics that people's services already expose, as data."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from detector.signals.packs.parse import parse_pack
from detector.signals.packs.schema import Pack

__all__ = ["Pack", "parse_pack", "shipped_packs"]


@cache
def shipped_packs() -> tuple[Pack, ...]:
    """The packs of this version, by file name."""
    found = [entry for entry in files(__name__).iterdir() if entry.name.endswith(".yaml")]
    found.sort(key=lambda entry: entry.name)
    return tuple(parse_pack(entry.read_text("utf-8"), origin=entry.name) for entry in found)
