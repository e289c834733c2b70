"""Values as they are measured, or their logarithms where everything grows in proportion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCALES", "Scale", "scales_of"]

Floats = NDArray[np.float64]
# How far beyond the largest value a logarithm may lead, as a factor.
_FARTHEST = float(np.log(20.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A way to look at values, and back: `back` (forecast, values it was made of)."""

    name: str
    to: Callable[[Floats], Floats]
    back: Callable[[Floats, Floats], Floats]


def _exp(told: Floats, values: Floats) -> Floats:
    grown: Floats = np.exp(np.minimum(told, np.log(values.max()) + _FARTHEST))
    return grown


_AS_MEASURED = Scale(name="", to=lambda values: values, back=lambda told, values: told)
_LOGARITHMS = Scale(name=" (log)", to=np.log, back=_exp)
SCALES = (_AS_MEASURED, _LOGARITHMS)


def scales_of(values: Floats) -> tuple[Scale, ...]:
    """Those that serve for these values: logarithms where all are above zero."""
    return SCALES if len(values) and float(values.min()) > 0 else SCALES[:1]
