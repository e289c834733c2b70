"""Values as bytes: msgpack of the dataclass under a schema number, never a pickle."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import zstandard

from detector.errors import StoreError

__all__ = ["SCHEMA", "encode", "inflated", "pack", "unpack"]

SCHEMA = 1
T = TypeVar("T")


def pack(value: object) -> bytes:
    """The value with the schema that it was written in."""
    return _ENCODER.encode((SCHEMA, value))


def encode(value: object) -> bytes:
    """The value alone, for a container that has its own schema number."""
    return _ENCODER.encode(value)


def unpack(kind: type[T], blob: bytes) -> T:
    """The value of a blob; `StoreError` for a newer schema or anything else that is no `kind`."""
    try:
        schema, value = msgspec.msgpack.decode(blob, type=tuple[int, msgspec.Raw])
        if schema > SCHEMA:
            raise StoreError(
                f"a stored {kind.__name__} has schema {schema}, this serinus knows {SCHEMA}:"
                " start the newer version again"
            )
        return msgspec.msgpack.decode(value, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(f"a stored {kind.__name__} cannot be read: {error}") from error


def inflated(blob: bytes, *, most: int) -> bytes:
    """Zstandard's bytes unpacked; `ValueError` where they are none, or more than `most`.

    Where a frame tells its size the library unpacks all of it, whatever bound it was given.
    """
    try:
        size = zstandard.frame_content_size(blob)
        if size > most:
            raise ValueError(f"{size:,} bytes unpacked are more than the {most:,} that are read")
        return zstandard.ZstdDecompressor().decompress(blob, max_output_size=most)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def _plain(value: Any) -> Any:  # noqa: ANN401 - numpy scalars
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"{type(value).__name__} is not stored")
    return item()


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
