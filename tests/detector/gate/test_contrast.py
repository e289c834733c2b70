"""Canary rows against what the control says they should show: shapes, laws, and what is starved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.contrast import count_bases, event_base, histogram_base
from detector.gate.frame import Arm, Frame
from detector.gate.learn import Learned
from detector.gate.track import Base
from detector.gate.window import Rows, Window, window
from detector.series import FloatArray
from models.sequential.noise import Noise
from models.sequential.reference import bucket_middles
from models.sequential.rows import ROWS, RowName
from tests.profiles import HEAVY

BINS, STEP, EACH = 140, 15.0, 300.0
EDGES = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])


def learned(row: RowName, rate: float = 0.01, reference: FloatArray | None = None) -> Learned:
    return Learned(
        row=ROWS[row],
        noise=Noise(tau_grid=np.array([0.05]), rho=np.ones(1), sigma=0.05),
        arm=0.05,
        rate=rate,
        eps0=5e-4,
        reference=reference,
    )


ERROR, LATENCY, EVENTS = (learned(n) for n in (RowName.ERROR, RowName.LATENCY, RowName.EVENTS))


def bins(pods: int, value: float = EACH) -> FloatArray:
    return np.full((pods, BINS), value)


def windowed(ours: FloatArray, theirs: FloatArray) -> Window:
    """Pods of old age that serve these requests."""

    def arm(name: str, requests: FloatArray) -> Arm:
        return Arm(
            pods=tuple(f"{name}-{at}" for at in range(len(requests))),
            born=np.full(len(requests), -np.inf),
            age=np.full(requests.shape, 1e6),
            seen=np.ones(requests.shape),
            requests=requests,
        )

    canary, control = arm("c", ours), arm("s", theirs)
    frame = Frame(start=0.0, step=STEP, first=0, interval=STEP, canary=canary, control=control)
    return window(frame, Rows(), 1.0, pods_told_apart=True)


QUIET = windowed(bins(2), bins(4))


def counted(
    ours: FloatArray, theirs: FloatArray, begin: int = 60, win: Window = QUIET, by: Learned = ERROR
) -> Base:
    """Errors of both arms under the requests of a window."""
    canary, control = win.frame.canary.requests, win.frame.control.requests
    return count_bases([by], win, [(canary, ours)], [(control, theirs)], begin)[0]


def mode(base: Base, row: RowName, at: int = -1) -> FloatArray:
    """The effect that one bin of each canary row speaks for most."""
    best: FloatArray = ROWS[row].grid.theta[base.log_l[at].argmax(axis=-1)]
    return best


def total(base: Base) -> FloatArray:
    """All bins and rows together, per effect."""
    summed: FloatArray = base.log_l.sum(axis=(0, 1))
    return summed


# -- counts


def test_one_row_for_each_canary_pod_in_each_bin() -> None:
    """A bad pod is found on its own, in its own minute."""
    base = counted(bins(2, 3.0), bins(4, 3.0), begin=100)
    rows, grid = 2, len(ROWS[RowName.ERROR].grid.theta)
    assert base.log_l.shape == (BINS - 100, rows, grid)
    assert base.weight.shape == base.incident.shape == (BINS - 100,)
    assert (base.ours.shape, base.theirs.shape) == ((40, rows, 2), (40, 2))
    assert base.ours[0].tolist() == [[EACH, 3.0]] * rows
    assert base.theirs[0].tolist() == [4 * EACH, 12.0]


@given(st.permutations([0.0, 3.0, 40.0]), st.integers(60, BINS - 1))
def test_signals_read_together_say_what_they_say_alone(failed: list[float], begin: int) -> None:
    """Whether a service binds one error signal or three must not move any of them."""
    rng = np.random.default_rng(9)
    theirs = [rng.poisson(3.0 + at, (4, BINS)).astype(float) for at in range(3)]
    theirs[1][:, 100:] *= 8
    ours = [rng.poisson(one, (2, BINS)).astype(float) for one in failed]
    by = [learned(RowName.ERROR, rate) for rate in (0.01, 0.001)] + [learned(RowName.TAIL95, 0.05)]
    served = [(bins(2), one) for one in ours], [(bins(4), one) for one in theirs]
    together = count_bases(by, QUIET, *served, begin)
    for at, base in enumerate(together):
        alone = counted(ours[at], theirs[at], begin, by=by[at])
        for part in ("log_l", "weight", "incident", "ours", "theirs"):
            np.testing.assert_array_equal(getattr(base, part), getattr(alone, part))


def test_no_effect_is_the_measure_of_all_others() -> None:
    """At theta 0 every bin says nothing: evidence is against the control itself."""
    base = counted(bins(2, 7.0), bins(4, 3.0))
    np.testing.assert_array_equal(base.log_l[..., ROWS[RowName.ERROR].grid.zero], 0.0)


@given(st.integers(0, BINS - 1))
def test_bins_say_the_same_whenever_they_are_read(begin: int) -> None:
    """Polled each minute or read at once, a verdict is the same to the bin."""
    rng = np.random.default_rng(4)
    ours = rng.poisson(3.0, (2, BINS)).astype(float)
    theirs = rng.poisson(3.0, (4, BINS)).astype(float)
    theirs[:, 70:80] *= 9
    whole, part = counted(ours, theirs, 0), counted(ours, theirs, begin)
    np.testing.assert_allclose(part.log_l, whole.log_l[begin:], atol=1e-9)
    np.testing.assert_allclose(part.weight, whole.weight[begin:], rtol=1e-9)
    np.testing.assert_array_equal(part.incident, whole.incident[begin:])
    np.testing.assert_array_equal(part.theirs, whole.theirs[begin:])


@given(st.floats(1.5, 8.0))
def test_more_errors_than_the_control_speak_for_harm(factor: float) -> None:
    """By the factor itself, floor included."""
    base = counted(bins(2, 3.0 * factor), bins(4, 3.0))
    found = ROWS[RowName.ERROR].grid.theta[total(base).argmax()]
    told = np.log((0.01 * factor) / (0.01 + 5e-4))
    assert found == pytest.approx(told, abs=ROWS[RowName.ERROR].grid.h)


@HEAVY
@given(st.floats(1.0, 30.0), st.integers(62, 120), st.integers(1, 18))
def test_what_befalls_both_arms_says_little(factor: float, begin: int, length: int) -> None:
    """A shared outage cancels from its first bin on: it fails nobody, however large.

    This is the single effect it speaks for most; evidence, a mean over effects, moves less.
    """
    ours, theirs = bins(2, 3.0), bins(4, 3.0)
    span = slice(begin, begin + length)
    ours[:, span] *= factor
    theirs[:, span] *= factor
    quiet, shaken = counted(bins(2, 3.0), bins(4, 3.0)), counted(ours, theirs)
    grid = ROWS[RowName.ERROR].grid
    harm = slice(grid.zero + 1, None)
    assert (total(shaken) - total(quiet))[harm].max() < 1.2


def test_an_incident_is_marked_while_it_lasts() -> None:
    """The rules that hold a pass back read it from here."""
    ours, theirs = bins(2, 3.0), bins(4, 3.0)
    for errors in (ours, theirs):
        errors[:, 80:90] *= 10
    base = counted(ours, theirs)
    assert base.incident[15:20].tolist() == [0.0] * 5
    assert base.incident[20:30].tolist() == [1.0] * 10
    assert base.incident[-20:].tolist() == [0.0] * 20


def test_the_many_events_of_an_incident_clear_nobody() -> None:
    """A thousand shared errors dilute what a release adds: they count as the usual ones would."""
    theirs = bins(4, 3.0)
    theirs[:, 80:] *= 10
    base = counted(bins(2, 3.0), theirs)
    calm, shaken = base.weight[:18], base.weight[20:]
    assert shaken.max() < 0.25 * calm.min()


def test_more_control_is_worth_more() -> None:
    """A reference of two pods is noisier than one of twelve, and tempers what is said."""
    few, many = (
        counted(bins(2, 3.0), bins(pods, 3.0), win=windowed(bins(2), bins(pods)))
        for pods in (2, 12)
    )
    assert (many.weight > few.weight).all()
    assert (many.weight < 1.0).all()


def test_where_the_control_starves_history_judges() -> None:
    """At the last step the control serves a hundredth: its past is the better witness."""
    theirs = np.hstack([np.full((4, 80), EACH), np.full((4, BINS - 80), 1.0)])
    win = windowed(bins(2), theirs)
    base = counted(bins(2, 3.0), np.minimum(theirs, 1.0), win=win, by=learned(RowName.ERROR, 0.02))
    assert win.starved[-1] == 1.0
    assert base.weight[-1] == 1.0
    kind = np.log(0.01 / 0.0205)
    assert mode(base, RowName.ERROR)[0] == pytest.approx(kind, abs=ROWS[RowName.ERROR].grid.h)


def test_a_silent_control_says_nothing() -> None:
    """Without a request beside them the canary's errors are compared with nothing."""
    theirs = np.hstack([np.full((4, 135), EACH), np.zeros((4, BINS - 135))])
    base = counted(bins(2, 30.0), theirs / 100, win=windowed(bins(2), theirs))
    np.testing.assert_array_equal(base.log_l[-5:], 0.0)


# -- restarts


def test_restarts_are_measured_by_pod_hours_alone() -> None:
    """The control's restarts of this very minute change nothing: their history set the rate."""
    hours, none = bins(2, STEP / 3600), bins(2, 0.0)
    crashes = none.copy()
    crashes[0, 100] = 1.0
    rare = learned(RowName.EVENTS, 0.04)
    theirs = bins(4, STEP / 3600)
    calm = event_base(rare, QUIET, (hours, crashes), (theirs, bins(4, 0.0)), 60)
    wild = event_base(rare, QUIET, (hours, crashes), (theirs, bins(4, 1.0)), 60)
    np.testing.assert_array_equal(calm.log_l, wild.log_l)
    assert (calm.weight == 1.0).all()
    assert not calm.incident.any()
    assert wild.theirs[0].tolist() == pytest.approx([4 * STEP / 3600, 4.0])


def test_one_crash_speaks_of_its_pod_only() -> None:
    """The row that restarted, in the bin in which it did."""
    hours, crashes = bins(2, STEP / 3600), bins(2, 0.0)
    crashes[1, 100] = 1.0
    base = event_base(
        learned(RowName.EVENTS, 0.04), QUIET, (hours, crashes), (bins(4, 1.0), bins(4, 0.0)), 60
    )
    spread = np.ptp(base.log_l, axis=-1)
    assert np.unravel_index(spread.argmax(), spread.shape) == (40, 1)
    assert mode(base, RowName.EVENTS, 40)[1] > 2.0
    assert mode(base, RowName.EVENTS, 40)[0] < 0.0


# -- latency


def histograms(pods: int, slower: float = 0.0, each: float = EACH) -> FloatArray:
    """Lognormal latency, slowed by a log factor: (pods, BINS, buckets)."""
    z = (np.log(EDGES) - np.log(0.06) - slower) / 0.7
    above = np.hstack([1.0, 1 / (1 + np.exp(1.7 * z)), 0.0])
    return np.tile(-each * np.diff(above), (pods, BINS, 1))


def timed(
    ours: FloatArray,
    theirs: FloatArray,
    begin: int = 100,
    win: Window = QUIET,
    by: Learned = LATENCY,
) -> Base:
    return histogram_base(by, win, ours, theirs, EDGES, begin)


@given(st.floats(-0.3, 0.6))
def test_a_slower_canary_is_read_as_slower(slower: float) -> None:
    """By its factor, on buckets of two and a half to one."""
    base = timed(histograms(2, slower), histograms(4))
    found = ROWS[RowName.LATENCY].grid.theta[total(base).argmax()]
    assert found == pytest.approx(slower, abs=0.06)


@HEAVY
@given(st.integers(0, BINS - 1))
def test_latencies_say_the_same_whenever_they_are_read(begin: int) -> None:
    """Twenty minutes of reference are looked at again, and no bin is judged by another's."""
    theirs = histograms(4)
    theirs[:, 90:110] = histograms(4, 0.5)[:, 90:110]
    theirs[:, :, 3] += np.arange(BINS)
    whole, part = timed(histograms(2, 0.1), theirs, 0), timed(histograms(2, 0.1), theirs, begin)
    np.testing.assert_allclose(part.log_l, whole.log_l[begin:], atol=1e-9)
    np.testing.assert_array_equal(part.theirs, theirs.sum(axis=0)[begin:])
    np.testing.assert_array_equal(part.ours, whole.ours[begin:])
    np.testing.assert_array_equal(part.incident, whole.incident[begin:])


def test_a_shared_slow_down_is_nobodys_fault() -> None:
    """Both arms wait for the same database: in its first bin as in its last."""
    ours, theirs = histograms(2, each=60.0), histograms(4, each=60.0)
    ours[:, 110:] = histograms(2, 0.5, each=60.0)[:, 110:]
    theirs[:, 110:] = histograms(4, 0.5, each=60.0)[:, 110:]
    base = timed(ours, theirs)
    assert base.incident[9:11].tolist() == [0.0, 1.0]
    grid = ROWS[RowName.LATENCY].grid
    worst = (base.log_l - base.log_l[..., grid.zero, None]).max(axis=(-1, -2))
    assert worst.max() < 1.0


def test_an_alike_canary_favours_no_slow_down() -> None:
    """The control's own histogram is the model: no shape is assumed that health would break."""
    base = timed(histograms(2), histograms(4))
    assert abs(ROWS[RowName.LATENCY].grid.theta[total(base).argmax()]) <= 0.03


def test_what_was_usual_judges_where_the_control_starves() -> None:
    """The past of the old version in place of the few requests that it still serves."""
    shares = np.where(np.arange(BINS) < 20, EACH, 1.0)
    win = windowed(bins(2), np.tile(shares, (4, 1)))
    theirs = histograms(4, 1.0) * (shares / EACH)[None, :, None]
    usual = replace(LATENCY, reference=histograms(1)[0].sum(axis=0))
    with_, without = (timed(histograms(2), theirs, win=win, by=by) for by in (usual, LATENCY))
    assert with_.weight[-1] == 1.0
    assert abs(mode(with_, RowName.LATENCY)[0]) <= 0.06
    assert mode(without, RowName.LATENCY)[0] < -0.3


@given(st.lists(st.floats(0.001, 100.0), min_size=2, max_size=20, unique=True))
def test_a_typical_latency_lies_in_its_bucket(edges: list[float]) -> None:
    """Between the edges, half a unit of log beyond the outer ones, in order."""
    where = np.log(np.sort(np.array(edges)))
    found = bucket_middles(np.exp(where))
    assert len(found) == len(edges) + 1
    assert (np.diff(found) >= 0).all()
    assert ((found[1:-1] >= where[:-1]) & (found[1:-1] <= where[1:])).all()
    assert (found[0], found[-1]) == pytest.approx((where[0] - 0.5, where[-1] + 0.5))
