"""What a door has learned and no series tells: kept with a checkpoint, so that a replay agrees."""

from __future__ import annotations

import msgspec

from detector.errors import StoreError
from pipelines.ingest.families import Family

__all__ = ["Grown", "Learned"]

# Place of a histogram, least and greatest power of two, whether it was always empty.
Grown = tuple[tuple[bytes | int, ...], int, int, bool]


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """Metadata of families, and how far each exponential histogram reached; in that order."""

    families: tuple[Family, ...] = ()
    grown: tuple[Grown, ...] = ()

    def packed(self) -> bytes:
        """As bytes, none where nothing was learned."""
        return _ENCODER.encode(self) if self.families or self.grown else b""

    @classmethod
    def read(cls, memory: bytes) -> Learned:
        """What `packed` gave; `StoreError` for anything else."""
        try:
            return _DECODER.decode(memory) if memory else cls()
        except msgspec.MsgspecError as error:
            raise StoreError(f"what a door has learned cannot be read: {error}") from error


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Learned)
