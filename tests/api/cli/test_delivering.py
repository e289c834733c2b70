"""`serinus delivery` against a server, as a person calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from api.cli.delivery_command import ShapeName
from api.routes.delivery import FormatName
from tests.api.cli.served import serinus, serving
from tests.api.test_delivery import CHANGES, door

SINCE = ("--since", "2026-09-21T14:00:00Z")


@pytest.fixture
def url() -> Iterator[str]:
    """A server that knows some deployments."""
    with serving(door(*CHANGES).app) as address:
        yield address


def test_each_measure_is_a_line_with_its_level_and_what_it_is(url: str) -> None:
    """And the weeks below it."""
    shown = serinus("delivery", "--server", url, *SINCE)
    lines = shown.stdout.splitlines()
    assert shown.exit_code == 0, shown.stderr
    assert [line.split("  ")[0] for line in lines[1:5]] == [
        "deployments", "lead time", "failed", "time to restore",
    ]  # fmt: skip
    assert "6.0 hours" in lines[2]
    assert "25 %" in lines[3]
    assert "medium" in lines[3]
    assert any(line.startswith("2026-09-21") for line in lines)
    assert "no incidents" in lines[-1]


def test_it_is_a_table_for_a_sheet_and_json_for_a_program(url: str) -> None:
    """As the server says it."""
    sheet = serinus("delivery", "--server", url, "--format", "csv", *SINCE)
    assert sheet.stdout.startswith("since,until,deployments,")
    told = serinus("delivery", "--server", url, "--format", "json", "--service", "web", *SINCE)
    assert json.loads(told.stdout)["frequency"]["count"] == 1


def test_formats_are_those_that_the_server_has_and_text() -> None:
    """The command line lists them itself, so that it starts fast."""
    assert {one.value for one in ShapeName} == {one.value for one in FormatName} | {"text"}
