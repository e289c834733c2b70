"""Regular expressions of matchers: RE2, fully anchored where they are used, bounded in size.

`.` matches a newline, as in Prometheus' own matcher.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from detector.errors import InputError

__all__ = ["LONGEST", "compiled", "short"]

# Characters of an expression that a person or a controller may write.
LONGEST = 4096
# 1 MiB of RE2 program and states: `(a{1000}){1000}` and its kin are refused, not compiled.
_PROGRAM_BYTES = 1 << 20
_CACHED = 1024


@lru_cache(maxsize=_CACHED)
def compiled(pattern: str) -> Any:  # noqa: ANN401 - re2 ships no types
    """The expression, compiled once; `InputError` (field `selector`) for what RE2 refuses."""
    if len(pattern) > LONGEST * 4:
        raise InputError("the regular expression is too long", field="selector")
    options = re2.Options()
    options.max_mem = _PROGRAM_BYTES
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise InputError(
            f"the regular expression {short(pattern)} is not RE2: {_reason(error)}",
            field="selector",
        ) from None
    except UnicodeEncodeError:
        raise InputError("the regular expression is not UTF-8 text", field="selector") from None


def _reason(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


def short(text: str) -> str:
    """Text as a message quotes it: so much that a person finds it again."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
