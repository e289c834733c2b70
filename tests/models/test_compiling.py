"""Loops as machine code: the same answers, wherever there is a disk to keep them on."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.compiling import compiled, inlined, uncounted


def total(values: Any) -> float:  # noqa: ANN401
    """The sum, from left to right."""
    found = 0.0
    for value in values:
        found += value
    return found


def shares(part: float, whole: float) -> float:
    """A quotient, whatever it is of."""
    return part / whole


TOTAL = compiled(total)
SHARE = uncounted(shares)


@given(st.lists(st.floats(allow_nan=False), max_size=8))
def test_a_compiled_loop_says_what_the_plain_one_says(values: list[float]) -> None:
    """A score would depend on who computed it."""
    found, plain = TOTAL(np.array(values)), total(values)
    assert found == plain or (math.isnan(found) and math.isnan(plain))


def test_a_division_by_nothing_is_infinite_as_in_numpy() -> None:
    """One odd series would end the loop for all of its batch."""
    assert SHARE(1.0, 0.0) == math.inf


@pytest.mark.parametrize("compiling", [compiled, uncounted, inlined])
def test_without_a_place_to_keep_it_a_loop_is_compiled_all_the_same(
    compiling: Callable[[Any], Any],
) -> None:
    """A read-only image without a home could take no metrics."""
    scope: dict[str, Any] = {}
    exec("def doubled(value):\n    return 2 * value\n", scope)  # noqa: S102 - no file to keep it by
    assert compiling(scope["doubled"])(21) == 42


def parts(constant: int, sign: str) -> str:
    """A module whose constant and whose part become part of a loop elsewhere."""
    return f"""
from models.compiling import inlined
TIMES = {constant}
@inlined
def moved(value):
    return value {sign} 1
"""


LOOP = """
from models.compiling import uncounted
from shop import parts
_moved = parts.moved
@uncounted
def loop(value):
    return parts.TIMES * _moved(value)
"""


def loaded(package: Path, text: str) -> Any:  # noqa: ANN401
    """The loop of a package whose other module has this text, as a new process would load it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]
    (package / "parts.py").write_text(text)
    importlib.invalidate_caches()
    return importlib.import_module("shop.loop").loop


def test_what_was_kept_is_compiled_anew_when_a_part_elsewhere_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade scores would be those of the old release, and nobody would see why."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "loop.py").write_text(LOOP)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    texts = [parts(2, "+"), parts(30, "+"), parts(30, "-"), parts(30, "-")]
    found = []
    for text in texts:
        loop = loaded(package, text)
        found.append((loop(5), sum(loop.stats.cache_hits.values())))
    assert found == [(12, 0), (180, 0), (120, 0), (120, 1)]
