"""What the history before an attempt teaches: base rates, limits, edges, how pods differ."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detector.gate.build import build_track
from detector.gate.frame import Arm, Counts, Frame, Histogram
from detector.gate.learn import Learned, learn_counts, learn_scale, tail_edge
from detector.gate.policy import Policy, SignalPolicy
from detector.series import FloatArray
from detector.signals.signal import Kind
from models.sequential.noise import COUNT_TAU, SCALE_TAU, Noise
from models.sequential.rows import ROWS, RowName
from tests.detector.gate.rollouts import EDGES, REQUESTS, bound
from tests.profiles import HEAVY

STEP, BLOCK = 15.0, 20
ERROR, LATENCY = ROWS[RowName.ERROR], ROWS[RowName.LATENCY]
ERRORS = bound("error_rate", Kind.RATIO, REQUESTS)


def frame_of(n: FloatArray, x: FloatArray, *, after: int = 0) -> Frame:
    """A control with these counts per pod and bin, of which the last `after` are the attempt's."""

    def arm(name: str, n: FloatArray, x: FloatArray) -> Arm:
        return Arm(
            pods=tuple(f"{name}-{at}" for at in range(len(n))),
            born=np.full(len(n), -np.inf),
            age=np.full(n.shape, np.inf),
            seen=np.ones(n.shape),
            requests=n,
            counts={"error_rate": Counts(n=n, x=x)},
        )

    none = n[:0]
    return Frame(
        start=0.0,
        step=STEP,
        first=after - n.shape[1],
        interval=STEP,
        canary=arm("c", none, none),
        control=arm("s", n, x),
    )


def errors(tau: float, *, pods: int = 8, rate: float = 0.01, seed: int = 1) -> Frame:
    """Two hours of pods whose error rates differ by `tau`, 300 requests in a bin."""
    rng = np.random.default_rng(seed)
    n = np.full((pods, 24 * BLOCK), 300.0)
    each = rate * np.exp(rng.normal(0, tau, (pods, 1)))
    return frame_of(n, rng.poisson(n * each).astype(float))


def noise_of(frame: Frame) -> Noise:
    counts = frame.control.counts["error_rate"]
    return learn_counts(ERROR, counts.n, counts.x, frame, 1.0)


def learned(frame: Frame, policy: Policy | None = None) -> Learned:
    """What the error rate of a frame learns."""
    track = build_track(ERRORS, frame, policy or Policy(), 0.3, None)
    assert track is not None
    return track.learned


# -- how pods differ


def test_pods_that_differ_are_told_from_pods_that_do_not() -> None:
    """Where health itself varies by a third, a third more errors is no release's fault."""
    alike, unlike = (
        np.mean([noise_of(errors(tau, seed=seed)).tau for seed in range(4)]) for tau in (0.0, 0.4)
    )
    assert alike < 0.1
    assert unlike > 0.2


@HEAVY
@given(st.permutations(range(6)))
def test_the_order_of_pods_teaches_nothing(order: list[int]) -> None:
    """A source may list its pods in any order; the verdict is the same."""
    frame = errors(0.2, pods=6)
    counts = frame.control.counts["error_rate"]
    shuffled = frame_of(counts.n[order], counts.x[order])
    np.testing.assert_allclose(noise_of(shuffled).rho, noise_of(frame).rho, rtol=1e-9)


@HEAVY
@given(st.integers(1, 60), st.floats(0.0, 1.0))
def test_what_happens_after_the_start_teaches_nothing(after: int, share: float) -> None:
    """Else a canary that harms its neighbours would teach that harm is normal."""
    frame = errors(0.1, pods=4)
    counts = frame.control.counts["error_rate"]
    late = np.full((4, after), 300.0)
    longer = frame_of(np.hstack([counts.n, late]), np.hstack([counts.x, share * late]), after=after)
    np.testing.assert_array_equal(noise_of(longer).rho, noise_of(frame).rho)
    assert learned(longer).rate == learned(frame).rate


@HEAVY
@given(st.integers(1, BLOCK - 1))
def test_a_block_that_is_not_whole_is_left_out(older: int) -> None:
    """Two minutes of an older block would count as five and look like a quiet pod."""
    frame = errors(0.1, pods=4)
    counts = frame.control.counts["error_rate"]
    wild = np.full((4, older), 300.0)
    longer = frame_of(np.hstack([wild, counts.n]), np.hstack([0.9 * wild, counts.x]))
    one, other = (noise_of(f).rho for f in (frame, longer))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(errors(0.4, pods=1), id="one pod"),
        pytest.param(
            frame_of(np.full((6, BLOCK - 1), 300.0), np.ones((6, BLOCK - 1))), id="four minutes"
        ),
        pytest.param(frame_of(np.zeros((6, 480)), np.zeros((6, 480))), id="no traffic"),
    ],
)
def test_too_little_history_leaves_what_is_assumed_of_any_service(frame: Frame) -> None:
    """A first deployment is judged by caution, not by a number made of nothing."""
    noise = noise_of(frame)
    np.testing.assert_allclose(noise.rho, COUNT_TAU[1] / COUNT_TAU[1].sum())
    assert noise.sigma == 0.1


def test_a_pod_without_traffic_is_no_pod() -> None:
    """Standbys do not make a service look uniform."""
    frame = errors(0.4, pods=3)
    counts = frame.control.counts["error_rate"]
    idle = np.zeros_like(counts.n)
    padded = frame_of(np.vstack([counts.n, idle]), np.vstack([counts.x, idle]))
    np.testing.assert_allclose(noise_of(padded).rho, noise_of(frame).rho)
    assert learned(padded).pods == learned(frame).pods == 3


# -- the base rate


@given(st.integers(1, 400), st.integers(0, 50))
def test_the_base_rate_is_never_none(requests: int, failed: int) -> None:
    """Half an event is assumed: a service that never failed may fail once without alarm."""
    n = np.full((1, 100), float(requests))
    x = np.full((1, 100), min(failed, requests) / 100)
    rate = learned(frame_of(n, x)).rate
    total, events = float(n.sum()), float(x.sum())
    assert rate == pytest.approx((events + 0.5) / (total + (1 if total >= 50 else 50)))
    assert 0 < rate < 1


def test_an_error_among_ten_requests_is_no_habit() -> None:
    """One failure at night must not teach that a tenth of all requests may fail."""
    n, x = np.zeros((1, 100)), np.zeros((1, 100))
    n[0, :10], x[0, 0] = 1.0, 1.0
    assert learned(frame_of(n, x)).rate == pytest.approx(1.5 / 60)


def test_a_control_that_is_not_there_teaches_nothing() -> None:
    """Without a control's counts no signal is made up."""
    frame = errors(0.1)
    silent = replace(frame, control=replace(frame.control, counts={}))
    assert build_track(ERRORS, silent, Policy(), 0.3, None) is None


# -- what is tolerated

RATES, SLOS = st.floats(1e-6, 0.4), st.floats(0.5, 0.99999)


def points_of(found: Learned) -> tuple[float, float]:
    """Tolerated and limiting harm as differences of the rate."""
    floor = found.rate + found.eps0
    return floor * math.expm1(found.row.tolerate), floor * math.expm1(found.row.limit)


def at_rate(rate: float, slo: float, wish: SignalPolicy | None = None) -> Learned:
    """What an hour of a service at this error rate learns."""
    n = np.full((2, 4 * BLOCK), 1e5)
    signals = {"error_rate": wish} if wish else {}
    return learned(frame_of(n, n * rate), Policy(slo=slo, signals=signals))


@HEAVY
@given(RATES, SLOS)
def test_harm_is_measured_by_the_promise(rate: float, slo: float) -> None:
    """A tenth of a point, or the budget where that is less, and never below a tenth more errors.

    The limit of a pass is at most half a point but where half of the usual errors is more.
    """
    found = at_rate(rate, slo)
    tolerated, limit = points_of(found)
    budget = 1 - slo
    floor = found.rate + found.eps0
    assert tolerated == pytest.approx(max(min(0.001, budget), floor * math.expm1(0.1)), rel=1e-6)
    half_a_point = min(0.005, max(min(0.001, budget), found.rate, budget / 2))
    assert limit == pytest.approx(max(half_a_point, 0.5 * found.rate, tolerated), rel=1e-6)
    assert 0 < found.eps0 <= min(5e-4, budget / 2)


@HEAVY
@given(RATES, SLOS, SLOS)
def test_a_wider_promise_never_narrows_a_limit(rate: float, one: float, other: float) -> None:
    """Who promises less is not held to more."""
    (narrow_t, narrow_l), (wide_t, wide_l) = (
        points_of(at_rate(rate, slo)) for slo in (max(one, other), min(one, other))
    )
    assert wide_t >= narrow_t - 1e-12
    assert wide_l >= narrow_l - 1e-12


def test_a_rare_failure_keeps_a_fine_floor() -> None:
    """One in a million against nothing is not hidden by a floor meant for noisier services."""
    assert at_rate(1e-6, 0.999).eps0 == 1e-4
    assert at_rate(1e-3, 0.999).eps0 == 5e-4
    assert at_rate(1e-3, 1.0).eps0 < 1e-8


@pytest.mark.parametrize(
    ("wish", "tolerated", "limit"),
    [
        (SignalPolicy(tolerate=0.5, limit=1.0), 0.5, 1.0),
        (SignalPolicy(tolerate=2.0, limit=1.0), 2.0, 2.0),
        (SignalPolicy(tolerate_points=0.01, limit_points=0.02), None, None),
    ],
    ids=["relative", "a limit below what is tolerated", "points"],
)
def test_a_policy_sets_what_is_tolerated(
    wish: SignalPolicy, tolerated: float | None, limit: float | None
) -> None:
    """In times or in points, as people think of it; a limit is never below the tolerance."""
    found = at_rate(0.01, 0.999, wish)
    if tolerated is None or limit is None:
        assert points_of(found) == pytest.approx((0.01, 0.02), rel=1e-6)
    else:
        assert np.expm1([found.row.tolerate, found.row.limit]) == pytest.approx([tolerated, limit])


# -- the edge of a tail

HISTOGRAMS = st.lists(st.integers(0, 10_000), min_size=3, max_size=14)
TAILS = {RowName.TAIL95: (0.05, 0.015, 0.20), RowName.TAIL99: (0.01, 0.0015, 0.02)}
tails = pytest.mark.parametrize("row", list(TAILS))


@tails
@given(HISTOGRAMS, st.floats(1e-3, 1e3))
def test_a_tail_begins_at_an_edge_that_fits(
    row: RowName, counts: list[int], traffic: float
) -> None:
    """Within its range, none nearer, and the same however much traffic there was."""
    share, low, high = TAILS[row]
    above = [1 - sum(counts[: at + 1]) / max(sum(counts), 1) for at in range(len(counts) - 1)]
    assume(all(abs(a - edge) > 1e-9 for a in above for edge in (low, high)))
    found = tail_edge(np.array(counts, dtype=float), row)
    busier = tail_edge(np.array(counts, dtype=float) * traffic, row)
    assert (None if busier is None else pytest.approx(above[busier])) == (
        None if found is None else above[found]
    )
    usable = {at: a for at, a in enumerate(above) if sum(counts) and low < a <= high}
    if found is None:
        assert not [a for a in usable.values() if low + 1e-9 < a < high - 1e-9]
    else:
        assert abs(math.log(above[found] / share)) <= (
            min(abs(math.log(a / share)) for a in usable.values()) + 1e-9
        )


@pytest.mark.parametrize(
    ("row", "beyond", "edge"),
    [
        pytest.param(RowName.TAIL95, [0.19, 0.06, 0.02], 1, id="next to 5 %"),
        pytest.param(RowName.TAIL95, [0.19, 0.12, 0.016], 1, id="the farther below"),
        pytest.param(RowName.TAIL99, [0.019, 0.009, 0.002], 1, id="next to 1 %"),
        pytest.param(RowName.TAIL99, [0.05, 0.019, 0.0016], 1, id="in its range"),
    ],
)
def test_of_several_edges_the_nearest_is_taken(
    row: RowName, beyond: list[float], edge: int
) -> None:
    """By factors: twice as many beyond it are as far as half as many."""
    survival = np.array([1.0, *beyond, 0.0])
    assert tail_edge(-np.diff(survival) * 1e6, row) == edge


@tails
@pytest.mark.parametrize("counts", [[0, 0, 0], [9, 0, 0], [0, 0, 9]], ids=["none", "fast", "slow"])
def test_buckets_that_hold_no_tail_have_none(row: RowName, counts: list[int]) -> None:
    """Where every request falls into one bucket no tail is invented."""
    assert tail_edge(np.array(counts, dtype=float), row) is None


# -- latency


def latencies(tau: float, *, pods: int = 6, per_block: float = 6000.0) -> FloatArray:
    """Histograms (pods, bins, buckets) of pods whose latency differs by `tau`."""
    rng = np.random.default_rng(3)
    each = rng.normal(0, tau, pods)
    z = (np.log(EDGES)[None] - np.log(0.06) - each[:, None]) / 0.7
    cdf = np.hstack([1 / (1 + np.exp(-1.7 * z)), np.ones((pods, 1))])
    shares = np.diff(cdf, prepend=0.0, axis=1)
    return rng.poisson(per_block / BLOCK * shares[:, None], (pods, 12 * BLOCK, 12)).astype(float)


def scale_noise(counts: FloatArray, edges: FloatArray = EDGES) -> Noise:
    requests = counts.sum(axis=2)
    frame = frame_of(requests, requests * 0)
    return learn_scale(LATENCY, counts, edges, frame, 1.0)


def test_slower_pods_are_part_of_health() -> None:
    """A zone that is a tenth slower is not found anew in each release."""
    assert scale_noise(latencies(0.0)).tau < 0.03 < scale_noise(latencies(0.12)).tau


@given(st.floats(1e-3, 1e3))
def test_the_unit_of_latency_does_not_matter(unit: float) -> None:
    """Seconds or milliseconds: pods differ by the same factor."""
    counts = latencies(0.05)
    one, other = scale_noise(counts), scale_noise(counts, EDGES * unit)
    np.testing.assert_allclose(other.rho, one.rho, rtol=1e-6, atol=1e-12)


def test_blocks_of_a_few_requests_teach_no_latency() -> None:
    """The median of nine requests is chance; learning from it would call chance normal."""
    noise = scale_noise(latencies(0.12, per_block=9.0))
    np.testing.assert_allclose(noise.rho, SCALE_TAU[1] / SCALE_TAU[1].sum())


def test_a_standby_teaches_no_latency() -> None:
    """Pods without a request neither make a service uniform nor are they a pod of it."""
    counts = latencies(0.12)
    padded = np.concatenate([counts, np.zeros_like(counts)])
    np.testing.assert_allclose(scale_noise(padded).rho, scale_noise(counts).rho)


@pytest.mark.parametrize("pods", [1, 2])
def test_one_pod_is_no_measure_of_latencies(pods: int) -> None:
    """Alone it differs from nobody: what is assumed of any service stays. Two are a beginning."""
    noise = scale_noise(latencies(0.12)[:pods])
    is_prior = np.allclose(noise.rho, SCALE_TAU[1] / SCALE_TAU[1].sum())
    assert is_prior is (pods == 1)
    if is_prior:
        assert noise.sigma == 0.03


def test_a_scale_is_never_believed_to_be_still() -> None:
    """Identical histograms in each block still leave the noise that every scrape has."""
    assert scale_noise(np.tile(latencies(0.0)[:1, :1], (6, 12 * BLOCK, 1))).sigma >= 0.006


def test_latency_keeps_what_was_usual() -> None:
    """Where the control starves, its history says what a request should take."""
    frame = errors(0.1, pods=6)
    counts = latencies(0.0)
    control = replace(
        frame.control,
        requests=counts.sum(axis=2),
        histograms={"latency": Histogram(edges=EDGES, counts=counts)},
    )
    whole = replace(frame, first=-counts.shape[1], control=control)
    track = build_track(bound("latency", Kind.LATENCY, REQUESTS), whole, Policy(), 0.2, EDGES)
    assert track is not None
    reference = track.learned.reference
    assert reference is not None
    np.testing.assert_allclose(reference, counts.sum(axis=(0, 1)))
