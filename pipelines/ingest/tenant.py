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

__all__ = ["Decoder", "Tenant", "opened"]


class Decoder(Protocol):
    """One door of one tenant."""

    def decode(self, body: bytes, window: Window) -> Decoded:
        """The samples of a message; `InputError` where it cannot be read."""
        ...


@dataclass(slots=True)
class Tenant:
    """The doors of one tenant; one message at a time goes through them."""

    interner: Interner
    decoders: Mapping[Door, Decoder]
    pulled: Pulled
    lock: threading.Lock


def opened(known: Sequence[SeriesInfo], limit: int) -> Tenant:
    """The doors of a tenant whose series are `known`; seconds where nothing is compiled yet."""
    warm()
    interner = Interner(known, limit=limit)
    decoders: dict[Door, Decoder] = {
        Door.REMOTE_WRITE: RemoteWrite(interner, known),
        Door.OTLP: Otlp(interner),
        Door.OTLP_JSON: OtlpJson(interner),
        Door.COLUMNAR: Columnar(interner),
    }
    return Tenant(
        interner=interner, decoders=decoders, pulled=Pulled(interner), lock=threading.Lock()
    )
