"""`serinus export` and `serinus explain`: the evidence of a verdict, taken home and told."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from api.compose import DATABASE
from pipelines.flows.evidence import FILE_MAX
from pipelines.stores.sqlite import Database
from tests.api.cli.served import serinus
from tests.pipelines.flows.scripted import World
from tests.pipelines.flows.test_engine import poll, shop, start


def test_export_writes_the_file_and_says_so(
    judged: tuple[World, str], url: str, tmp_path: Path
) -> None:
    """From a running server, to be attached to a ticket."""
    path = tmp_path / "out.serinus"
    result = serinus("export", judged[1], "--server", url, "-o", str(path))
    assert result.exit_code == 0, result.output
    assert f"evidence written to {path} (" in result.stderr
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("manifest.json"))["verdict"] == judged[1]
    assert serinus("replay", str(path)).exit_code == 0


def test_without_a_name_it_is_that_of_the_verdict(
    judged: tuple[World, str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the present directory."""
    monkeypatch.chdir(tmp_path)
    assert serinus("export", judged[1], "--server", url).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"{judged[1]}.serinus"]


def test_export_of_records_needs_no_server(tmp_path: Path) -> None:
    """From the data directory, and into a pipe."""
    database = Database(tmp_path / DATABASE)
    world = shop(0.04)
    world.stores = database.stores()
    start(world)
    verdict = poll(world, 600)
    database.close()
    result = serinus("export", verdict.id, "--data", str(tmp_path), "-o", "-")
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(BytesIO(result.stdout_bytes)) as archive:
        assert json.loads(archive.read("answer.json"))["outcome"] == "fail"


def test_what_cannot_be_written_is_told(judged: tuple[World, str], url: str) -> None:
    """With the option that is wrong."""
    result = serinus("export", judged[1], "--server", url, "-o", "/nowhere/x.serinus")
    assert result.exit_code == 2
    assert "--output: cannot write /nowhere/x.serinus: No such file" in result.stderr


def test_an_unknown_verdict_is_told(url: str) -> None:
    """Nothing is written."""
    assert serinus("export", "nope", "--server", url).exit_code == 2


def test_explain_tells_a_file_in_words(file: Path) -> None:
    """The short of it first; then each question with its answer."""
    result = serinus("explain", str(file))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("checkout: fail. Errors: 4.0 %")
    titles = [line for line in lines if line and not line.startswith(" ")][-6:]
    assert titles == [
        "Why",
        "Why not earlier",
        "How the threshold came about",
        "What would have made it pass",
        "What was left out",
        "What to look at next",
    ]
    assert "enough, and not from one burst" in result.stdout
    assert all(len(line) <= 100 or "rate(" in line for line in lines)


def test_short_is_short(judged: tuple[World, str], url: str) -> None:
    """By id from a server, three lines at most."""
    result = serinus("explain", judged[1], "--server", url, "--short")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) <= 3


def test_a_verdict_asked_once_has_a_trail_too(tmp_path: Path) -> None:
    """One late question holds all samples; what was known before is played from them."""
    world = shop(0.04)
    path = tmp_path / "once.serinus"
    path.write_bytes(world.gate.records.export(poll(world, 600).id))
    result = serinus("explain", str(path))
    assert "evidence of harm in error_rate" in result.stdout
    assert "asked for the first time since" in result.stdout


@pytest.mark.parametrize("command", ["explain", "replay"])
def test_a_file_that_is_too_large_is_not_read(command: str, tmp_path: Path) -> None:
    """By its size on the disk."""
    path = tmp_path / "large.serinus"
    with path.open("wb") as made:
        made.truncate(FILE_MAX + 1)
    result = serinus(command, str(path))
    assert result.exit_code == 2
    assert "more than the 256.0 MB that are read" in result.stderr


@pytest.mark.parametrize("command", ["explain", "replay"])
def test_a_tampered_file_is_told_by_its_member(command: str, file: Path, tmp_path: Path) -> None:
    """And nothing of it is shown."""
    changed = tmp_path / "changed.serinus"
    with zipfile.ZipFile(file) as good, zipfile.ZipFile(changed, "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            if name == "policy.json":
                content = content.replace(b"0.005", b"0.5")
            bad.writestr(name, content)
    result = serinus(command, str(changed))
    assert result.exit_code == 2
    assert "policy.json was changed: its SHA-256 is" in result.stderr
    assert result.stdout == ""
