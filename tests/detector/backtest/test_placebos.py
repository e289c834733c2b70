"""Which pods are called a canary: only such as nobody changed, beside others that were there."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backtest.course import Truth
from detector.backtest.placebos import PLACEBO_S, Life, Placebo, born_placebos, old_placebos
from detector.gate.aa import PlaceboKind
from detector.gate.request import VerdictRequest
from detector.selector import parse_selector

T0 = 1_790_000_000.0
DAY_S = 86_400.0
LIKE = VerdictRequest(service="checkout", namespace="shop", canary="")
LIVES = st.builds(
    lambda n, revision, born, lasted: Life(
        pod=f"{revision}-{n}",
        revision=revision,
        born=-math.inf if born is None else T0 + born,
        gone=math.inf if lasted is None else T0 + (born or 0.0) + lasted,
    ),
    st.integers(0, 999),
    st.sampled_from(["a", "b"]),
    st.none() | st.floats(0.0, DAY_S),
    st.none() | st.floats(60.0, DAY_S),
)


def life(pod: str, born: float = -math.inf, gone: float = math.inf) -> Life:
    """A pod of the revision before its dash; seconds after T0."""
    return Life(pod=pod, revision=pod.split("-", maxsplit=1)[0], born=T0 + born, gone=T0 + gone)


def old(lives: list[Life], count: int = 5, seed: int = 1) -> list[Placebo]:
    """Old placebos of a day."""
    return old_placebos(
        lives,
        LIKE,
        "pod",
        since=T0,
        until=T0 + DAY_S,
        count=count,
        rng=np.random.default_rng(seed),
    )


def born(lives: list[Life], days: float = 3.0) -> list[Placebo]:
    """Births of some days; a release has to last for one."""
    found = born_placebos(lives, LIKE, "pod", since=T0, until=T0 + days * DAY_S, lasting_s=DAY_S)
    return list(found)


def pods(selector: str | None) -> set[str]:
    """The pods that a selector names one by one."""
    (matcher,) = parse_selector(selector or "", field="canary")
    return {part.replace("\\", "") for part in matcher.value.split("|")}


STABLE = [life(f"a-{n}") for n in range(4)]


@given(st.lists(LIVES, max_size=12, unique_by=lambda one: one.pod), st.integers(0, 99))
def test_old_placebos_were_there_all_the_time(lives: list[Life], seed: int) -> None:
    """A pod that was just born, or goes meanwhile, is no placebo and no control."""
    by_name = {one.pod: one for one in lives}
    for placebo in old(lives, seed=seed):
        rollout = placebo.rollout
        canary, control = pods(rollout.request.canary), pods(rollout.request.control)
        assert not canary & control
        assert len(control) >= max(2, len(canary))
        for name in canary | control:
            assert by_name[name].born <= rollout.start - 1800
            assert by_name[name].gone >= rollout.end
        assert T0 <= rollout.start <= rollout.end <= T0 + DAY_S
        assert rollout.truth is Truth.HEALTHY


@given(st.integers(0, 999))
def test_the_same_seed_draws_the_same_pods(seed: int) -> None:
    """A check can be done again."""
    assert old(STABLE, seed=seed) == old(STABLE, seed=seed)


def test_as_many_are_drawn_as_were_asked_for() -> None:
    """Where there are pods enough at some time."""
    assert len(old(STABLE, count=30)) == 30
    assert {one.kind for one in old(STABLE)} == {PlaceboKind.OLD}


@pytest.mark.parametrize("lives", [[], STABLE[:2]])
def test_too_few_pods_give_no_placebo(lives: list[Life]) -> None:
    """One pod against one says nothing."""
    assert old(lives) == []


def test_pods_that_were_added_are_placebos_from_their_birth() -> None:
    """An autoscaler's: of the same revision, cold, and as good as the others."""
    added = [life("a-8", 7200.0), life("a-9", 7260.0)]
    (placebo,) = born([*STABLE, *added])
    assert placebo.kind is PlaceboKind.BORN
    assert placebo.rollout.start == T0 + 7200
    assert pods(placebo.rollout.request.canary) == {"a-8", "a-9"}
    assert pods(placebo.rollout.request.control) == {one.pod for one in STABLE}


def test_pods_that_were_born_apart_are_two_groups() -> None:
    """Each from its own birth."""
    found = born([*STABLE, life("a-8", 7200.0), life("a-9", 7400.0)])
    assert [one.rollout.start - T0 for one in found] == [7200.0, 7400.0]


def replaced(gone: float = math.inf, back: float | None = None) -> list[Life]:
    """A release that took over after half an hour; perhaps taken back."""
    olds = [life(f"a-{n}", gone=9000.0) for n in range(4)]
    again = [] if back is None else [life("a-9", back)]
    return [*olds, life("b-1", 7200.0, gone), life("b-2", 7200.0, gone), *again]


def test_a_release_that_stayed_is_a_placebo() -> None:
    """Nobody rolled it back: what the gate says against it is a false alarm."""
    (placebo,) = born(replaced())
    assert placebo.kind is PlaceboKind.PAST
    assert placebo.rollout.end == T0 + 7200 + PLACEBO_S


@pytest.mark.parametrize(
    "lives",
    [
        pytest.param(replaced(gone=9100.0), id="gone with the old ones"),
        pytest.param(replaced(back=50_000.0), id="the old ones came back"),
        pytest.param([*STABLE, life("b-1", 7200.0, 9000.0)], id="rolled back"),
    ],
)
def test_a_release_that_was_taken_back_is_none(lives: list[Life]) -> None:
    """It may have been bad; to call it a placebo would raise thresholds for a good fail."""
    canaries = [pods(one.rollout.request.canary) for one in born(lives)]
    assert not any("b-1" in canary for canary in canaries)


def test_a_young_release_is_none_yet() -> None:
    """It may still be taken back."""
    assert born(replaced(), days=1.0) == []


def test_names_of_pods_are_taken_literally() -> None:
    """A dot in a name is no wildcard."""
    named = [life(f"a.b+{n}") for n in range(5)]
    (placebo,) = old(named, count=1)
    (matcher,) = parse_selector(placebo.rollout.request.canary, field="canary")
    assert all(re.fullmatch(r"a\\\.b\\\+\d", part) for part in matcher.value.split("|"))
