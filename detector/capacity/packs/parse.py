"""A capacity pack from its YAML text, refused by name where it says what no pack can say."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from detector.capacity.packs.fill import filled
from detector.capacity.packs.schema import CapacityPack
from detector.capacity.packs.sense import problems
from detector.errors import ConfigError

__all__ = ["parse_capacity_pack"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What msgspec learns of a type it learns while only one thread imports this.
msgspec.json.Decoder(CapacityPack)


def parse_capacity_pack(text: str, *, origin: str) -> CapacityPack:
    """The pack in a YAML text, its parts put into its queries.

    `ConfigError` names `origin`, the key, and what is wrong with it.
    """
    try:
        pack = msgspec.convert(_tree(text, origin), CapacityPack)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{origin}: {_told(str(error))}") from None
    for problem in problems(pack):
        raise ConfigError(f"{origin}: {problem}")
    return filled(pack)


def _tree(text: str, origin: str) -> dict[Any, Any]:
    try:
        tree = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{origin}: is not YAML: {error}") from None
    if not isinstance(tree, dict):
        keys = ", ".join(field.name for field in msgspec.structs.fields(CapacityPack))
        raise ConfigError(f"{origin}: a capacity pack is a mapping of keys: {keys}")
    return tree


def _told(message: str) -> str:
    """The decoder's message with the key in front.

    >>> _told("Expected `str`, got `int` - at `$.resources[0].unit`")
    'resources[0].unit: Expected `str`, got `int`'
    """
    what, _, where = message.partition(" - at `$")
    key = where.strip("`.")
    return f"{key}: {what}" if key else what
