"""What each signal's new bins say by themselves: counts of all signals together, histograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.gate.build import histogram_of, tail_counts
from detector.gate.contrast import (
    Pair,
    count_bases,
    count_since,
    event_base,
    histogram_base,
)
from detector.gate.frame import Arm, Counts, Frame, Histogram
from detector.gate.gauging import gauge_base
from detector.gate.track import Base, Track
from detector.gate.window import Window
from detector.series import FloatArray
from models.sequential.rows import RowName

__all__ = ["Bases"]


@dataclass(slots=True)
class Bases:
    """Reads the bases of an attempt's tracks.

    `edges`: those of the attempt's histograms, fixed when the first is seen. `incompatible`:
    whether an arm's no longer fit them.
    """

    edges: FloatArray | None = None
    incompatible: bool = False

    def fix_edges(self, frame: Frame, name: str) -> FloatArray | None:
        """The edges of the attempt, from the control's histogram where none was seen before."""
        if self.edges is None:
            histogram = histogram_of(frame.control, name)
            self.edges = None if histogram is None else histogram.edges.copy()
        return self.edges

    def of(self, tracks: Sequence[Track], win: Window, begin: int) -> dict[str, Base]:
        """By name the bases of the window's bins from `begin` on.

        Where histograms do not fit the bins say nothing, and the track goes on all the same.
        """
        found: dict[str, Base] = {}
        read = _Read(self, win.frame)
        counted: list[tuple[Track, list[Pair]]] = []
        for track in tracks:
            match track.learned.row.name:
                case RowName.EVENTS:
                    ours, theirs = _pairs(track.name, win.frame)
                    found[track.name] = event_base(track.learned, win, ours, theirs, begin)
                case RowName.ERROR:
                    counted.append((track, _pairs(track.name, win.frame)))
                case RowName.LOGS:
                    counted.append((track, _pairs(track.name, win.frame, unread=0.0)))
                case RowName.LATENCY:
                    found[track.name] = self._latency(track, read, win, begin)
                case RowName.GAUGE | RowName.SLOPE:
                    found[track.name] = gauge_base(track, win, begin)
                case _:
                    counted.append((track, _tails(track, read, win, begin)))
        if counted:
            found |= self._counts(counted, win, begin)
        return found

    def _counts(
        self, counted: Sequence[tuple[Track, list[Pair]]], win: Window, begin: int
    ) -> dict[str, Base]:
        tracks = [track for track, _ in counted]
        ours, theirs = zip(*(pairs for _, pairs in counted), strict=True)
        bases = count_bases([track.learned for track in tracks], win, ours, theirs, begin)
        return {track.name: base for track, base in zip(tracks, bases, strict=True)}

    def _latency(self, track: Track, read: _Read, win: Window, begin: int) -> Base:
        ours, theirs = read.of(track.name)
        return histogram_base(track.learned, win, ours.counts, theirs.counts, ours.edges, begin)


@dataclass(slots=True)
class _Read:
    """The histograms of a frame on the edges of the attempt; signals that share one do so once."""

    bases: Bases
    frame: Frame
    _known: dict[tuple[int, ...], list[Histogram | None]] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Histogram, Histogram]:
        """Both arms' histograms that feed a signal; empty where one does not fit the edges."""
        edges, arms = self.bases.edges, (self.frame.canary, self.frame.control)
        if edges is None:
            raise ValueError(f"the edges of {name} were not fixed")
        held = [histogram_of(arm, name) for arm in arms]
        key = tuple([id(histogram) for histogram in held])
        if key not in self._known:
            shapes = [arm.requests.shape for arm in arms]
            pairs = zip(held, shapes, strict=True)
            self._known[key] = [_regrid(histogram, edges, shape) for histogram, shape in pairs]
        ours, theirs = self._known[key]
        self.bases.incompatible = ours is None or theirs is None
        if ours is None or theirs is None:
            ours, theirs = (_empty(edges, arm.requests.shape) for arm in arms)
        return ours, theirs


def _tails(track: Track, read: _Read, win: Window, begin: int) -> list[Pair]:
    """Requests of both arms, and those beyond a tail's edge."""
    asked = count_since(begin, win.step_s) - len(win.requests)
    tails = [
        tail_counts(histogram.counts[:, asked:], track.learned.edge or 0)
        for histogram in read.of(track.name)
    ]
    return [(tail.n, tail.x) for tail in tails]


def _pairs(name: str, frame: Frame, unread: float = 1.0) -> list[Pair]:
    """Exposure and events of the canary and of the control; see `_pair`."""
    return [_pair(arm.counts.get(name), arm, unread) for arm in (frame.canary, frame.control)]


def _pair(counts: Counts | None, arm: Arm, unread: float) -> Pair:
    """Exposure and events of an arm; no such series beside counted requests is none.

    `unread`: what of the requests counts then; of logs that nobody reads none does.
    """
    if counts is None:
        return unread * arm.requests, np.zeros_like(arm.requests)
    return counts.n, counts.x


def _alike(one: FloatArray, other: FloatArray) -> bool:
    """Whether edges are the same but for rounding; mostly they are to the bit."""
    same = len(one) == len(other)
    return same and (bool((one == other).all()) or np.allclose(one, other))


def _empty(edges: FloatArray, shape: tuple[int, ...]) -> Histogram:
    return Histogram(edges=edges, counts=np.zeros((*shape, len(edges) + 1)))


def _regrid(
    histogram: Histogram | None, edges: FloatArray, shape: tuple[int, ...]
) -> Histogram | None:
    """The histogram on coarser `edges`, None if it lacks one; empty where the arm has none."""
    if histogram is None:
        return _empty(edges, shape)
    if _alike(histogram.edges, edges):
        return histogram
    at = np.searchsorted(histogram.edges, edges * (1 - 1e-9))
    inside = at < len(histogram.edges)
    if not inside.all() or not np.allclose(histogram.edges[at], edges):
        return None
    above = np.cumsum(histogram.counts, axis=2)[:, :, at]
    total = histogram.counts.sum(axis=2, keepdims=True)
    first, last = above[:, :, :1], total - above[:, :, -1:]
    counts = np.concatenate([first, np.diff(above, axis=2), last], axis=2)
    return Histogram(edges=edges, counts=counts)
