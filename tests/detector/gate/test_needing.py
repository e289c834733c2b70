"""What fails need is only raised, by fails that people called wrong, and loses no right one."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.aa import Scope
from detector.gate.aa_policy import checked
from detector.gate.needing import Tried, need_words, needing, needs_note, needs_of
from detector.gate.policy import Policy
from tests.detector.gate.test_aa import result

CHECKOUT = Scope(tenant="default", cluster=None, namespace="shop", service="checkout")
KEY = (CHECKOUT, "default")
PASSED = Tried(
    scope=CHECKOUT, policy="default", alpha=0.005, over=0.0, has_failed=False, is_wrong=False
)


def failed(times: float, *, wrong: bool = False) -> Tried:
    """By so many times what the policy asks for."""
    return replace(PASSED, over=math.log(times), has_failed=True, is_wrong=wrong)


def wrongly(*times: float, passed: int = 40) -> list[Tried]:
    """Healthy rollouts, of which some failed."""
    return [PASSED] * passed + [failed(one, wrong=True) for one in times]


def test_what_failed_wrongly_would_not_have() -> None:
    """By a hundredth more than the strongest of it had, of so few rollouts."""
    (need,) = needs_of([*wrongly(2.0, 7.0), failed(900.0)], {})
    assert need.before == 1.0
    assert need.after == pytest.approx(7.07)
    assert (need.healthy, need.wrong, need.spared, need.right, need.lost) == (42, 2, 2, 1, 0)
    assert need.is_better
    assert need_words(need) == (
        "Fails of shop/checkout under default: 2 of 42 healthy rollouts were called wrong, more"
        " than is promised; with 7.07 times the evidence in place of 1 2 of these had not failed,"
        " and 0 of 1 other fails neither: raise it"
    )


def test_a_fail_that_nobody_called_wrong_is_never_lost() -> None:
    """A bad release that comes through is worse than a good one that does not."""
    (need,) = needs_of([*wrongly(2.0, 7.0), failed(5.0)], {})
    assert (need.lost, need.is_better) == (1, False)
    assert need_words(need).endswith("leave it")


def test_one_may_be_bad_luck() -> None:
    """As are three of a thousand: the policy says so."""
    assert needs_of(wrongly(9.0), {}) == ()
    assert needs_of(wrongly(9.0, 8.0, 7.0, passed=1000), {}) == ()


def test_so_few_may_fail_as_is_promised() -> None:
    """Of a thousand five: what the sixth had is enough."""
    times = [float(one) for one in range(2, 22)]
    (need,) = needs_of(wrongly(*times, passed=980), {})
    assert need.after == pytest.approx(16 * 1.01)
    assert need.wrong - need.spared == 5


def test_what_is_in_force_is_not_learned_again() -> None:
    """Fails of before it teach nothing more, and nothing is ever lowered."""
    tried = wrongly(2.0, 7.0)
    (need,) = needs_of(tried, {})
    assert needs_of(tried, {KEY: need.after}) == ()
    assert needs_of(tried, {KEY: 50.0}) == ()
    (more,) = needs_of([*tried, *wrongly(20.0, 25.0, 30.0)], {KEY: need.after})
    assert (more.before, more.wrong) == (need.after, 3)
    assert more.after == pytest.approx(30.3)


def test_what_fails_beyond_measure_is_no_matter_of_thresholds() -> None:
    """A service whose signal is wrong is not made blind."""
    assert needs_of(wrongly(1e8, 1e9), {}) == ()


def test_services_and_policies_are_apart() -> None:
    """One that is noisy raises nothing of another."""
    other = [replace(one, scope=replace(CHECKOUT, service="cart")) for one in wrongly(3.0, 4.0)]
    strict = [replace(one, policy="strict") for one in wrongly(5.0, 6.0)]
    found = needs_of([*other, *strict, *wrongly()], {})
    assert [(one.scope.service, one.policy) for one in found] == [
        ("cart", "default"),
        ("checkout", "strict"),
    ]


def test_an_attempt_begins_with_it_and_says_so() -> None:
    """Under another name, so that it is replayed as it was judged."""
    policy = Policy()
    assert needing(policy, 1.0) is policy
    assert needs_note(policy) == ()
    raised = needing(policy, 7.07)
    assert raised.digest != policy.digest
    assert "needs 7.07 times the evidence" in needs_note(raised)[0]


@given(st.floats(1.0, 1e6), st.floats(1.0, 1e6))
def test_the_more_demanding_counts(needs: float, raised: float) -> None:
    """Of what was learned and of the self-check; neither lowers what the other raised."""
    policy = needing(Policy(), needs)
    made = checked(policy, result(raised=raised))
    assert made.alpha == pytest.approx(0.005 / max(needs, raised))
    assert checked(policy, None).alpha == pytest.approx(0.005 / needs)


@given(
    st.lists(st.tuples(st.floats(1.0, 1e7), st.booleans()), max_size=30),
    st.integers(0, 200),
    st.floats(1.0, 1e3),
)
def test_it_is_never_lowered_and_what_is_better_loses_nothing(
    fails: list[tuple[float, bool]], passed: int, before: float
) -> None:
    """Whatever happened."""
    tried = [PASSED] * passed + [failed(times, wrong=wrong) for times, wrong in fails]
    for need in needs_of(tried, {KEY: before}):
        assert need.after > need.before == before
        kept = [one for one in tried if one.has_failed and not one.is_wrong]
        assert not need.is_better or all(one.over >= math.log(need.after) for one in kept)
        left = need.wrong - need.spared
        assert left <= 0.005 * need.healthy
