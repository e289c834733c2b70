"""Tracks from a plan, a policy and history: who is judged, by which row, at which share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.build import build_track, histogram_of, row_of, shares_of, tail_counts
from detector.gate.frame import Frame, Histogram
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.track import Track
from detector.signals.plan import BoundSignal
from detector.signals.signal import Kind, Unit
from models.sequential.rows import ROWS, RowName
from tests.detector.gate.rollouts import BUCKETS, EDGES, PLAN, REQUESTS, Recipe, bound, make

FRAME = make(Recipe(seed=5, bins=8, history=120))
OWN = bound("orders_failed", Kind.RATIO, REQUESTS)
SIGNALS = {s.signal.name: s for s in PLAN.signals}


def track(
    signal: BoundSignal, policy: Policy | None = None, frame: Frame = FRAME, weight: float = 0.2
) -> Track | None:
    return build_track(signal, frame, policy or Policy(), weight, EDGES)


def built(signal: BoundSignal, policy: Policy | None = None, frame: Frame = FRAME) -> Track:
    found = track(signal, policy, frame)
    assert found is not None
    return found


def wishing(name: str, **wish: object) -> Policy:
    return Policy(signals={name: SignalPolicy(**wish)})  # type: ignore[arg-type]


# -- rows


@pytest.mark.parametrize(
    ("signal", "row"),
    [
        (SIGNALS["error_rate"], RowName.ERROR),
        (SIGNALS["latency"], RowName.LATENCY),
        (SIGNALS["tail95"], RowName.TAIL95),
        (SIGNALS["tail99"], RowName.TAIL99),
        (SIGNALS["restarts"], RowName.EVENTS),
        (OWN, RowName.ERROR),
        (bound("cpu_per_request", Kind.GAUGE, REQUESTS), None),
    ],
    ids=lambda value: value.signal.name if isinstance(value, BoundSignal) else str(value),
)
def test_a_signal_is_judged_by_its_kinds_constants(
    signal: BoundSignal, row: RowName | None
) -> None:
    """A share of their own is judged as an error rate; a gauge is shown only."""
    assert row_of(signal) == (None if row is None else ROWS[row])


def test_a_gauge_has_no_track() -> None:
    """Advice is no evidence, and costs no alpha of its own."""
    assert track(bound("cpu_per_request", Kind.GAUGE, REQUESTS)) is None


# -- shares of alpha

WEIGHTS = st.dictionaries(
    st.sampled_from(["error_rate", "latency", "restarts", "orders_failed"]), st.floats(0.0, 5.0)
)


@given(WEIGHTS, st.integers(0, 12))
def test_alpha_is_divided_and_never_multiplied(weights: dict[str, float], own: int) -> None:
    """However many signals a policy adds or weighs, all shares together are at most one."""
    extra = tuple(bound(f"own_{at}", Kind.RATIO, REQUESTS) for at in range(own))
    plan = replace(PLAN, signals=(*PLAN.signals, OWN, *extra))
    signals = {name: SignalPolicy(weight=weight) for name, weight in weights.items()}
    shares = shares_of(plan, Policy(signals=signals))
    names = {s.signal.name for s in plan.signals}
    assert sum(shares[name] for name in names - {"tail99"}) <= 1.0 + 1e-9
    assert all(share >= 0 for share in shares.values())
    assert names <= set(shares)


def test_shares_of_the_usual_signals_stand_as_their_rows_do() -> None:
    """`needed` of a page can be checked against the method's own table."""
    shares = shares_of(PLAN, Policy())
    ratio = ROWS[RowName.ERROR].weight / ROWS[RowName.LATENCY].weight
    assert shares["error_rate"] / shares["latency"] == pytest.approx(ratio)


def test_what_a_plan_cannot_judge_leaves_its_share_to_the_rest() -> None:
    """Alpha kept for signals that a service lacks would find its regressions later."""
    whole = shares_of(PLAN, Policy())
    judged = ("error_rate", "latency", "tail95", "restarts")
    assert sum(whole[name] for name in judged) == pytest.approx(1.0)
    muted = shares_of(PLAN, wishing("latency", judged=False))
    assert muted["error_rate"] / whole["error_rate"] == pytest.approx(0.75 / 0.55)


def test_a_signal_of_their_own_takes_from_all_in_proportion() -> None:
    """Nobody loses more than another; errors stay twice as important as tails."""
    owned = replace(PLAN, signals=(*PLAN.signals, OWN))
    plain, more = shares_of(PLAN, Policy()), shares_of(owned, Policy())
    assert more["orders_failed"] > 0
    ratios = [more[name] / plain[name] for name in plain]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))
    assert ratios[0] < 1


def test_a_policys_weight_goes_before_the_packs() -> None:
    """The service's owner knows better than a pack what matters."""
    told = replace(OWN, signal=replace(OWN.signal, weight=0.4))
    plan = replace(PLAN, signals=(*PLAN.signals, told))
    assert shares_of(plan, Policy())["orders_failed"] == pytest.approx(0.4 / 1.15)
    own = shares_of(plan, wishing("orders_failed", weight=0.0))
    assert own["orders_failed"] == 0.0


# -- judged and required


@pytest.mark.parametrize(
    ("name", "wish", "judged", "required"),
    [
        pytest.param("error_rate", {}, True, True, id="errors"),
        pytest.param("tail95", {}, True, True, id="the tail"),
        pytest.param("restarts", {}, True, False, id="restarts"),
        pytest.param("restarts", {"required": True}, True, True, id="restarts if wished"),
        pytest.param("latency", {"required": False}, True, False, id="latency waived"),
        pytest.param("latency", {"judged": False}, False, False, id="latency only shown"),
        pytest.param(
            "latency", {"judged": False, "required": True}, False, False, id="shown is never held"
        ),
    ],
)
def test_a_policy_says_what_is_judged_and_what_is_waited_for(
    name: str, wish: dict[str, bool], judged: bool, required: bool
) -> None:
    """What can never fail is never waited for either: nobody could tell why it waits."""
    found = built(SIGNALS[name], wishing(name, **wish))
    assert (found.judged, found.required) == (judged, required)


def slow_tail() -> Frame:
    """A history with a tail between .15 and 2 %, so that the 1 % tail has an edge."""
    arm = FRAME.control
    shape = np.array([0, 0, 100, 500, 300, 60, 30, 9, 1, 0, 0, 0], dtype=float)
    counts = np.tile(shape, (len(arm.pods), FRAME.bins, 1))
    return replace(
        FRAME, control=replace(arm, histograms={"latency": Histogram(edges=EDGES, counts=counts)})
    )


@pytest.mark.parametrize(
    ("wish", "judged"), [({}, False), ({"judged": True}, True), ({"judged": False}, False)]
)
def test_the_one_percent_tail_is_judged_only_on_request(
    wish: dict[str, bool], judged: bool
) -> None:
    """It is the likeliest to cry wolf in cold starts: shown, until somebody wants it judged."""
    signal = bound("tail99", Kind.LATENCY, BUCKETS)
    assert built(signal, wishing("tail99", **wish), slow_tail()).judged is judged


@pytest.mark.parametrize(
    ("wish", "judged"), [({}, True), ({"judged": True}, True), ({"judged": False}, False)]
)
def test_the_one_percent_tail_is_judged_where_its_placebos_passed(
    wish: dict[str, bool], judged: bool
) -> None:
    """A certificate promotes it, and a policy may take that back."""
    signal = bound("tail99", Kind.LATENCY, BUCKETS, judged=False, promoted=True)
    track = built(signal, wishing("tail99", **wish), slow_tail())
    assert track.judged is judged
    assert not track.required


def test_restarts_have_no_grace() -> None:
    """A pod that dies in its first seconds is what restarts are there to tell."""
    assert built(SIGNALS["restarts"]).grace is False
    assert built(SIGNALS["error_rate"]).grace is True


@pytest.mark.parametrize("unit", list(Unit))
def test_only_series_of_pods_tell_pods_apart(unit: Unit) -> None:
    """A mesh's one series for a workload does not make every pod equal."""
    assert built(replace(SIGNALS["error_rate"], unit=unit)).told_apart is (unit is Unit.POD)


# -- what they lean on


def test_a_signal_without_data_of_the_control_has_no_track() -> None:
    """It is told as missing; the canary's own past is no control."""
    silent = replace(FRAME, control=replace(FRAME.control, counts={}, histograms={}))
    for name in ("error_rate", "latency", "tail95"):
        assert track(SIGNALS[name], frame=silent) is None


def test_restarts_of_the_canary_alone_are_judged() -> None:
    """A control that never restarted may have no series of restarts at all."""
    calm = {k: v for k, v in FRAME.control.counts.items() if k != "restarts"}
    frame = replace(FRAME, control=replace(FRAME.control, counts=calm))
    found = built(SIGNALS["restarts"], frame=frame)
    assert found.learned.rate == pytest.approx(0.5 * 0.5 / 1.0 + 1 / 24)


def test_latency_without_buckets_has_no_track() -> None:
    """A summary of quantiles is no histogram."""
    assert build_track(SIGNALS["latency"], FRAME, Policy(), 0.2, None) is None
    assert build_track(SIGNALS["tail95"], FRAME, Policy(), 0.2, None) is None


def test_a_tail_counts_what_lies_beyond_its_edge() -> None:
    """Each request once, on its side of the edge."""
    counts = np.arange(24.0).reshape(1, 2, 12)
    tail = tail_counts(counts, 8)
    np.testing.assert_array_equal(tail.n, counts.sum(axis=2))
    np.testing.assert_array_equal(tail.x, counts[:, :, 9:].sum(axis=2))


@given(st.integers(0, 10), st.integers(0, 10))
def test_a_farther_edge_has_fewer_beyond_it(one: int, other: int) -> None:
    """The 1 % tail is part of the 5 % tail."""
    histogram = FRAME.control.histograms["latency"].counts
    near, far = (tail_counts(histogram, edge) for edge in sorted((one, other)))
    assert (far.x <= near.x).all()
    assert (near.x <= near.n).all()


def test_tails_read_the_latencys_histogram() -> None:
    """Unless a metric is bound to the tail itself."""
    arm = FRAME.control
    own = Histogram(edges=EDGES, counts=arm.histograms["latency"].counts * 2)
    assert histogram_of(arm, "tail95") is arm.histograms["latency"]
    named = replace(arm, histograms={**arm.histograms, "tail95": own})
    assert histogram_of(named, "tail95") is own
    assert histogram_of(replace(arm, histograms={}), "latency") is None


def test_columns_of_a_tally_are_buckets_or_counts() -> None:
    """What people see is the median of buckets, or events over requests."""
    assert built(SIGNALS["latency"]).tally == len(EDGES) + 1
    assert built(SIGNALS["error_rate"]).tally == built(SIGNALS["tail95"]).tally == 2
