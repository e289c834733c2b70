"""Values as bytes: msgpack of the dataclass under a schema number, never a pickle."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec
import zstandard

from detector.errors import StoreError

__all__ = ["SCHEMA", "decoder_of", "encode", "inflated", "pack", "unpack"]

SCHEMA = 1
T = TypeVar("T")
_DECODERS: dict[object, msgspec.msgpack.Decoder[Any]] = {}
_MAKING = threading.Lock()


def decoder_of(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """Reads values of one type; made once, by one thread at a time.

    What msgspec learns of a dataclass it keeps at the class, where another thread finds it half
    made: a process ended with a segmentation fault when the first questions came side by side.
    """
    found = _DECODERS.get(kind)
    if found is None:
        with _MAKING:
            found = _DECODERS[kind] = msgspec.msgpack.Decoder(kind)
    return found


def pack(value: object) -> bytes:
    """The value with the schema that it was written in."""
    return _ENCODER.encode((SCHEMA, value))


def encode(value: object) -> bytes:
    """The value alone, for a container that has its own schema number."""
    return _ENCODER.encode(value)


def unpack(kind: type[T], blob: bytes) -> T:
    """The value of a blob; `StoreError` for a newer schema or anything else that is no `kind`."""
    try:
        schema, value = _VERSIONED.decode(blob)
        if schema > SCHEMA:
            raise StoreError(
                f"a stored {kind.__name__} has schema {schema}, this serinus knows {SCHEMA}:"
                " start the newer version again"
            )
        return decoder_of(kind).decode(value)
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


_VERSIONED = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])
_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
