"""Rules for Prometheus that promtool takes, and that say what the objective says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from detector.errors import InputError
from pipelines.slo.openslo import parse_objectives
from pipelines.slo.rules import rules_of
from tests.servers import require_server

SHOP = Path(__file__).parent / "golden" / "shop.yaml"
FOUND = parse_objectives(SHOP.read_text("utf-8"), origin="shop.yaml")


@pytest.mark.real
def test_promtool_takes_them(tmp_path: Path) -> None:
    """A file that Prometheus refuses would be found out at its next reload."""
    promtool, file = require_server("promtool"), tmp_path / "rules.yaml"
    file.write_text(rules_of(FOUND[:3]), "utf-8")
    done = subprocess.run(
        [promtool, "check", "rules", file], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "39 rules found" in done.stdout


def test_counts_are_divided_only_where_they_are_compared() -> None:
    """No rule records a ratio: bad and total are recorded, to be summed."""
    groups = yaml.safe_load(rules_of(FOUND[:1]))["groups"]
    rules = {rule.get("record", rule.get("alert")): rule for rule in groups[0]["rules"]}
    assert "or 0 *" in rules["slo:bad:increase1h"]["expr"]
    page = next(rule for rule in groups[0]["rules"] if rule.get("labels", {}).get("window") == "1h")
    assert '> 0.0144 * slo:total:increase1h{slo="checkout.1"}' in page["expr"]
    assert page["expr"].endswith(">= 3")


def test_a_signal_has_no_counters_of_its_own() -> None:
    """What discovery binds is not known here."""
    with pytest.raises(InputError, match="cart-error-rate"):
        rules_of(FOUND)
