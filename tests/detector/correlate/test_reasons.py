"""Every rank says why, so that people can disagree with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.correlate.evidence import Complaint, Kind
from detector.correlate.ranking import Suspect, ranked
from tests.detector.correlate.scenes import failures, gauge, scene, world
from tests.profiles import HEAVY

PAST = np.random.default_rng(11).normal(0.1, 0.003, 60)


def of(name: str, suspects: tuple[Suspect, ...]) -> tuple[str, ...]:
    return next(one.reasons for one in suspects if one.service == name)


@pytest.fixture
def suspects() -> tuple[Suspect, ...]:
    told = scene(
        gauge("web", PAST + 0.2, PAST[:5] + 1.4), gauge("cart", PAST, np.full(5, 1.2)),
        gauge("db", PAST, PAST[:5]), gauge("batch", PAST, PAST[:5]),
        calls="web>cart cart>db batch>cart", complaint=Complaint(service="web", kind=Kind.LATENCY),
    )  # fmt: skip
    return ranked(told).suspects


def test_the_cause_is_told_with_numbers_callees_and_callers(suspects: tuple[Suspect, ...]) -> None:
    """What it is, since when, and why not another."""
    assert suspects[0].service == "cart"
    assert suspects[0].reasons == (
        "cart: latency 12 times its usual 0.1 since 22:13",
        "its callee is normal",
        "1 of 2 callers show it: web",
    )


def test_a_victim_is_told_whom_it_calls(suspects: tuple[Suspect, ...]) -> None:
    """Who is paged for the web reads at once that the cart is odd, too."""
    said = of("web", suspects)
    assert "cart, which it calls, is odd, too" in said
    assert "the complaint is of its own latency" in said


def test_a_calm_one_is_told_as_calm(suspects: tuple[Suspect, ...]) -> None:
    """No invented reasons for the tail of the list."""
    assert of("db", suspects)[0] == "the latency of db is about as usual"


def test_counts_are_told_as_shares() -> None:
    """*4 % of requests*, not *0.04*."""
    (one,) = ranked(scene(failures("cart", np.zeros(60), np.full(5, 4.0)))).suspects
    assert one.reasons[0] == "cart: failures in 4 % of requests, usually in 0 % since 22:13"


@HEAVY
@given(seed=st.integers(0, 10_000))
def test_every_suspect_has_reasons(seed: int) -> None:
    """Nobody is named without a word why, and no word is *nan* or *inf*."""
    for one in ranked(world(seed).scene).suspects:
        assert one.reasons
        assert not {"nan", "inf"} & set(" ".join(one.reasons).split())
