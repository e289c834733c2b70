"""What the demo and its server say to each other, without the weight of the server."""

from __future__ import annotations

import msgspec

__all__ = ["Ready", "ServerConfig"]


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the server is started with; `prometheus` None scrapes the `targets` file."""

    parent: int
    data: str
    targets: str
    port: int = 0
    prometheus: str | None = None


class Ready(msgspec.Struct, frozen=True):
    """What the server says once it listens."""

    port: int
