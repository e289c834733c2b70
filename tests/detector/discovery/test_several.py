"""Several canaries at once: the control of one holds no other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.several import without_others
from detector.selector import matches, parse_selector
from detector.series import Matcher
from detector.signals.plan import Family, Plan
from detector.signals.signal import Shape

SCOPE = parse_selector('service="checkout",namespace="shop"', field="canary")


def plan(canary: str = 'version="v2"', control: str = 'version!="v2"') -> Plan:
    """One service, both arms by version."""
    return Plan(
        service="checkout",
        canary=(*SCOPE, *parse_selector(canary, field="canary")),
        control=((*SCOPE, *parse_selector(control, field="control")),),
        requests=Family(metric="http_requests_total", shape=Shape.COUNTER),
        signals=(),
    )


def other(selector: str) -> tuple[Matcher, ...]:
    """The canary of another attempt of the service."""
    return (*SCOPE, *parse_selector(selector, field="canary"))


def is_control(made: Plan, **labels: str) -> bool:
    """Whether a series of the service is taken for control."""
    told = {"service": "checkout", "namespace": "shop", **labels}
    return any(all(matches(m, told) for m in one) for one in made.control)


def test_a_second_canary_is_no_control() -> None:
    """Two bad releases side by side must not excuse each other."""
    made = without_others(plan(), [other('version="v3"')])
    assert is_control(made, version="v1")
    assert not is_control(made, version="v3")
    assert "Another canary" in made.notes[-1]


def test_a_canary_of_two_labels_is_left_out_whole_and_nothing_else() -> None:
    """The stable pods of its version stay."""
    made = without_others(plan(), [other('version="v3",track="canary"')])
    assert not is_control(made, version="v3", track="canary")
    assert is_control(made, version="v3", track="stable")
    assert is_control(made, version="v1", track="canary")


def test_nobody_else_changes_nothing() -> None:
    """The usual rollout keeps its plan."""
    assert without_others(plan(), []) == plan()
    assert without_others(plan(), [plan().canary]) == plan()


@given(st.lists(st.sampled_from(["v3", "v4", "v5", "v6"]), max_size=6))
def test_order_and_repeats_of_the_others_decide_nothing(versions: list[str]) -> None:
    """Whoever asked first, the same pods are compared with."""
    made = without_others(plan(), [other(f'version="{v}"') for v in versions])
    kept = {v for v in ("v1", "v3", "v4", "v5", "v6") if is_control(made, version=v)}
    assert kept == {"v1", "v3", "v4", "v5", "v6"} - set(versions)
