"""Where a page of changes ends and the next one begins, of a store of any kind."""

from __future__ import annotations

import base64
import binascii

from detector.changes.change import Change
from detector.errors import InputError

__all__ = ["change_cursor", "read_change_cursor"]


def change_cursor(last: Change) -> str:
    """The `next` of a page that ends with a change."""
    return base64.urlsafe_b64encode(f"{last.started_at}.{last.id}".encode()).decode()


def read_change_cursor(text: str) -> tuple[int, str]:
    """Start and id of the last change of the page before; `InputError`."""
    try:
        started, _, id = base64.urlsafe_b64decode(text.encode()).decode().partition(".")
        return int(started), id
    except (binascii.Error, ValueError) as error:
        raise InputError("cursor is not one that serinus gave", field="cursor") from error
