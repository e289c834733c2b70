"""Memory that is free is given back to the system."""

from __future__ import annotations

import ctypes

__all__ = ["give_back_freed_memory"]


def give_back_freed_memory() -> bool:
    """Have glibc give back what is free in the midst of its heap; False where nothing was.

    It keeps that by itself for who asks next. After a million new series it is 30 MB, which nobody
    asks for any more.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return False
    return bool(trim(0) == 1)
