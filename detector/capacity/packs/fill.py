"""Queries of a capacity pack with its parts written out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from detector.capacity.packs.schema import CapacityPack, Driver, Measured

__all__ = ["RATE", "filled", "names_in", "rated"]

# Stands for the window of rates, which the configuration knows.
RATE = "rate"
_PLACE = re.compile(r"\$\{(\w+)\}")
_DEEPEST = 4


def names_in(query: str) -> Iterator[str]:
    """The names that a query has to be filled with.

    >>> list(names_in("rate(a[${rate}]) * ${owner}"))
    ['rate', 'owner']
    """
    return (found[1] for found in _PLACE.finditer(query))


def filled(pack: CapacityPack) -> CapacityPack:
    """The pack with `${part}` written out; `${rate}` stays."""
    return msgspec.structs.replace(
        pack,
        parts={},
        drivers=tuple(_driver(one, pack.parts) for one in pack.drivers),
        resources=tuple(_measured(one, pack.parts) for one in pack.resources),
    )


def rated(query: str, window_s: int) -> str:
    """A query with the window of its rates.

    >>> rated("rate(a[${rate}])", 300)
    'rate(a[300s])'
    """
    return query.replace("${" + RATE + "}", f"{window_s}s")


def _driver(one: Driver, parts: Mapping[str, str]) -> Driver:
    return msgspec.structs.replace(one, query=_written(one.query, parts))


def _measured(one: Measured, parts: Mapping[str, str]) -> Measured:
    queries = ("usage", "limit", "requested", "replicas")
    said = {name: getattr(one, name) for name in queries}
    written = {n: _written(q, parts) for n, q in said.items() if isinstance(q, str)}
    return msgspec.structs.replace(one, **written)


def _written(query: str, parts: Mapping[str, str]) -> str:
    """Parts may name parts, a few deep."""
    for _ in range(_DEEPEST):
        query = _PLACE.sub(lambda found: parts.get(found[1], found[0]), query)
    return " ".join(query.split())
