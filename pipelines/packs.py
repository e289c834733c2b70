"""Packs from files and plug-ins: what people write for their own metrics, and the shipped ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from detector.signals.packs import Pack, parse_pack, shipped_packs
from pipelines.pack_files import every_pack
from pipelines.yaml_files import text_of

__all__ = ["GROUP", "load_packs", "read_pack"]

GROUP = "serinus.packs"


def load_packs(places: Sequence[Path] = ()) -> tuple[Pack, ...]:
    """Those of files and folders, of plug-ins, and the shipped ones, as of `every_pack`."""
    return every_pack("pack", parse_pack, places=places, group=GROUP, shipped=shipped_packs())


def read_pack(file: Path) -> Pack:
    """The pack of one file; `ConfigError` names it and says what is wrong."""
    return parse_pack(text_of(file), origin=str(file))
