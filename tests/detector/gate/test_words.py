"""What people read at three in the morning: times, amounts, effects, pods and sentences."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.kills import KILLED
from detector.gate.rule import ARM
from detector.gate.state import State, Tally
from detector.gate.words import (
    clock,
    compare,
    duration,
    effect_of,
    fail_reason,
    fail_text,
    level_of,
    limit_words,
    note_words,
    percent,
    scope_name,
    seconds_text,
    tally_requests,
    title,
    unit_of,
)
from models.sequential.bound import Interval
from models.sequential.rows import RowName
from tests.detector.gate.moments import T0, state

GATE = Path(__file__).resolve().parents[3] / "detector/gate"


def noted() -> set[str]:
    """Names that the gate counts: keys of tallies and first arguments of `_note` and `_drop`."""
    found = set()
    for name in ("builder", "intake", "roster"):
        for node in ast.walk(ast.parse((GATE / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"_note", "_drop"}:
                found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return {name for name in found if isinstance(name, str)} | {
        "births", "resets", "flips", "gaps", KILLED,
    }  # fmt: skip


def test_every_note_is_told_in_words() -> None:
    """Nobody has to guess what `clamped: 30` means."""
    names = noted()
    assert len(names) > 6
    assert not [
        name
        for name in names
        if note_words(name, 3) == f"{name.replace('_', ' ').capitalize()}: 3."
    ]


def test_a_note_that_has_no_words_yet_is_still_told() -> None:
    """Nothing that was left out is kept from people."""
    assert note_words("odd_thing", 1) == "Odd thing: 1."


# -- times and amounts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1 s"),
        (0.4, "1 s"),
        (15.0, "15 s"),
        (119.4, "119 s"),
        (120.0, "2 minutes"),
        (540.0, "9 minutes"),
        (7199.0, "120 minutes"),
        (7200.0, "2.0 hours"),
        (86_400.0, "24.0 hours"),
    ],
)
def test_a_duration_is_told_in_the_unit_that_people_wait_in(seconds: float, text: str) -> None:
    """Nobody reads 540 s, and `0 s` would say that it is over."""
    assert duration(seconds) == text


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_longer_wait_is_never_told_as_a_shorter_one(one: float, other: float) -> None:
    """The unit changes, the order of two waits does not by more than it rounds."""
    unit = {"s": 1.0, "minutes": 60.0, "hours": 3600.0}

    def read(seconds: float) -> float:
        number, word = duration(seconds).split()
        return float(number) * unit[word]

    short, long_ = sorted((one, other))
    assert read(short) <= read(long_)
    assert read(long_) == pytest.approx(long_, abs=max(1.0, 0.26 * min(long_, 240.0)), rel=0.03)


def test_a_clock_is_utc() -> None:
    """Two people in two zones look at the same minute of the same chart."""
    assert clock(T0) == "14:13"
    assert clock(T0 + 600) == "14:23"


@given(st.floats(1e-5, 1.0))
def test_a_share_keeps_enough_digits(ratio: float) -> None:
    """0.03 % is not rounded to `0 %`, and 97 % needs no decimals."""
    text = percent(ratio)
    assert text.endswith(" %")
    assert float(text.removesuffix(" %")) == pytest.approx(100 * ratio, rel=0.06, abs=6e-4)
    assert len(text) <= len("0.123 %")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0482, "48.2 ms"), (0.9994, "999 ms"), (1.0, "1 s"), (2.345, "2.35 s")]
)
def test_a_latency_is_told_in_ms_or_s(seconds: float, text: str) -> None:
    """As dashboards do."""
    assert seconds_text(seconds) == text


# -- signals


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("error_rate", "Errors"),
        ("tail95", "Slow requests (5 % tail)"),
        ("orders_per_request", "Orders per request"),
    ],
)
def test_a_signal_has_a_name_for_people(name: str, text: str) -> None:
    """Also one of their own."""
    assert title(name) == text


@pytest.mark.parametrize(
    ("row", "unit"),
    [
        (RowName.ERROR, "ratio"),
        (RowName.LATENCY, "seconds"),
        (RowName.TAIL95, "ratio"),
        (RowName.EVENTS, "per pod-hour"),
    ],
)
def test_every_signal_is_shown_in_its_unit(row: RowName, unit: str) -> None:
    """A chart of restarts in per cent would be nonsense."""
    assert unit_of(state("x", row).track) == unit


def test_a_scope_is_the_arm_or_a_pod() -> None:
    """The pod's own name, so that somebody can look at its log."""
    rows = ("checkout-1", "checkout-2")
    assert scope_name(ARM, rows) == "arm"
    assert scope_name(1, rows) == "checkout-2"
    assert scope_name(2, rows) == "row 2"


# -- what one side shows

EDGES = np.array([0.1, 0.2, 0.4])


def tracked(row: RowName) -> State:
    return state("x", row)


@pytest.mark.parametrize("row", [RowName.ERROR, RowName.TAIL95, RowName.EVENTS])
def test_a_share_is_events_over_exposure(row: RowName) -> None:
    """And nothing where nothing was seen: never 0 % of no requests."""
    track = tracked(row).track
    assert level_of(track, np.array([200.0, 3.0]), None) == 0.015
    assert level_of(track, np.array([0.5, 0.25]), None) == 0.5
    assert level_of(track, np.array([0.0, 0.0]), None) is None


@pytest.mark.parametrize(
    ("counts", "median"),
    [
        pytest.param([10, 0, 0, 0], 0.05, id="within the first"),
        pytest.param([0, 10, 0, 0], 0.15, id="within the second"),
        pytest.param([5, 5, 0, 0], 0.1, id="at an edge"),
        pytest.param([1, 1, 8, 0], 0.275, id="within the third"),
        pytest.param([0, 0, 1, 9], 0.4, id="beyond the last edge"),
    ],
)
def test_a_latency_is_its_median(counts: list[int], median: float) -> None:
    """Linear inside its bucket; beyond the last edge at least that edge."""
    found = level_of(tracked(RowName.LATENCY).track, np.array(counts, dtype=float), EDGES)
    assert found == pytest.approx(median)


@given(st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any), st.floats(0.01, 100.0))
def test_a_median_scales_with_its_unit_and_not_with_traffic(
    counts: list[int], factor: float
) -> None:
    """Twice the requests are no other latency; milliseconds are a thousand times seconds."""
    track, held = tracked(RowName.LATENCY).track, np.array(counts, dtype=float)
    found = level_of(track, held, EDGES)
    assert found is not None
    assert level_of(track, factor * held, EDGES) == pytest.approx(found)
    assert level_of(track, held, EDGES * factor) == pytest.approx(found * factor)
    assert 0 < found <= EDGES[-1]


def test_a_latency_without_requests_or_edges_is_none() -> None:
    """An empty histogram has no median of zero seconds."""
    track = tracked(RowName.LATENCY).track
    assert level_of(track, np.zeros(4), EDGES) is None
    assert level_of(track, np.ones(4), None) is None


def test_exposure_is_requests_or_histogram_counts() -> None:
    """How much either side had served when this was said."""
    errors = Tally(canary=np.array([90.0, 1.0]), control=np.array([400.0, 2.0]))
    assert tally_requests(tracked(RowName.ERROR), errors) == (90.0, 400.0)
    times = Tally(canary=np.array([1.0, 2, 3, 4]), control=np.array([5.0, 6, 7, 8]))
    assert tally_requests(tracked(RowName.LATENCY), times) == (10.0, 26.0)


# -- effects


def test_errors_differ_by_points() -> None:
    """`+1.1 points` is what people say of 0.3 % and 1.4 %, with its interval in points too."""
    shown = state(effect=Interval(1.0, 0.5, 1.5))
    effect = effect_of(shown, 0.014, 0.003)
    base = 0.003 + shown.track.learned.eps0
    assert effect.kind == "difference"
    assert effect.value == pytest.approx(0.011)
    assert effect.low == pytest.approx(base * math.expm1(0.5))
    assert effect.high == pytest.approx(base * math.expm1(1.5))


def test_limits_of_errors_are_points_above_what_is_usual() -> None:
    """`tolerated +0.1 points` is of the rate that history knows, not of the control's luck."""
    shown = state()
    learned = shown.track.learned
    effect = effect_of(shown, 0.5, 0.0)
    usual = learned.rate + learned.eps0
    assert effect.tolerate == pytest.approx(usual * math.expm1(learned.row.tolerate))
    assert effect.limit == pytest.approx(usual * math.expm1(learned.row.limit))


@pytest.mark.parametrize(("canary", "control"), [(None, 0.01), (0.01, None), (None, None)])
def test_a_difference_needs_two_sides(canary: float | None, control: float | None) -> None:
    """Nothing is subtracted from nothing; what the likelihoods bound is still told."""
    shown = state(effect=Interval(0.2, 0.1, 0.3))
    effect = effect_of(shown, canary, control)
    assert effect.value is None
    base = (control or 0.0) + shown.track.learned.eps0
    assert effect.high == pytest.approx(base * math.expm1(0.3))


@pytest.mark.parametrize("row", [RowName.LATENCY, RowName.TAIL95, RowName.EVENTS])
def test_everything_else_differs_by_a_factor(row: RowName) -> None:
    """`x1.22` of a median, a tail, a restart rate."""
    effect = effect_of(state("x", row, effect=Interval(0.2, 0.1, 0.3)), 1.0, 1.0)
    assert effect.kind == "ratio"
    shown = (effect.low, effect.value, effect.high)
    assert shown == pytest.approx(tuple(np.exp([0.1, 0.2, 0.3])))


@given(
    st.sampled_from([RowName.ERROR, RowName.LATENCY, RowName.TAIL95]),
    st.floats(-0.4, 2.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
)
def test_an_interval_is_in_order_in_any_unit(
    row: RowName, mode: float, below: float, above: float
) -> None:
    """The limit is never below what is tolerated, nor an upper end below a lower one."""
    effect = effect_of(state("x", row, effect=Interval(mode, mode - below, mode + above)), 0.1, 0.1)
    assert effect.low is not None
    assert effect.high is not None
    assert effect.low <= effect.high
    assert effect.tolerate < effect.limit


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-math.inf, math.inf, "x1.22, not yet bounded"),
        (0.1, math.inf, "x1.22, 90 % above 1.11"),
        (-math.inf, 0.3, "x1.22, 90 % below 1.35"),
        (0.1, 0.3, "x1.22, 90 % between 1.11 and 1.35"),
    ],
)
def test_an_end_that_is_not_known_is_left_open(low: float, high: float, words: str) -> None:
    """Where the data bound nothing no number is made up, and nobody reads a question mark."""
    shown = state("x", RowName.LATENCY, effect=Interval(0.2, low, high))
    effect = effect_of(shown, 0.02, 0.01)
    assert (effect.low is None, effect.high is None) == (math.isinf(low), math.isinf(high))
    assert f"({words})" in fail_text(shown, effect, "arm", T0, compare(shown, 0.02, 0.01))


def test_points_without_an_end_are_told_alike() -> None:
    """A pod that fails everything has no upper end of harm."""
    shown = state(effect=Interval(3.0, 1.0, math.inf))
    effect = effect_of(shown, 0.26, 0.003)
    text = fail_text(shown, effect, "arm", T0, compare(shown, 0.26, 0.003))
    assert re.search(r"\(\+26 points, 90 % above [0-9.]+\)", text), text


@pytest.mark.parametrize(
    ("seen", "ends", "words"),
    [
        (
            0.023,
            (0.00094, 0.012),
            "+2.3 points seen; by the evidence so far 90 % between 0.094 and 1.2",
        ),
        (0.023, (-math.inf, 0.012), "+2.3 points seen; by the evidence so far 90 % below 1.2"),
        (
            0.001,
            (0.004, 0.012),
            "+0.1 points seen; by the evidence so far 90 % between 0.4 and 1.2",
        ),
        (0.001, (0.004, math.inf), "+0.1 points seen; by the evidence so far 90 % above 0.4"),
        (0.01, (0.004, 0.012), "+1 points, 90 % between 0.4 and 1.2"),
        (0.012001, (0.004, 0.012), "+1.2 points, 90 % between 0.4 and 1.2"),
        (0.01, (-math.inf, math.inf), "+1 points, not yet bounded"),
    ],
)
def test_what_was_seen_beside_its_interval_is_told_to_be_so(
    seen: float, ends: tuple[float, float], words: str
) -> None:
    """`+2.3 points, 90 % between 0.094 and 1.2` reads like a mistake to whoever is woken by it."""
    shown = state()
    low, high = (None if math.isinf(one) else one for one in ends)
    effect = replace(effect_of(shown, 0.02, 0.01), value=seen, low=low, high=high)
    text = fail_text(shown, effect, "arm", T0, "both")
    assert text.startswith(f"Errors: both ({words}); tolerated ")


def test_limits_are_told_in_the_unit_of_the_effect() -> None:
    """Points for errors, times for the rest."""
    errors = effect_of(state(), 0.01, 0.01)
    low, high = limit_words(errors)
    assert low == f"+{100 * errors.tolerate:.2g} points"
    assert high.endswith(" points")
    assert limit_words(effect_of(state("x", RowName.LATENCY), 1.0, 1.0)) == ("x1.22", "x2.01")


# -- sentences


@pytest.mark.parametrize(
    ("row", "canary", "control", "text"),
    [
        (RowName.ERROR, 0.014, 0.003, "1.4 % against 0.30 %"),
        (RowName.LATENCY, 0.06, 1.5, "median 60 ms against 1.5 s"),
        (RowName.TAIL95, 0.25, 0.05, "25 % against 5.0 %"),
        (RowName.EVENTS, 12.0, 0.04, "12 against 0.04 per pod and hour"),
        (RowName.ERROR, None, 0.003, "no value on one side"),
    ],
)
def test_both_sides_stand_in_one_phrase(
    row: RowName, canary: float | None, control: float | None, text: str
) -> None:
    """The two numbers that a person compares first."""
    assert compare(state("x", row), canary, control) == text


def test_a_fail_says_what_where_how_much_and_since_when() -> None:
    """One sentence is all that an alert carries."""
    shown = state(effect=Interval(1.0, 0.5, 1.5))
    effect = replace(effect_of(shown, 0.014, 0.003), tolerate=0.001)
    sides = compare(shown, 0.014, 0.003)
    assert fail_text(shown, effect, "arm", T0, sides) == (
        "Errors: 1.4 % against 0.30 % (+1.1 points, 90 % between 0.23 and 1.2);"
        " tolerated +0.1 points, since 14:13."
    )
    assert fail_text(shown, effect, "web-1", T0, sides).startswith("Errors on web-1: 1.4 %")


def test_a_first_fail_has_a_reason_before_its_numbers() -> None:
    """Since when, and when it was certain; under the code of its signal."""
    reason = fail_reason(state("latency", RowName.LATENCY).track, at=T0 + 600, since=T0)
    assert reason.code == "latency_up"
    assert reason.text == "Latency worse than tolerated since 14:13, certain at 14:23."
