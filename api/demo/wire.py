"""What the demo and its server say to each other, without the weight of the server."""

from __future__ import annotations

import msgspec

__all__ = ["COMPILED", "Reading", "Ready", "ServerConfig"]

# What the server is told once the loops that read logs and spans are compiled.
COMPILED = "compiled"


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the server is started with; `prometheus` None scrapes the `targets` file.

    `logs` are the files that it follows, as a pattern. Lines and spans it takes at once where all
    is compiled, else when it is told.
    """

    parent: int
    data: str
    targets: str
    port: int = 0
    prometheus: str | None = None
    logs: str = ""
    is_compiled: bool = True


class Ready(msgspec.Struct, frozen=True):
    """What the server says once it listens."""

    port: int


class Reading(msgspec.Struct, frozen=True):
    """What it says once it has counted some lines."""

    lines: int
