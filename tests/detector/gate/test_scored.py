"""What came of a policy's judgements, in a sentence."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from detector.gate.scored import PolicyScore, score_words

SHADOW = PolicyScore(
    policy="default",
    acts=False,
    blocked=3,
    rightly_blocked=1,
    wrongly_blocked=1,
    passed=9,
    rightly_passed=6,
    missed=1,
    undecided=2,
)
COUNTS = st.integers(0, 50)


def test_a_policy_that_only_looks_says_what_it_would_have_done() -> None:
    """Before it is trusted."""
    assert score_words(SHADOW) == (
        "Policy default would have blocked 3 (1 rightly, 1 wrongly, 1 not known), passed 9"
        " (6 rightly, 1 would have missed, 2 not known), left 2 undecided: right in 7 of 9."
    )


def test_one_that_acts_says_what_it_did() -> None:
    """And where nothing is known, that it is not."""
    idle = replace(SHADOW, acts=True, blocked=1, rightly_blocked=0, wrongly_blocked=0, passed=0,
                   rightly_passed=0, missed=0, undecided=0)  # fmt: skip
    assert score_words(idle) == "Policy default blocked 1 (1 not known): not known how rightly."


@given(st.lists(COUNTS, min_size=7, max_size=7))
def test_it_is_never_right_more_often_than_it_is_known(counts: list[int]) -> None:
    """Whatever is added up."""
    rightly, wrongly, unknown, passed, missed, open_, undecided = counts
    score = PolicyScore(
        policy="p",
        acts=True,
        blocked=rightly + wrongly + unknown,
        rightly_blocked=rightly,
        wrongly_blocked=wrongly,
        passed=passed + missed + open_,
        rightly_passed=passed,
        missed=missed,
        undecided=undecided,
    )
    assert 0 <= score.right <= score.known <= score.rollouts
    assert score_words(score).startswith("Policy p blocked ")
