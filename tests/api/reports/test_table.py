"""The table: a row for each resource, columns that are documented, and no formula."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.table import COLUMNS, csv_of
from detector.capacity.report import LeftOut, Report
from tests.api.reports.examples import NOW, disk, hostile, new, pool, report

DOCS = Path(__file__).resolve().parents[3] / "docs" / "reports.md"


def rows(told: Report) -> list[dict[str, str]]:
    """As a program reads them."""
    return list(csv.DictReader(StringIO(csv_of(told), newline="")))


def test_each_resource_has_a_row() -> None:
    """In the order of the report; what was left out comes last, with the reason."""
    found = rows(report())
    assert [one["service"] for one in found][:2] == ["checkout", "orders-db"]
    assert [one["state"] for one in found][-2:] == ["left out", "left out"]
    assert found[-1]["problem"] == "every value is missing since 2 November"
    assert {len(one) for one in found} == {len(COLUMNS)}


def test_a_row_is_in_plain_units() -> None:
    """A program need not know what 172 GiB are."""
    (one,) = rows(replace(report(disk()), left_out=()))
    assert float(one["limit"]) == 200 * 2**30
    assert one["p50"] == "2026-12-18T07:00:00Z"
    assert one["by"] == "2026-12-07T07:00:00Z"
    assert (one["action"], one["saving_month"], one["currency"]) == ("raise", "-14.4", "EUR")
    assert (one["past_reports"], one["past_within"]) == ("3", "2")


def test_what_is_not_known_is_empty() -> None:
    """And not 0, which is a number."""
    (one,) = rows(replace(report(new()), left_out=()))
    assert (one["chance"], one["p50"], one["to"], one["used_share"]) == ("", "", "", "0.06")
    assert one["problem"].startswith("not enough history")


def test_a_text_is_no_formula() -> None:
    """A spreadsheet would run it under the name of who opens the table."""
    (one,) = rows(replace(report(hostile()), left_out=()))
    assert one["name"].startswith("'=HYPERLINK")
    assert one["service"].startswith("'@<script>")
    assert one["team"].startswith("'+cmd")


@given(st.text(max_size=30))
def test_no_text_becomes_a_formula(text: str) -> None:
    """Whatever it begins with; and a number that is negative stays one."""
    told = Report(
        made_at=NOW, horizon_s=1, scope="", left_out=(LeftOut(name=text, why=""),),
        assessments=(disk(),),
    )  # fmt: skip
    found = rows(told)
    assert found[0]["saving_month"] == "-14.4"
    name = found[1]["name"]
    assert not re.match(r"\s*[=+\-@|%\t\r\n]", name) or name.startswith("'") or not text.strip(" ")
    assert name.removeprefix("'") == text.removeprefix("'")


def test_what_has_run_out_has_its_day() -> None:
    """So that a program sees for how long."""
    (one,) = rows(replace(report(pool()), left_out=()))
    assert (one["state"], one["since"]) == ("has run out", "2026-11-21T07:00:00Z")


@pytest.mark.parametrize("column", COLUMNS)
def test_columns_are_documented(column: str) -> None:
    """A column that nobody knows the meaning of is guessed."""
    assert f"`{column}`" in DOCS.read_text(encoding="utf-8")
