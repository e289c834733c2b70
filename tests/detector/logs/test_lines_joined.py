"""Lines of several batches as one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level, LogLines, Origin, joined

ORIGINS = tuple(Origin(service=name) for name in "abc")
SAID = st.tuples(
    st.integers(0, 10**12), st.sampled_from(Level), st.sampled_from(ORIGINS), st.binary(max_size=6)
)
BATCHES = st.lists(st.lists(SAID, max_size=5), min_size=1, max_size=5)
Said = tuple[int, Level, Origin, bytes]


def lines(said: list[Said]) -> LogLines:
    """A batch; its origins are numbered as they come."""
    origins = tuple(dict.fromkeys(origin for _, _, origin, _ in said))
    text = b"".join(words for *_, words in said)
    return LogLines(
        at=np.array([at for at, *_ in said], np.int64),
        level=np.array([level for _, level, *_ in said], np.uint8),
        origin=np.array([origins.index(origin) for _, _, origin, _ in said], np.int32),
        trace=np.zeros((len(said), 16), np.uint8),
        text=np.frombuffer(text, np.uint8),
        ends=np.cumsum([len(words) for *_, words in said]).astype(np.int64),
        origins=origins,
    )


def told(batch: LogLines) -> list[Said]:
    """What is in a batch, line by line."""
    return [
        (int(batch.at[n]), Level(batch.level[n]), batch.origins[batch.origin[n]], batch.message(n))
        for n in range(len(batch))
    ]


@given(batches=BATCHES)
def test_lines_that_are_counted_together_are_those_of_each(batches: list[list[Said]]) -> None:
    """A line under another's service, or with part of another's text, would be counted wrongly."""
    whole = joined([lines(said) for said in batches])
    assert told(whole) == [line for said in batches for line in said]
    assert len(set(whole.origins)) == len(whole.origins)
    kinds = [whole.origin.dtype.name, whole.ends.dtype.name, whole.text.dtype.name]
    assert kinds == ["int32", "int64", "uint8"]


def test_one_batch_is_not_copied() -> None:
    """Most messages are large and come alone."""
    batch = lines([(1, Level.INFO, ORIGINS[0], b"x")])
    assert joined([batch]) is batch


def test_nothing_is_no_batch() -> None:
    """There is no origin and no time to give it."""
    with pytest.raises(ValueError, match="need at least one"):
        joined([])
