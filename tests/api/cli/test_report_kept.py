"""`serinus report list`, `show` and `compare`: by a server, and on the records of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from detector.capacity.report import of_json
from pipelines.reports.keeping import Archive
from pipelines.stores.sqlite import Database
from tests.api.cli.served import serinus, serving
from tests.api.reports.examples import report
from tests.api.test_reports import BEFORE, NEW, OLD, door_with


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, ...]]]:
    """The same reports behind a server, and in a directory."""
    folder = tmp_path_factory.mktemp("data")
    database = Database(folder / "serinus.db")
    archive = Archive(store=database.stores().reports)
    for told in (BEFORE, report()):
        archive.keep(told, title=f"in short: {told.scope}", name="weekly")
    database.close()
    with serving(door_with().app) as url:
        yield {"server": ("--server", url), "data": ("--data", str(folder))}


@pytest.fixture(params=["server", "data"])
def place(request: pytest.FixtureRequest, places: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """One of both: they answer alike."""
    return places[request.param]


def asked(*words: str) -> Result:
    """The command ended well."""
    result = serinus("report", *words)
    assert result.exit_code == 0, result.output
    return result


def test_reports_are_listed(place: tuple[str, ...]) -> None:
    """With what they are called and say."""
    lines = asked("list", *place).stdout.splitlines()
    assert lines[1].split()[:3] == [NEW, "2026-11-25", "07:00"]
    assert lines[2].split()[0] == OLD
    assert "in short: all services" in lines[1]
    told = json.loads(asked("list", *place, "--format", "json").stdout)
    assert [one["id"] for one in told["reports"]] == [NEW, OLD]


def test_a_page_is_cut_and_says_so(place: tuple[str, ...]) -> None:
    """And by schedule there may be none."""
    assert "There are more: --limit above 1" in asked("list", *place, "--limit", "1").stdout
    assert "No report is kept" in asked("list", *place, "--name", "monthly").stdout


def test_a_report_is_shown_as_it_was(place: tuple[str, ...]) -> None:
    """In words, and for programs as it is kept."""
    assert "Friday 18 December" in asked("show", NEW, *place).stdout
    told = asked("show", NEW, *place, "--format", "json").stdout
    assert of_json(told) == report()


def test_a_report_is_written_in_other_forms(place: tuple[str, ...], tmp_path: Path) -> None:
    """Of one that was made weeks ago: it is not made again."""
    page, table = tmp_path / "r.html", tmp_path / "r.csv"
    result = asked("show", NEW, *place, "--out", str(page), "--out", str(table))
    assert "<h1>Capacity of all services" in page.read_text(encoding="utf-8")
    assert table.read_text(encoding="utf-8").count("\n") == 9
    assert f"written: {page}" in result.stderr
    assert result.stdout == ""


def test_two_reports_are_compared(place: tuple[str, ...]) -> None:
    """What changed has a row; what did not is counted."""
    text = asked("compare", OLD, NEW, *place).stdout
    assert "connections pool of checkout" in text
    assert "new in the later report: since Saturday 21 November" in text
    assert "2 resources as before." in text
    assert "cpu of search" not in text
    told = json.loads(asked("compare", OLD, NEW, *place, "--format", "json").stdout)
    assert (told["before"], told["after"]) == (OLD, NEW)


def test_the_same_report_has_no_news(place: tuple[str, ...]) -> None:
    """And no empty table."""
    assert asked("compare", NEW, NEW, *place).stdout.strip() == "6 resources as before."


@pytest.mark.parametrize(
    "words", [("show", "none"), ("compare", NEW, "none")], ids=["show", "compare"]
)
def test_what_is_not_there_is_wrong_usage(words: tuple[str, ...], place: tuple[str, ...]) -> None:
    """With its name."""
    result = serinus("report", *words, *place)
    assert result.exit_code == 2
    assert "none" in result.stderr


def test_a_form_that_there_is_not_is_told_first(place: tuple[str, ...]) -> None:
    """Before anything is looked up."""
    result = serinus("report", "show", NEW, *place, "--out", "report.docx")
    assert result.exit_code == 2
    assert ".html, .pdf, .csv, .json, .png" in result.stderr


def test_without_records_one_hears_where_they_would_be(tmp_path: Path) -> None:
    """As with the other commands."""
    result = serinus("report", "list", "--data", str(tmp_path))
    assert result.exit_code == 2
    assert "--data the directory of `serinus serve`" in result.stderr


@pytest.mark.parametrize("words", [("list",), ("show", "x"), ("compare", "x", "y")])
def test_a_server_that_is_away_is_told(words: tuple[str, ...]) -> None:
    """With the exit code of what could not be asked."""
    result = serinus("report", *words, "--server", "http://127.0.0.1:9")
    assert result.exit_code == 4
