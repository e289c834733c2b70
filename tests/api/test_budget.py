"""What a policy says of error budgets, as it is written, and what the gate knows of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.bodies.policy import PolicyBody, policy_body
from api.compose import open_gate
from api.settings import load_settings
from detector.errors import ConfigError
from detector.gate.policy import Policy
from detector.slo.counts import Flaw
from detector.slo.policy import BudgetPolicy

SHORT = "{signal: error_rate, service: checkout, target: 99.9, window: 28d}\n"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own settings do not count."""
    for name in [name for name in os.environ if name.startswith("SERINUS_")]:
        monkeypatch.delenv(name)


def test_an_empty_one_has_the_defaults() -> None:
    """To look at budgets is to say so."""
    assert PolicyBody.model_validate({"budget": {}}).native().budget == BudgetPolicy()
    assert PolicyBody.model_validate({}).native().budget is None


def test_what_is_written_is_shown_again() -> None:
    """Every key of it, but what the gate sets itself."""
    told = {"slo": "checkout", "tighten_below": 0.3, "tighten": 0.25, "hold_unknown": True}
    policy = PolicyBody.model_validate({"budget": told}).native()
    assert policy_body(policy)["budget"] == told
    assert policy_body(Policy())["budget"] is None


@pytest.mark.parametrize(
    "told", [{"tighten": 0}, {"tighten": 2}, {"tighten_below": 1.5}, {"limits": 0.5}, {"sol": "a"}]
)
def test_what_cannot_be_is_refused_by_its_name(told: dict[str, object]) -> None:
    """Nobody loosens limits by their budget, nor sets what the gate sets."""
    with pytest.raises(ValidationError) as refused:
        PolicyBody.model_validate({"budget": told})
    (place,) = [error["loc"] for error in refused.value.errors()]
    assert place[-1] == next(iter(told))


def test_the_gate_knows_the_objectives_of_the_configuration(tmp_path: Path) -> None:
    """By service; of another there are none, which is said."""
    (tmp_path / "slo.yaml").write_text(SHORT)
    config = tmp_path / "serinus.yaml"
    config.write_text(f"source: {{kind: memory}}\nobjectives: ['{tmp_path / 'slo.yaml'}']\n")
    opened = open_gate(load_settings(config), in_memory=True)
    budgets = opened.gate.settings.budgets
    assert budgets is not None
    (found,) = budgets.of("checkout", None, as_of=1e9, timeout_s=1.0)
    assert found.name == "checkout-error-rate"
    (other,) = budgets.of("cart", None, as_of=1e9, timeout_s=1.0)
    assert other.budget.flaw is Flaw.NO_OBJECTIVE
    opened.close()


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    """Not the first rollout."""
    settings = load_settings(None, {"objectives": (tmp_path / "none.yaml",)})
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        open_gate(settings, in_memory=True)
