"""Small YAML files that people write beside the configuration: each with where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from detector.errors import ConfigError

__all__ = ["ENDINGS", "shipped_texts", "text_of", "texts_of", "tree_of"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BYTES_MAX = 1 << 20
ENDINGS = (".yaml", ".yml")
Texts = list[tuple[str, str]]


def tree_of(text: str) -> Any:  # noqa: ANN401 - what YAML has
    """The YAML in a text, without anything that could run; `yaml.YAMLError`, `RecursionError`."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader


def shipped_texts(package: str) -> Texts:
    """Name and text of each YAML file that a package of ours ships, by name."""
    entries = [entry for entry in files(package).iterdir() if entry.name.endswith(ENDINGS)]
    return sorted((entry.name, entry.read_text("utf-8")) for entry in entries)


def texts_of(places: Sequence[Path]) -> Texts:
    """Path and text of each file, and of those in each folder; `ConfigError` names what fails."""
    return [(str(file), text_of(file)) for place in places for file in _files(place)]


def text_of(file: Path) -> str:
    """The text of a file; `ConfigError` names it where it is too long, no text, or not there."""
    try:
        if file.stat().st_size > _BYTES_MAX:
            raise ConfigError(f"{file}: is over {_BYTES_MAX:,} bytes: nobody writes that much")
        return file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: cannot be read: it is not UTF-8: {error}") from error


def _files(place: Path) -> list[Path]:
    """The file itself, or the YAML files of a folder by name."""
    if not place.is_dir():
        return [place]
    try:
        return sorted(file for file in place.iterdir() if file.suffix in ENDINGS)
    except OSError as error:
        raise ConfigError(f"{place}: cannot be read: {error.strerror}") from error
