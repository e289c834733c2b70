"""Ids of series: dense, given once, the same for the same labels and kind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stream.columns import SeriesInfo, SeriesKind
from pipelines.ingest.interning import AT_LIMIT, Interner
from pipelines.ingest.labels import NAME, LabelsError, block_of, checked, labels_of, pairs_of

WORDS = st.text(min_size=1, max_size=300)
LABELS = st.dictionaries(WORDS, WORDS, max_size=4).map(
    lambda labels: checked({**labels, NAME: "up"}.items())
)
SERIES = st.lists(st.tuples(LABELS, st.sampled_from(SeriesKind)), max_size=12)


@given(LABELS)
def test_labels_as_bytes_are_the_same_labels(labels: tuple[tuple[str, str], ...]) -> None:
    """Of any length and script."""
    assert labels_of(block_of(labels)) == pairs_of(block_of(labels)) == labels


@given(SERIES)
def test_ids_are_dense_and_tell_series_apart(
    series: list[tuple[tuple[tuple[str, str], ...], SeriesKind]],
) -> None:
    """An id for each pair of labels and kind, from 0, however often it comes."""
    interner = Interner(limit=1_000)
    ids = [interner.id_of(labels, kind) for labels, kind in series * 2]
    assert ids[: len(series)] == ids[len(series) :]
    assert set(ids) == set(range(len(set(series))))
    told = interner.since(0)
    assert all(
        (told[id].labels, told[id].kind) == one for id, one in zip(ids, series, strict=False)
    )


@given(SERIES)
def test_a_restart_gives_the_same_ids(
    series: list[tuple[tuple[tuple[str, str], ...], SeriesKind]],
) -> None:
    """Whoever kept a state by id finds it."""
    first = Interner(limit=1_000)
    ids = [first.id_of(labels, kind) for labels, kind in series]
    again = Interner(first.since(0), limit=1_000)
    assert [again.id_of(labels, kind) for labels, kind in reversed(series)] == ids[::-1]
    assert len(again) == len(first)


def test_at_the_limit_the_known_keep_their_ids() -> None:
    """Only what is new gets none."""
    interner = Interner(limit=1)
    one, two = ((NAME, "a"),), ((NAME, "b"),)
    assert interner.id_of(one, SeriesKind.GAUGE) == 0
    assert interner.id_of(two, SeriesKind.GAUGE) == AT_LIMIT
    assert interner.id_of(one, SeriesKind.GAUGE) == 0
    assert "1 series" in interner.limit_words


def test_threads_agree_on_ids() -> None:
    """Two doors that bring the same new series at once."""
    interner = Interner(limit=10_000)
    names = [((NAME, f"m{n}"),) for n in range(2_000)]

    def all_ids(_: int) -> list[int]:
        return [interner.id_of(labels, SeriesKind.GAUGE) for labels in names]

    with ThreadPoolExecutor(4) as doors:
        told = list(doors.map(all_ids, range(4)))
    assert all(ids == told[0] for ids in told)
    assert sorted(told[0]) == list(range(2_000))


def test_a_delta_of_another_door_is_not_what_remote_write_means() -> None:
    """Its values would be taken for increments."""
    info = SeriesInfo(labels=((NAME, "a"),), kind=SeriesKind.DELTA)
    assert Interner([info], limit=10).blocks() == {}


@pytest.mark.parametrize(
    "block", [b"\x0a", b"\x0a\x05ab", b"\x0a\x04\x0a\x02\xff\xfe"], ids=["cut", "short", "utf8"]
)
def test_bytes_that_are_no_labels_are_an_error(block: bytes) -> None:
    """Of one kind, which the door counts."""
    with pytest.raises(LabelsError):
        labels_of(block)
