"""Where a page ends and the next one begins, of whatever is listed by a time and an id."""

from __future__ import annotations

import base64
import binascii

from detector.errors import InputError

__all__ = ["cursor_at", "read_cursor"]


def cursor_at(at: int, id: str) -> str:
    """The `next` of a page that ends with what has this time and this id."""
    return base64.urlsafe_b64encode(f"{at}.{id}".encode()).decode()


def read_cursor(text: str) -> tuple[int, str]:
    """Time and id of the last one of the page before; `InputError`."""
    try:
        at, _, id = base64.urlsafe_b64decode(text.encode()).decode().partition(".")
        return int(at), id
    except (binascii.Error, ValueError) as error:
        raise InputError("cursor is not one that serinus gave", field="cursor") from error
