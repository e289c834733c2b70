"""The embedded store: what it keeps, what it drops, and that what it gave stays as it was."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.series import FloatArray
from pipelines.sources.memory import MemorySource
from tests.pipelines.sources.history import query

UP = {"__name__": "up", "pod": "a"}
STALE: float = struct.unpack("<d", (0x7FF0000000000002).to_bytes(8, "little"))[0]


def samples(store: MemorySource, metric: str = "up") -> list[tuple[float, float]]:
    """Times and values of all series of a metric."""
    (answer,) = store.read([query(metric)], -1e9, 1e18)
    return [
        pair
        for series in answer.series
        for pair in zip(series.times.tolist(), series.values.tolist(), strict=True)
    ]


@given(times=st.lists(st.integers(-50, 50), max_size=60))
def test_one_by_one_keeps_each_sample_newer_than_the_last(times: list[int]) -> None:
    """Time going backwards never spoils the order that the engine relies on."""
    store = MemorySource()
    for at in times:
        store.append(UP, float(at), float(at))
    kept = [at for n, at in enumerate(times) if all(at > before for before in times[:n])]
    assert samples(store) == [(at, at) for at in kept]
    assert store.dropped == len(times) - len(kept)


@given(cuts=st.lists(st.integers(0, 200), max_size=8))
def test_parts_give_the_same_as_the_whole(cuts: list[int]) -> None:
    """Appending in parts, however they are cut, is appending the whole."""
    times, values = np.arange(200.0), np.random.default_rng(1).normal(size=200)
    store = MemorySource()
    for low, high in zip([0, *sorted(cuts)], [*sorted(cuts), 200], strict=True):
        store.add(UP, times[low:high].copy(), values[low:high].copy())
    assert samples(store) == list(zip(times.tolist(), values.tolist(), strict=True))


def test_overlapping_part_adds_what_is_new() -> None:
    """A poll that re-reads ten minutes adds only the rest."""
    store = MemorySource()
    store.add(UP, [1, 2, 3], [1, 2, 3])
    store.add(UP, [2, 3, 4], [20, 30, 40])
    assert samples(store) == [(1, 1), (2, 2), (3, 3), (4, 40)]
    assert store.dropped == 2


@pytest.mark.parametrize(
    ("times", "values"), [([1, 1], [1, 2]), ([2, 1], [1, 2]), ([1, 2], [1]), ([[1]], [[1]])]
)
def test_broken_arrays_are_refused(times: list[float], values: list[float]) -> None:
    """A programming error, said at once."""
    with pytest.raises(ValueError, match="times"):
        MemorySource().add(UP, times, values)


def test_stale_markers_are_left_out_and_nan_is_kept() -> None:
    """They differ in their bits only."""
    store = MemorySource()
    store.append(UP, 1.0, STALE)
    store.append(UP, 2.0, float("nan"))
    store.add(UP, [3, 4, 5], np.array([1.0, STALE, 2.0]))
    assert [at for at, _ in samples(store)] == [2, 3, 5]


def test_old_answers_do_not_change() -> None:
    """What a verdict was made of, while the store goes on growing beneath it."""
    store = MemorySource(retention_s=100)
    store.add(UP, np.arange(50.0), np.arange(50.0))
    (answer,) = store.read([query("up")], -1, 1e9)
    before = answer.series[0].values.copy()
    for at in range(50, 2000):
        store.append(UP, float(at), -1.0)
    np.testing.assert_array_equal(answer.series[0].values, before)


def test_memory_is_bounded_by_retention() -> None:
    """A demo that runs for a week does not fill the machine."""
    store = MemorySource(retention_s=600)
    for at in range(20_000):
        store.append(UP, float(at), 1.0)
    kept = samples(store)
    assert 600 <= len(kept) <= 600 * 17 / 16 + 1
    column = next(iter(store._columns.values()))
    assert column.times.size < 4 * 600


def test_series_that_ended_are_forgotten() -> None:
    """Pods come and go; the names of those long gone do not stay."""
    store = MemorySource(retention_s=60)
    for at in range(1000):
        store.append({"__name__": "up", "pod": f"p{at // 10}"}, float(at), 1.0)
        store.append({"__name__": "clock"}, float(at), 1.0)
    assert len(store._columns) < 12
    assert store.metrics() == {"up", "clock"}
    store.drop_before(1e9)
    assert store.metrics() == frozenset()


def test_full_store_warns_instead_of_lying() -> None:
    """Series that were refused make the answer partial."""
    store = MemorySource(max_series=2)
    for pod in "abc":
        store.append({"__name__": "up", "pod": pod}, 1.0, 1.0)
    (answer,) = store.read([query("up")], 0, 2)
    assert len(answer.series) == 2
    assert "full" in answer.warnings[0]
    assert store.refused == 1


def test_new_series_are_found_by_a_known_query() -> None:
    """A pod that is added later belongs to the arm, although the selection was remembered."""
    store = MemorySource()
    store.append(UP, 1.0, 1.0)
    assert len(samples(store)) == 1
    store.append({"__name__": "up", "pod": "b"}, 1.0, 1.0)
    assert len(samples(store)) == 2


def test_scrape_is_seen_whole_or_not_at_all() -> None:
    """A reader between two counters of one scrape would see errors without requests."""
    store = MemorySource()
    names = [{"__name__": "pair", "side": side} for side in ("left", "right")]
    stop = threading.Event()

    def write() -> None:
        for at in range(1, 100_000):
            if stop.is_set():
                return
            store.extend((labels, float(at), float(at)) for labels in names)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(200):
            (answer,) = store.read([query("pair")], 0, 1e9)
            assert len({series.values.size for series in answer.series}) <= 1
    finally:
        stop.set()
        writer.join()


def _many() -> Iterator[tuple[dict[str, str], FloatArray]]:
    times = np.arange(600.0)
    for number in range(400):
        yield {"__name__": "many", "series": str(number)}, times


def test_simulator_reads_in_milliseconds() -> None:
    """400 series of 600 samples, thousands of times over, in the bench of the gate."""
    store = MemorySource()
    for labels, times in _many():
        store.add(labels, times, times)
    (answer,) = store.read([query("many")], 0, 600)
    begun = time.process_time()
    for _ in range(10):
        (answer,) = store.read([query("many")], 300, 600)
    assert (time.process_time() - begun) / 10 < 0.03
    assert len(answer.series) == 400
