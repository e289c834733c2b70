"""Capacity packs from files and plug-ins: what people write for their own, and the shipped ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import yaml

from detector.capacity.packs import CapacityPack, parse_capacity_pack, shipped_capacity
from detector.errors import ConfigError
from pipelines.yaml_files import shipped_texts, texts_of, tree_of

__all__ = ["GROUP", "load_capacity_packs", "read_capacity_pack"]

GROUP = "serinus.capacity"
# What only a capacity pack says: of itself, and of a resource.
_ITS_KEYS, _ITS_RESOURCES = {"parts", "drivers"}, {"usage", "limit", "needs", "kind", "hour"}


def load_capacity_packs(places: Sequence[Path] = ()) -> tuple[CapacityPack, ...]:
    """The packs of the files and folders, then those of plug-ins, then the shipped ones.

    Of one name the first of these holds. A plug-in names, in the entry point group
    `serinus.capacity`, a package whose YAML files are capacity packs. `ConfigError` names the file
    that cannot be read, is no pack, or repeats a name of its own kind.
    """
    packs = _named(texts_of(places))
    theirs = _named(_plugged())
    for name, pack in (*theirs.items(), *((pack.name, pack) for pack in shipped_capacity())):
        packs.setdefault(name, pack)
    return tuple(packs.values())


def read_capacity_pack(file: Path) -> CapacityPack | None:
    """The capacity pack of one file, None where it is none by its keys, but perhaps of the gate's.

    `ConfigError` names the file that cannot be read, and says what is wrong with its pack.
    """
    ((origin, text),) = texts_of([file])
    try:
        is_one = _is_one(tree_of(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        is_one = False
    return parse_capacity_pack(text, origin=origin) if is_one else None


def _is_one(tree: object) -> bool:
    if not isinstance(tree, dict):
        return False
    told = tree.get("resources")
    resources = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    return bool(_ITS_KEYS & tree.keys() or any(_ITS_RESOURCES & one.keys() for one in resources))


def _named(texts: Iterable[tuple[str, str]]) -> dict[str, CapacityPack]:
    packs: dict[str, CapacityPack] = {}
    origins: dict[str, str] = {}
    for origin, text in texts:
        pack = parse_capacity_pack(text, origin=origin)
        if pack.name in packs:
            told = origins[pack.name]
            raise ConfigError(f"{origin}: the capacity pack {pack.name!r} is in {told} already")
        packs[pack.name], origins[pack.name] = pack, origin
    return packs


def _plugged() -> Iterator[tuple[str, str]]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        told = f"capacity pack plug-in {point.name!r} ({point.value})"
        try:
            import_module(point.module)
            texts = shipped_texts(point.module)
        except Exception as error:
            raise ConfigError(f"{told} cannot be loaded: {error}") from error
        if not texts:
            raise ConfigError(f"{told} has no YAML file; it names a package that holds packs")
        yield from ((f"{told}, {name}", text) for name, text in texts)
