"""From series of log lines to counts of each template, pod by pod and bin by bin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.frame import Frame, truncated
from detector.gate.talk import TEMPLATES_MAX, Lines
from detector.series import FloatArray
from tests.detector.gate.logged import LOGS
from tests.detector.gate.traffic import ERRORS, Store, build, frame_of, plan, scrapes
from tests.profiles import HEAVY

PLAN = plan(ERRORS, LOGS)
METRIC = "serinus_log_lines_total"
TIMES = scrapes(-600.0, 300.0)


def served(store: Store, pod: str, track: str, times: FloatArray = TIMES) -> None:
    """Ten requests a second."""
    values = 10 * (times + 1000)
    store.put("requests_total", times, values, code="200", pod=pod, track=track, instance=pod)


def wrote(
    store: Store,
    pod: str,
    template: str,
    values: Sequence[float] | FloatArray,
    *,
    level: str = "error",
    times: FloatArray = TIMES,
) -> None:
    """A counter of lines; serinus' own, so that it knows no scrape target."""
    there = np.asarray(values) > 0
    if there.any():
        counted = np.asarray(values, float)[there]
        store.put(METRIC, times[there], counted, pod=pod, level=level, template=template)


def chatter(store: Store, pod: str) -> None:
    """Info lines all along: by them it is known that a pod's logs are read."""
    wrote(store, pod, "", TIMES + 1000, level="info")


def both(canary: Sequence[float] | FloatArray, stable: Sequence[float] | FloatArray) -> Frame:
    """One pod on each side, with one template on each."""
    store = Store()
    for pod, track, values in (("c", "canary", canary), ("s", "stable", stable)):
        served(store, pod, track)
        chatter(store, pod)
        wrote(store, pod, "lt_0a", values)
        wrote(store, pod, "", values)
    return frame_of(store, PLAN, until=300.0)


def lines_of(frame: Frame) -> Lines:
    """Its lines."""
    assert frame.lines is not None
    return frame.lines


def from_start(values: Sequence[float]) -> FloatArray:
    """A counter that has these values at the first samples after the start, then stands."""
    out = np.zeros(len(TIMES))
    first = int(np.searchsorted(TIMES, 0.0))
    out[first : first + len(values)] = values
    out[first + len(values) :] = values[-1]
    return out


def test_lines_of_a_template_are_counted_for_the_pod_that_wrote_them() -> None:
    """The verdict names pods and counts on both sides: they must be theirs."""
    frame = both(from_start([2.0, 5.0]), 100.0 + TIMES - TIMES[0])
    lines = lines_of(frame)
    ours = lines.of(frozenset({0}), 1, canary=True)
    theirs = lines.of(frozenset({0}), 1, canary=False)
    assert lines.templates == ("lt_0a",)
    assert ours.sum() == pytest.approx(5.0)
    assert theirs[0, :30] == pytest.approx(np.full(30, 15.0))


def test_a_template_that_is_born_counts_from_its_first_line() -> None:
    """The very line that makes it new is the one that matters."""
    frame = both(from_start([7.0]), np.zeros(len(TIMES)))
    assert lines_of(frame).of(frozenset({0}), 1, canary=True).sum() == pytest.approx(7.0)


def test_all_lines_count_once_against_the_requests() -> None:
    """The series of single templates must not double those of all of them."""
    counts = both(from_start([2.0, 5.0]), np.zeros(len(TIMES))).canary.counts["log_templates"]
    assert counts.x.sum() == pytest.approx(5.0)
    assert counts.n[0, -10:] == pytest.approx(np.full(10, 150.0))


def test_a_pod_whose_logs_are_not_read_has_no_exposure() -> None:
    """Silence of a pipeline that is down is no good news."""
    store = Store()
    for pod, track in (("c", "canary"), ("s", "stable")):
        served(store, pod, track)
    chatter(store, "s")
    frame = frame_of(store, PLAN, until=300.0)
    assert "log_templates" not in frame.canary.counts
    assert frame.control.counts["log_templates"].n.sum() > 1000


def test_lines_below_error_level_are_no_templates_of_ours() -> None:
    """A debug level that was changed must not fill the room for what fails."""
    store = Store()
    served(store, "c", "canary")
    chatter(store, "c")
    wrote(store, "c", "lt_0d", TIMES + 1000, level="debug")
    frame = frame_of(store, PLAN, until=300.0)
    assert lines_of(frame).templates == ()
    assert frame.canary.counts["log_templates"].x.sum() == 0


def test_an_id_in_every_line_is_bounded_and_told() -> None:
    """A template explosion takes a bounded part of memory; its lines still count together."""
    store = Store()
    served(store, "c", "canary")
    chatter(store, "c")
    many = TEMPLATES_MAX + 50
    for nth in range(many):
        wrote(store, "c", f"lt_{nth:04x}", from_start([1.0]))
    wrote(store, "c", "", from_start([float(many)]))
    frame = frame_of(store, PLAN, until=300.0)
    assert len(lines_of(frame).templates) == TEMPLATES_MAX
    assert frame.notes["templates_left_out"] == 50
    assert frame.canary.counts["log_templates"].x.sum() == pytest.approx(many)


def test_the_first_bins_of_a_frame_have_their_own_lines() -> None:
    """Foreseen bins are cut off before they are judged."""
    frame = both(from_start([2.0, 5.0, 9.0]), np.zeros(len(TIMES)))
    cut = truncated(frame, 1)
    width = 1 - frame.first
    whole = lines_of(frame).counts
    assert np.array_equal(lines_of(cut).counts, whole[:, :width])
    assert np.array_equal(lines_of(frame).between(3, 9).counts, whole[:, 3:9])


@given(
    polls=st.lists(st.floats(1.0, 299.0), max_size=6).map(sorted),
    canary=st.lists(st.integers(0, 9), min_size=1, max_size=12),
)
@HEAVY
def test_lines_do_not_depend_on_when_they_were_read(polls: list[float], canary: list[int]) -> None:
    """More polls, other polls, one poll: the same counts, to the bit."""
    store = Store()
    for pod, track in (("c", "canary"), ("s", "stable")):
        served(store, pod, track)
        chatter(store, pod)
        wrote(store, pod, "lt_0a", from_start(np.cumsum(canary).tolist()))
    at_once = frame_of(store, PLAN, until=300.0)
    often = frame_of(store, PLAN, until=300.0, polls=polls)
    assert lines_of(at_once).templates == lines_of(often).templates
    ours, theirs = (
        lines_of(frame).of(frozenset(range(len(lines_of(frame).templates))), 1, canary=True)
        for frame in (at_once, often)
    )
    assert np.array_equal(ours, theirs)


def test_what_is_dropped_is_forgotten() -> None:
    """A day of bins would be held for nothing."""
    store = Store()
    for pod, track in (("c", "canary"), ("s", "stable")):
        served(store, pod, track)
        chatter(store, pod)
        wrote(store, pod, "lt_0a", 1 + TIMES - TIMES[0])
    builder = build(store, PLAN, until=300.0)
    before = builder.nbytes
    builder.drop_before(10)
    frame = builder.frame()
    assert lines_of(frame).counts.shape[1] == frame.bins
    assert frame.first == 10
    assert builder.nbytes <= before
