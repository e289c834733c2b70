"""Laws of the judge that no data may break, on raw samples and on bins (gate method, 13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detector.gate.build import shares_of
from detector.gate.frame import Frame
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.verdict import Outcome
from detector.gate.window import Rows
from detector.series import FloatArray, Series
from models.sequential.shares import ARM_SHARE, unit_shares
from tests.detector.gate.rollouts import PLAN, Recipe, Run, make
from tests.detector.gate.scraped import (
    Life,
    Town,
    Watching,
    lives,
    log_e,
    scraped,
    signal_of,
)
from tests.detector.gate.traffic import Store
from tests.profiles import HEAVY

NAMES = ("error_rate", "latency", "tail95")
TOWNS = {
    "healthy": Town(),
    "errors": Town(more_errors=0.01),
    "slower": Town(slower=0.15),
}
DRAWN = {name: lives(town) for name, town in TOWNS.items()}
END = 890.0
each_town = pytest.mark.parametrize("town", list(DRAWN))


@cache
def store_of(town: str) -> Store:
    """What a scrape each 15 s sees of a town; nobody changes it."""
    return scraped(DRAWN[town])


@cache
def undisturbed(town: str) -> Judgement:
    """What is said at the end of a town where nothing went wrong with the scrapes."""
    return Watching(store_of(town)).ask(END)


def all_log_e(judgement: Judgement) -> dict[str, float]:
    """Log evidence by signal."""
    return {name: log_e(judgement, name) for name in NAMES}


def near(one: float, other: float) -> bool:
    """Within half a nat or a tenth."""
    return abs(one - other) < max(0.5, 0.1 * abs(one))


# -- 1: names and order


@each_town
def test_renamed_pods_of_equal_birth_change_nothing(town: str) -> None:
    """Kubernetes draws the letters of a pod's name; they are no evidence."""
    names = ["c-2", "c-0", "c-1", "s-5", "s-4", "s-3", "s-2", "s-1", "s-0"]
    renamed = [replace(life, name=name) for life, name in zip(DRAWN[town], names, strict=True)]
    one, other = (Watching(scraped(pods, apart=0.0)).ask(END) for pods in (DRAWN[town], renamed))
    assert one.outcome is other.outcome
    for name in NAMES:
        assert signal_of(one, name).scope == signal_of(other, name).scope == "arm"
        assert log_e(one, name) == pytest.approx(log_e(other, name), abs=1e-4)


def identical(recipe: Recipe) -> Frame:
    """A canary whose every pod shows exactly the mean of the control's pods."""
    frame = make(recipe)
    us, them = frame.canary, frame.control
    serving = us.requests > 0
    us.requests[:] = them.requests.mean(axis=0) * serving
    us.counts["error_rate"].x[:] = them.counts["error_rate"].x.mean(axis=0) * serving
    us.counts["error_rate"].n[:] = us.requests
    mean = them.histograms["latency"].counts.mean(axis=0)
    us.histograms["latency"].counts[:] = mean * serving[..., None]
    return frame


@pytest.mark.parametrize("requests", [50.0, 1000.0, 50_000.0])
def test_canary_like_the_control_never_gathers_evidence(requests: float) -> None:
    """With time and traffic without end: E stays at or below 1 for every scope and start."""
    run = Run(identical(Recipe(seed=41, requests=requests, pods=0.0, shares=(0.33,))))
    for bin_ in (10, 30, 60, 100):
        run.to(bin_)
        for name in ("error_rate", "latency", "tail95"):
            assert run.session.boards[name].log_e.max() <= 1e-6, (name, bin_)


# -- 2: clocks and rhythms of scraping


@settings(max_examples=6, deadline=None)
@given(st.floats(-1e7, 1e7).map(lambda x: round(x, 3)))
def test_shifted_time_stamps_move_nothing(offset: float) -> None:
    """Nothing depends on the hour of the clock."""
    here = undisturbed("errors")
    there = Watching(scraped(DRAWN["errors"], offset=offset), offset=offset).ask(END)
    for name in NAMES:
        assert log_e(here, name) == pytest.approx(log_e(there, name), abs=0.01)


@pytest.mark.parametrize("shift", [1.0, 4.0, 7.5, 11.0, 14.0])
@each_town
def test_phase_of_scrapes_hardly_moves_evidence(town: str, shift: float) -> None:
    """When Prometheus happens to look is no evidence: below .3 nats, or a twentieth."""
    here = all_log_e(undisturbed(town))
    there = all_log_e(Watching(scraped(DRAWN[town], shift=shift)).ask(END))
    for name in NAMES:
        assert abs(here[name] - there[name]) < max(0.3, 0.05 * abs(here[name])), name


@pytest.mark.parametrize("every", [30.0, 60.0])
@each_town
def test_slower_scrapes_find_the_same_effects(town: str, every: float) -> None:
    """The same traffic seen each 15, 30 or 60 s: effects within one sd, the same fails."""
    often = undisturbed(town)
    seldom = Watching(scraped(DRAWN[town], every=every), every=every).ask(END)
    assert (often.outcome is Outcome.FAIL) == (seldom.outcome is Outcome.FAIL)
    for name in NAMES:
        one, other = signal_of(often, name).effect, signal_of(seldom, name).effect
        assert one is not None
        assert other is not None
        assert None not in {one.high, one.low, one.value, other.value}
        sd = (float(one.high or 0) - float(one.low or 0)) / (2 * 1.645)
        assert abs(float(one.value or 0) - float(other.value or 0)) <= sd, name


@pytest.mark.parametrize("every", [15.0, 30.0, 60.0])
def test_every_span_is_counted_in_seconds(every: float) -> None:
    """A pass is as far away, and evidence is summed from as many starts, at any rhythm."""
    watching = Watching(scraped(DRAWN["healthy"], every=every), every=every)
    assert watching.ask(175.0).outcome is Outcome.INCONCLUSIVE
    starts = set[float]()
    for second in range(120, 880, 60):
        watching.ask(float(second))
        starts |= {s.bin * watching.session.step for s in watching.session.clock.live}
    late = sorted(start for start in starts if start > 300.0)
    assert np.diff(late) == pytest.approx(120.0)
    assert {0.0, 120.0, 240.0} <= starts


# -- 3: what both arms share


@settings(max_examples=6, deadline=None)
@given(
    st.integers(60, 700),
    st.integers(15, 180),
    st.sampled_from([(3.0, 0.0), (12.0, 0.0), (1.0, 0.3), (1.0, 0.8), (6.0, 0.5)]),
)
def test_shared_incident_is_no_evidence(
    begin: int, length: int, storm: tuple[float, float]
) -> None:
    """Errors or latency of both arms times any factor, in any span, from its first bin on."""
    surge, drag = storm
    calm = Watching(store_of("healthy"))
    span = (begin, begin + length)
    stormy = Watching(scraped(lives(replace(TOWNS["healthy"], span=span, surge=surge, drag=drag))))
    for second in (begin + 50, begin + length, begin + length + 60, 890):
        one, two = calm.ask(float(second)), stormy.ask(float(second))
        assert two.outcome is not Outcome.FAIL
        for name in {s.name for s in one.signals} & set(NAMES):
            before, after = (arm_since_start(w, name) for w in (calm, stormy))
            # What both arms show by less than three sd in a bin throws no switch: it may take back
            # some evidence of health (of 14 nats 3.28 were seen), but makes none of harm.
            assert max(after, 0.0) - max(before, 0.0) < 1.0, name
            assert after - before < max(2.5, 0.25 * abs(before)), name


def arm_since_start(watching: Watching, name: str) -> float:
    """Log evidence of the arm over the whole attempt."""
    board = watching.session.boards[name]
    return float(board.log_e[[s.index for s in board.starts].index(0), 0])


# -- 4: more harm


BASE = make(Recipe(seed=43, requests=40.0, errors=0.01, shares=(0.33,), bins=60, canary=3))


def arm0(frame: Frame, name: str) -> float:
    """Log evidence of the arm over the whole attempt, at the frame's end."""
    run = Run(frame)
    run.all()
    board = run.session.boards[name]
    return float(board.log_e[[s.index for s in board.starts].index(0), 0])


BASE_LOG_E = {name: arm0(BASE, name) for name in ("error_rate", "latency")}


def with_canary(x: FloatArray | None = None, counts: FloatArray | None = None) -> Frame:
    """The base rollout with other errors, or another histogram, on the canary."""
    us = BASE.canary
    errors, histogram = us.counts["error_rate"], us.histograms["latency"]
    told = errors.x if x is None else x
    held = histogram.counts if counts is None else counts
    return replace(
        BASE,
        canary=replace(
            us,
            counts={**us.counts, "error_rate": replace(errors, x=told)},
            histograms={"latency": replace(histogram, counts=held)},
        ),
    )


LUCK = np.random.default_rng(9).random(BASE.canary.requests.shape)


def raised(share: float) -> FloatArray:
    """Errors when `share` of the good requests fail too; more of them fail under a larger share."""
    good = BASE.canary.requests - BASE.canary.counts["error_rate"].x
    failed: FloatArray = stats.binom.ppf(LUCK, good, share)
    return BASE.canary.counts["error_rate"].x + np.maximum(failed, 0.0)


def delayed(bucket: int, share: float) -> FloatArray:
    """The histogram when `share` of one bucket's requests fall into the next slower one."""
    counts = BASE.canary.histograms["latency"].counts.copy()
    moved = np.maximum(stats.binom.ppf(LUCK, counts[..., bucket], share), 0.0)
    counts[..., bucket] -= moved
    counts[..., bucket + 1] += moved
    return counts


# From 9 % of errors on evidence stays between 64.5 and 65 nats: each bin says no more than it may,
# and what it may is not quite monotone. A fail needs about 10.
SATURATED = 60.0


@HEAVY
@given(st.floats(0.0, 0.1), st.floats(0.0, 0.1))
def test_more_errors_never_lower_evidence(a: float, b: float) -> None:
    """Nobody gets a bad release through by making it worse."""
    few, many = sorted((a, b))
    less, more = (arm0(with_canary(x=raised(share)), "error_rate") for share in (few, many))
    assert more >= min(less, SATURATED) - 0.05


@HEAVY
@given(st.integers(2, 5), st.floats(0.0, 0.8), st.floats(0.0, 0.8))
def test_slower_requests_never_lower_evidence(bucket: int, a: float, b: float) -> None:
    """Requests moved to the next slower bucket, among those that hold the mass."""
    few, many = sorted((a, b))
    less, more = (
        arm0(with_canary(counts=delayed(bucket, share)), "latency") for share in (few, many)
    )
    assert more >= less - 0.05


@HEAVY
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(4, 59), st.integers(1, 40)), max_size=20))
def test_errors_in_single_bins_take_back_only_what_those_bins_said(
    more: list[tuple[int, int, int]],
) -> None:
    """The price of bounded influence: a bin beyond belief says nothing, not even its first words.

    Below half a nat for each bin of a pod; never so for errors that last (the law above).
    """
    x = BASE.canary.counts["error_rate"].x.copy()
    for pod, bin_, count in more:
        x[pod, 480 + bin_] += count
    x = np.minimum(x, BASE.canary.requests)
    bins = len({(pod, bin_) for pod, bin_, _ in more})
    after = arm0(with_canary(x=x), "error_rate")
    assert after >= BASE_LOG_E["error_rate"] - 0.05 - 0.5 * min(bins, 2)


# -- 5: no single look decides


def loudest(frame: Frame, name: str, bin_: int) -> float:
    """Largest log evidence of any scope and start just after a bin."""
    run = Run(frame)
    run.to(bin_ + 1)
    return float(run.session.boards[name].log_e.max())


@HEAVY
@given(st.integers(0, 2), st.integers(20, 58))
def test_one_bin_of_one_pod_says_little(pod: int, bin_: int) -> None:
    """All its requests failed, or all took for ever: at most 4.7 nats, from any start."""
    column = 480 + bin_
    quiet = BASE.canary.counts["error_rate"].x.copy()
    quiet[pod, column] = BASE.canary.requests[pod, column] * 0.01
    worst = quiet.copy()
    worst[pod, column] = BASE.canary.requests[pod, column]
    calm, loud = (loudest(with_canary(x=x), "error_rate", bin_) for x in (quiet, worst))
    assert loud - calm <= 4.7 + 0.1
    counts = BASE.canary.histograms["latency"].counts.copy()
    counts[pod, column, -1] = counts[pod, column].sum()
    counts[pod, column, :-1] = 0.0
    slow = loudest(with_canary(counts=counts), "latency", bin_)
    assert slow - loudest(BASE, "latency", bin_) <= 2 * 4.7


Change = Callable[[Series], Series]


def changed(store: Store, pod: str, change: Change) -> Store:
    """The store with every series of a pod changed."""
    out = Store()
    out.series = {
        metric: [change(s) if s.labels["pod"] == pod else s for s in held]
        for metric, held in store.series.items()
    }
    return out


def gap(at: float, seconds: float) -> Change:
    """Scrapes that failed."""

    def apply(series: Series) -> Series:
        kept = (series.times < at) | (series.times >= at + seconds)
        return replace(series, times=series.times[kept], values=series.values[kept])

    return apply


def reset(at: float) -> Change:
    """The process restarted just after the scrape before `at`."""

    def apply(series: Series) -> Series:
        first = int(np.searchsorted(series.times, at))
        base = series.values[first - 1] if 0 < first < len(series.times) else 0.0
        later = np.arange(len(series.times)) >= first
        return replace(series, values=np.where(later, series.values - base, series.values))

    return apply


def flip(at: float, lag: int) -> Change:
    """For one scrape another replica answered, `lag` scrapes behind."""

    def apply(series: Series) -> Series:
        values = series.values.copy()
        here = min(int(np.searchsorted(series.times, at)), len(values) - 1)
        values[here] = values[max(here - lag, 0)]
        return replace(series, values=values)

    return apply


ACCIDENTS: Mapping[str, Callable[[float], Change]] = {
    "gap of 55 s": lambda at: gap(at, 55.0),
    "reset": reset,
    "flip": lambda at: flip(at, 2),
    "flip far back": lambda at: flip(at, 12),
}


@pytest.mark.parametrize("accident", list(ACCIDENTS))
@pytest.mark.parametrize("pod", ["c-1", "s-2"])
@each_town
def test_accidents_of_scraping_hardly_move_evidence(town: str, pod: str, accident: str) -> None:
    """A missed scrape, a restart or a lagging replica: below half a nat, or a tenth."""
    whole = undisturbed(town)
    at = 1_790_000_000.0 + 430.0
    hurt = Watching(changed(store_of(town), pod, ACCIDENTS[accident](at))).ask(END)
    assert (whole.outcome is Outcome.FAIL) == (hurt.outcome is Outcome.FAIL)
    for name in NAMES:
        assert near(log_e(whole, name), log_e(hurt, name)), name


@pytest.mark.parametrize("lag", [1, 5, 40])
def test_a_flip_never_adds_the_life_of_a_counter(lag: int) -> None:
    """A canary's hundred thousand requests of before are not served again."""
    store = changed(store_of("healthy"), "s-2", flip(1_790_000_000.0 + 430.0, lag))
    watching = Watching(store)
    watching.ask(END)
    control = watching.session.builder.frame().control.requests
    assert control.max() <= 2 * TOWNS["healthy"].per_pod * 15


# -- 7: polling and restarts


@HEAVY
@given(st.lists(st.floats(1.0, 889.0), max_size=15, unique=True))
def test_polls_of_raw_samples_change_nothing(polls: list[float]) -> None:
    """Any moments of asking give the same first fail to the bin, and the same evidence."""
    store = store_of("errors")
    often, once = Watching(store), Watching(store)
    for second in sorted(polls):
        often.ask(second)
    one, other = often.ask(END), once.ask(END)
    assert one.first_fail is not None
    assert other.first_fail is not None
    assert one.first_fail.at == other.first_fail.at
    for name in NAMES:
        assert log_e(one, name) == pytest.approx(log_e(other, name), rel=1e-6, abs=1e-5)


# -- 8: shares


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 260), max_size=12), max_size=200))
def test_shares_never_sum_above_one(arrivals: list[list[int]]) -> None:
    """200 arrivals, deaths and replacements in any order: no pod takes another's share."""
    rows, row_of = Rows(), dict[str, int]()
    for alive in arrivals:
        pods = tuple(f"pod-{number}" for number in dict.fromkeys(alive))
        for pod, row in zip(pods, rows.place(pods), strict=True):
            assert row_of.setdefault(pod, row) == row
    assert len(rows.names) <= 20
    assert ARM_SHARE + unit_shares(len(rows.names)).sum() <= 1.0


@given(
    st.dictionaries(
        st.sampled_from(["error_rate", "latency", "tail95", "restarts", "mine", "other"]),
        st.floats(0.0, 5.0),
    )
)
def test_weights_of_signals_never_sum_above_one(weights: dict[str, float]) -> None:
    """Whatever a policy asks for, alpha is not overspent."""
    policy = Policy(signals={name: SignalPolicy(weight=w) for name, w in weights.items()})
    more = [
        replace(PLAN.signals[0], signal=replace(PLAN.signals[0].signal, name=n)) for n in weights
    ]
    plan = replace(PLAN, signals=(*PLAN.signals, *more))
    shares = shares_of(plan, policy)
    judged = {b.signal.name for b in plan.signals} - {"tail99"}
    assert sum(shares[name] for name in judged) <= 1.0 + 1e-9
    assert all(share >= 0 for share in shares.values())


# -- 12: numbers stay numbers


def emptied(life: Life, count: float) -> Life:
    """A pod whose counters stand still at a value."""
    return replace(
        life,
        good=np.full_like(life.good, count),
        bad=np.zeros_like(life.bad),
        buckets=np.full_like(life.buckets, count),
    )


@pytest.mark.parametrize("count", [0.0, 1e15], ids=["all zero", "standing still"])
@pytest.mark.parametrize("arm", ["canary", "stable", ""], ids=["canary", "control", "both"])
def test_silent_counters_are_no_numbers_to_choke_on(count: float, arm: str) -> None:
    """No NaN, no inf, no pass, whichever side shows nothing."""
    town = [emptied(x, count) if arm in x.track else x for x in DRAWN["healthy"]]
    judgement = Watching(scraped(town)).ask(END)
    assert judgement.outcome is Outcome.INCONCLUSIVE
    for signal in judgement.signals:
        assert signal.evidence is None or np.isfinite(signal.evidence)
        assert signal.canary is None or np.isfinite(signal.canary)


def test_a_histogram_of_one_bucket_is_absent() -> None:
    """Latency that only counts says nothing; errors go on."""
    store = scraped(DRAWN["healthy"])
    store.series["seconds_bucket"] = [
        s for s in store.series["seconds_bucket"] if s.labels["le"] == "+Inf"
    ]
    judgement = Watching(store).ask(END)
    assert judgement.outcome is Outcome.INCONCLUSIVE
    assert {s.name for s in judgement.signals} == {"error_rate"}
