"""Spans and moments as they are typed."""

from __future__ import annotations

import re

from pydantic import TypeAdapter, ValidationError

from api.bodies.decision import seconds_of
from api.bodies.loose import Moment
from api.wording import words_of
from detector.errors import InputError

__all__ = ["moment_of", "past_of", "span_of"]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"(\d{1,6})([smhd])")
_MOMENT: TypeAdapter[Moment] = TypeAdapter(Moment)


def span_of(text: str, field: str) -> float:
    """Seconds of `90s`, `45m` or `1h30m`; `InputError` names the option otherwise."""
    try:
        return seconds_of(text.strip())
    except ValueError as error:
        raise InputError(f"{text!r} {error}", field=field) from error


def moment_of(text: str, field: str) -> float:
    """Unix seconds of ISO 8601 with a zone, or of unix seconds."""
    try:
        found = _MOMENT.validate_python(text)
    except ValidationError as error:
        raise InputError(words_of(error.errors()[0]), field=field) from error
    if found is None:
        raise InputError("is empty: leave it out, or give a moment", field=field)
    return found.timestamp()


def past_of(text: str, field: str, now: float) -> str:
    """As the API takes it: a span before now, such as `2h`, or a time as ISO 8601."""
    found = _SPAN.fullmatch(text.strip())
    if found is not None:
        return str(now - int(found[1]) * _UNITS[found[2]])
    if re.fullmatch(r"\d{4}-\d\d-\d\d\S*", text.strip()) is None:
        raise InputError("give 15m, 2h, 3d, or a time such as 2026-11-23T14:00Z", field=field)
    return text.strip()
