"""`serinus digest` against a server, as a person calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.api.cli.served import serinus, serving
from tests.api.test_digest import Place, app, place

__all__ = ["app", "place"]


@pytest.fixture
def url(place: Place) -> Iterator[str]:
    """A server that knows a week."""
    with serving(place.app) as address:
        yield address


def test_a_week_reads_from_top_to_bottom(url: str) -> None:
    """Each team with its rules and what was held, then what came of policies."""
    shown = serinus("digest", "--server", url)
    lines = [line.strip() for line in shown.stdout.splitlines() if line.strip()]
    assert shown.exit_code == 0, shown.stderr
    assert lines[0] == "From 2026-09-21 09:00 to 2026-09-28 09:00 UTC"
    assert lines[1] == "shop: 1 told, 1 held back"
    assert lines[2].startswith("Nobody said of any that was told")
    assert lines[3].startswith("Rule all that no other rule takes to chat, in four weeks: told 1")
    assert "mail" in lines[4]
    assert "/incidents/inc_" in lines[4]
    assert (
        lines[-1] == "Policy default blocked none, passed 1 (1 not known): not known how rightly."
    )


def test_a_program_reads_it_as_the_server_says_it(url: str) -> None:
    """Of one team, and of a week that holds a day."""
    told = serinus("digest", "--server", url, "--team", "mail", "--week", "2026-09-23",
                   "--format", "json")  # fmt: skip
    answer = json.loads(told.stdout)
    assert [team["team"] for team in answer["teams"]] == ["mail"]
    assert answer["since"].startswith("2026-09-21T09:00")


def test_a_week_of_nobody_says_so(url: str) -> None:
    """Silence would look like a mistake."""
    shown = serinus("digest", "--server", url, "--tenant", "other")
    assert "No team was told of anything" in shown.stdout


def test_what_is_no_day_is_wrong_usage(url: str) -> None:
    """As the server says it."""
    shown = serinus("digest", "--server", url, "--week", "monday")
    assert shown.exit_code == 2
    assert "week" in shown.stderr
