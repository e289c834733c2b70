"""What must not change who is suspected, and what must."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.correlate.evidence import Calls, Scene
from detector.correlate.ranking import Ranking, ranked
from tests.detector.correlate.scenes import gauge, renamed, world
from tests.profiles import HEAVY

SEEDS = st.integers(0, 10_000)


def chances(ranking: Ranking) -> dict[str, float]:
    return {one.service: one.probability for one in ranking.suspects}


@HEAVY
@given(seed=SEEDS)
def test_probabilities_add_up_to_one(seed: int) -> None:
    """Suspects and *nothing is wrong* share one certainty."""
    ranking = ranked(world(seed).scene)
    assert sum(chances(ranking).values()) + ranking.nothing == pytest.approx(1.0)


@HEAVY
@given(seed=SEEDS)
def test_the_same_scene_is_answered_the_same(seed: int) -> None:
    """An incident that is looked at twice has one cause."""
    told = world(seed).scene
    first, again = ranked(told), ranked(told)
    assert [(s.service, s.probability, s.reasons) for s in first.suspects] == [
        (s.service, s.probability, s.reasons) for s in again.suspects
    ]


@HEAVY
@given(seed=SEEDS)
def test_order_does_not_matter(seed: int) -> None:
    """Whatever order a store gives series and calls in."""
    told = world(seed).scene
    turned = replace(told, gauges=told.gauges[::-1], calls=told.calls[::-1])
    assert chances(ranked(turned)) == pytest.approx(chances(ranked(told)))


@HEAVY
@given(seed=SEEDS)
def test_names_do_not_matter(seed: int) -> None:
    """No service is suspected for what it is called."""
    told = world(seed).scene
    names = {one.service: f"{(7 * place) % 13:02d}-x" for place, one in enumerate(told.gauges)}
    other = chances(ranked(renamed(told, names)))
    assert {names[name]: p for name, p in chances(ranked(told)).items()} == pytest.approx(other)


@HEAVY
@given(seed=SEEDS, factor=st.sampled_from([1e-3, 1000.0, 60.0]))
def test_units_do_not_matter(seed: int, factor: float) -> None:
    """Seconds or milliseconds."""
    told = world(seed).scene
    scaled = replace(
        told,
        gauges=tuple(
            replace(one, past=one.past * factor, during=one.during * factor) for one in told.gauges
        ),
    )
    assert chances(ranked(scaled)) == pytest.approx(chances(ranked(told)), abs=1e-6)


@HEAVY
@given(seed=SEEDS, calm=st.integers(0, 99))
def test_a_calm_service_more_does_not_change_who_is_first(seed: int, calm: int) -> None:
    """A team that adds a service to the dashboard is not told another cause."""
    told = world(seed)
    first = ranked(told.scene).suspects[0]
    values = np.random.default_rng(calm).lognormal(0.0, 0.1, 65)
    more = gauge("calm", values[:60], np.full(5, np.median(values[:60])))
    after = ranked(replace(told.scene, gauges=(*told.scene.gauges, more)))
    if first.probability > 0.5:
        assert after.suspects[0].service == first.service


@HEAVY
@given(seed=SEEDS, turns=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=8))
def test_circles_end(seed: int, turns: list[tuple[int, int]]) -> None:
    """Services that call each other, or themselves, are ranked like others."""
    told = world(seed).scene
    back = tuple(Calls(caller=f"service-{a}", callee=f"service-{b}") for a, b in turns)
    ranking = ranked(replace(told, calls=told.calls + back))
    assert np.isfinite([*chances(ranking).values(), ranking.nothing]).all()
    assert sum(chances(ranking).values()) + ranking.nothing == pytest.approx(1.0)


def share_first(scenes: list[tuple[Scene, str | None]], first: int) -> float:
    return float(
        np.mean([guilty in [s.service for s in ranked(s).suspects[:first]] for s, guilty in scenes])
    )


def test_simulated_faults_are_found_where_they_are() -> None:
    """Forty random graphs: the slow service is first in nearly all, whoever else feels it more."""
    worlds = [(world(seed).scene, world(seed).guilty) for seed in range(40)]
    assert share_first(worlds, 1) >= 0.9
    assert share_first(worlds, 3) >= 0.97


def test_without_a_fault_nothing_stands_out() -> None:
    """Who asks about a normal hour is told that it was one."""
    assert sum(ranked(world(seed, slower=1.0).scene).stands_out for seed in range(40)) <= 2


def test_with_a_large_fault_something_does() -> None:
    """A ranker that always says *nothing* would pass the test above."""
    assert sum(ranked(world(seed, slower=30.0).scene).stands_out for seed in range(40)) >= 32
