"""`serinus change` and `serinus changes` against a server, as a shell calls them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from api.changing import take_changes
from api.cli.change_command import KindName, PhaseName
from api.settings import Settings
from detector.changes.change import ChangeKind, ChangePhase
from pipelines.stores.memory_changes import MemoryChanges
from tests.api.cli.served import serinus, serving
from tests.api.doors import Door

HOSTILE = "pool \x1b[2J[red]10[/red]"


@pytest.fixture
def url() -> Iterator[str]:
    """A server with an empty change log."""
    door = Door()
    take_changes(door.app, MemoryChanges(), Settings())
    with serving(door.app) as address:
        yield address


def kept(url: str, *words: str) -> list[dict[str, object]]:
    """What `serinus changes` has to show."""
    shown = serinus("changes", "--server", url, "--format", "json", *words)
    assert shown.exit_code == 0, shown.stderr
    changes: list[dict[str, object]] = json.loads(shown.stdout)["changes"]
    return changes


def test_what_is_told_is_shown(url: str) -> None:
    """With who did it, which a script does not have to know."""
    told = serinus("change", "pool 10 to 40", "--service", "cart", "--kind", "config",
                   "--version", "v7", "--server", url)  # fmt: skip
    assert told.stdout.startswith("kept as chg_")
    (change,) = kept(url)
    assert (change["title"], change["service"], change["kind"]) == (
        "pool 10 to 40",
        "cart",
        "config",
    )
    assert change["actor"]


def test_a_script_that_runs_twice_has_changed_one_thing(url: str) -> None:
    """And is told so, with exit code 0: it did nothing wrong."""
    words = ("change", "migration 42", "--id", "m42", "--server", url)
    serinus(*words)
    again = serinus(*words)
    assert (again.exit_code, again.stdout) == (0, "told before: nothing was added\n")


def test_start_and_end_under_one_id_are_one_change(url: str) -> None:
    """The start an hour ago, the end now."""
    began = serinus("change", "m", "--id", "m", "--phase", "started", "--at", "1h", "--server", url)
    serinus("change", "m", "--id", "m", "--server", url)
    (change,) = kept(url)
    assert began.exit_code == 0
    begun = datetime.fromisoformat(str(change["started_at"]))
    ended = datetime.fromisoformat(str(change["ended_at"]))
    assert timedelta(minutes=59) < ended - begun < timedelta(minutes=61)


def test_only_what_lasted_in_the_time_asked_for_is_shown(url: str) -> None:
    """An incident of this morning is not explained by last week."""
    serinus("change", "old", "--at", "3d", "--server", url)
    assert kept(url) == []
    assert [change["title"] for change in kept(url, "--since", "4d")] == ["old"]


def test_a_title_cannot_command_the_terminal(url: str) -> None:
    """Anyone who may open a pull request writes titles."""
    day = datetime.now(UTC).date().isoformat()
    refused = serinus("change", HOSTILE, "--server", url)
    assert refused.exit_code == 2
    serinus("change", "pool [red]10[/red]", "--server", url)
    table = serinus("changes", "--server", url).stdout
    assert "\x1b" not in table
    assert "pool [red]10[/red]" in table
    assert day in table


def test_nothing_is_said_to_be_nothing(url: str) -> None:
    """Not an empty screen."""
    assert serinus("changes", "--server", url).stdout == "No changes in that time.\n"


def test_a_time_that_is_none_is_refused(url: str) -> None:
    """By the option that is wrong."""
    told = serinus("change", "x", "--at", "soon", "--server", url)
    assert told.exit_code == 2
    assert "at" in told.stderr


def test_the_words_of_the_options_are_those_of_the_log() -> None:
    """They are written twice, so that the command line starts without the rest."""
    assert [kind.value for kind in KindName] == [kind.value for kind in ChangeKind]
    assert [phase.value for phase in PhaseName] == [phase.value for phase in ChangePhase]
