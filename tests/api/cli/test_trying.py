"""The stages of a try within a time: what is reached, and what is said of the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.progress import Progress

from api.cli.trying import Wanted, _Run, _Watch
from api.settings import Settings
from detector.discovery.tried import Report
from tests.pipelines.flows.test_trying import opening, trying

WANTED = Wanted(days=3.0, rollouts=5, placebos=2, within="1h", jobs=1, as_of=None, as_json=False)


def reported(seconds: float, wanted: Wanted = WANTED) -> Report:
    """The report on a small company that is made in some seconds."""
    made = _Run(trying(), wanted, _Watch(seconds), Progress(disable=True), Settings())
    made.opening = opening  # type: ignore[assignment]  # what lies in memory is not opened anew
    return made.report()


def test_with_time_every_stage_is_reached() -> None:
    """What is found is what was put there, and nothing is called unlooked at."""
    report = reported(3600.0)
    assert report.is_past_reached
    assert {one.found.service for one in report.rolled} == {"web", "cart"}
    assert report.placebos.is_reached
    assert report.placebos.judged == 2
    assert [one.what for one in report.skipped] == []
    assert report.oddities


def test_without_time_nothing_is_called_empty() -> None:
    """The services are told whatever it takes; the rest was not looked at, and says so."""
    report = reported(0.0)
    assert len(report.judged) == 1  # one is always looked at
    assert len(report.unjudged) == 2
    assert (report.is_past_reached, report.rolled, report.unread) == (False, (), ())
    assert not report.placebos.is_reached
    assert [one.what for one in report.listing.skipped] == ["oddities of the week"]


def test_placebos_that_nobody_wants_are_not_missed() -> None:
    """`--placebos 0` is a choice and no lack of time."""
    report = reported(3600.0, replace(WANTED, placebos=0, rollouts=0))
    assert report.placebos.is_reached
    assert (report.placebos.asked, report.rolled) == (0, ())
    assert {one.service for one in report.unread} == {"web", "cart"}


@pytest.mark.parametrize("seconds", [10.0, 90.0])
def test_a_call_never_gets_more_than_its_part_nor_nothing(seconds: float) -> None:
    """A source that hangs costs half a minute; the last call is given two seconds all the same."""
    watch = _Watch(seconds)
    assert watch.left_s() == pytest.approx(min(30.0, seconds), abs=0.5)
    watch.begun -= seconds
    assert watch.left_s() == 2.0
    assert not watch.is_before(1.0)
