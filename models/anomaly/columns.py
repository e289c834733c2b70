"""Names for the arrays of the compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Doubles", "Longs", "Shorts", "Singles"]

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
Shorts = NDArray[np.int16]
Longs = NDArray[np.int64]
