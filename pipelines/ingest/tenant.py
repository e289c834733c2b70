"""The doors of one tenant, with the series that it has."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from detector.stream.ports import SeriesNames
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

    @property
    def lock(self) -> AbstractContextManager[bool]:
        """Held from when a message is read until its samples are put: no id changes meanwhile."""
        return self.interner.lock


def decoder(door: Door, interner: Interner) -> Decoder:
    """One door onto an interner, which may know some series."""
    match door:
        case Door.REMOTE_WRITE:
            return RemoteWrite(interner)
        case Door.OTLP:
            return Otlp(interner)
        case Door.OTLP_JSON:
            return OtlpJson(interner)
        case Door.COLUMNAR:
            return Columnar(interner)
        case Door.PULL:
            raise ValueError("what is pulled comes by no message")


def opened(known: SeriesNames | None, limit: int) -> Tenant:
    """The doors of a tenant that has some names; seconds where nothing is compiled yet."""
    warm()
    interner = known if isinstance(known, Interner) else Interner(limit=limit)
    interner.limit = limit
    decoders: dict[Door, Decoder] = {
        door: decoder(door, interner) for door in Door if door is not Door.PULL
    }
    return Tenant(interner=interner, decoders=decoders, pulled=Pulled(interner))
