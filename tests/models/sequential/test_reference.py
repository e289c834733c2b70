"""The reference: what the control says now, and the incidents that it shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.reference import count_reference, histogram_reference, trailing

STEP = 15.0


def test_trailing_sums_end_at_the_bin() -> None:
    """Windows include their own bin and stop at the beginning."""
    sums = trailing(np.arange(6.0), 3, 0)
    np.testing.assert_array_equal(sums, [0, 1, 3, 6, 9, 12])


@given(st.integers(0, 39), st.integers(1, 30))
def test_trailing_does_not_depend_on_where_it_begins(first: int, width: int) -> None:
    """A later first bin gives the tail of the same sums."""
    values = np.arange(40.0) ** 1.3
    np.testing.assert_allclose(trailing(values, width, first), trailing(values, width, 0)[first:])


def steady(bins: int = 60, n: float = 300.0, rate: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """A control at a constant rate."""
    return np.full(bins, n), np.full(bins, n * rate)


def test_steady_control_gives_its_rate() -> None:
    """Nothing happened: the rate is the rate, lambda below one."""
    n, x = steady()
    ref = count_reference(n, x, np.full(60, 100.0), 0.01, STEP, 30)
    np.testing.assert_allclose(ref.rate, 0.01)
    assert not ref.incident.any()
    assert ((ref.weight > 0.7) & (ref.weight < 1)).all()


def test_incident_is_seen_in_its_first_bin() -> None:
    """A shared incident raises the reference in the bin in which it begins."""
    n, x = steady()
    x[50:] *= 10
    ref = count_reference(n, x, np.full(60, 100.0), 0.01, STEP, 49)
    assert not ref.incident[0]
    assert ref.incident[1]
    assert ref.rate[1] > 0.09


def test_no_reference_has_no_weight() -> None:
    """A control without requests says nothing of now."""
    n, x = steady()
    n[40:] = x[40:] = 0
    ref = count_reference(n, x, np.full(60, 100.0), 0.01, STEP, 40)
    assert (ref.weight == 0).all()


def test_weight_looks_back_only() -> None:
    """lambda is predictable: this bin's own traffic does not enter it."""
    n, x = steady()
    one = count_reference(n, x, np.full(60, 100.0), 0.01, STEP, 59)
    louder = np.full(60, 100.0)
    louder[59] = 1e6
    two = count_reference(n, x, louder, 0.01, STEP, 59)
    assert one.weight[0] == two.weight[0]


def buckets(requests: float, middle: int, bins: int = 90) -> np.ndarray:
    """A control whose requests lie around one bucket."""
    row = np.exp(-0.5 * (np.arange(12) - middle) ** 2)
    return np.tile(requests * row / row.sum(), (bins, 1))


MIDDLES = np.linspace(-6, 3, 12)


def test_busy_control_needs_a_short_window() -> None:
    """Enough requests in one bin: the reference is that bin."""
    picked, weight, incident = histogram_reference(
        buckets(3000, 5), np.full(90, 300.0), MIDDLES, STEP, 80
    )
    np.testing.assert_allclose(picked.sum(axis=1), 3000)
    assert (weight > 0.9).all()
    assert not incident.any()


def test_shared_slowdown_switches_to_the_newest_window() -> None:
    """The reference follows a shared slow-down in its first bin."""
    counts = buckets(100, 5)
    counts[85:] = buckets(100, 8)[85:]
    picked, _, incident = histogram_reference(counts, np.full(90, 60.0), MIDDLES, STEP, 80)
    assert incident[5]
    assert picked[5].argmax() == 8
    assert picked[4].argmax() == 5


def test_silent_control_has_no_weight() -> None:
    """No control requests at all: lambda is 0."""
    _, weight, _ = histogram_reference(np.zeros((90, 12)), np.full(90, 60.0), MIDDLES, STEP, 80)
    assert (weight == 0).all()


# -- laws of the reference

EACH = st.lists(st.integers(0, 40), min_size=60, max_size=60)
BINS_OF = {15.0: 60, 30.0: 60, 60.0: 60}
each_step = pytest.mark.parametrize("step", list(BINS_OF), ids=["15 s", "30 s", "60 s"])


def quiet(n: float = 300.0, rate: float = 0.01, bins: int = 60) -> tuple[np.ndarray, np.ndarray]:
    return np.full(bins, n), np.full(bins, n * rate)


@given(EACH, EACH, st.floats(1e-5, 0.5), st.sampled_from(list(BINS_OF)))
def test_a_reference_is_possible(
    served: list[int], treated: list[int], rate: float, step: float
) -> None:
    """Whatever the control did its rate is one, and its weight between nothing and everything."""
    n = np.array(served, dtype=float)
    x = np.floor(n * 0.3)
    ref = count_reference(n, x, np.array(treated, dtype=float), rate, step, 0)
    assert np.isfinite(ref.rate).all()
    assert (ref.rate >= 0).all()
    assert ((ref.weight >= 0) & (ref.weight <= 1)).all()
    assert (ref.weight[n == 0] == 0).all()
    assert ref.rate.max() <= max(rate, 0.3) + 1e-9


@given(st.integers(30, 59), st.floats(0.0, 500.0))
def test_more_errors_of_the_control_never_lower_its_rate(at: int, more: float) -> None:
    """A control that fails more must not make a canary look worse."""
    n, x = quiet()
    worse = x.copy()
    worse[at] += more
    treated = np.full(60, 100.0)
    one, other = (count_reference(n, e, treated, 0.01, STEP, 30) for e in (x, worse))
    assert (other.rate >= one.rate - 1e-12).all()
    assert (other.incident >= one.incident).all()


@given(st.floats(0.0, 1e5), st.floats(0.0, 1e5))
def test_more_traffic_of_the_canary_never_raises_the_weight(few: float, more: float) -> None:
    """The larger the canary beside its control, the less the control can say of it."""
    n, x = quiet()
    one, other = (
        count_reference(n, x, np.full(60, treated), 0.01, STEP, 30) for treated in (few, few + more)
    )
    assert (other.weight <= one.weight + 1e-12).all()


@given(st.floats(1.0, 1e3), st.floats(0.05, 20.0))
def test_the_weight_knows_shares_and_not_traffic(factor: float, share: float) -> None:
    """Ten times the requests on both sides is the same comparison."""
    n, x = quiet(n=1e5)
    weights = [
        count_reference(k * n, k * x, k * share * n, 0.01, STEP, 30).weight for k in (1, factor)
    ]
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-3)


@each_step
@given(factor=st.floats(4.0, 50.0), begin=st.integers(31, 50))
def test_an_incident_is_seen_from_its_first_bin_to_its_last(
    step: float, factor: float, begin: int
) -> None:
    """On its rising edge at once, whatever the scrape interval; a minute after it is forgotten."""
    bins, length = BINS_OF[step], 5
    n, x = quiet(n=20 * step, bins=bins)
    x[begin : begin + length] *= factor
    ref = count_reference(n, x, n, 0.01, step, 0)
    after = begin + length + max(1, round(60 / step))
    assert not ref.incident[:begin].any()
    assert ref.incident[begin]
    assert not ref.incident[after:].any()
    assert ref.rate[begin] == pytest.approx(0.01 * factor, rel=1e-6)


@given(st.floats(4.0, 50.0), st.integers(1, 20))
def test_after_an_incident_the_rate_stays_high_for_five_minutes(factor: float, length: int) -> None:
    """Conservative on the falling edge: a canary that recovers a scrape later is not failed."""
    n, x = quiet(bins=100)
    x[40 : 40 + length] *= factor
    rate = count_reference(n, x, n, 0.01, STEP, 0).rate
    end = 40 + length
    assert (rate[40 : end + 19] > 0.01 * 1.01).all()
    assert (np.diff(rate[end:]) <= 1e-12).all()
    np.testing.assert_allclose(rate[end + 20 :], 0.01)


@given(st.floats(1.0, 1.2))
def test_the_ordinary_life_of_a_service_is_no_incident(factor: float) -> None:
    """A fifth more errors at a thousand requests a second is beyond chance, and nothing to stop."""
    n, x = quiet(n=1e6)
    x[50:] *= factor
    assert not count_reference(n, x, n, 0.01, STEP, 0).incident.any()


@given(st.integers(0, 59))
def test_counts_of_later_bins_change_nothing(first: int) -> None:
    """The reference of a bin is a function of what was seen by its end."""
    rng = np.random.default_rng(2)
    n, x, treated = (rng.poisson(20.0, 60).astype(float) for _ in range(3))
    whole = count_reference(n, x, treated, 0.1, STEP, 0)
    part = count_reference(n[: first + 1], x[: first + 1], treated[: first + 1], 0.1, STEP, 0)
    np.testing.assert_allclose(part.rate, whole.rate[: first + 1])
    np.testing.assert_allclose(part.weight, whole.weight[: first + 1])


# -- of histograms


@given(
    st.lists(st.integers(0, 300), min_size=40, max_size=40),
    st.lists(st.integers(0, 300), min_size=40, max_size=40),
    st.floats(1.0, 20.0),
)
def test_a_histogram_reference_is_possible(
    served: list[int], treated: list[int], factor: float
) -> None:
    """Counts are those of the control, never more, and the weight is between 0 and 1."""
    shape = buckets(1.0, 5, 40)
    counts = shape * np.array(served, dtype=float)[:, None] * factor
    picked, weight, _ = histogram_reference(
        counts, np.array(treated, dtype=float), MIDDLES, STEP, 0
    )
    assert ((weight >= 0) & (weight <= 1)).all()
    assert (weight[picked.sum(axis=1) == 0] == 0).all()
    assert (picked.sum(axis=1) <= np.cumsum(counts.sum(axis=1)) + 1e-6).all()
    assert (picked >= -1e-9).all()


@pytest.mark.parametrize("way", [3, -3], ids=["slower", "faster"])
@pytest.mark.parametrize("begin", [60, 75])
def test_a_shared_move_is_followed_at_once_in_both_directions(way: int, begin: int) -> None:
    """When the database recovers a canary that recovers with it is as fast as its control."""
    counts = buckets(100, 5)
    counts[begin:] = buckets(100, 5 + way)[begin:]
    picked, _, incident = histogram_reference(counts, np.full(90, 60.0), MIDDLES, STEP, 0)
    assert picked[begin].argmax() == 5 + way
    assert incident[begin]
    assert not incident[:begin].any()


def test_a_small_move_is_followed_but_no_incident() -> None:
    """A twentieth slower at much traffic: the reference moves, and no pass waits for it."""
    rng = np.random.default_rng(1)
    shares = buckets(1.0, 5, 2)[0]
    counts = np.tile(rng.multinomial(100_000, shares).astype(float), (90, 1))
    moved = counts.copy()
    moved[85:, 6] += 0.06 * moved[85:, 5]
    moved[85:, 5] *= 0.94
    picked, _, incident = histogram_reference(moved, np.full(90, 6e5), MIDDLES, STEP, 80)
    assert picked[5, 5] < picked[4, 5]
    assert not incident.any()


@given(st.floats(1.0, 1e4))
def test_a_busier_canary_asks_for_a_longer_look(treated: float) -> None:
    """Three control requests for each of the canary's, within what is bearable."""
    picked, _, _ = histogram_reference(buckets(30, 5), np.full(90, treated), MIDDLES, STEP, 89)
    total = float(picked.sum())
    need = min(max(3 * treated, 120.0), 1200.0)
    assert total >= min(need, 30.0 * 80) - 1e-6


@pytest.mark.parametrize(("each", "picked_of"), [(29.0, 58.0), (31.0, 31.0)])
def test_a_bin_of_few_requests_does_not_stand_alone(each: float, picked_of: float) -> None:
    """Twenty-nine slow requests prove no shared slow-down: the bin before is looked at as well."""
    counts = buckets(each, 5)
    counts[89] = buckets(each, 9)[89]
    picked, _, _ = histogram_reference(counts, np.full(90, 30.0), MIDDLES, STEP, 89)
    assert picked[0].sum() == pytest.approx(picked_of)


@given(st.integers(0, 89), st.integers(0, 2**16))
def test_a_bin_read_alone_has_the_same_bits(at: int, seed: int) -> None:
    """A poll reads one bin, a restart all of them: both must come to the same verdict."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(buckets(rng.choice([3.0, 200.0]), 5)).astype(float)
    counts[60:] = np.roll(counts[60:], 2, axis=1)
    treated = rng.poisson(60.0, 90).astype(float)
    n = counts.sum(axis=1)
    x = rng.binomial(n.astype(int), np.where(np.arange(90) > 70, 0.2, 0.01)).astype(float)
    whole = count_reference(n, x, treated, 0.01, STEP, 0)
    alone = count_reference(n[: at + 1], x[: at + 1], treated[: at + 1], 0.01, STEP, at)
    assert alone.rate[0] == whole.rate[at]
    assert alone.weight[0] == whole.weight[at]
    assert alone.incident[0] == whole.incident[at]
    every = histogram_reference(counts, treated, MIDDLES, STEP, 0)
    one = histogram_reference(counts[: at + 1], treated[: at + 1], MIDDLES, STEP, at)
    for part, of_all in zip(one, every, strict=True):
        np.testing.assert_array_equal(part[0], of_all[at])


# -- to the number


def test_a_canary_that_just_began_is_weighed_by_its_last_minute() -> None:
    """Five times a busy minute: a step to half of the traffic is not taken for a tenth of it."""
    n, x = quiet()
    treated = np.zeros(60)
    treated[55:59] = 100.0
    weight = count_reference(n, x, treated, 0.01, STEP, 59).weight
    assert weight[0] == pytest.approx(6400 / (6400 + 5 * 400))


def test_in_an_incident_the_control_is_worth_what_it_served_just_then() -> None:
    """Nine tenths of a shared outage went to the canary: a tenth is what the control can say."""
    n, x = quiet()
    x[50] *= 20
    treated = np.full(60, 10.0)
    treated[50] = 9 * 300.0
    ref = count_reference(n, x, treated, 0.01, STEP, 49)
    assert ref.weight[1] == pytest.approx(0.1)
    assert ref.weight[0] > 0.9


@pytest.mark.parametrize(
    ("each", "treated", "bins"),
    [
        pytest.param(30.0, 10.0, 4, id="a minute for 120 requests"),
        pytest.param(10.0, 10.0, 20, id="five minutes"),
        pytest.param(5.0, 10.0, 80, id="twenty minutes"),
        pytest.param(1.0, 10.0, 80, id="and no longer"),
        pytest.param(60.0, 40.0, 2, id="three for each of the canary's"),
        pytest.param(60.0, 41.0, 4, id="and one more"),
        pytest.param(1200.0, 1000.0, 1, id="1200 are always enough"),
        pytest.param(1199.0, 1000.0, 2, id="but no fewer"),
    ],
)
def test_the_shortest_window_with_enough_requests_is_taken(
    each: float, treated: float, bins: int
) -> None:
    """As much of now as can be, and as much of before as must be; shared with its canary."""
    counts = np.zeros((150, 12))
    counts[:, 5] = each
    picked, weight, _ = histogram_reference(counts, np.full(150, treated), MIDDLES, STEP, 149)
    assert picked[0].sum() == pytest.approx(bins * each)
    assert weight[0] == pytest.approx(each / (each + treated))


@pytest.mark.parametrize(("distance", "bins"), [(0.05, 2), (0.08, 1)], ids=["0.025", "0.04"])
def test_a_move_of_less_than_three_hundredths_is_not_followed(distance: float, bins: int) -> None:
    """Half a bin of it is in the longer window: what is left must be more than the slack."""
    counts = np.zeros((90, 2))
    counts[:, 0] = 60.0
    counts[89] = (0.0, 60.0)
    middles = np.array([-3.0, -3.0 + distance])
    picked, _, incident = histogram_reference(counts, np.full(90, 40.0), middles, STEP, 89)
    assert picked[0].sum() == pytest.approx(60.0 * bins)
    assert not incident.any()


@given(st.lists(st.floats(1e-4, 0.05), min_size=1, max_size=4), st.integers(0, 59))
def test_signals_side_by_side_have_the_bits_of_each_alone(rates: list[float], first: int) -> None:
    """One signal's incident must not switch another's reference."""
    rng = np.random.default_rng(3)
    n = rng.poisson(300.0, (60, len(rates))).astype(float)
    x = rng.poisson(n * np.array(rates)).astype(float)
    x[40:45, 0] *= 20
    treated = rng.poisson(80.0, n.shape).astype(float)
    together = count_reference(n, x, treated, np.array(rates), 15.0, first)
    for at, rate in enumerate(rates):
        alone = count_reference(n[:, at], x[:, at], treated[:, at], rate, 15.0, first)
        np.testing.assert_array_equal(together.rate[:, at], alone.rate)
        np.testing.assert_array_equal(together.weight[:, at], alone.weight)
        np.testing.assert_array_equal(together.incident[:, at], alone.incident)
