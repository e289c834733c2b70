"""Packs from files: those that are shipped, and what people write for their own metrics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from detector.errors import ConfigError
from detector.signals.packs import Pack, parse_pack, shipped_packs

__all__ = ["load_packs"]

# A pack of ours has two kilobytes; a file of a megabyte is no pack.
_BYTES_MAX = 1 << 20


def load_packs(files: Sequence[Path] = ()) -> tuple[Pack, ...]:
    """The packs of the files, then the shipped ones; one of the same name replaces ours.

    `ConfigError` names the file that cannot be read, is no pack, or repeats a name.
    """
    own = [parse_pack(_text(file), origin=str(file)) for file in files]
    names: dict[str, Path] = {}
    for pack, file in zip(own, files, strict=True):
        if pack.name in names:
            raise ConfigError(f"{file}: the pack {pack.name!r} is in {names[pack.name]} already")
        names[pack.name] = file
    return (*own, *(pack for pack in shipped_packs() if pack.name not in names))


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _BYTES_MAX:
            raise ConfigError(f"{file}: is over {_BYTES_MAX:,} bytes: no pack is that long")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8: {error}") from error
