from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.errors import NotFoundError
from detector.gate.curve import Curve
from pipelines.flows.curves import Curves
from pipelines.stores.memory_attempts import MemoryPoints
from tests.api.ui.scenes import T0, Shop


def named(found: tuple[Curve, ...]) -> dict[str, Curve]:
    return {curve.signal: curve for curve in found}


def test_both_sides_of_every_signal_are_drawn_from_the_store() -> None:
    """The page shows what was judged, and asks nothing of the metric source for it."""
    shop = Shop(errors=0.05)
    verdict = shop.roll(8)
    reads = len(shop.source.reads)
    found = named(Curves(shop.stores).of(verdict.attempt))
    assert list(found) == [
        "traffic",
        "error_rate",
        "latency",
        "tail95",
        "restarts",
        "memory_growth",
    ]
    errors = found["error_rate"]
    late = errors.times > T0 + 180
    assert np.nanmean(errors.canary[late]) == pytest.approx(0.05, rel=0.15)
    assert np.nanmean(errors.control) == pytest.approx(0.004, rel=0.25)
    assert np.nanmean(found["traffic"].control) == pytest.approx(60.0, rel=0.05)
    assert len(shop.source.reads) == reads


def test_the_picture_agrees_with_the_verdict() -> None:
    """The numbers in the table and the lines in the chart are of the same requests."""
    shop = Shop()
    verdict = shop.roll(10)
    found = named(Curves(shop.stores).of(verdict.attempt))["error_rate"]
    told = next(s for s in verdict.signals if s.name == "error_rate")
    assert np.nanmean(found.canary) == pytest.approx(told.canary, rel=0.1)


def test_drawing_on_is_drawing_anew() -> None:
    """A page left open shows the same as one opened now."""
    shop = Shop()
    kept = Curves(shop.stores)
    attempt = shop.roll(4).attempt
    for minutes in (4, 7, 10):
        kept.of(shop.ask(60.0 * minutes).attempt)
    for ours, fresh in zip(kept.of(attempt), Curves(shop.stores).of(attempt), strict=True):
        np.testing.assert_array_equal(ours.times, fresh.times)
        np.testing.assert_array_equal(ours.canary, fresh.canary)
        np.testing.assert_array_equal(ours.control, fresh.control)


def test_an_unchanged_attempt_is_not_played_again() -> None:
    """Ten people who look at one page cost what one costs."""
    shop = Shop()
    attempt = shop.roll(4).attempt
    kept = Curves(shop.stores)
    assert kept.of(attempt) is kept.of(attempt)


def test_a_chain_that_went_another_way_is_played_from_its_start() -> None:
    """Samples that were lost and read again replace what was drawn."""
    shop = Shop()
    attempt = shop.roll(4).attempt
    kept = Curves(shop.stores)
    before = named(kept.of(attempt))["traffic"]
    stored = shop.stores.attempts.get(attempt)
    first = shop.stores.points.chain(stored.head)[0]
    shop.stores.attempts.save(replace(stored, head=first.hash))
    after = named(kept.of(attempt))["traffic"]
    assert len(after.times) < len(before.times)


def test_no_sample_yet_is_no_curve() -> None:
    """A rollout whose pods have not come up has an empty page, not an error."""
    shop = Shop()
    verdict = shop.ask(30.0, canary='{track="nobody"}')
    assert Curves(shop.stores).of(verdict.attempt) == ()


def test_samples_that_are_gone_are_no_error() -> None:
    """After thirty days the verdicts still have a page."""
    shop = Shop()
    attempt = shop.roll(3).attempt
    assert isinstance(shop.stores.points, MemoryPoints)
    shop.stores.points.rows.clear()
    assert Curves(shop.stores).of(attempt) == ()


def test_an_unknown_attempt_is_told() -> None:
    """A mistyped address becomes a 404."""
    with pytest.raises(NotFoundError, match="nope"):
        Curves(Shop().stores).of("nope")


def test_a_long_bake_is_drawn_with_as_many_points_as_fit() -> None:
    """A day at 15 s would be 5,760 points a line: nobody can see them, everybody waits."""
    shop = Shop()
    attempt = shop.roll(10).attempt
    found = Curves(shop.stores, most=20).of(attempt)
    assert {len(curve.times) <= 22 for curve in found} == {True}
    assert found[0].width == 60.0
