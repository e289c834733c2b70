"""Capacity of frames: when a resource runs out, by the assessment of `serinus report capacity`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from api import client
from api.client.columns import CAPACITY
from detector.capacity.report import of_json
from detector.capacity.resource import Kind

GIB = 2.0**30
CPU = (client.examples.usage(seed=2, weeks=8) / 100).rename("web")
DISK = pd.Series(
    300 * GIB + np.cumsum(np.random.default_rng(1).gamma(4.0, 0.04 * GIB, len(CPU))),
    index=CPU.index,
    name="disk",
)
END = DISK.index[-1] + pd.Timedelta("1h")


def disk(limit: float | pd.Series | None = 620 * GIB, **more: Any) -> Any:  # noqa: ANN401
    """A disk that fills up."""
    return client.resource(DISK, limit, kind="disk", unit="bytes", service="db", **more)


@pytest.fixture(scope="module")
def report() -> client.CapacityReport:
    """A disk, a service with too much, and one of four days."""
    web = client.resource(CPU, 8.0, kind="cpu", unit="cores", requested=6.0, service="web")
    new = client.resource(CPU.tail(96), 8.0, kind="cpu", unit="cores", name="new")
    return client.assess([new, web, disk()], prices={"cpu": 20.0}, currency="EUR")


def test_the_most_urgent_comes_first(report: client.CapacityReport) -> None:
    """With when, how sure, and what to do."""
    first = report.frame.iloc[0]
    assert (first["title"], first["action"], first["what"]) == ("disk of db", "raise", "limit")
    assert END < first["p10"] <= first["p50"] <= first["p90"]
    assert first["by"] < first["p50"]
    assert first["to"] > first["limit"] == pytest.approx(620 * GIB, rel=1e-5)
    assert report.summary[0].startswith("1 of 2 resources may run out within 90 days")


def test_a_date_is_where_the_line_meets_the_limit(report: client.CapacityReport) -> None:
    """The disk grows by so much a day, and nothing else is to be known."""
    grown = (DISK.iloc[-1] - DISK.iloc[0]) / (len(DISK) / 24)
    due = END + pd.Timedelta((620 * GIB - DISK.iloc[-1]) / grown, unit="D")
    assert abs(report.frame.loc[0, "p50"] - due) < pd.Timedelta("5D")


def test_a_frame_has_the_columns_of_a_running_serinus(report: client.CapacityReport) -> None:
    """What is written for the one works with the other."""
    assert list(report.frame.columns) == [one.name for one in CAPACITY]
    assert str(report.frame["p50"].dtype) == "datetime64[ns, UTC]"


def test_too_much_is_told_with_what_it_would_save(report: client.CapacityReport) -> None:
    """In the currency of the prices."""
    web = report.frame.set_index("name").loc["web"]
    assert (web["action"], web["what"], web["currency"]) == ("lower", "request", "EUR")
    assert web["saving"] == pytest.approx(20 * (6 - web["to"]))
    assert pd.isna(web["p50"])


def test_too_little_history_is_a_problem_and_no_date(report: client.CapacityReport) -> None:
    """And never a confident line."""
    new = report.frame.set_index("name").loc["new"]
    assert new["problem"].startswith("not enough history: needs ")
    assert new[["p10", "p50", "p90", "chance"]].isna().all()
    days = report.days(new["id"])
    assert days[["p10", "p50", "p90"]].isna().all(axis=None)


def test_days_go_from_what_was_to_what_will_be(report: client.CapacityReport) -> None:
    """One row a day, without a gap between them."""
    days = report.days(report.frame.loc[0, "id"])
    assert days.index.is_unique
    assert (np.diff(days.index) == np.timedelta64(1, "D")).all()
    was, will = days[days.index < END], days[days.index >= END]
    assert was["used"].notna().all()
    assert will["used"].isna().all()
    assert (will["p10"] <= will["p50"]).all()
    assert (will["p50"] <= will["p90"]).all()


def test_assumptions_are_told(report: client.CapacityReport) -> None:
    """What was taken for granted, in words."""
    told = report.assumptions(report.frame.loc[0, "id"])
    assert "The limit stays at 620 GiB." in told


def test_a_report_is_kept_as_others_are(report: client.CapacityReport) -> None:
    """It reads back equal, and can be compared next month."""
    assert of_json(report.json()) == report.report


def test_the_same_is_told_for_the_same() -> None:
    """By the seed, and by nothing else."""
    one, other = client.assess([disk()]), client.assess([disk()])
    assert one.json() == other.json()


def test_more_traffic_is_sooner() -> None:
    """What if it doubles tomorrow?"""
    plain, more = client.assess([disk()]), client.assess([disk()], what_if=["traffic x2"])
    assert more.frame.loc[0, "p50"] < plain.frame.loc[0, "p50"]
    assert more.report.what_if == ("traffic x2",)


def test_a_limit_that_changed_is_told_in_steps() -> None:
    """Each step once, whatever the grid of the series was."""
    limits = pd.Series(500 * GIB, index=DISK.index).where(DISK.index < DISK.index[700], 620 * GIB)
    made = disk(limits)
    assert [value for _, value in made.limit.steps] == [500 * GIB, 620 * GIB]
    assert made.limit.steps[1][0] == DISK.index[700].value // 10**6
    assert client.assess([made]).frame.loc[0, "limit"] == pytest.approx(620 * GIB, rel=1e-5)


def test_a_driver_is_put_on_the_grid_of_usage() -> None:
    """Also where it was measured by minutes, and for longer."""
    index = pd.date_range(CPU.index[0] - pd.Timedelta("2D"), END, freq="30min")
    load = pd.Series(np.arange(len(index), dtype=float), index=index, name="requests")
    made = client.resource(CPU, 8.0, kind="cpu", unit="cores", driver=load)
    assert made.driver is not None
    assert len(made.driver.values) == len(made.usage.values)
    assert made.driver.values[0] == pytest.approx(96.5)
    assert made.driver_name == "requests"


def test_an_hour_is_told_by_its_greatest_value() -> None:
    """A minute that is full is full."""
    minutes = CPU.resample("30min").ffill()
    minutes.iloc[1] = 99.0
    made = client.resource(minutes, 100.0, kind="cpu", unit="cores")
    assert made.usage.values[0] == 99.0
    assert made.kind is Kind.CPU


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: disk(colour="red"), "colour"),
        (lambda: client.resource(DISK, 1.0, kind="wish"), "kind"),
        (lambda: disk(-1.0), "limit"),
        (lambda: disk(pd.Series([1.0])), "limit"),
        (lambda: disk(pd.Series([np.nan], index=DISK.index[:1])), "limit"),
        (lambda: client.resource(DISK.tz_localize(None), 1.0), "usage"),
        (lambda: disk(driver=DISK.reset_index(drop=True)), "driver"),
        (lambda: client.assess([]), "resources"),
        (lambda: client.assess([disk()], horizon="9999d"), "horizon"),
        (lambda: client.assess([disk()], horizon="1h"), "horizon"),
        (lambda: client.assess([disk()], what_if=["maybe"]), "what_if"),
        (lambda: client.assess([disk()], prices={"gold": 1.0}), "prices"),
        (lambda: client.assess([disk()], prices={"disk": -1.0}), "prices"),
        (lambda: client.assess([disk()], as_of=datetime(2026, 5, 1)), "as_of"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_used_is_refused_by_its_field(
    call: Callable[[], object], field: str
) -> None:
    """With what would be right."""
    with pytest.raises(client.InputError) as refused:
        call()
    assert refused.value.field == field


def test_a_resource_that_is_not_there_is_said(report: client.CapacityReport) -> None:
    """And where their ids are."""
    with pytest.raises(client.NotFoundError, match="lists them"):
        report.days("nothing")
