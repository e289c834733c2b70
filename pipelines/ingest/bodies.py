"""Bodies unpacked, none of them to more than a bound: a bomb is refused before it goes off."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import cramjam
import zstandard

from pipelines.ingest.decoded import BodyTooLargeError, broken
from pipelines.ingest.protocol import Packing

__all__ = ["gunzipped", "inflated", "plain", "unpacked", "unsnapped", "unzstd"]

_GZIP = 31
_ZLIB, _BARE = 15, -15


def unpacked(packing: Packing, body: bytes, *, most: int) -> bytes:
    """A body unpacked to at most so many bytes; `InputError` where that cannot be."""
    return _UNPACKED[packing](body, most=most)


def plain(body: bytes, *, most: int) -> bytes:
    """What is not packed."""
    _check(len(body), most)
    return body


def unsnapped(body: bytes, *, most: int) -> bytes:
    """A snappy block; `BodyTooLargeError` where it says that it is longer than `most` bytes."""
    try:
        size = cramjam.snappy.decompress_raw_len(body)
        _check(size, most)
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise broken("the body is no snappy block (framed snappy is not taken)") from error


def gunzipped(body: bytes, *, most: int) -> bytes:
    """All members of a gzip file, unpacked no further than `most` bytes."""
    parts, size = [], 0
    while body:
        unpacker = zlib.decompressobj(wbits=_GZIP)
        try:
            part = unpacker.decompress(body, most + 1 - size)
        except zlib.error as error:
            raise broken("the body is no gzip") from error
        size += len(part)
        _check(size, most)
        if not unpacker.eof:
            raise broken("the body is a gzip that was cut off")
        parts.append(part)
        body = unpacker.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)


def inflated(body: bytes, *, most: int) -> bytes:
    """HTTP's `deflate`: a zlib stream, or what some senders take it for, one without its frame."""
    for wbits in (_ZLIB, _BARE):
        unpacker = zlib.decompressobj(wbits=wbits)
        try:
            whole = unpacker.decompress(body, most + 1)
        except zlib.error:
            continue
        _check(len(whole), most)
        if unpacker.eof:
            return whole
    raise broken("the body is no deflate, or was cut off")


def unzstd(body: bytes, *, most: int) -> bytes:
    """One whole zstandard frame."""
    unpacker = zstandard.ZstdDecompressor()
    try:
        size = zstandard.frame_content_size(body)
        if size < 0:
            # A frame that streams does not tell; what is read of it up to the bound does.
            with unpacker.stream_reader(body) as reader:
                size = len(reader.read(most + 1))
        _check(size, most)
        return unpacker.decompress(body, max_output_size=max(size, 1))
    except zstandard.ZstdError as error:
        raise broken("the body is no zstandard frame, or was cut off") from error


def _check(size: int, most: int) -> None:
    if size > most:
        raise BodyTooLargeError(
            f"the body unpacks to more than {most // 2**20} MB: send smaller batches", field="body"
        )


_UNPACKED: Mapping[Packing, Callable[..., bytes]] = {
    Packing.PLAIN: plain,
    Packing.SNAPPY: unsnapped,
    Packing.GZIP: gunzipped,
    Packing.DEFLATE: inflated,
    Packing.ZSTD: unzstd,
}
