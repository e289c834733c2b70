"""Packs of any kind from files and plug-ins: what people write for their own, and the shipped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Protocol, TypeVar

from detector.errors import ConfigError
from pipelines.yaml_files import ENDINGS, shipped_texts, texts_of

__all__ = ["Parse", "every_pack"]


class _Pack(Protocol):
    @property
    def name(self) -> str: ...


P = TypeVar("P", bound=_Pack)
P_co = TypeVar("P_co", bound=_Pack, covariant=True)


class Parse(Protocol[P_co]):
    """Makes a pack of a text that is from `origin`; `ConfigError` names it."""

    def __call__(self, text: str, *, origin: str) -> P_co:
        """See `Parse`."""
        ...


def every_pack(
    kind: str, parse: Parse[P], *, places: Sequence[Path], group: str, shipped: Iterable[P]
) -> tuple[P, ...]:
    """The packs of the files and folders, then those of plug-ins, then the shipped ones.

    Of one name the first of these holds. A plug-in names, in the entry point group, a package whose
    YAML files are packs. `ConfigError` names the file that cannot be read, is no pack, or repeats a
    name of its own kind (`kind` is what people call it), and a folder without any.
    """
    for place in places:
        if place.is_dir() and not texts_of([place]):
            told = " or ".join(ENDINGS)
            raise ConfigError(f"{place}: no file there ends in {told}; a folder holds packs")
    packs = _named(kind, parse, texts_of(places))
    theirs = _named(kind, parse, _plugged(kind, group))
    for pack in (*theirs.values(), *shipped):
        packs.setdefault(pack.name, pack)
    return tuple(packs.values())


def _named(kind: str, parse: Parse[P], texts: Iterable[tuple[str, str]]) -> dict[str, P]:
    """Packs by name, in their order."""
    packs: dict[str, P] = {}
    origins: dict[str, str] = {}
    for origin, text in texts:
        pack = parse(text, origin=origin)
        if pack.name in packs:
            told = origins[pack.name]
            raise ConfigError(f"{origin}: the {kind} {pack.name!r} is in {told} already")
        packs[pack.name], origins[pack.name] = pack, origin
    return packs


def _plugged(kind: str, group: str) -> Iterator[tuple[str, str]]:
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        told = f"{kind} plug-in {point.name!r} ({point.value})"
        yield from ((f"{told}, {name}", text) for name, text in _texts(point, told))


def _texts(point: EntryPoint, told: str) -> list[tuple[str, str]]:
    """The YAML files of a plug-in's package."""
    try:
        import_module(point.module)
        texts = shipped_texts(point.module)
    except Exception as error:
        raise ConfigError(f"{told} cannot be loaded: {error}") from error
    if not texts:
        raise ConfigError(f"{told} has no YAML file; it names a package that holds packs")
    return texts
