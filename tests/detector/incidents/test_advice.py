"""What to do is a command that does it, and never one that a sender smuggled in."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeKind
from detector.incidents.advice import advice_on
from tests.detector.incidents.making import change


@pytest.mark.parametrize(
    ("source", "command"),
    [
        (
            "/argo-rollouts/shop/checkout",
            "kubectl argo rollouts undo checkout --namespace shop",
        ),
        ("/argo-cd/argocd/checkout", "argocd app rollback checkout --app-namespace argocd"),
        ("/helm/shop/checkout", "helm rollback checkout --namespace shop"),
        ("/flux/helmrelease/shop/checkout", "helm rollback checkout --namespace shop"),
        (
            "/kubernetes/deployment/shop/checkout",
            "kubectl rollout undo deployment/checkout --namespace shop",
        ),
    ],
)
def test_who_deploys_by_a_tool_rolls_back_by_it(source: str, command: str) -> None:
    """At three in the morning it is copied and not composed."""
    assert advice_on(replace(change(), source=source)) == command


@pytest.mark.parametrize("source", ["/github/acme/shop", "/bench", "", "/kubernetes/job/shop/a"])
def test_who_deploys_otherwise_is_told_what_and_not_how(source: str) -> None:
    """A command of another tool would be worse than none."""
    made = replace(change(version="v2"), source=source)
    assert advice_on(made) == "Roll cart v2 back."


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_command_has_a_word_that_a_shell_would_read_otherwise(head: str, tail: str) -> None:
    """Names come from webhooks."""
    made = replace(change(), source=f"/argo-rollouts/{head}/{tail}")
    told = advice_on(made)
    if told.startswith("kubectl"):
        assert re.fullmatch(r"[a-z0-9 /.-]+", told)


@given(st.sampled_from(list(ChangeKind)))
def test_every_kind_has_one(kind: ChangeKind) -> None:
    """A sentence, at least."""
    assert advice_on(change(kind=kind)).strip()
