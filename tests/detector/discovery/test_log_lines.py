"""Log lines in a plan: bound by the names of pods, told in PromQL, silent where there are none."""

from __future__ import annotations

import pytest

from detector.discovery.expression import Arm, expression
from detector.errors import ConfigError
from detector.signals.packs import parse_pack, shipped_packs
from tests.detector.gate.logged import LOGS


def test_the_expression_counts_all_error_lines_of_an_arm() -> None:
    """What a person pastes shows the lines of all templates once, not each twice."""
    told = expression(LOGS, Arm(matchers=(), pods=frozenset({"a-1", "a-2"})))
    assert 'template=""' in told
    assert 'level=~"error|fatal"' in told
    assert told.startswith("sum(rate(serinus_log_lines_total{")


def test_one_pack_counts_log_lines() -> None:
    """The counters are serinus' own: nobody has to configure them."""
    roles = [r for pack in shipped_packs() for r in pack.resources if r.apart]
    assert [(r.metric, r.apart) for r in roles] == [("serinus_log_lines_total", "template")]


PACK = """
name: mine
title: Mine
published: https://example.org
resources:
  - {{role: {role}, metric: lines_total, shape: counter{more}}}
"""


@pytest.mark.parametrize(
    ("role", "more"), [("log_lines", ""), ("restarts", ", apart: template")], ids=["none", "other"]
)
def test_a_pack_must_say_what_tells_templates_of_log_lines_alone(role: str, more: str) -> None:
    """Restarts by template, or lines by nothing, would be judged as something else."""
    with pytest.raises(ConfigError, match="apart"):
        parse_pack(PACK.format(role=role, more=more), origin="mine.yaml")
