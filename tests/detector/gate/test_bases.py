"""Both arms' histograms on the edges of the attempt: fixed once, regridded, or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.gate.bases import Bases
from detector.gate.frame import Frame, Histogram, truncated
from detector.gate.reason import ReasonCode
from detector.gate.verdict import Outcome
from detector.gate.window import Rows, window
from tests.detector.gate.rollouts import Arrays, Recipe, Run, dropped, make


def judged() -> Run:
    """A quiet rollout, all of it judged."""
    run = Run(make(Recipe(seed=3, bins=30)))
    run.all()
    return run


RUN = judged()
TRACKS = tuple(RUN.session.tracks.values())


def with_edges(frame: Frame, at: list[int], stretch: float = 1.0) -> Frame:
    """The canary's buckets merged to some of their edges, which lie elsewhere by a factor."""
    old = frame.canary.histograms["latency"]
    begins = [0, *(one + 1 for one in at)]
    counts = np.add.reduceat(old.counts, begins, axis=2)
    merged = Histogram(edges=old.edges[at] * stretch, counts=counts)
    return replace(frame, canary=replace(frame.canary, histograms={"latency": merged}))


def said(bases: Bases, frame: Frame) -> set[str]:
    """Names of the signals whose newest ten bins say something; restarts of healthy pods do."""
    win = window(frame, Rows(), 1.0, pods_told_apart=True)
    read = bases.of(TRACKS, win, frame.bins - 10)
    assert set(read) == {track.name for track in TRACKS}
    return {name for name, base in read.items() if base.log_l.any()}


def test_all_signals_are_read_where_buckets_fit() -> None:
    """What is bound and there is judged."""
    bases = Bases()
    bases.fix_edges(RUN.frame, "latency")
    assert said(bases, RUN.frame) == {track.name for track in TRACKS}
    assert not bases.incompatible


def test_other_buckets_silence_latency_and_nothing_else() -> None:
    """A release that changes its buckets still fails for its errors, and is told to mend them."""
    bases = Bases()
    bases.fix_edges(RUN.frame, "latency")
    odd = with_edges(RUN.frame, [1, 3, 5, 7], stretch=1.37)
    left = said(bases, odd)
    assert bases.incompatible
    assert left == {track.name for track in TRACKS} - {"latency", "tail95", "tail99"}


def test_signals_that_share_a_histogram_read_it_alike() -> None:
    """A tail is of the requests whose latency is judged, whichever signal is read first."""
    bases = Bases()
    bases.fix_edges(RUN.frame, "latency")
    win = window(RUN.frame, Rows(), 1.0, pods_told_apart=True)
    on_histograms = [t for t in TRACKS if t.name in {"latency", "tail95", "tail99"}]
    together = bases.of(on_histograms[::-1], win, 20)
    for track in on_histograms:
        (alone,) = bases.of([track], win, 20).values()
        assert np.array_equal(alone.ours, together[track.name].ours)
        assert np.array_equal(alone.log_l, together[track.name].log_l)


class Renewed(Arrays):
    """A canary whose buckets move at a bin: pods came that keep others."""

    def __init__(self, frame: Frame, at: int) -> None:
        super().__init__(frame)
        self._odd, self._at = with_edges(frame, [1, 3, 5, 7], stretch=1.37), at

    def frame(self) -> Frame:
        """The retained bins; a frame has one ladder of edges."""
        whole = self._odd if self._top > self._at else self._all
        return dropped(truncated(whole, self._top), self._first)


@pytest.mark.parametrize("more_errors", [0.0, 0.05], ids=["healthy", "faulty"])
@pytest.mark.parametrize("every", [1, 7])
def test_buckets_that_change_half_way_end_no_attempt(more_errors: float, every: int) -> None:
    """A release whose new pods keep other buckets is asked about on: never a crash or a pass."""
    frame = make(Recipe(seed=5, bins=100, more_errors=more_errors, begins=0.6))
    run = Run(frame)
    run.session.builder = Renewed(frame, 40)
    for step, at in ((0, 10.0), (20 * 15.0, 30.0), (55 * 15.0, 60.0)):
        run.session.set_weight(float(step), at)
    answers = [(bin_, run.to(bin_)) for bin_ in range(every, 100, every)]
    late = [judgement for bin_, judgement in answers if bin_ > 41]
    assert all(judgement.outcome is not Outcome.PASS for judgement in late)
    first, last = late[0], late[-1]
    assert first.reason.code == ReasonCode.INCOMPATIBLE_HISTOGRAMS
    failed = last.outcome is Outcome.FAIL
    assert failed is (more_errors > 0)
    if not failed:
        assert last.reason.code == ReasonCode.INCOMPATIBLE_HISTOGRAMS


def test_edges_are_those_of_the_first_histogram() -> None:
    """Sums of an attempt cannot change their buckets half-way."""
    bases = Bases()
    first = bases.fix_edges(RUN.frame, "latency")
    other = replace(RUN.frame, control=with_edges(RUN.frame, [1, 3, 5, 7]).canary)
    assert first is not None
    assert bases.fix_edges(other, "latency") is first


def test_finer_buckets_are_read_as_the_coarser_ones_of_the_attempt() -> None:
    """Edges that came later add nothing and take nothing: the sums are those of both together."""
    coarse = with_edges(RUN.frame, [1, 3, 5, 7])
    bases = Bases(edges=coarse.canary.histograms["latency"].edges)
    latency = tuple(track for track in TRACKS if track.name == "latency")
    fine, merged = (
        bases.of(latency, window(f, Rows(), 1.0, pods_told_apart=True), 20)["latency"]
        for f in (RUN.frame, coarse)
    )
    np.testing.assert_allclose(fine.ours, merged.ours)
    np.testing.assert_allclose(fine.log_l, merged.log_l, atol=1e-9)
