"""The one error tree.

SerinusError
├── InputError      the caller can mend it; `field` names what to mend
├── NotFoundError   a named thing does not exist
├── SourceError     a metric source failed; `retryable`, and `code` is its reason code
├── StoreError      our own store failed
│   └── ConflictError   another wrote the same meanwhile: read it anew
├── DeliveryError   a notice was not taken by its receiver; `retryable`, `after_s`
├── BrokerError     the log of messages between processes failed; `retryable`
│   └── OffsetGoneError the log does not hold what is to be read next
└── ConfigError     the configuration is wrong; raised at start only
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "BrokerError",
    "ConfigError",
    "ConflictError",
    "DeliveryError",
    "InputError",
    "NotFoundError",
    "OffsetGoneError",
    "SerinusError",
    "SourceError",
    "StoreError",
]


class SerinusError(Exception):
    """Base of every error that serinus raises on purpose."""


class InputError(SerinusError):
    """The caller sent something that cannot be used; `field` names it, `status` is 400 or 422."""

    def __init__(self, message: str, *, field: str, semantic: bool = False) -> None:
        super().__init__(message)
        self.field = field
        self.semantic = semantic


class NotFoundError(SerinusError):
    """A named policy, verdict or rollout does not exist."""


class SourceError(SerinusError):
    """A metric source did not answer usefully.

    `code` is `source_unavailable` (down, slow, not Prometheus) or `query_rejected` (it refused).
    """

    def __init__(
        self, message: str, *, code: str = "source_unavailable", retryable: bool = True
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class StoreError(SerinusError):
    """Our own store is down, full or corrupt."""


class DeliveryError(SerinusError):
    """A receiver did not acknowledge a notice.

    `retryable`: a later try may succeed; `after_s`: not before so many seconds, if it said so.
    """

    def __init__(
        self, message: str, *, retryable: bool = True, after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.after_s = after_s


class BrokerError(SerinusError):
    """The log of messages between processes did not answer, or refused.

    `retryable`: a later try may succeed.
    """

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class OffsetGoneError(BrokerError):
    """The log does not hold what is to be read next: it was deleted, or the log is another.

    `offsets`: by topic and number of the partition, the offset that was to be read.
    """

    def __init__(self, message: str, *, offsets: Mapping[tuple[str, int], int]) -> None:
        super().__init__(message, retryable=False)
        self.offsets = offsets


class ConflictError(StoreError):
    """What was to be replaced is no longer what was read: another process wrote it meanwhile."""


class ConfigError(SerinusError):
    """The configuration is wrong; the message says which key and what would be right."""
