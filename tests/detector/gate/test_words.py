"""What people read about the cleaning of samples."""

from __future__ import annotations

import ast
from pathlib import Path

from detector.gate.words import note_words

GATE = Path(__file__).resolve().parents[3] / "detector/gate"


def noted() -> set[str]:
    """Names that the gate counts: keys of tallies and first arguments of `_note` and `_drop`."""
    found = set()
    for name in ("builder", "intake", "roster"):
        for node in ast.walk(ast.parse((GATE / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"_note", "_drop"}:
                found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return {name for name in found if isinstance(name, str)} | {"births", "resets", "flips", "gaps"}


def test_every_note_is_told_in_words() -> None:
    """Nobody has to guess what `clamped: 30` means."""
    names = noted()
    assert len(names) > 6
    assert not [name for name in names if note_words(name, 3) == f"3 {name.replace('_', ' ')}"]


def test_a_note_that_has_no_words_yet_is_still_told() -> None:
    """Nothing that was left out is kept from people."""
    assert note_words("odd_thing", 2) == "2 odd thing"
