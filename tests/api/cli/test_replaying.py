from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.app import create_app
from api.compose import DATABASE
from detector.gate.verdict import Outcome
from pipelines.flows.evidence import pack_evidence, unpack_evidence
from pipelines.stores.sqlite import Database
from tests.api.cli.served import serinus, serving
from tests.pipelines.flows.scripted import World
from tests.pipelines.flows.test_engine import poll, shop, start


def test_replay_gives_the_identical_answer(judged: tuple[World, str], url: str) -> None:
    """Somebody who doubts a verdict computes it again, from its samples, on their own machine."""
    result = serinus("replay", judged[1], "--server", url)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("fail: Errors")
    assert "identical" in result.stderr


def test_json_is_that_of_the_server(judged: tuple[World, str], url: str) -> None:
    """To the last digit."""
    world, verdict = judged
    result = serinus("replay", verdict, "--server", url, "--format", "json")
    with serving(create_app(world.gate)) as other:
        again = serinus("replay", verdict, "--server", other, "--format", "json")
    assert json.loads(result.stdout)["id"] == verdict
    assert result.stdout == again.stdout


def test_evidence_is_taken_home(judged: tuple[World, str], url: str, tmp_path: Path) -> None:
    """One file replays without any server."""
    path = tmp_path / "home.serinus"
    serinus("replay", judged[1], "--server", url, "--export", str(path))
    result = serinus("replay", str(path))
    assert result.exit_code == 0, result.output
    assert "identical" in result.stderr


def test_records_replay_without_a_server(tmp_path: Path) -> None:
    """From the data directory alone."""
    database = Database(tmp_path / DATABASE)
    world = shop(0.04)
    world.stores = database.stores()
    start(world)
    verdict = poll(world, 600)
    database.close()
    result = serinus("replay", verdict.id, "--data", str(tmp_path))
    assert result.exit_code == 0, result.output


def test_answer_that_cannot_be_repeated_is_told(file: Path) -> None:
    """A verdict that was changed after the fact is found out: exit code 1, and both are shown."""
    evidence = unpack_evidence(file.read_bytes())
    verdict = replace(
        evidence.stored.verdict, outcome=Outcome.PASS, answer=Outcome.PASS, engine="0.9.0"
    )
    stored = replace(evidence.stored, verdict=verdict)
    file.write_bytes(pack_evidence(replace(evidence, stored=stored, answer=None)))
    result = serinus("replay", str(file))
    assert result.exit_code == 1
    assert result.stdout.startswith("fail: ")
    assert "made by engine 0.9.0" in result.stderr
    assert 'outcome: "pass" -> "fail"' in result.stderr
    assert 'engine: "0.9.0" -> ' in result.stderr


@pytest.mark.parametrize("change", [b"", b"no evidence", b"\x28\xb5\x2f\xfd\x00"])
def test_any_other_file_is_refused(tmp_path: Path, change: bytes) -> None:
    """With what is wrong with it."""
    path = tmp_path / "file.serinus"
    path.write_bytes(change)
    result = serinus("replay", str(path))
    assert result.exit_code == 2, result.output
    assert "evidence" in result.stderr


def test_file_that_was_cut_is_refused(file: Path) -> None:
    """Half a download is not half a verdict."""
    file.write_bytes(file.read_bytes()[:-100])
    assert serinus("replay", str(file)).exit_code == 2


@pytest.mark.parametrize("target", ["nope.serinus", "some/where"])
def test_missing_file_is_told(target: str) -> None:
    """And not looked for as an id."""
    result = serinus("replay", target)
    assert result.exit_code == 2
    assert target in result.stderr


def test_unknown_verdict_is_told(url: str) -> None:
    """As a wrong id."""
    result = serinus("replay", "nope", "--server", url)
    assert result.exit_code == 2
    assert "nope" in result.stderr


def test_place_that_cannot_be_written_is_told(
    judged: tuple[World, str], url: str, tmp_path: Path
) -> None:
    """Before anything is computed."""
    place = tmp_path / "no" / "such" / "folder"
    result = serinus("replay", judged[1], "--server", url, "--export", str(place))
    assert result.exit_code == 2
    assert "--export" in result.stderr
