"""Lines by bin: none is lost, none counted twice, whatever their order and their clocks."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.binned import binned
from detector.logs.lines import LogLines, Origin

STEP = 15_000
T0 = 1_790_000_000_000
rows = st.lists(
    st.tuples(
        st.integers(T0 - 40_000, T0 + 40_000),
        st.integers(0, 3),
        st.integers(0, 2),
        st.integers(0, 6),
    ),
    max_size=60,
)
Row = tuple[int, int, int, int]


def of(found: list[Row]) -> tuple[LogLines, np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """Lines without text, and the numbers of their templates."""
    at, number, origin, level = (np.array([row[n] for row in found], np.int64) for n in range(4))
    lines = LogLines(
        at=at,
        level=level.astype(np.uint8),
        origin=origin.astype(np.int32),
        trace=np.zeros((len(found), 16), np.uint8),
        text=np.zeros(0, np.uint8),
        ends=np.zeros(len(found), np.int64),
        origins=tuple(Origin(service=f"s{n}") for n in range(3)),
    )
    return lines, number.astype(np.int32)


def counted(found: list[Row]) -> Counter[Row]:
    """Rows as they are binned."""
    made = binned(*of(found), STEP)
    columns = (made.at, made.number, made.origin, made.level)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return Counter(dict(zip(rows, made.count.tolist(), strict=True)))


@given(found=rows)
def test_each_line_is_counted_in_its_bin(found: list[Row]) -> None:
    """The sum of what is told is what was written."""
    wanted = Counter((at // STEP * STEP, *rest) for at, *rest in found)
    assert counted(found) == wanted


@given(found=rows, seed=st.randoms())
def test_counts_do_not_hang_on_the_order_of_lines(found: list[Row], seed: object) -> None:
    """Two agents send side by side."""
    mixed = list(found)
    seed.shuffle(mixed)  # type: ignore[attr-defined]
    assert counted(mixed) == counted(found)


def test_a_clock_that_is_wrong_by_years_moves_no_other_line() -> None:
    """One pod has no time server."""
    found = counted([(T0, 0, 0, 0), (T0, 0, 0, 0), (0, 1, 0, 0), (2**61, 2, 0, 0)])
    assert found[(T0 // STEP * STEP, 0, 0, 0)] == 2
    assert sum(found.values()) == 4
