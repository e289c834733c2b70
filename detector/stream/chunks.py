"""Arrays as named blobs of bytes that any store can keep, and back: the same to the bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.stream.scoring import Arrays

__all__ = ["CHUNK_BYTES", "arrays_of", "chunk_key", "chunks_of", "cut", "joined"]

# So much of an array is one blob: small enough that what did not change need not be written again.
CHUNK_BYTES = 2**20


def chunks_of(arrays: Arrays) -> dict[str, bytes]:
    """All of some arrays as blobs: `NAME/NUMBER` to its bytes."""
    return {
        chunk_key(name, number): body
        for name, array in arrays.items()
        for number, body in enumerate(cut(array))
    }


def arrays_of(chunks: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """The arrays of such blobs, in memory of their own; `ValueError` where one is missing."""
    parts: dict[str, dict[int, bytes]] = {}
    for key, body in chunks.items():
        name, _, number = key.rpartition("/")
        parts.setdefault(name, {})[int(number)] = body
    for name, own in parts.items():
        if sorted(own) != list(range(len(own))):
            raise ValueError(f"chunks of {name} are missing: there are {sorted(own)}")
    return {name: joined(own[n] for n in range(len(own))) for name, own in parts.items()}


def chunk_key(name: str, number: int) -> str:
    """What a blob is called: the number is its place in the array."""
    return f"{name}/{number}"


def cut(array: NDArray[Any]) -> Iterator[bytes]:
    """The rows of an array in blobs; each begins with a line for type and shape of what it has."""
    width = max(array.itemsize * int(np.prod(array.shape[1:])), 1)
    rows = max(CHUNK_BYTES // width, 1)
    for start in range(0, max(len(array), 1), rows):
        part = np.ascontiguousarray(array[start : start + rows])
        shape = ",".join(map(str, part.shape))
        yield b"".join(
            (f"{part.dtype.str} {shape}\n".encode(), part.reshape(-1).view(np.uint8).data)
        )


def joined(chunks: Iterable[bytes]) -> NDArray[Any]:
    """The array of its blobs, in order; it is nobody else's."""
    return np.concatenate([_read(chunk) for chunk in chunks])


def _read(chunk: bytes) -> NDArray[Any]:
    end = chunk.index(b"\n")
    dtype, _, shape = chunk[:end].decode("ascii").partition(" ")
    rows = np.frombuffer(chunk, np.dtype(dtype), offset=end + 1)
    return rows.reshape([int(length) for length in shape.split(",")])
