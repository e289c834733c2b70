"""How hot loops are compiled, told once: to machine code, kept on disk where that can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["compiled", "inlined", "uncounted"]

Loop = TypeVar("Loop", bound=Callable[..., object])

# Nothing is allocated inside, so no array is counted: counting at each inner call cost five sixths
# of a sample's time. Divisions by zero are infinite, as in numpy, and not checked.
_UNCOUNTED: dict[str, Any] = {"_nrt": False, "error_model": "numpy"}


def compiled(loop: Loop) -> Loop:
    """The loop as machine code that leaves the interpreter's lock to others."""
    return _compiled(loop)


def uncounted(loop: Loop) -> Loop:
    """As `compiled`, for a loop over arrays that it is given; it may make none."""
    return _compiled(loop, **_UNCOUNTED)


def inlined(loop: Loop) -> Loop:
    """A part of an `uncounted` loop, that becomes part of its code."""
    return _compiled(loop, forceinline=True, **_UNCOUNTED)


def _compiled(loop: Loop, **options: Any) -> Loop:  # noqa: ANN401 - the compiler's own
    """Where no place on disk can be written to it is compiled anew in every process."""
    try:
        return cast(Loop, numba.njit(cache=True, nogil=True, **options)(loop))
    except RuntimeError:
        return cast(Loop, numba.njit(nogil=True, **options)(loop))
