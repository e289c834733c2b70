"""A policy's name and digest: a stored verdict tells by what it was judged."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.rule import CapacityRule
from detector.gate.expression import signal
from detector.gate.policy import Mode, Policy, RollbackRule, SignalPolicy
from detector.scans.rule import ScanRule
from detector.slo.policy import BudgetPolicy

DEFAULT = Policy()
OTHER: dict[str, object] = {
    "name": "strict",
    "mode": Mode.SHADOW,
    "alpha": 0.001,
    "needs": 2.0,
    "slo": 0.99,
    "promises_slo": True,
    "latency_slo_s": 0.3,
    "pass_level": 0.99,
    "min_step_s": 60.0,
    "min_total_s": 900.0,
    "history_s": 3600.0,
    "time_scale": 0.5,
    "rollback": RollbackRule.JUDGE,
    "allow_control_exhausted": True,
    "allow_cross_cluster": True,
    "fail_when": signal("error_rate"),
    "pass_needs": signal("latency"),
    "budget": BudgetPolicy(),
    "scans": ScanRule(),
    "capacity": CapacityRule(),
    "signals": {"latency": SignalPolicy(limit=0.3)},
}


def test_every_field_of_a_policy_is_in_its_digest() -> None:
    """Whoever loosens one number cannot hide it behind the old name."""
    assert set(OTHER) == {field.name for field in fields(Policy)}
    changed = [replace(DEFAULT, **{name: value}) for name, value in OTHER.items()]  # type: ignore[arg-type]
    digests = {policy.digest for policy in (DEFAULT, *changed)}
    assert len(digests) == len(OTHER) + 1


def test_a_policy_of_the_first_release_keeps_its_name() -> None:
    """Its stored verdicts are replayed to the identical answer, whatever keys came since."""
    assert Policy(history_s=3600.0).digest == "default@sha256:7390a189b84add7a"


@pytest.mark.parametrize(
    ("field", "value"),
    [(f.name, True if f.name in {"required", "judged"} else 0.25) for f in fields(SignalPolicy)],
)
def test_every_wish_for_a_signal_is_in_the_digest(field: str, value: float | bool) -> None:
    """Also what it says of one signal alone."""
    wish = SignalPolicy(**{field: value})  # type: ignore[arg-type]
    policy = Policy(signals={"latency": wish})
    assert policy.digest != Policy(signals={"latency": SignalPolicy()}).digest


@given(st.permutations(["latency", "error_rate", "tail95", "restarts"]))
def test_the_order_in_which_signals_are_written_is_no_difference(names: list[str]) -> None:
    """Two files that say the same are one policy."""
    wishes = {name: SignalPolicy(limit=len(name) / 100) for name in names}
    in_order = {name: wishes[name] for name in sorted(names)}
    assert Policy(signals=wishes).digest == Policy(signals=in_order).digest


def test_a_digest_begins_with_the_name() -> None:
    """People read `strict@sha256:...` and know where to look."""
    name, _, digest = replace(DEFAULT, name="strict").digest.partition("@sha256:")
    assert name == "strict"
    assert len(digest) == 16
    assert int(digest, 16) >= 0
