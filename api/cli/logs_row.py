"""A template as the API tells it to the command line."""

from __future__ import annotations

import msgspec

__all__ = ["Row"]


class Row(msgspec.Struct, frozen=True):
    """A template as the API tells it."""

    id: str
    service: str | None
    level: str
    text: str
    sample: str
    count: int
    first: str
    last: str
    came: str
    days: dict[str, int]
    links: dict[str, str]

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What it is one of."""
        return self.id, self.service, self.level
