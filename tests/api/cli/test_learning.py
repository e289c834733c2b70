"""`serinus learn` against a server, as a person calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from detector.changes.change import ChangeKind
from tests.api.cli.served import serinus, serving
from tests.api.test_learning import Place, app, noisy, place
from tests.detector.incidents.saying import DEFAULTS

__all__ = ["app", "place"]

SINCE = ("--since", "2026-09-20T00:00Z")
WHY = ("--reason", "flags bite", "--person", "ada")


@pytest.fixture
def url(place: Place) -> Iterator[str]:
    """A server that knows sixty days."""
    with serving(place.app) as address:
        yield address


def test_it_shows_before_and_after_and_changes_nothing(url: str, place: Place) -> None:
    """What is known, what would change, whether that is better, and what to do."""
    shown = serinus("learn", *SINCE, "--server", url)
    assert shown.exit_code == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert "people spoke on" in lines[0]
    (flag,) = [line.split() for line in lines if line.startswith("flag")]
    assert flag[1:5] == ["3", "%", "3", "%"]
    assert [line[:7] for line in lines if "loss" in line] == ["before:", "after: "]
    assert "apply it" in lines[-1]
    assert place.flag() == DEFAULTS[ChangeKind.FLAG]


def test_settings_are_written_for_who_keeps_them_in_a_file(
    url: str, place: Place, tmp_path: Path
) -> None:
    """Nothing is in force by that."""
    out = tmp_path / "learned.yaml"
    assert serinus("learn", *SINCE, "--server", url, "--out", str(out)).exit_code == 0
    assert yaml.safe_load(out.read_text())["incidents"]["bad"]["flag"] > 0.09
    assert place.flag() == DEFAULTS[ChangeKind.FLAG]


def test_it_is_applied_seen_and_undone(url: str, place: Place) -> None:
    """By name and with a reason, both shown to who comes next."""
    applied = serinus("learn", *SINCE, "--server", url, "--apply", *WHY)
    assert "version 1 applied by ada" in applied.stdout
    assert place.flag() > 0.09
    assert "flags bite" in serinus("learn", *SINCE, "--server", url).stdout
    undone = serinus("learn", "--server", url, "--undo", "--reason", "no", "--person", "bob")
    assert "version 2 undoes 1 by bob" in undone.stdout
    assert "all is as configured" in undone.stdout
    assert place.flag() == DEFAULTS[ChangeKind.FLAG]


def test_a_program_reads_it_as_the_server_says_it(url: str) -> None:
    """And nothing else on the line."""
    told = serinus("learn", *SINCE, "--server", url, "--format", "json")
    assert json.loads(told.stdout)["better"] is True


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--apply"], "--reason"),
        (["--undo"], "--reason"),
        (["--force"], "--force"),
        (["--undo", "--apply", "--reason", "x"], "--undo"),
        (["--since", "soon"], "since"),
    ],
)
def test_wrong_usage_is_told_before_anything_happens(
    url: str, place: Place, words: list[str], named: str
) -> None:
    """By the option's name."""
    told = serinus("learn", "--server", url, *words)
    assert told.exit_code == 2
    assert named in told.stderr
    assert place.flag() == DEFAULTS[ChangeKind.FLAG]


def test_what_is_not_better_says_so(url: str) -> None:
    """Of a tenant of whom nobody said anything."""
    told = serinus("learn", *SINCE, "--server", url, "--tenant", "other", "--apply", *WHY)
    assert told.exit_code == 2
    assert "nothing to apply" in told.stderr


def test_rules_that_are_applied_are_named(url: str, place: Place) -> None:
    """With the severity from which on they tell now."""
    noisy(place)
    assert "set severity: medium" in serinus("learn", *SINCE, "--server", url).stdout
    applied = serinus("learn", *SINCE, "--server", url, "--apply", *WHY)
    assert "service=cart to chat from medium on" in " ".join(applied.stdout.split())
