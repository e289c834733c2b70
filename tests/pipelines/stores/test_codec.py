"""Values as bytes: what was stored is what is read, by this version or not at all."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import StoreError
from detector.gate.policy import Mode, Policy, RollbackRule, SignalPolicy
from detector.gate.verdict import Needs
from pipelines.stores.codec import SCHEMA, encode, inflated, pack, unpack

NUMBERS = st.none() | st.floats(0.01, 5.0)
POLICIES = st.builds(
    Policy,
    name=st.text(max_size=8),
    mode=st.sampled_from(list(Mode)),
    rollback=st.sampled_from(list(RollbackRule)),
    alpha=st.floats(1e-6, 0.5),
    allow_control_exhausted=st.booleans(),
    signals=st.dictionaries(
        st.text(max_size=6),
        st.builds(SignalPolicy, tolerate=NUMBERS, judged=st.none() | st.booleans()),
    ),
)


@given(POLICIES)
def test_what_was_stored_is_what_is_read(policy: Policy) -> None:
    """An attempt is judged to its end by the policy with which it began."""
    read = unpack(Policy, pack(policy))
    assert read == policy
    assert read.digest == policy.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A value as it may come out of an array."""

    at: float
    count: int


def test_numbers_of_arrays_are_stored_as_numbers() -> None:
    """A float64 that slipped in must not make a verdict unreadable years later."""
    blob = pack(Measured(at=np.float32(0.5), count=np.int64(3)))  # type: ignore[arg-type]
    read = unpack(Measured, blob)
    assert read == Measured(at=0.5, count=3)
    assert (type(read.at), type(read.count)) == (float, int)


def test_what_cannot_be_stored_is_told_at_once() -> None:
    """Not when somebody wants to read it."""
    with pytest.raises(TypeError, match="object is not stored"):
        pack(object())


@given(st.integers(SCHEMA + 1, 100))
def test_a_newer_schema_is_refused(schema: int) -> None:
    """After going back a version nothing is half read; the text says what to do."""
    blob = msgspec.msgpack.encode((schema, {"requests": 1}))
    with pytest.raises(StoreError, match="start the newer version again"):
        unpack(Needs, blob)


@given(st.binary(max_size=40))
def test_other_bytes_are_no_value(blob: bytes) -> None:
    """A broken page of the file is an error of the store, named by what it was to be."""
    with pytest.raises(StoreError, match="a stored Policy"):
        unpack(Policy, blob)


def test_a_value_of_another_kind_is_refused() -> None:
    """Needs are no policy, although both are stored."""
    with pytest.raises(StoreError, match="a stored Policy cannot be read"):
        unpack(Policy, pack({"name": 17}))


def test_a_bare_value_has_no_schema_of_its_own() -> None:
    """For a container that has one."""
    assert msgspec.msgpack.decode(encode(Needs(requests=2)))["requests"] == 2


# -- unpacking


def packed(plain: bytes, *, told: bool) -> bytes:
    """Compressed, with or without its size in front."""
    sink = zstandard.ZstdCompressor(write_content_size=told).compressobj(
        size=len(plain) if told else -1
    )
    return sink.compress(plain) + sink.flush()


@given(st.binary(min_size=1, max_size=400), st.booleans())
def test_what_was_packed_is_unpacked_within_its_bound(plain: bytes, told: bool) -> None:
    """Also to the last byte that is allowed."""
    assert inflated(packed(plain, told=told), most=len(plain)) == plain


@given(st.integers(2, 5000), st.booleans())
def test_nothing_is_unpacked_beyond_its_bound(size: int, told: bool) -> None:
    """Whether or not the frame says how much it holds."""
    blob = packed(bytes(size), told=told)
    with pytest.raises(ValueError):
        inflated(blob, most=size - 1)


@given(st.binary(max_size=40))
def test_bytes_that_were_never_packed_are_refused(blob: bytes) -> None:
    """As a value that is none."""
    with pytest.raises(ValueError):
        inflated(blob, most=1000)


def test_first_readers_of_a_type_may_be_many() -> None:
    """A gate that all rollouts ask at once after a restart ended with a segmentation fault."""
    words = [sys.executable, "-m", "tests.pipelines.stores.first_readers"]
    for _ in range(4):
        told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert told.returncode == 0, told.stderr
        assert told.stdout.split("\n") == [
            "a stored Attempt cannot be read",
            "a stored Plan cannot be read",
            "a stored Verdict cannot be read",
            "",
        ]
