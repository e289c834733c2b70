"""Runs that are kept in a folder, and their bar."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from api.cli.fleet_run import kept_in, with_bar
from pipelines.flows.fleet_kept import Came


def test_a_folder_tells_as_of_when_its_run_began(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same moment and the same results, hours later; only what is old is told."""
    with kept_in(tmp_path / "run", 60.0) as (kept, began):
        kept.save("w", [Came("a", b"x")])
    assert began == pytest.approx(time.time(), abs=60)
    with kept_in(tmp_path / "run", 60.0) as (kept, again):
        assert list(kept.results("w", ["a"])) == [("a", b"x")]
    assert again == began
    assert capsys.readouterr().err == ""
    with kept_in(tmp_path / "run", -60.0):
        pass
    assert "goes on with the run of" in capsys.readouterr().err


def test_without_a_folder_nothing_stays() -> None:
    """It was for this run alone."""
    with kept_in(None, 60.0) as (kept, _):
        kept.save("w", [Came("a", b"x")])
        assert kept.file.is_file()
    assert not kept.file.parent.exists()


def test_a_bar_keeps_out_of_what_programs_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines of JSON on standard output stay such."""
    with with_bar("series", 3) as advance:
        advance(1, "series, 1 in trouble")
        advance(3, "series")
    assert capsys.readouterr().out == ""
