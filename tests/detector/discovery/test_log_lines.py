"""Log lines in a plan: bound by the names of pods, told in PromQL, silent where there are none."""

from __future__ import annotations

import pytest

from detector.discovery.expression import Arm, expression
from detector.errors import ConfigError
from detector.signals.packs import parse_pack, shipped_packs
from detector.signals.plan import Plan
from detector.signals.signal import Unit
from tests.detector.discovery.clusters import (
    CANARY,
    STABLE,
    Labels,
    exposed,
    found,
    shop,
    source,
    target,
)
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


def lines(pods: tuple[str, ...]) -> list[Labels]:
    """What serinus counts of the logs of some pods."""
    return [
        {
            "__name__": "serinus_log_lines_total",
            "namespace": "shop",
            "service": "checkout",
            "pod": pod,
            "level": "error",
            "template": template,
        }
        for pod in pods
        for template in ("", "lt_00000000000000aa")
    ]


def why(plan: Plan) -> str | None:
    """Why log lines are not judged, None where nothing is said of them."""
    return next((one.why for one in plan.missing if one.name == "log_templates"), None)


def test_log_lines_of_the_service_s_pods_are_bound() -> None:
    """Nobody has to say which lines are whose: the names of pods do."""
    plan = found(source(shop(), lines((*STABLE, *CANARY))))
    assert "log_templates" in {bound.signal.name for bound in plan.signals}
    assert why(plan) is None


def test_behind_a_proxy_it_is_said_why_log_lines_are_not_judged() -> None:
    """Whoever has logs read expects them to count; silence would be taken for it."""
    gateway = [
        series
        for workload, version in (("checkout", "v1"), ("checkout-canary", "v2"))
        for series in target(
            exposed("istio_source", workload=workload, version=version),
            namespace="istio-system",
            pod="istio-ingressgateway-5c4b8d-x2x7k",
            instance="gateway:15090",
        )
    ]
    plan = found(
        source(gateway, lines((*STABLE, *CANARY))),
        canary='{destination_workload="checkout-canary"}',
    )
    assert plan.unit is Unit.WORKLOAD
    assert "name no pods" in str(why(plan))


def test_a_service_whose_logs_are_not_read_among_others_that_are_is_told_so() -> None:
    """The agent that should read them may leave out a namespace."""
    plan = found(source(shop(), lines(("other-1", "other-2"))))
    assert "have none of serinus_log_lines_total" in str(why(plan))


def test_where_no_logs_are_read_nothing_is_said_of_them() -> None:
    """Most services are watched without logs, which is no lack."""
    assert why(found(source(shop()))) is None
