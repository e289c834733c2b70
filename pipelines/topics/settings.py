"""Where a Kafka is, how to log in to it, and how long it is waited for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from detector.errors import ConfigError
from pipelines.sources.settings import Tls

__all__ = ["BrokerSettings", "Mechanism", "Sasl"]

_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}")


class Mechanism(Enum):
    """How a password is shown to the broker."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sasl:
    """A user with a password, or a file that holds it, read at each connect of a client."""

    mechanism: Mechanism
    username: str
    password: str | None = field(default=None, repr=False)
    password_file: str | None = None

    def __post_init__(self) -> None:
        if (self.password is None) == (self.password_file is None):
            raise ConfigError("kafka sasl: give one of password, password_file")

    def secret(self) -> str:
        """The password as it is now."""
        if self.password is not None:
            return self.password
        try:
            return Path(self.password_file or "").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(
                f"kafka sasl: cannot read {self.password_file}: {error.strerror}"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """A Kafka cluster; `servers` are `host:port` of some of its brokers.

    `request_s` bounds every answer that is waited for. A reader that was not heard of for
    `session_s`, or did not poll for `pause_s`, loses its partitions. Messages up to
    `message_bytes` are written; larger ones are still read.
    """

    servers: tuple[str, ...]
    client_id: str = "serinus"
    tls: Tls | None = None
    sasl: Sasl | None = None
    request_s: float = 15.0
    session_s: float = 45.0
    pause_s: float = 300.0
    message_bytes: int = 2 * 2**20

    def __post_init__(self) -> None:
        if not self.servers:
            raise ConfigError("kafka servers: there is none; give host:port of some brokers")
        for server in self.servers:
            if _SERVER.fullmatch(server) is None:
                raise ConfigError(f"kafka servers: {server!r} is not host:port")
        if min(self.request_s, self.session_s, self.pause_s, self.message_bytes) <= 0:
            raise ConfigError("kafka: every bound must be greater than zero")
        if self.pause_s < self.session_s:
            raise ConfigError("kafka: the longest pause must not be shorter than the session")

    @property
    def place(self) -> str:
        """How it is called in messages."""
        return f"Kafka at {', '.join(self.servers)}"
