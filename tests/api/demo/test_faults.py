"""What a fault does to a pod, and what it leaves alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.demo.faults import ERROR_SHARE, Behaviour, Fault, behaviour, fault_named
from detector.errors import InputError

PODS = st.text("bcdfghjkl", min_size=1, max_size=12)
INDEXES = st.integers(0, 20)


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_is_found_by_its_word(fault: Fault) -> None:
    """What the documentation names can be typed."""
    assert fault_named(str(fault)) is fault


def test_unknown_fault_names_the_known_ones() -> None:
    """A typing error is answered by the words that would have done."""
    with pytest.raises(InputError, match="none, errors, latency, leak, one-pod, logs") as caught:
        fault_named("eror")
    assert caught.value.field == "fault"


@given(PODS, INDEXES)
def test_healthy_pods_are_nearly_alike(pod: str, index: int) -> None:
    """A healthy canary that differs more than pods do would be stopped, rightly."""
    healthy = behaviour(Fault.NONE, pod, index=index)
    assert 0.88 < healthy.latency < 1.12
    assert 0.7 < healthy.errors / ERROR_SHARE < 1.4
    assert healthy.leak_bytes == 0


@given(st.sampled_from(Fault), PODS, INDEXES)
def test_a_pod_keeps_its_character(fault: Fault, pod: str, index: int) -> None:
    """Told again after a restart it behaves as before."""
    assert behaviour(fault, pod, index=index) == behaviour(fault, pod, index=index)


@given(st.sampled_from(Fault), PODS, INDEXES)
def test_a_fault_never_helps(fault: Fault, pod: str, index: int) -> None:
    """No regression hides an improvement that would balance it."""
    well, ill = (behaviour(f, pod, index=index) for f in (Fault.NONE, fault))
    assert ill.latency >= well.latency
    assert ill.errors >= well.errors
    assert ill.leak_bytes >= well.leak_bytes
    assert ill.query >= well.query
    assert ill.lost_receipts >= well.lost_receipts


def only(fault: Fault, index: int = 0) -> set[str]:
    """Names of what the fault changes."""
    well, ill = (behaviour(f, "pod", index=index) for f in (Fault.NONE, fault))
    return {name for name in Behaviour.__slots__ if getattr(well, name) != getattr(ill, name)}


def test_each_fault_touches_what_it_is_named_for() -> None:
    """`--fault latency` that also fails requests would be stopped for another reason."""
    assert only(Fault.ERRORS) == {"errors"}
    assert only(Fault.LATENCY) == {"query"}
    assert only(Fault.LOGS) == {"lost_receipts"}
    assert only(Fault.LEAK) == {"leak_bytes"}


def test_one_pod_is_the_eldest_alone() -> None:
    """The others are as good as stable."""
    assert only(Fault.ONE_POD, index=0) == {"errors", "latency"}
    assert only(Fault.ONE_POD, index=1) == set()
