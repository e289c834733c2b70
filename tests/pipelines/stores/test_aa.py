"""Self-checks of services: one contract over the embedded file and memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.gate.aa import AaKind, AaResult, AaSignal, PlaceboKind, Scope, Tally
from detector.ports import AaStore, Stores

T0 = 1_790_000_000.0
SCOPE = Scope(tenant="default", cluster=None, namespace="shop", service="checkout")
RESULT = AaResult(
    scope=SCOPE,
    at=T0,
    since=T0 - 14 * 86_400,
    until=T0,
    policy="default@sha256:1",
    engine="1.0.0",
    kinds=(AaKind(kind=PlaceboKind.BORN, placebos=240, failed=1, reached=3),),
    signals=(
        AaSignal(
            name="latency",
            judged=True,
            all=Tally(placebos=240, reached=3, near=5),
            quantile=0.7,
            unequal=Tally(placebos=9),
            light=4,
            heavy=5,
        ),
    ),
    raised=2.01,
)


@pytest.fixture
def checks(stores: Stores) -> AaStore:
    """Those of each kind."""
    return stores.aa


def test_a_self_check_comes_back_whole(checks: AaStore) -> None:
    """A threshold that was raised must not fall because the process was started anew."""
    checks.save(RESULT)
    assert checks.newest(SCOPE, until=T0) == RESULT


def test_the_newest_check_by_a_moment_is_found(checks: AaStore) -> None:
    """An answer about last week leans on what was known last week."""
    later = replace(RESULT, at=T0 + 7 * 86_400, raised=1.0)
    checks.save(later)
    checks.save(RESULT)
    assert checks.newest(SCOPE, until=T0 + 86_400) == RESULT
    assert checks.newest(SCOPE, until=T0 + 8 * 86_400) == later
    assert checks.newest(SCOPE, until=T0 - 1) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(SCOPE, service="cart"),
        replace(SCOPE, namespace=None),
        replace(SCOPE, namespace="None"),
        replace(SCOPE, cluster="eu"),
        replace(SCOPE, tenant="other"),
    ],
)
def test_a_check_is_of_one_service_alone(checks: AaStore, other: Scope) -> None:
    """What one service's pods show says nothing of another's."""
    checks.save(RESULT)
    assert checks.newest(other, until=T0) is None
