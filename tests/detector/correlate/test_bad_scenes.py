"""Scenes that are empty, torn or strange: an answer, never an exception, never a wild one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.correlate.evidence import Complaint, Kind, Scene
from detector.correlate.ranking import Ranking, ranked
from tests.detector.correlate.scenes import failures, gauge, scene
from tests.profiles import HEAVY

NAN = np.full(5, np.nan)
PAST = np.random.default_rng(6).normal(1.0, 0.05, 60)
SLOW = np.full(5, 3.0)
TORN = st.lists(
    st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.just(0.0)), max_size=12
).map(lambda many: np.array(many, dtype=float))


def sound(ranking: Ranking) -> bool:
    chances = [one.probability for one in ranking.suspects] + [ranking.nothing]
    return bool(np.isfinite(chances).all()) and sum(chances) == pytest.approx(1.0)


def test_nothing_at_all() -> None:
    """No series, no graph: nothing stands out."""
    ranking = ranked(Scene(start=0, at=(), requests={}))
    assert (ranking.suspects, ranking.nothing, ranking.stands_out) == ((), 1.0, False)


def test_a_graph_without_measurements() -> None:
    """Who calls whom alone accuses nobody."""
    assert not ranked(scene(calls="web>cart cart>web")).stands_out


@pytest.mark.parametrize(
    "one",
    [
        gauge("cart", PAST, NAN),
        gauge("cart", np.full(60, np.nan), SLOW),
        gauge("cart", np.empty(0), SLOW),
        gauge("cart", PAST, np.empty(0)),
        failures("cart", np.zeros(60), np.zeros(5), requests=0.0),
    ],
    ids=["silent now", "never sent", "no past", "no window", "no requests"],
)
def test_what_is_missing_accuses_nobody(one: object) -> None:
    """Silence is for others to judge: it is neither normal nor odd here."""
    told = scene(one, gauge("web", PAST, PAST[:5]), calls="web>cart")  # type: ignore[arg-type]
    ranking = ranked(told)
    assert sound(ranking)
    assert not ranking.stands_out


def test_one_sample_on_either_side_is_no_incident() -> None:
    """A single scrape that is twice the only one before."""
    assert not ranked(scene(gauge("cart", np.array([1.0]), np.array([2.0])))).stands_out


def test_gaps_do_not_hide_a_fault() -> None:
    """Every other scrape is missing, and it is seen still."""
    past, during = PAST.copy(), SLOW.copy()
    past[::2], during[1] = np.nan, np.nan
    told = scene(gauge("cart", past, during), gauge("web", PAST, PAST[:5]))
    assert ranked(told).suspects[0].service == "cart"


def test_a_renamed_service_is_two_with_half_a_past_each() -> None:
    """The old name is silent, the new one has no past: neither is blamed for the rename."""
    told = scene(
        gauge("cart", PAST, NAN), gauge("cart-v2", np.full(60, np.nan), SLOW),
        gauge("web", PAST, PAST[:5]), calls="web>cart web>cart-v2",
    )  # fmt: skip
    assert not ranked(told).stands_out


def test_a_service_without_calls_is_ranked_too() -> None:
    """A graph that knows nothing of the broken one still leads to it."""
    told = scene(gauge("web", PAST, PAST[:5]), gauge("batch", PAST, SLOW), calls="web>cart")
    assert ranked(told).suspects[0].service == "batch"


def test_a_complaint_of_somebody_unknown() -> None:
    """Who complains need not be measured."""
    told = scene(
        gauge("cart", PAST, SLOW), calls="web>cart",
        complaint=Complaint(service="mobile", kind=Kind.LATENCY),
    )  # fmt: skip
    assert sound(ranked(told))


def test_requests_of_another_length_are_not_used() -> None:
    """Bins that are not in step say nothing of how often who is called."""
    told = scene(gauge("web", PAST, SLOW), gauge("cart", PAST, SLOW), calls="web>cart")
    torn = replace(told, requests={"web": np.ones(3), "cart": np.ones(5)})
    assert ranked(torn).suspects[0].service == ranked(told).suspects[0].service


@HEAVY
@given(past=TORN, during=TORN, before=TORN)
def test_any_values_are_answered(past: np.ndarray, during: np.ndarray, before: np.ndarray) -> None:
    """NaN, infinities, empty, constant, huge: numbers from outside break nothing."""
    told = scene(
        gauge("cart", past, during, before=before), gauge("web", PAST, SLOW), calls="web>cart"
    )
    assert sound(ranked(told))
