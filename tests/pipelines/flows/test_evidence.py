"""The evidence file: what a verdict was made from, complete and unaltered, or refused."""

from __future__ import annotations

import resource
from dataclasses import replace

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.gate.record import Chunk, StoredVerdict, chunk_of
from detector.gate.ruling import rule
from pipelines.flows.evidence import Evidence, pack_evidence, unpack_evidence
from tests.detector.gate.test_attempt import attempt
from tests.detector.gate.test_ruling import PASS, circumstances

BODIES = st.lists(st.binary(max_size=40), max_size=5)


def chain(bodies: list[bytes]) -> tuple[Chunk, ...]:
    """The chunks of an attempt, one after the other."""
    head, chunks = "", []
    for body in bodies:
        chunks.append(chunk_of("a", head, body))
        head = chunks[-1].hash
    return tuple(chunks)


def evidence(bodies: list[bytes]) -> Evidence:
    """A verdict made from these samples."""
    chunks = chain(bodies)
    seen = replace(circumstances(), head=chunks[-1].hash if chunks else "")
    stored = StoredVerdict(verdict=rule(attempt(), PASS, seen), seen=seen)
    return Evidence(attempt=attempt(), stored=stored, chunks=chunks)


def refused(made: Evidence, words: str) -> None:
    with pytest.raises(InputError, match=words) as told:
        unpack_evidence(pack_evidence(made))
    assert told.value.field == "file"


@given(BODIES)
def test_a_file_gives_back_what_was_put_in(bodies: list[bytes]) -> None:
    """The colleague who replays it sees the same verdict, samples and circumstances."""
    made = evidence(bodies)
    assert unpack_evidence(pack_evidence(made)) == made


@given(BODIES.filter(len), st.data())
def test_a_changed_sample_is_found(bodies: list[bytes], data: st.DataObject) -> None:
    """Nobody makes a fail a pass by editing what it was made from."""
    made = evidence(bodies)
    at = data.draw(st.integers(0, len(bodies) - 1))
    forged = [
        replace(chunk, body=chunk.body + b"x") if n == at else chunk
        for n, chunk in enumerate(made.chunks)
    ]
    refused(replace(made, chunks=tuple(forged)), "samples in this file were changed")


@given(st.lists(st.binary(max_size=9), min_size=2, max_size=5, unique=True), st.data())
def test_a_missing_or_moved_sample_is_found(bodies: list[bytes], data: st.DataObject) -> None:
    """Nor by leaving out the minute in which it failed, nor by telling it in another order."""
    made = evidence(bodies)
    at = data.draw(st.integers(0, len(bodies) - 1))
    without = made.chunks[:at] + made.chunks[at + 1 :]
    refused(replace(made, chunks=without), "samples")
    refused(replace(made, chunks=made.chunks[::-1]), "were changed")


def test_a_history_that_goes_on_is_not_that_of_the_verdict() -> None:
    """What was read after it cannot have been looked at."""
    made = evidence([b"one", b"two"])
    later = chain([b"one", b"two", b"three"])
    refused(replace(made, chunks=later), "samples are missing")
    refused(replace(made, chunks=()), "samples are missing")


@given(BODIES.filter(len), st.data())
def test_an_earlier_head_has_the_samples_up_to_it(bodies: list[bytes], data: st.DataObject) -> None:
    """The answer of the deadline is replayed from what was known at the deadline."""
    made = evidence(bodies)
    at = data.draw(st.integers(0, len(bodies) - 1))
    assert made.up_to(made.chunks[at].hash) == made.chunks[: at + 1]
    assert made.up_to("unknown") == ()


# -- what is no evidence file


@given(st.binary(max_size=60))
def test_any_other_bytes_are_refused_in_words(file: bytes) -> None:
    """A picture, an empty file, half a download: told as no evidence file, never a traceback."""
    with pytest.raises(InputError, match="no evidence file"):
        unpack_evidence(file)


@given(st.integers(1, 200))
def test_half_a_file_is_refused(cut: int) -> None:
    """A download that broke off is not taken for a shorter history."""
    file = pack_evidence(evidence([b"one", b"two" * 50]))
    with pytest.raises(InputError, match="no evidence file"):
        unpack_evidence(file[:-cut])


def repacked(**changes: object) -> bytes:
    """A file whose frame says something else."""
    plain = zstandard.ZstdDecompressor().decompress(pack_evidence(evidence([b"one"])))
    frame = msgspec.msgpack.decode(plain) | changes
    return zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(frame))


def test_a_newer_file_asks_for_a_newer_serinus() -> None:
    """It is not half understood."""
    with pytest.raises(InputError, match="schema 9 is not known here: take a newer serinus"):
        unpack_evidence(repacked(schema=9))


def test_a_file_of_another_kind_is_refused() -> None:
    """Also where it happens to have the same fields."""
    with pytest.raises(InputError):
        unpack_evidence(repacked(magic="other evidence"))


def test_a_small_file_cannot_fill_the_memory() -> None:
    """Sixty kilobytes that unpack to a gigabyte are refused before they are unpacked."""
    sink = zstandard.ZstdCompressor(level=1).compressobj(size=1 << 30)
    zeros = bytes(1 << 24)
    bomb = b"".join([*(sink.compress(zeros) for _ in range(64)), sink.flush()])
    assert len(bomb) < 200_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="more than the 536,870,912 that are read"):
        unpack_evidence(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
