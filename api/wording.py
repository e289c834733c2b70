"""What is wrong with a value, in our words: pydantic's are for who wrote the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["words_of"]

# A person has to recognise what was sent, not to read all of it again.
_SHOWN = 60
_NO_TIME = "{given} is no time: give ISO 8601 with a zone, such as 2026-11-23T14:00:00Z"
_NO_NUMBER = "{given} is no number"
_NO_OBJECT = "must be a JSON object"
_WORDS = {
    "timezone_aware": "{given} names no zone: write 2026-11-23T14:00:00Z",
    "finite_number": "must be a finite number",
    "float_parsing": _NO_NUMBER,
    "float_type": _NO_NUMBER,
    "int_from_float": "{given} is no whole number",
    "int_parsing": _NO_NUMBER,
    "int_parsing_size": _NO_NUMBER,
    "int_type": _NO_NUMBER,
    "bool_parsing": "{given} is neither true nor false",
    "bool_type": "{given} is neither true nor false",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "has more than {max_length} characters",
    "dict_type": _NO_OBJECT,
    "model_type": _NO_OBJECT,
    "model_attributes_type": _NO_OBJECT,
    "list_type": "must be a list",
    "enum": "{given} is not {expected}",
    "literal_error": "{given} is not {expected}",
    "greater_than": "must be > {gt:g}",
    "greater_than_equal": "must be >= {ge:g}",
    "less_than": "must be < {lt:g}",
    "less_than_equal": "must be <= {le:g}",
}


def words_of(error: Mapping[str, Any]) -> str:
    """One error of a `ValidationError`, as what follows the name of its field."""
    kind = str(error["type"])
    words = _NO_TIME if kind.startswith("datetime") else _WORDS.get(kind)
    if words is None:
        return str(error["msg"]).removeprefix("Value error, ")
    return words.format(given=_shown(error.get("input")), **error.get("ctx", {}))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
