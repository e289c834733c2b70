"""A catalogue of awkward inputs, after the titles of Kayenta's judge, and every reason there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capacity.report import Report
from detector.gate.exhausting import exhaustion_of
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.reason import SIGNAL_NAMES, Reason, ReasonCode
from detector.gate.ruling import first_step, rule
from detector.gate.scanned import hold_of
from detector.gate.verdict import Outcome
from detector.series import Series
from tests.detector.gate.rollouts import PLAN, Recipe, Run, make
from tests.detector.gate.scraped import Life, Town, Watching, lives, scraped, signal_of
from tests.detector.gate.test_attempt import T0, attempt
from tests.detector.gate.test_exhausting import NOW_S, RULE, report_of
from tests.detector.gate.test_ruling import (
    DOWN,
    HOLES,
    OVERRIDE,
    UNSURE,
    circumstances,
)
from tests.detector.gate.test_scanned import LIMITED, REQUIRED, scan
from tests.detector.gate.test_scanned import T0 as SCANNED
from tests.detector.gate.traffic import Store

END = 890.0
HEALTHY = lives(Town(seed=2))
WORSE = lives(Town(seed=2, more_errors=0.02))
SLOWER = lives(Town(seed=2, slower=0.4))


def edited(town: list[Life], track: str, edit: Callable[[Series], Series | None]) -> Store:
    """The town's samples, those of one arm edited or left out."""
    store, out = scraped(town), Store()
    for metric, held in store.series.items():
        found = [edit(s) if s.labels["track"] == track else s for s in held]
        out.series[metric] = [s for s in found if s is not None]
    return out


def absent(_: Series) -> None:
    """No such series."""


# -- one metric


def test_like_the_control_is_a_pass() -> None:
    """Noise about the same mean is no difference."""
    assert Watching(scraped(HEALTHY)).ask(END).outcome is Outcome.PASS


def test_higher_than_the_control_is_a_fail() -> None:
    """More errors, more latency: each in its harmful direction."""
    assert Watching(scraped(WORSE)).ask(END).reason.code == "error_rate_up"
    assert Watching(scraped(SLOWER)).ask(END).reason.code == "latency_up"


def test_lower_than_the_control_is_a_pass() -> None:
    """A canary that is faster and cleaner is never held against it."""
    better = lives(Town(seed=2, errors=0.01, more_errors=-0.008, slower=-0.4))
    judgement = Watching(scraped(better)).ask(END)
    assert judgement.outcome is Outcome.PASS
    assert (signal_of(judgement, "latency").evidence or 0.0) <= 1.0


@pytest.mark.parametrize("count", [0.0, 3.0], ids=["zeros", "ties"])
def test_identical_populations_are_no_difference(count: float) -> None:
    """Every value tied with every other, or all zero: no rank, no NaN, no fail."""
    frame = make(Recipe(seed=51, pods=0.0, shares=(1 / 3,)))
    for arm in (frame.canary, frame.control):
        served = arm.requests > 0
        arm.requests[:] = 150.0 * served
        arm.counts["error_rate"].n[:] = 150.0 * served
        arm.counts["error_rate"].x[:] = count * served
        arm.histograms["latency"].counts[:] = np.full(12, 12.5) * served[..., None]
    judgement = Run(frame, Policy(slo=0.9)).all()
    assert judgement.outcome is not Outcome.FAIL
    assert all((s.evidence or 0.0) <= 1.0 for s in judgement.signals)


def test_leading_zeros_are_no_evidence() -> None:
    """A canary that served nothing in its first minutes is judged on what it served after."""
    late = [
        replace(
            life,
            good=life.good - np.minimum(life.good, life.good[300]),
            bad=life.bad - np.minimum(life.bad, life.bad[300]),
            buckets=life.buckets - np.minimum(life.buckets, life.buckets[300]),
        )
        if life.track == "canary"
        else life
        for life in WORSE
    ]
    judgement = Watching(scraped(late)).ask(END)
    assert judgement.reason.code == "error_rate_up"
    assert judgement.first_fail is not None
    assert judgement.first_fail.at > 1_790_000_000 + 300


def test_values_that_are_no_numbers_are_left_out() -> None:
    """A NaN among a canary's samples neither fails nor passes it."""

    def holed(series: Series) -> Series:
        values = series.values.copy()
        values[::7] = np.nan
        return replace(series, values=values)

    whole = Watching(scraped(WORSE)).ask(END)
    judgement = Watching(edited(WORSE, "canary", holed)).ask(END)
    assert judgement.outcome is Outcome.FAIL
    one, other = (signal_of(j, "error_rate").effect for j in (whole, judgement))
    assert one is not None
    assert other is not None
    assert other.value == pytest.approx(one.value, rel=0.1)


def test_only_values_that_are_no_numbers_are_no_data() -> None:
    """An arm of nothing but NaN was not seen."""
    nothing = edited(HEALTHY, "canary", lambda s: replace(s, values=np.full_like(s.values, np.nan)))
    judgement = Watching(nothing).ask(END)
    assert judgement.outcome is Outcome.INCONCLUSIVE
    assert judgement.reason.code == ReasonCode.NO_CANARY_DATA


def test_series_of_unequal_length_are_compared_where_both_are() -> None:
    """A control scraped half as often, and from later on, is still the control."""
    thinned = edited(
        WORSE, "stable", lambda s: replace(s, times=s.times[40::2], values=s.values[40::2])
    )
    assert Watching(thinned).ask(END).reason.code == "error_rate_up"
    healthy = edited(
        HEALTHY, "stable", lambda s: replace(s, times=s.times[40::2], values=s.values[40::2])
    )
    assert Watching(healthy).ask(END).outcome is not Outcome.FAIL


def test_outliers_are_kept_but_do_not_decide() -> None:
    """One bin in which a healthy pod failed every request fails no release, and is not dropped."""
    frame = make(Recipe(seed=52, shares=(1 / 3,)))
    counts = frame.canary.counts["error_rate"]
    counts.x[0, 480 + 60] = counts.n[0, 480 + 60]
    run = Run(frame)
    judgement = run.all()
    assert judgement.outcome is not Outcome.FAIL
    assert (signal_of(judgement, "error_rate").canary or 0) > 0.003


# -- missing sides


def test_missing_canary_is_no_data() -> None:
    """No canary is never a good canary."""
    judgement = Watching(edited(HEALTHY, "canary", absent)).ask(END)
    assert (judgement.outcome, judgement.reason.code) == (
        Outcome.INCONCLUSIVE,
        ReasonCode.NO_CANARY_DATA,
    )


def test_missing_control_is_no_data() -> None:
    """Nothing to compare with is not as good as anything."""
    judgement = Watching(edited(HEALTHY, "stable", absent)).ask(END)
    assert (judgement.outcome, judgement.reason.code) == (
        Outcome.INCONCLUSIVE,
        ReasonCode.NO_CONTROL_DATA,
    )


def test_both_missing_is_no_data() -> None:
    """An empty source answers nothing."""
    judgement = Watching(Store()).ask(END)
    assert (judgement.outcome, judgement.signals) == (Outcome.INCONCLUSIVE, ())


def test_a_missing_metric_that_is_critical_withholds_a_pass() -> None:
    """A required signal without data is a reason to wait, not a perfect score."""
    store = scraped(HEALTHY)
    del store.series["seconds_bucket"]
    judgement = Watching(store).ask(END)
    assert (judgement.outcome, judgement.reason.code) == (
        Outcome.INCONCLUSIVE,
        ReasonCode.SIGNAL_MISSING,
    )


def test_a_missing_metric_that_is_not_critical_is_passed_over() -> None:
    """Tails that a policy does not require may be absent."""
    store = scraped(HEALTHY)
    del store.series["seconds_bucket"]
    waived = Policy(history_s=2400.0, signals={"latency": SignalPolicy(required=False)})
    assert Watching(store, policy=waived).ask(END).outcome is Outcome.PASS


def test_errors_missing_beside_requests_are_none() -> None:
    """Services that never fail have no error series at all."""
    store = scraped(HEALTHY)
    store.series["requests_total"] = [
        s for s in store.series["requests_total"] if s.labels["code"] == "200"
    ]
    judgement = Watching(store).ask(END)
    assert judgement.outcome is Outcome.PASS
    assert signal_of(judgement, "error_rate").canary == pytest.approx(0.0)


# -- several metrics


def test_a_fail_is_not_averaged_away_by_passes() -> None:
    """Three healthy signals beside a bad one are a bad release."""
    judgement = Watching(scraped(WORSE)).ask(END)
    assert judgement.outcome is Outcome.FAIL
    outcomes = {s.name: s.outcome for s in judgement.signals}
    assert outcomes["error_rate"] is Outcome.FAIL
    assert outcomes["latency"] is not Outcome.FAIL


def test_two_fails_are_one_fail() -> None:
    """The stronger one is named."""
    both = lives(Town(seed=2, more_errors=0.05, slower=0.5))
    judgement = Watching(scraped(both)).ask(END)
    assert judgement.outcome is Outcome.FAIL
    assert judgement.reason.code in {"error_rate_up", "latency_up"}


def test_a_bad_metric_that_is_only_reported_fails_nothing() -> None:
    """An advisory signal is shown, and decides nothing."""
    shown = {name: SignalPolicy(judged=False, required=False) for name in ("latency", "tail95")}
    policy = Policy(history_s=2400.0, signals=shown)
    judgement = Watching(scraped(SLOWER), policy=policy).ask(END)
    assert judgement.outcome is Outcome.PASS
    assert signal_of(judgement, "latency").judged is False


def test_a_better_metric_buys_nothing_for_a_worse_one() -> None:
    """Half the latency does not pay for more errors."""
    mixed = lives(Town(seed=2, more_errors=0.02, slower=-0.5))
    assert Watching(scraped(mixed)).ask(END).reason.code == "error_rate_up"


# -- reasons


def frames(recipe: Recipe, bin_: int = 100) -> Judgement:
    """The judgement of a drawn rollout."""
    return Run(make(recipe)).to(bin_)


def burst() -> Judgement:
    """Thirty seconds of errors on all of the canary."""
    frame = make(Recipe(seed=5))
    counts = frame.canary.counts["error_rate"]
    counts.x[:, 550:552] = 0.2 * counts.n[:, 550:552]
    return Run(frame).to(73)


def suspicious() -> Judgement:
    """Errors that are not yet enough."""
    run = Run(make(Recipe(seed=4, more_errors=0.006, begins=0.5)))
    found = [run.to(bin_) for bin_ in range(52, 100, 3)]
    return next((j for j in found if j.reason.code == ReasonCode.SUSPICIOUS), found[-1])


def shared(errors: float, bin_: int) -> Judgement:
    """Eight times the errors on both arms."""
    run = Run(make(Recipe(seed=9, errors=errors, incident=slice(60, 90))))
    return run.to(bin_)


def stale() -> Judgement:
    """Asked ten minutes after the newest sample."""
    run = Run(make(Recipe(seed=5)))
    run.all()
    return run.session.judge(as_of=100 * 15.0 + 600, stage=circumstances().stage, deadline=None)


def unfit() -> Judgement:
    """Arms whose buckets share too few edges."""
    store = scraped(HEALTHY)
    store.series["seconds_bucket"] = [
        s
        for s in store.series["seconds_bucket"]
        if s.labels["track"] == "stable" or s.labels["le"] in {"0.005", "0.01", "10.0", "+Inf"}
    ]
    return Watching(store).ask(END)


def holes() -> Judgement:
    """Half of the canary's last five minutes were not scraped."""
    frame = make(Recipe(seed=5))
    frame.canary.seen[:, -20:] = np.arange(20) % 2
    return Run(frame).all()


def stepped() -> Judgement:
    """A minute and a half after a step."""
    run = Run(make(Recipe(seed=14, shares=(0.33,))))
    run.session.set_weight(1.0, 10.0)
    run.to(50)
    run.session.set_weight(50 * 15.0, 30.0)
    return run.to(56)


def ruled(**changes: object) -> Judgement | object:
    """What the circumstances make of an undecided judgement."""
    return rule(attempt(), UNSURE, circumstances(**changes))


def promoted_over(report: Report | None) -> object:
    """A healthy release of a service whose CPU runs out, or was never assessed."""
    rule_ = replace(RULE, hold_unknown=True)
    passed = replace(UNSURE, outcome=Outcome.PASS)
    why = exhaustion_of(
        rule_, report, passed, services=frozenset({"web"}), namespace="", as_of=NOW_S
    )
    return rule(attempt(), passed, circumstances(exhausting=why))


REASONS: dict[str, Callable[[], object]] = {
    "overridden": lambda: ruled(override=OVERRIDE),
    "rollback": lambda: ruled(rollback="hash:b"),
    "first_step": lambda: first_step(rule(attempt(), UNSURE, circumstances())),
    "source_unavailable": lambda: ruled(problem=DOWN),
    "query_rejected": lambda: ruled(problem=Reason(ReasonCode.QUERY_REJECTED, "too many series")),
    "deadline_reached": lambda: ruled(deadline=T0),
    "scan_limit": lambda: ruled(scanned=hold_of(LIMITED, "v42", [scan(critical=1)], SCANNED)),
    "scan_missing": lambda: ruled(scanned=hold_of(REQUIRED, "v42", [], SCANNED)),
    "capacity_short": lambda: promoted_over(report_of()),
    "capacity_unknown": lambda: promoted_over(None),
    "stale_data": stale,
    "no_canary_data": lambda: Watching(edited(HEALTHY, "canary", absent)).ask(END),
    "no_control_data": lambda: Watching(edited(HEALTHY, "stable", absent)).ask(END),
    "signal_missing": lambda: Run(
        make(Recipe(seed=5)), Policy(signals={"log_templates": SignalPolicy(required=True)})
    ).all(),
    "incompatible_histograms": unfit,
    "shared_incident": lambda: shared(0.0008, 66),
    "budget_burning": lambda: frames(Recipe(seed=9, errors=0.004, incident=slice(60, 100)), 95),
    "control_exhausted": lambda: frames(Recipe(seed=17, canary=6, control=6, shares=(0.5, 0.98))),
    "burst": burst,
    "suspicious": suspicious,
    "warming_up": lambda: frames(Recipe(seed=5), 6),
    "partial_data": holes,
    "collecting": stepped,
    "load_not_comparable": lambda: frames(
        Recipe(seed=16, canary=1, control=6, shares=(0.33,), slower=0.25), 60
    ),
    "needs_pods": lambda: frames(Recipe(seed=19, canary=1, control=8, pods=0.12, shares=(0.1,))),
    "low_traffic": lambda: frames(Recipe(seed=13, requests=6.0), 80),
    "healthy": lambda: frames(Recipe(seed=5)),
}


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_has_a_scenario(code: ReasonCode) -> None:
    """A code that nothing produces is a page of documentation about nothing."""
    found = REASONS[code.value]()
    assert found.reason.code == code  # type: ignore[attr-defined]


@settings(max_examples=12, deadline=None)
@given(
    st.builds(
        Recipe,
        seed=st.integers(0, 10_000),
        canary=st.integers(1, 5),
        control=st.integers(1, 8),
        requests=st.sampled_from([0.5, 5.0, 50.0, 2000.0]),
        errors=st.sampled_from([0.0, 1e-4, 0.01, 0.3]),
        more_errors=st.sampled_from([0.0, 0.02, 0.5]),
        slower=st.sampled_from([0.0, -0.3, 0.5]),
        shares=st.sampled_from([(0.0,), (0.05, 0.3), (0.5, 0.97)]),
        history=st.sampled_from([0, 60]),
        bins=st.integers(1, 40),
    )
)
def test_no_other_reason_is_ever_given(recipe: Recipe) -> None:
    """The list is closed: a controller may count on it."""
    closed = set(ReasonCode) | {f"{n}_{way}" for n in SIGNAL_NAMES for way in ("up", "down")}
    judgement = Run(make(recipe), plan=PLAN).all()
    assert {judgement.reason.code, *(s.reason.code for s in judgement.signals)} <= closed
    assert judgement.reason.text


def test_holes_are_a_reason_of_their_own() -> None:
    """A warned answer holds a pass back under the code of missing samples."""
    assert HOLES.code == ReasonCode.PARTIAL_DATA
    assert set(REASONS) == set(ReasonCode)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4], ids=["10 %", "20 %", "40 %"])
def test_nobody_goes_on_in_the_middle_of_a_burst(share: float) -> None:
    """Half a minute of errors fails no release, but no pass is given while it lasts."""
    frame = make(Recipe(seed=5))
    counts = frame.canary.counts["error_rate"]
    counts.x[:, 550:552] = share * counts.n[:, 550:552]
    run = Run(frame, Policy(slo=0.9))
    codes = [run.to(bin_).reason.code for bin_ in range(70, 80)]
    assert codes[0] == ReasonCode.HEALTHY
    assert set(codes[1:5]) == {ReasonCode.BURST}
    assert codes[-1] == ReasonCode.HEALTHY
