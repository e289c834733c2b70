"""How the loops of the stream are compiled, told once for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COMPILED", "Doubles", "Longs", "Shorts", "Singles"]

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
Shorts = NDArray[np.int16]
Longs = NDArray[np.int64]

# `_nrt=False`: nothing is allocated inside, so no array is counted; counting cost five sixths of a
# sample's time. Divisions by zero are infinite, as in numpy, and not checked.
COMPILED: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
