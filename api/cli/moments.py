"""Spans and moments as they are typed."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from api.bodies.decision import seconds_of
from api.bodies.loose import Moment
from api.wording import words_of
from detector.errors import InputError

__all__ = ["moment_of", "span_of"]

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
