"""A pack from its YAML text, refused by name where it says what no pack can say."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, get_args

import msgspec
import yaml

from detector.errors import ConfigError
from detector.signals.packs.fill import filled
from detector.signals.packs.schema import Pack
from detector.signals.packs.sense import problems

__all__ = ["parse_pack"]

# Ten packs take 80 ms in Python and 6 in C, of a command line that answers within a second.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What msgspec learns of a type it keeps at the type, where another thread finds it half made and
# the process ends: it learns this one now, while only one thread imports this.
msgspec.json.Decoder(Pack)


def parse_pack(text: str, *, origin: str) -> Pack:
    """The pack in a YAML text; `ConfigError` names `origin`, the key, and what is allowed."""
    tree = _tree(text, origin)
    for where, key, allowed in _unknown(tree, Pack, ""):
        raise ConfigError(f"{origin}: unknown key {where}{key}; there are {', '.join(allowed)}")
    try:
        pack = filled(msgspec.convert(tree, Pack))
    except msgspec.ValidationError as error:
        raise ConfigError(f"{origin}: {_told(str(error))}") from None
    for problem in problems(pack):
        raise ConfigError(f"{origin}: {problem}")
    return pack


def _tree(text: str, origin: str) -> dict[Any, Any]:
    try:
        tree = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{origin}: is not YAML: {error}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{origin}: a pack is a mapping of keys: {', '.join(_fields(Pack))}")
    return tree


def _fields(part: Any) -> dict[str, Any]:  # noqa: ANN401 - a struct type
    return {field.encode_name: field.type for field in msgspec.structs.fields(part)}


def _unknown(tree: Any, kind: Any, where: str) -> Iterator[tuple[str, object, list[str]]]:  # noqa: ANN401
    """Keys that their part does not have, with those that it has."""
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(tree, dict):
        fields = _fields(kind)
        for key, value in tree.items():
            if key not in fields:
                yield where, key, list(fields)
            else:
                yield from _unknown(value, fields[key], f"{where}{key}.")
    elif isinstance(tree, list) and get_args(kind):
        for at, value in enumerate(tree):
            yield from _unknown(value, get_args(kind)[0], f"{where.removesuffix('.')}[{at}].")


def _told(message: str) -> str:
    """The decoder's message with the key in front."""
    what, _, where = message.partition(" - at `$")
    key = where.strip("`.")
    return f"{key}: {what}" if key else what
