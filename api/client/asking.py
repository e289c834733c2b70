"""What is sent to a running serinus, and what is made of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec

from api.cli.guard import CouldNotAskError
from detector.errors import InputError

__all__ = [
    "Moment",
    "Word",
    "cursor_of",
    "named",
    "object_of",
    "query_of",
    "rows_of",
    "sent",
    "span_of",
]

# A point in time: with a time zone, or as text in ISO 8601 or unix seconds.
Moment: TypeAlias = datetime | str | float | None
Word: TypeAlias = str | bool | None


def query_of(word: str | bool) -> str:
    """A word of a query."""
    return str(word).lower() if isinstance(word, bool) else word


def named(id: str, field: str) -> str:
    """A part of a path, whatever is in it."""
    if not id:
        raise InputError(f"{field}: it is empty", field=field)
    return quote(id, safe="")


def span_of(since: Moment, until: Moment) -> dict[str, Word]:
    """The words for a stretch of time."""
    return {"from": _moment(since, "since"), "to": _moment(until, "until")}


def _moment(at: Moment, field: str) -> str | None:
    told = sent(at, field)
    return None if told is None else str(told)


def sent(value: object, field: str) -> object:
    """A value as JSON has it; `InputError` for a time that is of no zone."""
    if not isinstance(value, datetime):
        return value
    if value.utcoffset() is None:
        words = f"{field}: {value} has no time zone; say which it is of, as UTC"
        raise InputError(words, field=field)
    return value.isoformat()


def object_of(body: bytes) -> dict[str, Any]:
    """An answer; `CouldNotAskError` where it is none of serinus."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise CouldNotAskError(f"the answer is none of serinus: {error}") from error


def rows_of(page: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The rows of a page; `CouldNotAskError` where it has none under that name."""
    try:
        return msgspec.convert(page.get(key), type=list[dict[str, Any]])
    except msgspec.ValidationError as error:
        raise CouldNotAskError(f"the answer is none of serinus: it has no {key}") from error


def cursor_of(page: Mapping[str, Any]) -> str | None:
    """Where the next page begins; None after the last."""
    cursor = page.get("next")
    return str(cursor) if cursor else None
