"""Both arms' histograms on the edges of the attempt: fixed once, regridded, or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detector.gate.bases import Bases
from detector.gate.frame import Frame, Histogram
from detector.gate.window import Rows, window
from tests.detector.gate.rollouts import Recipe, Run, make


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
    """Names of the signals whose newest ten bins say something."""
    win = window(frame, Rows(), 1.0, pods_told_apart=True)
    return set(bases.of(TRACKS, win, frame.bins - 10))


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
