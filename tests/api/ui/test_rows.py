"""Intervals, bars and words of a signal's row."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ui.rows import Interval, row_of
from api.ui.wording import (
    about,
    amount,
    day_clock,
    effect_text,
    evidence_text,
    needs_text,
    value_text,
)
from detector.gate.reason import Reason
from detector.gate.verdict import Effect, Needs, Outcome, Samples, SignalVerdict
from tests.api.ui.scenes import T0

DEFAULT = Effect(kind="difference", value=0.01, low=0.005, high=0.02, tolerate=0.001, limit=0.004)


def signal(effect: Effect | None = DEFAULT, **changes: object) -> SignalVerdict:
    base: dict[str, object] = {
        "name": "error_rate",
        "outcome": Outcome.FAIL,
        "required": True,
        "judged": True,
        "unit": "ratio",
        "canary": 0.014,
        "control": 0.004,
        "effect": effect,
        "evidence": 4200.0,
        "needed": 667.0,
        "samples": Samples(canary=1234.0, control=9123.0),
        "scope": "arm",
        "since": datetime.fromtimestamp(T0, UTC),
        "reason": Reason("error_rate_up", "Errors rose."),
        "details": {},
    }
    return SignalVerdict(**{**base, **changes})  # type: ignore[arg-type]


def interval(effect: Effect) -> Interval:
    found = row_of(signal(effect), near=T0).interval
    assert found is not None
    return found


bounds = st.one_of(st.none(), st.floats(-0.5, 1.0), st.just(math.inf), st.just(math.nan))
times = st.one_of(st.none(), st.floats(1e-6, 1e6), st.just(math.inf), st.just(0.0))
limits = st.floats(1e-5, 0.5)


@given(low=bounds, value=bounds, high=bounds, tolerate=st.floats(0, 1), limit=limits)
def test_every_mark_of_a_difference_is_on_the_line(
    low: float | None, value: float | None, high: float | None, tolerate: float, limit: float
) -> None:
    """Whatever the numbers, nothing is drawn outside, and the marks stand in their order."""
    known = sorted(v for v in (low, high) if v is not None and math.isfinite(v))
    low, high = (known[0], known[1]) if len(known) == 2 else (low, high)
    found = interval(
        Effect(
            kind="difference",
            value=value,
            low=low,
            high=high,
            tolerate=tolerate * limit,
            limit=limit,
        )
    )
    places = [found.low, found.high, found.nothing, found.tolerate, found.limit]
    assert all(0 <= place <= 100 for place in places)
    assert found.value is None or 0 <= found.value <= 100
    assert found.nothing <= found.tolerate <= found.limit
    assert found.limit - found.nothing > 5
    if len(known) == 2:
        assert found.low <= found.high


@given(low=times, value=times, high=times, tolerate=st.floats(0, 1), limit=st.floats(1.01, 50))
def test_every_mark_of_a_ratio_is_on_the_line(
    low: float | None, value: float | None, high: float | None, tolerate: float, limit: float
) -> None:
    """The same for times, of which one may be a thousand."""
    found = interval(
        Effect(
            kind="ratio",
            value=value,
            low=low,
            high=high,
            tolerate=1 + tolerate * (limit - 1),
            limit=limit,
        )
    )
    places = [found.low, found.high, found.nothing, found.tolerate, found.limit]
    assert all(0 <= place <= 100 for place in places)
    assert found.nothing <= found.tolerate <= found.limit


def test_a_bound_that_is_not_known_is_an_open_end() -> None:
    """No closed bracket where nothing is known: a low bound of minus infinity is not zero."""
    found = interval(Effect(kind="ratio", value=0.5, low=None, high=1.2, tolerate=1.05, limit=1.2))
    assert (found.low, found.open_low, found.open_high) == (0.0, True, False)


def test_harm_beyond_the_limit_lies_beyond_its_mark() -> None:
    """One glance: the bar is in the red or it is not."""
    bad, good = (
        interval(DEFAULT),
        interval(
            Effect(
                kind="difference", value=0.0, low=-0.001, high=0.001, tolerate=0.001, limit=0.004
            )
        ),
    )
    assert bad.low > bad.limit
    assert good.high < good.limit


@pytest.mark.parametrize("limit", [0.0, -0.1, math.inf, math.nan])
def test_a_limit_that_is_none_draws_nothing(limit: float) -> None:
    """Rather no picture than one without a scale."""
    effect = Effect(kind="difference", value=0.0, low=0.0, high=0.0, tolerate=0.0, limit=limit)
    assert row_of(signal(effect), near=T0).interval is None


@given(evidence=st.floats(0, 1e300), needed=st.floats(1.5, 1e6))
def test_the_bar_is_full_exactly_when_evidence_suffices(evidence: float, needed: float) -> None:
    """A bar that looks full while a fail is far off would be a lie."""
    share = row_of(signal(evidence=evidence, needed=needed), near=T0).evidence_share
    assert share is not None
    assert 0 <= share <= 100
    assert (share == 100) == (evidence >= needed) or evidence == pytest.approx(needed)


@pytest.mark.parametrize(
    "changes", [{"judged": False}, {"evidence": None}, {"needed": None}, {"needed": 1.0}]
)
def test_without_a_judgement_there_is_no_bar(changes: dict[str, object]) -> None:
    """Advice has no way to a fail."""
    row = row_of(replace(signal(), **changes), near=T0)  # type: ignore[arg-type]
    assert (row.evidence_share, row.evidence, row.needed) == (None, "–", "")


def test_infinite_evidence_fills_the_bar() -> None:
    """Overflow is not emptiness."""
    row = row_of(signal(evidence=math.inf), near=T0)
    assert (row.evidence_share, row.evidence) == (100.0, "over a million")


@pytest.mark.parametrize(
    ("name", "judged", "told"),
    [
        ("cpu_per_request", True, "at equal load"),
        ("cpu_per_request", False, "at equal load"),
        ("memory_growth", True, "at equal age"),
        ("memory_growth", False, ""),
        ("error_rate", True, ""),
    ],
)
def test_an_effect_at_equal_load_or_age_says_so(name: str, judged: bool, told: str) -> None:
    """0.77 beside 0.71 and an effect of ×0.76 is no mistake: the canary served less."""
    effect = Effect(kind="ratio", value=0.76, low=0.7, high=0.8, tolerate=1.1, limit=1.5)
    assert row_of(signal(effect, name=name, judged=judged), near=T0).beside == told


def test_an_effect_that_is_not_known_is_at_nothing() -> None:
    """Words beside a dash would be read as a finding."""
    assert row_of(signal(None, name="cpu_per_request"), near=T0).beside == ""


def test_a_pod_that_is_worse_is_named() -> None:
    """One bad pod is found by its name."""
    assert row_of(signal(scope="checkout-6d9f7c-x"), near=T0).scope == "checkout-6d9f7c-x"
    assert row_of(signal(), near=T0).scope == ""


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ratio", "–"),
        (math.nan, "seconds", "–"),
        (math.inf, "ratio", "–"),
        (0.0, "ratio", "0 %"),
        (0.021, "ratio", "2.1 %"),
        (0.0643, "seconds", "64.3 ms"),
        (2.5, "seconds", "2.5 s"),
        (200e6, "bytes", "200 MB"),
        (512.0, "bytes", "512 B"),
        (1.5, "per pod-hour", "1.5 per pod-hour"),
        (0.0002, "ratio per 10 minutes", "0.020 % per 10 minutes"),
        (0.000634, "CPU seconds per request", "0.634 CPU ms per request"),
        (2.0, "CPU seconds per request", "2 CPU seconds per request"),
        (30.54, "requests/s", "30.5 requests/s"),
    ],
)
def test_values_are_read_in_their_unit(value: float | None, unit: str, text: str) -> None:
    """0.0643 says nothing at three in the morning; 64.3 ms does."""
    assert value_text(value, unit) == text


def test_effects_are_read_in_points_or_times() -> None:
    """Shares differ by points, latencies by factors."""
    assert effect_text(DEFAULT) == (
        "+1 points",
        "90 %: +0.5 to +2",
        "tolerated +0.1, limit +0.4",
    )
    ratio = Effect(kind="ratio", value=1.61, low=None, high=62.3, tolerate=1.05, limit=1.22)
    assert effect_text(ratio) == (
        "×1.61",
        "90 %: no lower bound to ×62",
        "tolerated ×1.05, limit ×1.22",
    )
    assert effect_text(None) == ("–", "", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "under 0.01"),
        (0.5, "0.5"),
        (667.2, "667"),
        (4200.0, "4,200"),
        (1e24, "over a million"),
    ],
)
def test_evidence_is_read_without_exponents(value: float, text: str) -> None:
    """Nobody weighs 3.3e24 against 1.6e3."""
    assert evidence_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "now"), (-30, "30 s ago"), (720, "in 12 minutes"), (-86_400 * 3, "3 days ago")],
)
def test_moments_are_told_from_now(seconds: float, text: str) -> None:
    """How long ago, without reckoning."""
    assert about(seconds) == text


def test_a_clock_names_the_day_only_where_it_is_another() -> None:
    """Yesterday's 14:07 is not taken for today's."""
    assert day_clock(T0, near=T0 + 60) == "14:13:20 UTC"
    assert day_clock(T0 - 86_400, near=T0) == "2026-09-20 14:13:20 UTC"
    assert day_clock(None) == "–"


def test_needs_are_told_in_one_phrase() -> None:
    """What to wait for, in the order in which one can do something about it."""
    needs = Needs(requests=5443, seconds=540, canary_pods=3)
    assert needs_text(needs) == "5,443 more canary requests, 3 canary pods, about 9 minutes more"
    assert needs_text(Needs()) == ""
    assert (amount(70224.3), amount(0.37), amount(3.0)) == ("70,224", "0.37", "3")
