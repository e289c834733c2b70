"""Expressions over signals: what they say, and what they never do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.expression import Expression, all_of, any_of, signal
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.reason import ReasonCode
from detector.gate.verdict import Outcome
from tests.detector.gate.rollouts import Recipe, Run, make

NAMES = ("error_rate", "latency", "tail95", "restarts")
LEAVES = st.sampled_from(NAMES).map(signal)
TREES = st.recursive(
    LEAVES,
    lambda part: st.lists(part, min_size=1, max_size=3).flatmap(
        lambda parts: st.sampled_from([any_of(*parts), all_of(*parts)])
    ),
    max_leaves=8,
)
SETS = st.sets(st.sampled_from(NAMES))
HEALTHY = Recipe(seed=3, canary=4, control=8, shares=(0.33,))


def told(tree: Expression) -> str:
    """The expression in Python's own words."""
    if tree.name is not None:
        return f"({tree.name!r} in true)"
    word, parts = (" or ", tree.any_of) if tree.any_of else (" and ", tree.all_of)
    return "(" + word.join(told(part) for part in parts) + ")"


@given(TREES, SETS)
def test_it_means_what_it_says(tree: Expression, true: set[str]) -> None:
    """`any_of` is or, `all_of` is and, however deep."""
    assert tree.holds(true) is eval(told(tree), {"true": true})  # noqa: S307


@given(TREES, SETS, SETS)
def test_more_signals_never_make_it_false(tree: Expression, some: set[str], more: set[str]) -> None:
    """A rollout is not excused because one more signal got worse."""
    assert tree.holds(some | more) or not tree.holds(some)


@given(TREES)
def test_all_it_names_together_make_it_true(tree: Expression) -> None:
    """There is no combination that can never fail."""
    assert tree.holds(tree.names)
    assert not tree.holds(set())


def test_people_read_it() -> None:
    """A note says it in words."""
    tree = any_of(signal("error_rate"), all_of(signal("latency"), signal("tail95")))
    assert str(tree) == "(error_rate or (latency and tail95))"


def test_one_of_two_does_not_fail_where_both_are_asked_for() -> None:
    """Errors alone do not roll back a policy that wants errors and latency."""
    failing = make(replace(HEALTHY, more_errors=0.05))
    both = Policy(fail_when=all_of(signal("error_rate"), signal("latency")))
    assert Run(failing).all().outcome is Outcome.FAIL
    held = Run(failing, both).all()
    assert held.outcome is Outcome.INCONCLUSIVE


def test_both_fail_at_the_boundary_of_the_second() -> None:
    """Not before the last part is proved, and not after."""
    worse = make(replace(HEALTHY, more_errors=0.05, slower=float(np.log(1.6))))
    each = [
        Run(worse, Policy(fail_when=signal(name))).all().first_fail
        for name in ("error_rate", "latency")
    ]
    both = Policy(fail_when=all_of(signal("error_rate"), signal("latency")))
    found = Run(worse, both).all().first_fail
    assert found is not None
    assert None not in each
    assert found.at >= max(fail.at for fail in each if fail is not None)


def test_what_is_not_named_cannot_fail() -> None:
    """A policy for errors shows latency, and does not roll back for it."""
    slower = make(replace(HEALTHY, slower=float(np.log(1.6))))
    judgement = Run(slower, Policy(fail_when=signal("error_rate"))).all()
    assert judgement.outcome is not Outcome.FAIL
    judged = {s.name for s in judgement.signals if s.judged}
    assert judged == {"error_rate"}


@pytest.mark.parametrize(
    ("needs", "outcome"),
    [
        (all_of(signal("error_rate"), signal("latency")), Outcome.INCONCLUSIVE),
        (any_of(signal("error_rate"), signal("latency")), Outcome.PASS),
    ],
    ids=["all", "any"],
)
def test_a_pass_waits_for_what_it_needs(needs: Expression, outcome: Outcome) -> None:
    """Nobody can show latency to be within half a per cent; errors are soon known to be."""
    strict = {"latency": SignalPolicy(tolerate=0.0, limit=0.005)}
    judgement = Run(make(HEALTHY), Policy(pass_needs=needs, signals=strict)).to(80)
    assert judgement.outcome is outcome


def test_a_signal_that_is_needed_and_absent_is_missing() -> None:
    """Only where the rest cannot do without it."""
    frame = make(HEALTHY)
    bare = replace(
        frame,
        canary=replace(frame.canary, histograms={}),
        control=replace(frame.control, histograms={}),
    )
    both = Policy(pass_needs=all_of(signal("error_rate"), signal("latency")))
    either = Policy(pass_needs=any_of(signal("error_rate"), signal("latency")))
    assert Run(bare, both).all().reason.code == ReasonCode.SIGNAL_MISSING
    assert Run(bare, either).all().outcome is Outcome.PASS
