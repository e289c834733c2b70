"""Arrays as they are kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from detector.fitted.model import arrays_of, artefacts_of

KINDS = st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.bool_])


@given(array=KINDS.flatmap(lambda kind: arrays(kind, array_shapes(min_dims=0, min_side=0))))
def test_an_array_comes_back_to_the_bit(array: np.ndarray) -> None:
    """NaN and signed zero included, whatever its order in memory."""
    back = arrays_of(artefacts_of({"x": np.array(array, order="F")}))["x"]
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


def test_the_byte_order_of_a_machine_does_not_matter() -> None:
    """A model fitted on another machine is the same model."""
    (kept,) = artefacts_of({"x": np.array([1.5], dtype=">f8")})
    assert (kept.dtype, kept.data) == ("<f8", np.array([1.5], dtype="<f8").tobytes())


@pytest.mark.parametrize("odd", [np.array([object()]), np.array(["text"]), np.array([1j])])
def test_what_is_no_plain_number_is_refused(odd: np.ndarray) -> None:
    """An array of objects would have to be pickled."""
    with pytest.raises(ValueError, match="is not kept"):
        artefacts_of({"x": odd})


def test_a_type_that_was_tampered_with_is_refused() -> None:
    """What is read from a store is not believed."""
    (kept,) = artefacts_of({"x": np.arange(3)})
    with pytest.raises(ValueError, match="is not kept"):
        arrays_of((replace(kept, dtype="|O"),))
    with pytest.raises(ValueError, match=r"reshape|size"):
        arrays_of((replace(kept, shape=(2,)),))
