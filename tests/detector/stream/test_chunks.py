"""Arrays as blobs: what a store gives back is what was put in, and where it is not that is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_in
from numpy.typing import NDArray

from detector.stream.chunks import CHUNK_BYTES, arrays_of, chunks_of, cut

TYPES = st.sampled_from(["<i8", "<i4", "<i2", "|i1", "|u1", "<u4", "<f8", "<f4", "|b1"])
ARRAYS = TYPES.flatmap(
    lambda of: arrays_in.arrays(of, arrays_in.array_shapes(max_dims=2, min_side=0, max_side=9))
)


@given(st.dictionaries(st.text(min_size=1, max_size=9), ARRAYS, max_size=4))
def test_what_goes_to_blobs_and_back_is_the_same_to_the_bit(
    arrays: dict[str, NDArray[Any]],
) -> None:
    """A worker that takes a partition over would go on from another state."""
    found = arrays_of(chunks_of(arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_the_bytes_of_a_blob_are_the_same_in_every_version() -> None:
    """A checkpoint of last month could not be read, or, worse, would be read as other numbers."""
    found = chunks_of(
        {
            "model.hot": np.array([[1.0, -0.0], [np.inf, 0.5]], dtype="<f4"),
            "model.at": np.array([-1, 2**40], dtype="<i8"),
            "none": np.zeros((0, 3), dtype="<i2"),
        }
    )
    assert found == {
        "model.hot/0": b"<f4 2,2\n\x00\x00\x80?\x00\x00\x00\x80\x00\x00\x80\x7f\x00\x00\x00?",
        "model.at/0": b"<i8 2\n" + b"\xff" * 8 + b"\x00\x00\x00\x00\x00\x01\x00\x00",
        "none/0": b"<i2 0,3\n",
    }


def test_a_large_array_is_cut_and_only_what_changed_is_another_blob() -> None:
    """Each minute all of a gigabyte would be written for a handful of series."""
    array = np.arange(5 * CHUNK_BYTES // 8, dtype=np.int64)
    before = list(cut(array))
    array[3 * CHUNK_BYTES // 8] = -1
    after = list(cut(array))
    assert len(before) == len(after) == 5
    assert [n for n in range(5) if before[n] != after[n]] == [3]
    assert max(map(len, before)) < CHUNK_BYTES + 100


def test_rows_that_are_wider_than_a_blob_are_one_each() -> None:
    """They would be cut in two, or never end."""
    wide = np.ones((2, CHUNK_BYTES), dtype=np.float32)
    assert len(list(cut(wide))) == 2
    assert arrays_of(chunks_of({"wide": wide}))["wide"].shape == wide.shape


def test_what_comes_back_may_be_changed() -> None:
    """The first sample after a restart could not be taken."""
    found = arrays_of(chunks_of({"at": np.arange(3)}))["at"]
    found[0] = 7
    assert found.tolist() == [7, 1, 2]


@pytest.mark.parametrize("gone", ["at/0", "at/1"])
def test_a_blob_that_is_missing_is_told(gone: str) -> None:
    """Half of the series would have the state of others."""
    chunks = chunks_of({"at": np.arange(CHUNK_BYTES // 8 * 3)})
    del chunks[gone]
    with pytest.raises(ValueError, match="chunks of at are missing"):
        arrays_of(chunks)
