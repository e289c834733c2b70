"""Labels as bytes, in the encoding that remote write gives them, and as pairs of words."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.compiling import compiled
from pipelines.ingest.protobuf import BYTES, Bytes, field

__all__ = [
    "MOST_LABELS",
    "MOST_LETTERS",
    "NAME",
    "Labels",
    "LabelsError",
    "block_of",
    "checked",
    "labels_of",
    "pairs_of",
]

Labels = tuple[tuple[str, str], ...]

NAME = "__name__"
# Of one series; beyond it is a mistake of the sender, or an attack.
MOST_LABELS = 256
MOST_LETTERS = 16_384
_LABEL, _KEY, _VALUE = 1, 1, 2
# Nearly all words are shorter than the first number that takes two bytes.
_SIZES = tuple(bytes([size]) for size in range(0x80))


class LabelsError(ValueError):
    """Labels that name no series."""


def labels_of(block: bytes) -> Labels:
    """The labels of a series, sorted, none of them empty; `LabelsError` says what is wrong."""
    return checked(pairs_of(block))


def pairs_of(block: bytes) -> Labels:
    """The labels as they lie there; `LabelsError` where they cannot be read."""
    places = _places(np.frombuffer(block, dtype=np.uint8))
    if len(places) and places[0, 0] < 0:
        raise LabelsError("labels that are no protobuf")
    try:
        return tuple(
            (str(block[a:b], "utf-8"), str(block[c:d], "utf-8")) for a, b, c, d in places.tolist()
        )
    except UnicodeDecodeError as error:
        raise LabelsError("labels that are no UTF-8") from error


def checked(pairs: Iterable[tuple[str, str]]) -> Labels:
    """Pairs as the labels of a series; an empty value is no label. `LabelsError` as above."""
    labels = tuple(sorted(pair for pair in pairs if pair[1]))
    names = [name for name, _ in labels]
    if len(labels) > MOST_LABELS:
        raise LabelsError(f"{len(labels)} labels on one series, at most {MOST_LABELS} are taken")
    size = sum(len(name) + len(value) for name, value in labels)
    if size > MOST_LETTERS:
        raise LabelsError(f"labels of {size} letters, at most {MOST_LETTERS} are taken")
    if len(set(names)) < len(names):
        twice = next(a for a, b in pairwise(names) if a == b)
        raise LabelsError(f"label {twice[:80]!r} comes twice on one series")
    if NAME not in names:
        raise LabelsError(f"a series without a name (label {NAME})")
    if names[0] == "":
        raise LabelsError("a label without a name")
    return labels


def block_of(labels: Labels) -> bytes:
    """The bytes of labels: of those that are sorted and not empty, as Prometheus sends them."""
    return b"".join([_label(name, value) for name, value in labels])


@lru_cache(maxsize=8_192)
def _label(name: str, value: str) -> bytes:
    key, word = name.encode(), value.encode()
    label = b"".join((b"\x0a", _size(len(key)), key, b"\x12", _size(len(word)), word))
    return b"".join((b"\x0a", _size(len(label)), label))


def _size(number: int) -> bytes:
    return _SIZES[number] if number < len(_SIZES) else _long_size(number)


def _long_size(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


@compiled
def _places(data: Bytes) -> NDArray[np.int64]:
    """(L, 4) where the name and the value of each label begin and end; -1 where one is broken."""
    found = np.zeros((len(data) // 2 + 1, 4), dtype=np.int64)
    row, at = 0, 0
    while at < len(data):
        number, wire, start, stop = field(data, at, len(data))
        if stop < 0 or (
            number == _LABEL and wire == BYTES and not _label_at(data, start, stop, found[row])
        ):
            found[0, 0] = -1
            return found[:1]
        if number == _LABEL and wire == BYTES:
            row += 1
        at = stop
    return found[:row]


@compiled
def _label_at(data: Bytes, at: int, end: int, place: NDArray[np.int64]) -> bool:
    """Fill in one label; False where it is broken."""
    while at < end:
        number, wire, start, stop = field(data, at, end)
        if stop < 0:
            return False
        if wire == BYTES and number == _KEY:
            place[0], place[1] = start, stop
        elif wire == BYTES and number == _VALUE:
            place[2], place[3] = start, stop
        at = stop
    return True
