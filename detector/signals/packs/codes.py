"""Which codes are errors, one table for each protocol (gate method, section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

__all__ = ["TABLES", "Codes", "Table"]


class Codes(StrEnum):
    """The tables that a pack can name."""

    HTTP = "http"
    HTTP_CLASS = "http_class"
    PROXY = "proxy"
    GRPC = "grpc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The bad values of a code's label as RE2, and what any of its values looks like."""

    bad: str
    like: str


# The server's doing. Cancelled, InvalidArgument, NotFound, AlreadyExists, PermissionDenied,
# Unauthenticated, FailedPrecondition, Aborted, OutOfRange, Unimplemented are the caller's.
_BAD_STATUS = (
    ("2", "Unknown", "UNKNOWN"),
    ("4", "DeadlineExceeded", "DEADLINE_EXCEEDED"),
    ("8", "ResourceExhausted", "RESOURCE_EXHAUSTED"),
    ("13", "Internal", "INTERNAL"),
    ("14", "Unavailable", "UNAVAILABLE"),
    ("15", "DataLoss", "DATA_LOSS"),
)
_NAMED = r"[A-Z][A-Za-z_]+"

TABLES: Mapping[Codes, Table] = MappingProxyType(
    {
        # 499 (the client closed) and 429 are no errors; a pack or policy may say otherwise.
        Codes.HTTP: Table(bad="5..", like="[1-5].."),
        Codes.HTTP_CLASS: Table(bad="5|5xx", like="[1-5](xx)?"),
        # 0: no answer came. What tells that the caller hung up goes into the pack's `without`.
        Codes.PROXY: Table(bad="0|5..", like="0|[1-5].."),
        Codes.GRPC: Table(
            bad="|".join(word for words in zip(*_BAD_STATUS, strict=True) for word in words),
            like=rf"[0-9]|1[0-6]|{_NAMED}",
        ),
    }
)
