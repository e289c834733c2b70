"""Packs from files and plug-ins: what people write for their own metrics, and the shipped ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from detector.errors import ConfigError
from detector.signals.packs import Pack, parse_pack, shipped_packs

__all__ = ["GROUP", "load_packs", "read_pack"]

GROUP = "serinus.packs"
# A pack of ours has two kilobytes; a file of a megabyte is no pack.
_BYTES_MAX = 1 << 20
_ENDINGS = (".yaml", ".yml")


def load_packs(places: Sequence[Path] = ()) -> tuple[Pack, ...]:
    """The packs of the files and folders, then those of plug-ins, then the shipped ones.

    Of one name the first of these holds. A plug-in names, in the entry point group
    `serinus.packs`, a package whose YAML files are packs. `ConfigError` names the file that
    cannot be read, is no pack, or repeats a name of its own kind.
    """
    own = _named((file, read_pack(file)) for place in places for file in _files(place))
    theirs = _named(_plugged())
    packs = dict(own)
    for name, pack in (*theirs.items(), *((pack.name, pack) for pack in shipped_packs())):
        packs.setdefault(name, pack)
    return tuple(packs.values())


def read_pack(file: Path) -> Pack:
    """The pack of one file; `ConfigError` names it and says what is wrong."""
    return parse_pack(_text(file), origin=str(file))


def _named(found: Iterator[tuple[object, Pack]]) -> dict[str, Pack]:
    """Packs by name, in their order."""
    packs: dict[str, Pack] = {}
    origins: dict[str, object] = {}
    for origin, pack in found:
        if pack.name in packs:
            told = origins[pack.name]
            raise ConfigError(f"{origin}: the pack {pack.name!r} is in {told} already")
        packs[pack.name], origins[pack.name] = pack, origin
    return packs


def _files(place: Path) -> list[Path]:
    """The file itself, or the YAML files of a folder by name."""
    if not place.is_dir():
        return [place]
    try:
        found = sorted(file for file in place.iterdir() if file.suffix in _ENDINGS)
    except OSError as error:
        raise ConfigError(f"{place}: cannot be read: {error.strerror}") from error
    if not found:
        raise ConfigError(f"{place}: no file there ends in .yaml or .yml; a folder holds packs")
    return found


def _plugged() -> Iterator[tuple[object, Pack]]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        for entry in _entries(point):
            origin = f"pack plug-in {point.name!r} ({point.value}), {entry.name}"
            yield origin, parse_pack(_decoded(entry.read_bytes(), origin), origin=origin)


def _entries(point: EntryPoint) -> list[Traversable]:
    """The YAML files of a plug-in's package."""
    told = f"pack plug-in {point.name!r} ({point.value})"
    try:
        folder = files(import_module(point.module))
        found = [entry for entry in folder.iterdir() if entry.name.endswith(_ENDINGS)]
    except Exception as error:
        raise ConfigError(f"{told} cannot be loaded: {error}") from error
    if not found:
        raise ConfigError(f"{told} has no YAML file; it names a package that holds packs")
    return sorted(found, key=lambda entry: entry.name)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _BYTES_MAX:
            raise ConfigError(f"{file}: is over {_BYTES_MAX:,} bytes: no pack is that long")
        return _decoded(file.read_bytes(), str(file))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error


def _decoded(content: bytes, origin: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{origin}: is not UTF-8: {error}") from error
