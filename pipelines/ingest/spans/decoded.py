"""What a door made of a message of traces: spans, and by name whatever it did not take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from detector.spans.columns import Spans
from pipelines.ingest.decoded import Refused

__all__ = ["Decoded", "Oddity", "SpanDoor", "SpanRefusal"]


class SpanDoor(Enum):
    """By which protocol spans came."""

    OTLP = "otlp_traces"
    OTLP_JSON = "otlp_traces_json"


class SpanRefusal(Enum):
    """Why a span was not taken. To send it again would not help."""

    IDS = "ids"
    TOO_OLD = "too_old"
    IN_THE_FUTURE = "in_the_future"


class Oddity(Enum):
    """What is odd about spans that are taken."""

    NEGATIVE_DURATION = "negative_duration"
    LONG_DURATION = "long_duration"
    UNNAMED_SERVICE = "unnamed_service"
    TOO_MANY_NAMES = "too_many_names"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The spans of a message that are taken; what was refused of it, and what is odd about it."""

    spans: Spans
    refused: Refused = field(default_factory=Refused)
    dropped: Mapping[Oddity, int] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        """How many spans are taken."""
        return len(self.spans)
