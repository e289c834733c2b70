"""The evidence file: one verdict with all that it was made from, to be replayed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import zstandard

from detector.errors import InputError
from detector.gate.attempt import Attempt
from detector.gate.record import Chunk, StoredVerdict, chunk_of
from pipelines.stores.codec import encode, inflated

__all__ = ["Evidence", "pack_evidence", "unpack_evidence"]

_MAGIC = "serinus evidence"
_SCHEMA = 1
_UNPACKED_MAX = 1 << 29


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A verdict, its attempt, and the chunks up to the verdict's head."""

    attempt: Attempt
    stored: StoredVerdict
    chunks: tuple[Chunk, ...]

    def up_to(self, head: str) -> Sequence[Chunk]:
        """The chunks that end at an earlier head."""
        for count, chunk in enumerate(self.chunks, 1):
            if chunk.hash == head:
                return self.chunks[:count]
        return ()


class _File(msgspec.Struct):
    magic: str
    schema: int
    evidence: Evidence


def pack_evidence(evidence: Evidence) -> bytes:
    """The file's bytes."""
    file = _File(magic=_MAGIC, schema=_SCHEMA, evidence=evidence)
    return zstandard.ZstdCompressor(level=6).compress(encode(file))


def unpack_evidence(file: bytes) -> Evidence:
    """The evidence; `InputError` where the bytes are no such file or were changed."""
    try:
        found = msgspec.msgpack.decode(inflated(file, most=_UNPACKED_MAX), type=_File)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InputError(f"this is no evidence file: {error}", field="file") from error
    if found.magic != _MAGIC or found.schema > _SCHEMA:
        raise InputError(
            f"evidence of schema {found.schema} is not known here: take a newer serinus",
            field="file",
        )
    _check_chain(found.evidence)
    return found.evidence


def _check_chain(evidence: Evidence) -> None:
    """Every chunk has the name of its content, and they lead to the verdict's head."""
    head = ""
    for chunk in evidence.chunks:
        if chunk.prev != head or chunk_of(chunk.attempt, chunk.prev, chunk.body) != chunk:
            raise InputError("the samples in this file were changed", field="file")
        head = chunk.hash
    if head != evidence.stored.seen.head:
        raise InputError("samples are missing in this file", field="file")
