"""The texts of a message's records, some of them replaced, as one buffer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.ingest.logs.places import CLEAN, Found, copied

__all__ = ["Texts"]


class Texts:
    """Texts lie in the body; what replaces one lies behind it, as if the body went on."""

    def __init__(self, body: bytes, found: Found) -> None:
        self._body, self._found = body, found
        self._mended = bytearray()

    def of(self, row: int, most: int) -> bytes:
        """The first bytes of a text; of a text of another kind, of the value that it is."""
        start, stop = self._found.text[row].tolist()
        stop = min(stop, start + most)
        size = len(self._body)
        if start < size:
            return self._body[start:stop]
        return bytes(self._mended[start - size : stop - size])

    def begin_with(self, first: int) -> NDArray[np.bool_]:
        """Which of them begin with a byte."""
        start, stop = self._found.text.T
        behind = start >= len(self._body)
        body = np.frombuffer(self._body, dtype=np.uint8)
        begins = np.zeros(len(start), dtype=np.bool_)
        own = ~behind & (start < stop)
        begins[own] = body[start[own]] == first
        for row in np.flatnonzero(behind).tolist():
            begins[row] = self.of(row, 1) == bytes((first,))
        return begins

    def replace(self, row: int, text: bytes) -> None:
        """Let the text of a row be another, which is clean."""
        begin = len(self._body) + len(self._mended)
        self._mended += text
        self._found.text[row] = begin, len(self._body) + len(self._mended)
        self._found.state[row] = CLEAN

    def columns(self, keep: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The texts of some rows, and where each of them ends."""
        body = np.frombuffer(self._body, dtype=np.uint8)
        return copied(body, bytes(self._mended), self._found.text[keep])
