"""One resource, assessed."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capacity.assess import Assessment, assess
from detector.capacity.assessed import Action
from detector.capacity.prices import Prices
from detector.capacity.resource import Kind, Limit, Resource
from detector.capacity.whatif import parse
from detector.errors import InputError
from models.baseline.calendar import DAY_MS, Calendar
from tests.detector.capacity.worlds import GIB, NOW, START, days_ahead, disk, hours, web
from tests.profiles import HEAVY

DAY_S = 86_400


def told(resource: Resource, *what_if: str, days: int = 90, seed: int = 0) -> Assessment:
    """At `NOW`."""
    parsed = [parse(text, now=NOW) for text in what_if]
    return assess(resource, horizon_s=days * DAY_S, as_of=NOW, what_if=parsed, seed=seed)


def dates(of: Assessment) -> tuple[float, float, float]:
    """P10, P50 and P90 in days from now."""
    found = of.exhaustion
    assert found is not None
    return days_ahead(found.p10), days_ahead(found.p50), days_ahead(found.p90)


def test_a_disk_that_grows_evenly_is_full_when_arithmetic_says() -> None:
    """Forty are left, one goes a day."""
    of = told(disk(limit=200.0))
    early, middle, late = dates(of)
    assert middle == pytest.approx(40, abs=2)
    assert early < middle < late
    assert late - early < 15
    assert of.exhaustion is not None
    assert of.exhaustion.chance > 0.99
    assert of.exhaustion.since is None
    assert of.problem is None


def test_beyond_the_horizon_there_is_no_date() -> None:
    """And the chance within it is told."""
    of = told(disk(limit=200.0), days=20)
    assert of.exhaustion is not None
    assert (of.exhaustion.p50, of.exhaustion.p90) == (None, None)
    assert of.exhaustion.chance < 0.1


def test_what_is_full_already_says_since_when() -> None:
    """Ten days ago it passed 150."""
    of = told(disk(limit=150.0))
    found = of.exhaustion
    assert found is not None
    assert found.chance == 1.0
    assert found.since == found.p10 == found.p90
    assert days_ahead(found.since) == pytest.approx(-10, abs=2)
    assert of.sizing is not None
    assert of.sizing.action is Action.RAISE
    assert of.sizing.by == NOW


def test_a_limit_that_will_be_raised_is_reached_later() -> None:
    """A known future change counts."""
    grown = Limit(steps=((0, 200.0),), planned=((NOW + 10 * DAY_MS, 220.0),))
    assert dates(told(disk(limit=grown)))[1] == pytest.approx(60, abs=3)
    shrunk = Limit(steps=((0, 200.0),), planned=((NOW + 10 * DAY_MS, 165.0),))
    assert dates(told(disk(limit=shrunk)))[1] == pytest.approx(10, abs=5.5)


def test_a_limit_that_changed_lately_is_told() -> None:
    """A reader wonders why last week's date was another."""
    limit = Limit(steps=((0, 180.0), (NOW - 5 * DAY_MS, 200.0)))
    sentences = " ".join(told(disk(limit=limit)).assumptions)
    assert "was changed from 180 GiB to 200 GiB on 26 October 2026" in sentences


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.zeros(0), "nothing was measured"),
        (np.full(60 * 24, np.nan), "nothing was measured"),
        (np.arange(10.0), "not enough history: needs 14 days, has less than a day"),
        (np.arange(4.0 * 24), "not enough history: needs 14 days, has 4 days"),
        (np.full(60 * 24, -5.0), "nothing was measured"),
        (np.r_[np.ones(45 * 24), np.full(15 * 24, np.nan)], "nothing was measured in the last 15"),
        (np.r_[np.ones(16 * 24), np.full(9 * 24, np.nan)], "nothing was measured in the last 9 d"),
        (
            np.r_[np.ones(50 * 24), np.full(10 * 24, 1024.0)],
            "not enough history: needs 14 days, has 10 days since it is counted in GiB",
        ),
    ],
    ids=["empty", "missing", "ten points", "four days", "negative", "stale", "quiet", "units"],
)
def test_where_there_is_too_little_it_says_so(values: np.ndarray, why: str) -> None:
    """And draws no line."""
    of = told(replace(disk(), usage=hours(values)))
    assert of.problem is not None
    assert of.problem.startswith(why)
    assert (of.exhaustion, of.outlook, of.sizing) == (None, None, None)
    msgspec.json.encode(of)


def test_a_constant_is_not_exhausted() -> None:
    """Nor is it short of anything."""
    of = told(replace(disk(limit=200.0), usage=hours(np.full(60 * 24, 100.0))))
    assert of.problem is None
    assert of.exhaustion is not None
    assert of.exhaustion.chance == 0.0
    assert of.headroom is not None
    assert of.headroom.share == 0.5
    assert of.headroom.ahead == pytest.approx(0.5)


def test_a_constant_says_that_it_is_no_forecast() -> None:
    """Nothing is known of how it would grow."""
    of = told(replace(disk(limit=200.0), usage=hours(np.full(60 * 24, 100.0))))
    assert of.assumptions[-1] == (
        "Usage was the same on all of 60 days: nothing is known of how it grows, and that it stays"
        " is no forecast."
    )


def test_a_silence_is_bridged_and_makes_dates_wider() -> None:
    """The disk went on while nobody looked."""
    values = web(limit=1.8, growth=1.0).usage.values.copy()
    values[-6 * 24 :] = np.nan
    heard, silent = (
        told(replace(web(limit=1.8), usage=one)) for one in (web(growth=1.0).usage, hours(values))
    )
    assert silent.problem is None
    assert any(one.startswith("Nothing was measured in the last 6") for one in silent.assumptions)
    (early, middle, late), (first, second, third) = dates(silent), dates(heard)
    assert middle == pytest.approx(second, abs=6)
    assert late - early > third - first


def test_what_may_have_run_out_in_a_silence_may_have_by_now() -> None:
    """Twelve days were not seen, and three were left."""
    values = disk().usage.values.copy()
    values[-12 * 24 :] = np.nan
    of = told(replace(disk(limit=151.0), usage=hours(values)))
    assert of.exhaustion is not None
    assert (of.exhaustion.p50, of.exhaustion.since) == (NOW, None)


def test_the_rubbish_of_a_counter_moves_no_date() -> None:
    """One hour of 2^63 bytes."""
    values = disk().usage.values.copy()
    values[700] = 2.0**63
    of = told(replace(disk(limit=200.0), usage=hours(values)))
    assert dates(of)[1] == pytest.approx(40, abs=2)
    assert "1 value beyond all measure was left out." in of.assumptions


def test_a_unit_that_changed_is_told_and_what_was_before_is_left_out() -> None:
    """It filled no thousand disks in an hour."""
    values = disk().usage.values.copy()
    values[30 * 24 :] *= 1024
    of = told(replace(disk(limit=200.0 * 1024), usage=hours(values)))
    assert dates(of)[1] == pytest.approx(40, abs=3)
    assert any(
        one.startswith("Before 1 October 2026 usage is left out: it became 1,0")
        for one in of.assumptions
    )


def test_units_that_are_mixed_are_refused() -> None:
    """Bytes against GiB, either way round."""
    usage = hours(disk().usage.values * GIB)
    of = told(replace(disk(limit=200.0), usage=usage, unit="bytes"))
    assert of.problem is not None
    assert of.problem.endswith("are units mixed?")
    of = told(replace(disk(limit=200.0), limit=Limit.of(200 * GIB)))
    assert of.problem is not None
    assert "both GiB" in of.problem


def test_a_month_without_data_in_two_years_is_no_growth() -> None:
    """What was lost is told."""
    grown = disk(days=730, growth=0.1, first=50.0, limit=130.0)
    values = grown.usage.values.copy()
    values[600 * 24 : 630 * 24] = np.nan
    of = told(replace(grown, usage=hours(values)))
    left = (130.0 - values[-1]) / 0.1
    assert dates(of)[1] == pytest.approx(left, rel=0.2)
    assert "Nothing is known of 30 days in a row." in of.assumptions


def test_a_step_of_a_known_change_is_no_trend() -> None:
    """A rollout that raised memory by a third."""
    rng = np.random.default_rng(3)
    values = 100 + rng.normal(0, 1, 60 * 24)
    values[45 * 24 :] += 33
    memory = replace(disk(limit=160.0), kind=Kind.MEMORY, name="memory")
    known = told(replace(memory, usage=hours(values, changes=(45 * 24,))))
    assert known.exhaustion is not None
    assert known.exhaustion.chance < 0.1
    assert any("a known change is taken as a step" in one for one in known.assumptions)


def test_what_is_supposed_is_told_with_what_it_takes_for_granted() -> None:
    """Before all else; of other kinds' what-ifs nothing."""
    of = told(disk(limit=200.0), "traffic +40%", "cpu: usage +10%")
    assert of.what_if == ("traffic +40%",)
    assert of.assumptions[:2] == (
        "It is supposed that: traffic +40%.",
        "Traffic is taken to fill the disk so many times as fast.",
    )
    assert dates(of)[1] == pytest.approx(40 / 1.4, abs=2)
    idle = told(replace(web(), driver=None), "traffic +40%")
    assert "as nothing is known that drives it" in idle.assumptions[1]
    assert told(web(), "traffic +40%").assumptions[1].startswith("Usage goes on")


def test_without_a_limit_there_is_an_outlook_and_no_date() -> None:
    """It says so."""
    of = told(replace(disk(), limit=None))
    assert of.outlook is not None
    assert (of.exhaustion, of.headroom, of.sizing) == (None, None, None)
    assert "No limit is known, so no date can be told." in of.assumptions


def test_how_far_off_such_forecasts_were_is_told() -> None:
    """A disk that fills evenly is foretold far better than by what it was a week before."""
    of = told(disk()).outlook
    assert of is not None
    assert of.mase is not None
    assert 0.0 < of.mase < 0.3


def test_of_what_is_young_or_constant_no_error_is_known() -> None:
    """None is honest; nought would be praise."""
    for one in (disk(days=20), replace(disk(), usage=hours(np.full(60 * 24, 7.0)))):
        of = told(one).outlook
        assert of is not None
        assert of.mase is None


def test_the_outlook_of_a_disk_ends_at_its_limit() -> None:
    """A disk of 200 GiB never holds 240."""
    of = told(disk(limit=200.0))
    assert of.outlook is not None
    assert max(of.outlook.p90) == 200.0
    assert len(of.outlook.p50) == 90
    assert of.outlook.start_ms == NOW


def test_clocks_that_change_and_leap_days_move_no_date() -> None:
    """Thirty days of Berlin's autumn."""
    offsets = Calendar(
        starts=np.array([START, START + 54 * DAY_MS]), offsets=np.array([7_200_000, 3_600_000])
    )
    usage = replace(web(limit=1.8, growth=1.0).usage, calendar=offsets)
    plain, zoned = (
        told(replace(web(limit=1.8, growth=1.0), usage=one))
        for one in (web(growth=1.0).usage, usage)
    )
    assert dates(zoned)[1] == pytest.approx(dates(plain)[1], abs=3)


def test_a_leap_day_is_a_day() -> None:
    """Forty days before the first of March 2028, it is full forty days on."""
    leap = 1_835_481_600_000  # 1 March 2028.
    later = replace(disk(limit=200.0).usage, start_ms=disk().usage.start_ms + (leap - NOW))
    of = assess(replace(disk(limit=200.0), usage=later), horizon_s=90 * DAY_S, as_of=leap)
    assert of.exhaustion is not None
    assert of.exhaustion.p50 is not None
    assert (of.exhaustion.p50 - leap) / DAY_MS == pytest.approx(40, abs=2)


def test_prices_tell_what_is_saved() -> None:
    """Three replicas that ask for eight cores and use a little more than one."""
    of = assess(
        web(limit=8.0, requested=8.0, replicas=3),
        horizon_s=30 * DAY_S,
        as_of=NOW,
        prices=Prices(currency="EUR", a_month={Kind.CPU: 10.0}),
    )
    assert of.sizing is not None
    assert (of.sizing.action, of.sizing.what, of.sizing.currency) == (
        Action.LOWER,
        "request",
        "EUR",
    )
    assert of.sizing.saving == pytest.approx(3 * 10 * (8 - of.sizing.to))
    assert 1.3 < of.sizing.to < 2.0


def test_a_horizon_is_between_a_day_and_a_year() -> None:
    """Named, with what would be right."""
    for days in (0, 400):
        with pytest.raises(InputError, match="between one day and 366") as refused:
            told(disk(), days=days)
        assert refused.value.field == "horizon"


def test_the_same_question_has_the_same_answer() -> None:
    """To the bit; another seed moves it a little."""
    assert told(disk()) == told(disk())
    assert dates(told(disk(), seed=1))[1] == pytest.approx(dates(told(disk()))[1], abs=1)


@HEAVY
@given(limits=st.tuples(st.floats(100, 260), st.floats(100, 260)))
def test_a_higher_limit_is_never_reached_earlier(limits: tuple[float, float]) -> None:
    """Whatever it is."""
    low, high = (dates(told(disk(limit=limit))) for limit in sorted(limits))
    assert all(one <= other for one, other in zip(low, high, strict=True))


@HEAVY
@given(limit=st.floats(50, 300), growth=st.floats(-0.5, 2), days=st.integers(1, 366))
def test_p10_is_before_p50_is_before_p90(limit: float, growth: float, days: int) -> None:
    """And each within the horizon, or none."""
    of = told(disk(limit=limit, growth=growth), days=days)
    early, middle, late = dates(of)
    assert early <= middle <= late
    assert middle == np.inf or middle <= days
    assert of.exhaustion is not None
    assert (of.exhaustion.chance >= 0.5) == (middle < np.inf)


@settings(max_examples=5)
@given(
    more=st.tuples(st.integers(-40, 80), st.integers(-40, 80)),
    of=st.sampled_from(["traffic", "usage"]),
)
def test_a_higher_what_if_is_never_later(more: tuple[int, int], of: str) -> None:
    """Of CPU through its driver, of a disk by its growth."""
    for resource in (web(limit=1.8, growth=2.0), disk(limit=200.0)):
        high, low = (
            dates(told(resource, f"{of} {by:+d}% from 2026-11-05")) for by in sorted(more)[::-1]
        )
        assert all(one <= other for one, other in zip(high, low, strict=True))
