"""Loops as machine code: the same answers, wherever there is a disk to keep them on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.compiling import compiled, inlined, uncounted


def total(values: Any) -> float:  # noqa: ANN401
    """The sum, from left to right."""
    found = 0.0
    for value in values:
        found += value
    return found


def shares(part: float, whole: float) -> float:
    """A quotient, whatever it is of."""
    return part / whole


TOTAL = compiled(total)
SHARE = uncounted(shares)


@given(st.lists(st.floats(allow_nan=False), max_size=8))
def test_a_compiled_loop_says_what_the_plain_one_says(values: list[float]) -> None:
    """A score would depend on who computed it."""
    found, plain = TOTAL(np.array(values)), total(values)
    assert found == plain or (math.isnan(found) and math.isnan(plain))


def test_a_division_by_nothing_is_infinite_as_in_numpy() -> None:
    """One odd series would end the loop for all of its batch."""
    assert SHARE(1.0, 0.0) == math.inf


@pytest.mark.parametrize("compiling", [compiled, uncounted, inlined])
def test_without_a_place_to_keep_it_a_loop_is_compiled_all_the_same(
    compiling: Callable[[Any], Any],
) -> None:
    """A read-only image without a home could take no metrics."""
    scope: dict[str, Any] = {}
    exec("def doubled(value):\n    return 2 * value\n", scope)  # noqa: S102 - no file to keep it by
    assert compiling(scope["doubled"])(21) == 42
