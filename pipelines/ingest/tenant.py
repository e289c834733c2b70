"""The doors of one tenant, with the series that it has."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from detector.stream.columns import SeriesInfo
from pipelines.ingest.columnar import Columnar
from pipelines.ingest.decoded import Decoded, Window
from pipelines.ingest.interning import Interner
from pipelines.ingest.otlp import Otlp
from pipelines.ingest.otlp_json import OtlpJson
from pipelines.ingest.protocol import Door
from pipelines.ingest.pulled import Pulled
from pipelines.ingest.remote_write import RemoteWrite
from pipelines.ingest.warm import warm

__all__ = ["Decoder", "Tenant", "decoder", "opened"]


class Decoder(Protocol):
    """One door of one tenant."""

    def decode(self, body: bytes, window: Window) -> Decoded:
        """The samples of a message; `InputError` where it cannot be read."""
        ...

    def memory(self) -> bytes:
        """What was learned beside the series: with both, a new one goes on to the bit."""
        ...

    def recall(self, memory: bytes) -> None:
        """Go on from there; before the first message."""
        ...


@dataclass(slots=True)
class Tenant:
    """The doors of one tenant; one message at a time goes through them."""

    interner: Interner
    decoders: Mapping[Door, Decoder]
    pulled: Pulled
    lock: threading.Lock


def decoder(door: Door, interner: Interner, known: Sequence[SeriesInfo]) -> Decoder:
    """One door onto an interner that knows some series."""
    match door:
        case Door.REMOTE_WRITE:
            return RemoteWrite(interner, known)
        case Door.OTLP:
            return Otlp(interner)
        case Door.OTLP_JSON:
            return OtlpJson(interner)
        case Door.COLUMNAR:
            return Columnar(interner)
        case Door.PULL:
            raise ValueError("what is pulled comes by no message")


def opened(known: Sequence[SeriesInfo], limit: int) -> Tenant:
    """The doors of a tenant whose series are `known`; seconds where nothing is compiled yet."""
    warm()
    interner = Interner(known, limit=limit)
    decoders = {door: decoder(door, interner, known) for door in Door if door is not Door.PULL}
    return Tenant(
        interner=interner, decoders=decoders, pulled=Pulled(interner), lock=threading.Lock()
    )
