"""Expressions over signals as people write them, and what is refused of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from api.bodies.policy import PolicyBody, policy_body

BOTH = {"any_of": ["error_rate", {"all_of": ["latency", "tail95"]}]}


def test_an_expression_goes_in_and_comes_out() -> None:
    """What a policy says is what it shows."""
    policy = PolicyBody.model_validate({"fail_when": BOTH}).native()
    assert str(policy.fail_when) == "(error_rate or (latency and tail95))"
    assert policy_body(policy)["fail_when"] == BOTH
    assert policy_body(policy)["pass_needs"] is None


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"any_of": ["eror_rate"]}, "did you mean 'error_rate'"),
        ({"any_of": []}, "at least 1"),
        ({}, "either any_of or all_of"),
        ({"any_of": ["latency"], "all_of": ["latency"]}, "either any_of or all_of"),
        ({"none_of": ["latency"]}, "none_of"),
        (
            {"any_of": [{"any_of": [{"any_of": [{"any_of": [{"any_of": ["latency"]}]}]}]}]},
            "4 deep",
        ),
    ],
    ids=["misspelt", "empty", "nothing", "both", "unknown word", "too deep"],
)
def test_what_makes_no_sense_is_refused_by_name(given: dict[str, Any], word: str) -> None:
    """A typing error never loosens a gate in silence."""
    with pytest.raises(ValidationError, match=word):
        PolicyBody.model_validate({"fail_when": given})


@pytest.mark.parametrize("word", ["fail_when", "pass_needs"])
def test_what_is_only_shown_decides_nothing(word: str) -> None:
    """One line says judged: false, another relies on it: that is an error, not a choice."""
    given = {word: {"any_of": ["latency"]}, "signals": {"latency": {"judged": False}}}
    with pytest.raises(ValidationError, match="judged: false"):
        PolicyBody.model_validate(given)


@pytest.mark.parametrize(
    ("given", "promised"),
    [({}, False), ({"slo": 0.999}, True), ({"slo": 0.99, "promises_slo": False}, False)],
)
def test_a_written_slo_is_a_promise(given: dict[str, Any], promised: bool) -> None:
    """The default of 99.9 % judges no first deployment: nobody promised it."""
    assert PolicyBody.model_validate(given).native().promises_slo is promised
