"""How hot loops are compiled, told once: to machine code, kept on disk where that can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from numbers import Number
from types import CodeType, ModuleType
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
    """Where no place on disk can be written to it is compiled anew in every process.

    What is on disk is found by the loop's name, and taken while the text of its own file is the
    same, though parts and constants of other modules became part of it: so the name tells of those.
    """
    roots = frozenset(name.partition(".")[0] for name in (__name__, str(loop.__module__)))
    parts = "\n".join(_parts(loop.__globals__, roots, set()))
    loop.__qualname__ += "_" + sha256(parts.encode()).hexdigest()[:8]
    try:
        return cast(Loop, numba.njit(cache=True, nogil=True, **options)(loop))
    except RuntimeError:
        return cast(Loop, numba.njit(nogil=True, **options)(loop))


def _parts(names: Mapping[str, Any], roots: frozenset[str], seen: set[str]) -> Iterator[str]:
    """Numbers and code in a module's names, and in those of modules of ours that they are from."""
    seen.add(str(names.get("__name__")))
    for name, value in sorted(names.items()):
        plain = getattr(value, "py_func", value)
        code = getattr(plain, "__code__", None)
        is_told = isinstance(plain, Number | str | tuple) and not name.startswith("__")
        if is_told and not callable(plain):
            yield f"{name} {plain!r}"
        elif isinstance(code, CodeType):
            yield f"{name} {code.co_code.hex()} {code.co_names} {_constants(code)}"
        inner = vars(plain) if isinstance(plain, ModuleType) else getattr(plain, "__globals__", {})
        module = str(inner.get("__name__"))
        if module not in seen and module.partition(".")[0] in roots:
            yield from _parts(inner, roots, seen)


def _constants(code: CodeType) -> list[str]:
    plain = [one for one in code.co_consts if not isinstance(one, CodeType)]
    return [repr(sorted(one, key=repr) if isinstance(one, frozenset) else one) for one in plain]
