"""What is remembered: looks at counters, what grew between them, and other services."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.elsewhere import has_moved, naming, picked
from detector.gate.memory import Amount, amount_between, look_of, moments, scope_of
from detector.selector import parse_selector
from detector.series import Answer, Matcher, MatchOp, Series
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit
from tests.detector.gate.pasts import amount

REQUESTS = Family(
    metric="http_requests_total",
    shape=Shape.COUNTER,
    health=(Matcher("path", MatchOp.EQUAL, "/healthz"),),
)
ERRORS = BoundSignal(
    signal=Signal(name="error_rate", kind=Kind.RATIO),
    pack="test",
    unit=Unit.POD,
    total=REQUESTS,
    bad=(Matcher("code", MatchOp.MATCHES, "5.."),),
)
PLAN = Plan(
    service="checkout",
    canary=parse_selector('service="checkout",pod=~"checkout-new-.+"', field="canary"),
    control=(parse_selector('service="checkout",pod=~"checkout-old-.+"', field="canary"),),
    requests=REQUESTS,
    signals=(ERRORS,),
)
VALUES = st.floats(0, 1e9)


def looked(*series: tuple[str, float]) -> object:
    """A look at series, named as `pod code` or `pod code replica`."""
    made = []
    for name, value in series:
        pod, code, *replica = name.split()
        labels = {"pod": pod, "code": code, "replica": "".join(replica)}
        made.append(Series(labels=labels, times=np.array([1.0]), values=np.array([value])))
    return look_of({REQUESTS: [Answer(series=tuple(made))]})


def counted(first: object, second: object) -> tuple[float, float]:
    """Requests and errors between two looks."""
    return amount_between(PLAN, first, second).counts["error_rate"]  # type: ignore[arg-type]


def test_what_grew_is_counted() -> None:
    """Requests of all codes, errors of some."""
    first, second = (
        looked(("a 200", 100.0), ("a 500", 1.0)),
        looked(("a 200", 190.0), ("a 500", 11.0)),
    )
    assert counted(first, second) == (100.0, 10.0)


def test_a_series_born_meanwhile_counts_from_zero() -> None:
    """The first error of a quiet service is one, and a new pod is all new."""
    first = looked(("a 200", 100.0))
    assert counted(first, looked(("a 200", 100.0), ("a 500", 3.0), ("b 200", 7.0))) == (10.0, 3.0)


def test_a_reset_counts_what_it_has_since() -> None:
    """A restarted pod does not take requests back."""
    assert counted(looked(("a 200", 100.0)), looked(("a 200", 40.0))) == (40.0, 0.0)


def test_copies_of_a_highly_available_pair_are_one() -> None:
    """Two Prometheus servers do not double the traffic."""
    first = looked(("a 200 one", 90.0), ("a 200 two", 100.0))
    assert counted(first, looked(("a 200 one", 150.0), ("a 200 two", 150.0))) == (50.0, 0.0)


@given(st.lists(VALUES, min_size=2, max_size=5))
def test_amounts_are_never_negative(values: list[float]) -> None:
    """Whatever the counters do."""
    looks = [looked(("a 200", value)) for value in values]
    for first, second in pairwise(looks):
        assert min(counted(first, second)) >= 0.0


def test_histograms_need_all_edges() -> None:
    """Buckets that changed meanwhile are not guessed."""
    told = Amount(below={"latency": ((0.1, 3.0), (0.5, 7.0), (math.inf, 9.0))})
    found = told.histogram("latency", np.array([0.1, 0.5]))
    assert found is not None
    assert found.tolist() == [3.0, 4.0, 2.0]
    assert told.histogram("latency", np.array([0.1, 0.25])) is None
    assert told.histogram("tail95", np.array([0.1])) is None


def test_the_service_is_what_both_arms_have_in_common() -> None:
    """Pods of other revisions belong to it, other services do not."""
    assert scope_of(PLAN) == parse_selector('service="checkout"', field="canary")
    assert naming(PLAN) == Matcher("service", MatchOp.EQUAL, "checkout")
    assert "checkout" not in picked(PLAN, ["checkout", "cart", "search", ""])


def test_moments_lie_before_the_start_and_differ() -> None:
    """Nothing of the rollout itself is taken for its past."""
    found = moments(1e9, 1.0)
    assert len({m.at for m in found}) == len(found) == 17
    assert all(m.at + 1800 <= 1e9 for m in found)


@pytest.mark.parametrize(
    ("now", "moved"),
    [
        (amount(), False),
        (amount(errors=0.0035), False),
        (amount(errors=0.05), True),
        (amount(slower=0.05), False),
        (amount(slower=0.6), True),
        (amount(slower=-0.6), True),
        (amount(requests=3.0, errors=0.0), False),
    ],
    ids=["same", "a little", "errors", "slightly", "slower", "faster", "three requests"],
)
def test_other_services_move_when_people_would_say_so(now: Amount, moved: bool) -> None:
    """An incident is one either way; a slow hour is none."""
    assert has_moved(amount(), now) is moved
