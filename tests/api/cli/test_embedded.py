"""`serinus check` with a gate of its own, on a source that holds nothing."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from api.cli.doors import asking_gate
from api.cli.guard import CouldNotAskError
from api.cli.serving import settings_of
from api.compose import DATABASE
from tests.api.cli.served import serinus

ASK = ("check", "--service", "checkout", "--canary", '{pod="a"}')
SOURCE = "source: {kind: memory}\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration without a Prometheus, in a folder where nothing else is."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "serinus.yaml"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_nothing_is_found_and_nothing_is_kept(config: Path) -> None:
    """A look leaves no files in somebody's folder."""
    result = serinus(*ASK, "--config", str(config))
    assert result.exit_code == 3, result.output
    assert result.stdout.startswith("inconclusive: ")
    assert "no_canary_data" in result.stdout
    assert [path.name for path in config.parent.iterdir()] == ["serinus.yaml"]


@pytest.mark.parametrize("by", ["flag", "file", "environment"])
def test_records_are_kept_where_that_is_asked_for(config: Path, by: str) -> None:
    """In the directory that was named, by whatever way."""
    place = config.parent / "records"
    more: tuple[str, ...] = ("--data", str(place)) if by == "flag" else ()
    if by == "file":
        config.write_text(f"{SOURCE}data: {place}\n", encoding="utf-8")
    variables = {"SERINUS_DATA": str(place)} if by == "environment" else {}
    result = serinus(*ASK, "--config", str(config), *more, **variables)
    assert result.exit_code == 3, result.output
    assert (place / DATABASE).is_file()
    assert "verdict " in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--canary", '{pod=~"("}'], "--canary"),
        (["--canary", '{pod="a'], "--canary"),
        (["--canary", " "], "--canary"),
        (["--canary", '{pod=~"' + "(a{1000}){1000}" + '"}'], "--canary"),
        (["--control", "{{"], "--control"),
        (["--service", ""], "--service"),
        (["--weight", "120"], "--weight"),
        (["--started-at", "yesterday"], "--started-at"),
        (["--started-at", "1790000600", "--deadline", "1790000000"], "--deadline"),
        (["--as-of", "4102444800"], "--as-of"),
        (["--policy", "nope"], "nope"),
        (["--config", "nope.yaml"], "nope.yaml"),
    ],
)
def test_wrong_usage_is_2_and_names_what_to_mend(config: Path, words: list[str], told: str) -> None:
    """As with a server: the same words for the same mistake."""
    result = serinus(*ASK, "--config", str(config), *words)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_policies_of_the_file_judge(config: Path) -> None:
    """A mode of the configuration holds without a server."""
    config.write_text(f"{SOURCE}policies: {{quiet: {{mode: shadow}}}}\n", encoding="utf-8")
    result = serinus(*ASK, "--config", str(config), "--policy", "quiet", "--format", "json")
    body = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (body["outcome"], body["answer"]) == ("inconclusive", "pass")


def test_configuration_of_the_environment_is_taken(config: Path) -> None:
    """SERINUS_CONFIG is enough."""
    assert serinus(*ASK, SERINUS_CONFIG=str(config)).exit_code == 3


def test_store_that_cannot_be_opened_is_4(config: Path) -> None:
    """It could not be asked; that is no fail."""
    (config.parent / "file").touch()
    result = serinus(*ASK, "--config", str(config), "--data", "file")
    assert result.exit_code == 4
    assert "Traceback" not in result.stderr


def test_store_that_fails_for_a_moment_is_asked_again(config: Path) -> None:
    """A lock that another process holds ends no waiting."""
    place = config.parent / "records"
    settings = settings_of(config, None, {"data": place})
    with asking_gate(settings, {"service": "a", "canary": "{pod='a'}"}, in_memory=False) as ask:
        assert ask()
        with sqlite3.connect(place / DATABASE) as other:
            other.execute("ALTER TABLE attempts RENAME TO elsewhere")
        with pytest.raises(CouldNotAskError):
            ask()
        with sqlite3.connect(place / DATABASE) as other:
            other.execute("ALTER TABLE elsewhere RENAME TO attempts")
        assert ask()
