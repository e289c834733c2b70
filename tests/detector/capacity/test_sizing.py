"""What a resource should be given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.assessed import Action, Exhaustion, Sizing
from detector.capacity.prices import Prices
from detector.capacity.resource import Kind, Limit, Resource
from detector.capacity.sizing import headroom, sized
from models.baseline.calendar import DAY_MS
from tests.detector.capacity.worlds import GIB, NOW, disk, web

PRICES = Prices(currency="EUR", a_month={Kind.CPU: 10.0, Kind.DISK: 0.1})
SAFE = Exhaustion(chance=0.0, p10=None, p50=None, p90=None)
SOON = Exhaustion(chance=0.9, p10=NOW + 5 * DAY_MS, p50=NOW + 9 * DAY_MS, p90=None)


def paths(peak: float) -> np.ndarray:
    """A hundred futures whose days are all alike."""
    return np.full((100, 30), peak)


def advised(
    resource: Resource, peak: float, found: Exhaustion | None = SAFE, *, limit: Limit | None = None
) -> Sizing:
    """What is advised of it."""
    of = sized(resource, limit or resource.limit, paths(peak), found, PRICES, NOW)
    assert of is not None
    return of


def test_a_request_that_is_too_much_is_lowered() -> None:
    """To the peaks and a tenth, over all replicas."""
    of = advised(web(requested=4.0, replicas=3), 1.0)
    assert (of.action, of.what, of.present, of.to) == (Action.LOWER, "request", 4.0, 1.1)
    assert of.saving == pytest.approx(3 * 10 * 2.9)
    assert (of.currency, of.by) == ("EUR", None)


def test_of_what_is_never_used_a_little_is_left() -> None:
    """Nobody asks for nine bytes."""
    of = advised(web(requested=4.0), 0.0)
    assert (of.action, of.to) == (Action.LOWER, 0.04)


def test_a_request_that_is_too_little_is_raised() -> None:
    """The scheduler packs too many onto a node otherwise."""
    of = advised(web(requested=1.0, limit=4.0), 2.0)
    assert (of.action, of.what, of.to) == (Action.RAISE, "request", 2.2)
    assert of.saving == pytest.approx(-12.0)


@pytest.mark.parametrize("requested", [0.95, 1.1, 1.3])
def test_what_nearly_fits_is_kept(requested: float) -> None:
    """Nobody rolls out for a tenth of a core."""
    of = advised(web(requested=requested), 1.0)
    assert of.action is Action.KEEP
    assert of.to == of.present == requested
    assert of.saving is None


def test_a_limit_that_runs_out_goes_before_a_request_that_is_too_much() -> None:
    """By its P10, to what 95 futures of 100 and a fifth stay below."""
    of = advised(web(requested=8.0, limit=4.0), 5.0, SOON)
    assert (of.action, of.what, of.present, of.to) == (Action.RAISE, "limit", 4.0, 6.0)
    assert of.by == SOON.p10
    assert "6 November 2026" not in of.why
    assert "5 November 2026" in of.why


def test_what_is_used_up_is_raised_now() -> None:
    """Not by a date that is over."""
    over = Exhaustion(chance=1.0, p10=NOW - DAY_MS, p50=NOW - DAY_MS, p90=NOW, since=NOW - DAY_MS)
    of = advised(disk(limit=200.0), 250.0, over)
    assert of.by == NOW
    assert of.why.startswith("it is used up already")


def test_a_planned_raise_that_is_enough_is_not_asked_for_again() -> None:
    """It only comes too late."""
    planned = Limit(steps=((0, 4.0),), planned=((NOW + 20 * DAY_MS, 8.0),))
    of = advised(web(), 5.0, SOON, limit=planned)
    assert of.action is Action.KEEP
    assert of.why == "8 cores is planned, but comes too late"


def test_a_disk_is_never_made_smaller() -> None:
    """Nobody can; what is asked of a pool can be."""
    assert advised(disk(limit=1000.0), 10.0).action is Action.KEEP
    pool = replace(disk(limit=1000.0), kind=Kind.CONNECTIONS, unit="connections")
    of = advised(pool, 10.0)
    assert (of.action, of.what, of.to) == (Action.LOWER, "limit", 12.0)


def test_bytes_are_rounded_as_people_count_them() -> None:
    """No limit of 1288490189 bytes."""
    volume = replace(disk(limit=200 * GIB), unit="bytes")
    of = advised(volume, 250 * GIB, SOON)
    assert of.to == 300 * GIB
    assert of.saving == pytest.approx(-10.0)


def test_without_limit_and_request_there_is_nothing_to_size() -> None:
    """And without a forecast of exhaustion the limit is looked at."""
    bare = replace(web(), limit=None)
    assert sized(bare, None, paths(1.0), None, PRICES, NOW) is None


def test_headroom_is_of_the_worst_of_the_last_week() -> None:
    """The peak of last month is over."""
    worst = np.r_[9.0, np.full(8, 3.0), 4.0, np.nan]
    found = headroom(worst, 10.0, paths(6.0), np.full(30, 12.0))
    assert (found.used, found.share, found.left, found.ahead) == (4.0, 0.4, 6.0, 0.5)
    gone = headroom(np.r_[9.0, np.full(7, np.nan)], 10.0, None, np.zeros(0))
    assert (gone.used, gone.ahead) == (9.0, None)


@given(peak=st.floats(0.01, 1e4), requested=st.floats(0.01, 1e4))
def test_advice_holds_the_peaks_and_does_not_ask_twice(peak: float, requested: float) -> None:
    """Once it was followed, it is kept."""
    of = advised(web(requested=requested, limit=1e6), peak)
    assert of.action is not Action.RAISE or of.to > of.present
    assert of.action is not Action.LOWER or peak * 1.1 <= of.to * 1.000001 < of.present
    assert of.action is not Action.LOWER or of.to >= 0.01 * of.present
    again = advised(web(requested=of.to, limit=1e6), peak)
    assert again.action is Action.KEEP or of.to <= 0.0111 * requested
