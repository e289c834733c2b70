"""Capacity packs from files and plug-ins: what people write for their own, and the shipped ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from detector.capacity.packs import CapacityPack, parse_capacity_pack, shipped_capacity
from pipelines.pack_files import every_pack
from pipelines.yaml_files import text_of, tree_of

__all__ = ["GROUP", "load_capacity_packs", "read_capacity_pack"]

GROUP = "serinus.capacity"
# What only a capacity pack says: of itself, and of a resource.
_ITS_KEYS, _ITS_RESOURCES = {"parts", "drivers"}, {"usage", "limit", "needs", "kind", "hour"}


def load_capacity_packs(places: Sequence[Path] = ()) -> tuple[CapacityPack, ...]:
    """Those of files and folders, of plug-ins, and the shipped ones, as of `every_pack`."""
    return every_pack(
        "capacity pack",
        parse_capacity_pack,
        places=places,
        group=GROUP,
        shipped=shipped_capacity(),
    )


def read_capacity_pack(file: Path) -> CapacityPack | None:
    """The capacity pack of one file, None where it is none by its keys, but perhaps of the gate's.

    `ConfigError` names the file that cannot be read, and says what is wrong with its pack.
    """
    text = text_of(file)
    try:
        is_one = _is_one(tree_of(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        is_one = False
    return parse_capacity_pack(text, origin=str(file)) if is_one else None


def _is_one(tree: object) -> bool:
    if not isinstance(tree, dict):
        return False
    told = tree.get("resources")
    resources = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    return bool(_ITS_KEYS & tree.keys() or any(_ITS_RESOURCES & one.keys() for one in resources))
