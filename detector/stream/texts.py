"""Texts as plain arrays: their UTF-8 bytes, and where each ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.stream.scoring import Arrays

__all__ = ["read_texts", "texts"]


def texts(name: str, words: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Arrays `name` and `name.ends`."""
    encoded = [word.encode() for word in words]
    return {
        name: np.frombuffer(b"".join(encoded), np.uint8),
        f"{name}.ends": np.cumsum([len(word) for word in encoded], dtype=np.int64),
    }


def read_texts(name: str, arrays: Arrays) -> list[str]:
    """The texts of two such arrays."""
    blob, ends = arrays[name].tobytes(), arrays[f"{name}.ends"].tolist()
    starts = [0, *ends[:-1]]
    return [blob[start:end].decode() for start, end in zip(starts, ends, strict=False)]
