"""What other distributions bring: found by the name of an entry point, and loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from detector.errors import ConfigError

__all__ = ["named", "plugged"]


def plugged(group: str, kind: str, own: Iterable[str], unknown: str) -> EntryPoint:
    """The entry point of a kind; `ConfigError` that begins with `unknown` where there is none.

    `own` are the kinds that need no plug-in.
    """
    found = {point.name: point for point in entry_points(group=group)}
    if kind not in found:
        known = ", ".join(sorted({*own, *found}))
        raise ConfigError(f"{unknown} {kind!r} is unknown; there are {known}")
    return found[kind]


def named(point: EntryPoint, what: str) -> tuple[str, Callable[..., Any]]:
    """How a plug-in is called in a message, and what it names; `ConfigError` if it cannot load."""
    told = f"{what} plug-in {point.name!r} ({point.value})"
    try:
        return told, point.load()
    except Exception as error:
        raise ConfigError(f"{told} cannot be loaded: {error}") from error
