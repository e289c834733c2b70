"""What a pack leaves to be understood: tables of codes, and the shapes that follow from kinds."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from detector.signals.packs.codes import TABLES
from detector.signals.packs.schema import Errors, Extra, Pack, Requests
from detector.signals.signal import Kind, Shape

__all__ = ["filled"]

_ANY = ".+"
_SHAPES = {Kind.LATENCY: Shape.BUCKETS, Kind.GAUGE: Shape.GAUGE}
Part = TypeVar("Part", Requests, Extra)


def filled(pack: Pack) -> Pack:
    """The pack with `match` and `like` of its errors, and shapes of its signals, written out."""
    return msgspec.structs.replace(
        pack,
        requests=tuple(_with_errors(part) for part in pack.requests),
        signals=tuple(_shaped(_with_errors(part)) for part in pack.signals),
    )


def _with_errors(part: Part) -> Part:
    if part.errors is None:
        return part
    return msgspec.structs.replace(part, errors=_tabled(part.errors))


def _tabled(errors: Errors) -> Errors:
    if errors.codes is None:
        return msgspec.structs.replace(errors, like=errors.like or _ANY)
    table = TABLES[errors.codes]
    return msgspec.structs.replace(
        errors, match=errors.match or table.bad, like=errors.like or table.like
    )


def _shaped(extra: Extra) -> Extra:
    shape = extra.shape or _SHAPES.get(extra.kind, Shape.COUNTER)
    return msgspec.structs.replace(extra, shape=shape)
