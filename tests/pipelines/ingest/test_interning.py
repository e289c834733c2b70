"""Ids of series: dense, given once, the same for the same labels and kind."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
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


def bits(interner: Interner) -> dict[str, bytes]:
    """All that is kept of one, to be compared."""
    return {name: array.tobytes() for name, array in interner.to_arrays().items()}


def found(interner: Interner, labels: tuple[tuple[str, str], ...]) -> int:
    """The id by the bytes of labels, as remote write looks for it."""
    block = block_of(labels)
    return int(interner.find(b"--" + block, np.array([[2, 2 + len(block)]]))[0])


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
    told = [(interner[id].labels, interner[id].kind) for id in ids[: len(series)]]
    assert told == series
    assert dict(interner.fresh()) == {id: interner[id] for id in ids}


@given(SERIES)
def test_a_restart_gives_the_same_ids(
    series: list[tuple[tuple[tuple[str, str], ...], SeriesKind]],
) -> None:
    """Whoever kept a state by id finds it."""
    first = Interner(limit=1_000)
    ids = [first.id_of(labels, kind, "s") for labels, kind in series]
    again = Interner.of_arrays(first.to_arrays(), limit=1_000)
    assert [again.id_of(labels, kind) for labels, kind in reversed(series)] == ids[::-1]
    assert [again[id] for id in ids] == [first[id] for id in ids]
    assert len(again) == len(first)
    assert again.fresh() == ()


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
    labels = ((NAME, "a"),)
    info = SeriesInfo(labels=labels, kind=SeriesKind.DELTA)
    assert found(Interner([info], limit=10), labels) == -1


@pytest.mark.parametrize(
    "block", [b"\x0a", b"\x0a\x05ab", b"\x0a\x04\x0a\x02\xff\xfe"], ids=["cut", "short", "utf8"]
)
def test_bytes_that_are_no_labels_are_an_error(block: bytes) -> None:
    """Of one kind, which the door counts."""
    with pytest.raises(LabelsError):
        labels_of(block)


@given(SERIES, st.data())
def test_ids_of_series_that_are_forgotten_are_given_anew_the_least_first(
    series: list[tuple[tuple[tuple[str, str], ...], SeriesKind]], draw: st.DataObject
) -> None:
    """With every pod that is replaced the state would grow, or two series would share a row."""
    interner = Interner(limit=1_000)
    ids = {one: interner.id_of(*one) for one in series}
    gone = draw.draw(st.sets(st.sampled_from(sorted(set(ids.values()))))) if ids else set[int]()
    interner.free(np.array(sorted(gone), np.int32))
    assert len(interner) == len(ids) - len(gone)
    for one, id in ids.items():
        if id not in gone:
            assert interner.id_of(*one) == id
    new = [interner.id_of(((NAME, f"new {n}"),), SeriesKind.GAUGE) for n in range(len(gone) + 1)]
    assert new == [*sorted(gone), len(ids)]
    assert all(interner[id].name == f"new {n}" for n, id in enumerate(new))


def test_a_forgotten_series_has_no_name() -> None:
    """An anomaly would name a pod that it is not of."""
    interner = Interner(limit=10)
    interner.free(np.array([interner.id_of(((NAME, "a"),), SeriesKind.GAUGE)], np.int32))
    with pytest.raises(KeyError):
        interner[0]
    with pytest.raises(KeyError):
        interner[1]


def test_a_restart_knows_which_ids_are_free() -> None:
    """A worker that takes a partition over would give other ids than the one before."""
    first = Interner(limit=100)
    for n in range(9):
        first.id_of(((NAME, f"m{n}"),), SeriesKind.GAUGE)
    first.free(np.array([2, 7], np.int32))
    again = Interner.of_arrays(first.to_arrays(), limit=100)
    assert bits(again) == bits(first)
    told = [
        [each.id_of(((NAME, f"n{n}"),), SeriesKind.GAUGE) for n in range(3)]
        for each in (first, again)
    ]
    assert told == [[2, 7, 9]] * 2


def test_labels_of_the_forgotten_take_no_memory_for_long() -> None:
    """Pods that are replaced daily would fill the memory within weeks."""
    interner = Interner(limit=3_000)
    sizes, ids = list[int](), list[int]()
    for day in range(12):
        ids = [
            interner.id_of(((NAME, "up"), ("pod", f"{day}-{n}")), SeriesKind.GAUGE)
            for n in range(3_000)
        ]
        sizes.append(sum(array.nbytes for array in interner.to_arrays().values()))
        interner.free(np.array(ids, np.int32))
    assert max(sizes[2:]) <= 3 * sizes[0]
    assert max(ids) < 3_000


def test_who_remembers_ids_hears_of_those_that_are_given_away() -> None:
    """A door would put samples of an old pod on a new one."""
    interner, heard = Interner(limit=10), list[list[bool]]()
    for name in "abc":
        interner.id_of(((NAME, name),), SeriesKind.GAUGE)
    interner.forgetting(lambda is_gone: heard.append(is_gone.tolist()))
    interner.free(np.array([1], np.int32))
    interner.free(np.array([1], np.int32))
    assert heard == [[False, True, False]]


def test_what_a_state_does_not_have_is_not_named() -> None:
    """Ids of samples that never were in a checkpoint would stay with nobody."""
    interner = Interner(limit=10)
    for name in "abcd":
        interner.id_of(((NAME, name),), SeriesKind.GAUGE)
    interner.restrict(np.array([True, False, True]))
    assert len(interner) == 2
    assert interner.id_of(((NAME, "d"),), SeriesKind.GAUGE) == 1
    assert interner.id_of(((NAME, "b"),), SeriesKind.GAUGE) == 3


def test_a_series_that_is_placed_is_that_of_its_id_alone() -> None:
    """A replay would give a row to two series."""
    interner = Interner(limit=10)
    info = SeriesInfo(labels=((NAME, "a"),), kind=SeriesKind.GAUGE)
    interner.place(2, info)
    interner.place(2, info)
    assert (len(interner), interner[2]) == (1, info)
    interner.place(0, info)
    assert (len(interner), interner[0]) == (1, info)
    assert interner.fresh() == ()


@given(SERIES)
def test_series_are_found_by_their_bytes_once_it_is_told_what_their_names_mean(
    series: list[tuple[tuple[tuple[str, str], ...], SeriesKind]],
) -> None:
    """A known series would be decoded each time, or taken for one of another kind."""
    interner = Interner(limit=1_000)
    ids = {one: interner.id_of(*one) for one in series}
    for kind in SeriesKind:
        interner.mean("up", kind)
        for (labels, own), id in ids.items():
            if own is kind:
                assert found(interner, labels) == id
        strange = ((NAME, "up"), ("strange", "one"))
        assert found(interner, strange) == -1


def test_the_metrics_of_series_find_their_ids() -> None:
    """After a restart nothing would be counted, or all labels would be decoded for it."""
    interner = Interner(limit=10)
    for name in ("a", "b", "a", "c"):
        interner.id_of(((NAME, name), ("pod", str(len(interner)))), SeriesKind.GAUGE)
    assert interner.of_metrics(["a", "c", "unknown"]) == [0, 2, 3]


def test_labels_of_another_schema_are_refused() -> None:
    """Numbers of another layout would be read as these."""
    arrays = Interner(limit=10).to_arrays() | {"label.schema": np.array([9])}
    with pytest.raises(ValueError, match="labels of schema 9"):
        Interner.of_arrays(arrays, limit=10)


def test_the_arrays_of_labels_are_the_same_in_every_version() -> None:
    """Labels of a checkpoint of last month would be those of other series."""
    interner = Interner(limit=10)
    interner.id_of(((NAME, "up"), ("pod", "a")), SeriesKind.GAUGE)
    interner.id_of(((NAME, "up"), ("pod", "b")), SeriesKind.DELTA, "s")
    interner.free(np.array([0], np.int32))
    name = b"\x0a\x0e\x0a\x08__name__\x12\x02up"
    told = {key: array.tobytes() for key, array in interner.to_arrays().items()}
    assert told == {
        "label.schema": struct.pack("<2q", 1, 1),
        "label.letters": name + b"\x0a\x08\x0a\x03pod\x12\x01a" + b"\x0a\x08\x0a\x03pod\x12\x01b",
        "label.ends": struct.pack("<3I", 16, 26, 36),
        "label.words": b"\x02\x00\x01" + b"\x02\x00\x02",
        "label.starts": struct.pack("<2I", 2**32 - 1, 3),
        "label.kinds": bytes([0, 2]),
        "label.unit": struct.pack("<2H", 0, 1),
        "label.units": b'["","s"]',
    }
