"""A bench that falls short says so, whoever runs it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from bench.ending import concluded, short_of

ASKED = {"seconds": ("<=", 2.0), "found": (">=", 0.95)}


@pytest.mark.parametrize(
    ("seconds", "found", "missed"),
    [
        (2.0, 0.95, []),
        (2.1, 0.96, ["seconds"]),
        (1.0, 0.94, ["found"]),
        (math.nan, math.nan, ["seconds", "found"]),
    ],
)
def test_what_is_missed_is_named(seconds: float, found: float, missed: list[str]) -> None:
    """A bound itself is met; no number is a miss."""
    assert short_of({"seconds": seconds, "found": found, "more": 1.0}, ASKED) == missed


def test_the_file_holds_what_was_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who compares two runs needs the bounds beside the figures; 1 says that one is missed."""
    figures, file = {"seconds": 3.0, "found": 1.0}, tmp_path / "figures.json"
    assert concluded(figures, {"curl": {"seconds": 1.0}}, ASKED, {"runs": 3}, file) == 1
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written == {
        "figures": figures,
        "peers": {"curl": {"seconds": 1.0}},
        "asked": {"seconds": ["<=", 2.0], "found": [">=", 0.95]},
        "setup": {"runs": 3},
    }
    assert capsys.readouterr().out == "short of what was asked: seconds\n"


def test_enough_ends_with_0() -> None:
    """And writes nothing where no file was named."""
    assert concluded({"seconds": 1.0, "found": 1.0}, {}, ASKED, {}, None) == 0
