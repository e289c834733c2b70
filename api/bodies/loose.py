"""Types of request fields: numbers may be strings, and an empty string means absent."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

__all__ = [
    "Cursor",
    "Flag",
    "Moment",
    "Number",
    "Range",
    "Strict",
    "Text",
    "Word",
    "finite",
    "needed",
    "printable",
]


_NO_TIME = "is no time: give ISO 8601 with a zone, such as 2026-11-23T14:00:00Z"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
T = TypeVar("T", str, str | None)


class Strict(BaseModel):
    """A body that refuses a field it does not know, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _absent(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def printable(value: T) -> T:
    """Control characters and lone surrogates have no business in a name or a selector."""
    if _CONTROL.search(value or ""):
        raise ValueError("contains control characters")
    return value


def _no_bool(value: object) -> object:
    """JSON's true is no number."""
    if isinstance(value, bool):
        raise ValueError("is true or false where a number is asked for")
    return value


def _text_or_time(value: object) -> object:
    """Times are ISO 8601 with a zone or unix seconds, as numbers or text."""
    value = _no_bool(_absent(value))
    if not isinstance(value, int | float | str):
        return value
    try:
        return _from_unix(float(value))
    except ValueError:
        return value
    except OverflowError:
        raise ValueError(_NO_TIME) from None


def _from_unix(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError(_NO_TIME) from None


def _in_range(value: datetime | None) -> datetime | None:
    """Between 1970 and 2200: what arithmetic on times can bear."""
    if value is None:
        return None
    if not 1970 <= value.year <= 2200:
        raise ValueError("lies outside 1970 to 2200")
    return value.astimezone(UTC)


def needed(value: str | None) -> str:
    """A text that is there."""
    if value is None:
        raise ValueError("is needed and must not be empty")
    return value


_BOUNDS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "ge": (">=", operator.ge),
    "gt": (">", operator.gt),
    "le": ("<=", operator.le),
    "lt": ("<", operator.lt),
}


class Range:
    """A check of a number against `ge`, `gt`, `le` and `lt`; `words` tells them."""

    def __init__(self, **bounds: float) -> None:
        self._bounds = [(*_BOUNDS[name], bound) for name, bound in bounds.items()]

    def __call__(self, value: float | None) -> float | None:
        """The value, if it lies within."""
        for sign, within, bound in self._bounds:
            if value is not None and not within(value, bound):
                raise ValueError(f"must be {sign} {bound:.10g}")
        return value

    @property
    def words(self) -> str:
        """The bounds, as people write them."""
        return ", ".join(f"{sign} {bound:.10g}" for sign, _, bound in self._bounds)


def finite(**bounds: float) -> Range:
    """A check of a number against `ge`, `gt`, `le` and `lt`."""
    return Range(**bounds)


Word: TypeAlias = Annotated[
    Annotated[str, Field(max_length=512)] | None,
    BeforeValidator(_absent),
    AfterValidator(printable),
]
# Not a word: the first page again, where a script asks for the one after the last, has no end.
Cursor: TypeAlias = Annotated[
    Annotated[str, Field(min_length=1, max_length=1024)] | None, AfterValidator(printable)
]
Text: TypeAlias = Annotated[
    Annotated[str, Field(max_length=8192)] | None,
    BeforeValidator(_absent),
    AfterValidator(printable),
]
# The bound sits on the number itself: on the union pydantic would apply it to None as well.
Number: TypeAlias = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | None,
    BeforeValidator(_no_bool),
    BeforeValidator(_absent),
]
Flag: TypeAlias = Annotated[bool | None, BeforeValidator(_absent)]
Moment: TypeAlias = Annotated[
    AwareDatetime | None, BeforeValidator(_text_or_time), AfterValidator(_in_range)
]
