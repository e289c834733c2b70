"""Bodies unpacked: what was packed comes back, and none becomes longer than its bound."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress

import cramjam
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from pipelines.ingest.bodies import gunzipped, unpacked, unsnapped, unzstd
from pipelines.ingest.decoded import BodyTooLargeError
from pipelines.ingest.protocol import Packing

MOST = 2**20
PACKED: dict[str, tuple[Callable[[bytes], bytes], Callable[..., bytes]]] = {
    "snappy": (lambda body: bytes(cramjam.snappy.compress_raw(body)), unsnapped),
    "gzip": (gzip.compress, gunzipped),
    "zstd": (zstandard.ZstdCompressor().compress, unzstd),
}


@pytest.mark.parametrize("name", PACKED)
@given(body=st.binary(max_size=300))
def test_what_was_packed_comes_back(name: str, body: bytes) -> None:
    """Every byte of it."""
    pack, unpack = PACKED[name]
    assert unpack(pack(body), most=MOST) == body


@pytest.mark.parametrize("name", PACKED)
@given(body=st.binary(max_size=100))
def test_any_bytes_are_a_body_or_an_error(name: str, body: bytes) -> None:
    """No library's own error gets out."""
    with suppress(InputError):
        PACKED[name][1](body, most=MOST)


@pytest.mark.parametrize("name", PACKED)
def test_a_bomb_is_refused(name: str) -> None:
    """At its bound it is taken, a byte beyond it is not."""
    pack, unpack = PACKED[name]
    assert len(unpack(pack(bytes(MOST)), most=MOST)) == MOST
    with pytest.raises(BodyTooLargeError, match="1 MB"):
        unpack(pack(bytes(MOST + 1)), most=MOST)


def test_all_members_of_a_gzip_count_to_its_bound() -> None:
    """A bomb in parts is one."""
    part = gzip.compress(bytes(MOST // 2))
    assert len(gunzipped(part * 2, most=MOST)) == MOST
    with pytest.raises(BodyTooLargeError):
        gunzipped(part * 3, most=MOST)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_body_that_was_cut_off_is_no_body(name: str) -> None:
    """Half of a request must not pass for a whole one."""
    pack, unpack = PACKED[name]
    with pytest.raises(InputError):
        unpack(pack(bytes(range(256)) * 40)[:-12], most=MOST)


def test_a_frame_that_does_not_tell_its_length_is_bounded_and_whole_too() -> None:
    """Senders that stream do not know it beforehand."""
    packer = zstandard.ZstdCompressor().compressobj()
    streamed = packer.compress(bytes(MOST)) + packer.flush()
    assert unzstd(streamed, most=MOST) == bytes(MOST)
    with pytest.raises(BodyTooLargeError):
        unzstd(streamed, most=MOST - 1)
    with pytest.raises(InputError, match="cut off"):
        unzstd(streamed[:-3], most=MOST)


@pytest.mark.parametrize("wbits", [15, -15], ids=["zlib", "bare"])
def test_deflate_is_unpacked_with_and_without_its_frame(wbits: int) -> None:
    """Senders do not agree on what HTTP means by the word."""
    packer = zlib.compressobj(wbits=wbits)
    packed = packer.compress(b"lines") + packer.flush()
    assert unpacked(Packing.DEFLATE, packed, most=5) == b"lines"


@pytest.mark.parametrize(
    "packed", [b"plain words", zlib.compress(b"lines")[:-5]], ids=["no", "cut"]
)
def test_what_is_no_deflate_is_refused(packed: bytes) -> None:
    """It is the sender's to mend, and no error of ours."""
    with pytest.raises(InputError, match="deflate"):
        unpacked(Packing.DEFLATE, packed, most=2**20)


def test_a_bomb_of_deflate_does_not_go_off() -> None:
    """A few bytes become a megabyte: it is refused before the memory is taken."""
    with pytest.raises(BodyTooLargeError):
        unpacked(Packing.DEFLATE, zlib.compress(bytes(2**20)), most=1000)
