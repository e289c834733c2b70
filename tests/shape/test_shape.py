"""Our own tree, measured: what breaks the house rules fails, the ratios are only printed.

A ratio that fails a build breeds padding; read it in the output of `make test` instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.shape.measure import Measured, code_lines, has_module_docstring, measure_file, quantile

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("models", "detector", "pipelines", "api")
LONGEST = 80
NO_ROOM = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "misc"}


@cache
def files(package: str) -> tuple[Path, ...]:
    return tuple(sorted((ROOT / package).rglob("*.py")))


@cache
def measured(package: str) -> tuple[Measured, ...]:
    return tuple(found for path in files(package) for found in measure_file(path, ROOT))


def functions(package: str) -> list[Measured]:
    return [found for found in measured(package) if found.is_function]


def lines(package: str) -> int:
    return sum(count(path) for path in files(package))


@cache
def count(path: Path) -> int:
    return len(code_lines(path.read_text(encoding="utf-8"), place(path)))


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("package", [*PACKAGES, "tests", "bench"])
def test_no_function_is_too_long(package: str) -> None:
    """Over 80 code lines nobody reviews a function; split it where it changes subject."""
    long = [f"{f.place} {f.name}: {f.lines}" for f in functions(package) if f.lines > LONGEST]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("package", [*PACKAGES, "tests", "bench"])
def test_every_function_is_typed(package: str) -> None:
    """mypy checks what is annotated; a function without types is not checked at all."""
    untyped = [f"{f.place} {f.name}" for f in functions(package) if not f.is_typed]
    assert not untyped, "\n".join(untyped)


@pytest.mark.parametrize("package", ["models", "detector"])
def test_every_public_name_of_the_core_is_documented(package: str) -> None:
    """Shapes, units and errors of the core are told where they are defined."""
    bare = [f"{d.place} {d.name}" for d in measured(package) if d.is_public and not d.is_documented]
    bare = [name for name in bare if not name.split(".")[-1].startswith("__")]
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize("package", [*PACKAGES, "bench"])
def test_every_module_says_what_it_is_for(package: str) -> None:
    """A reader decides by the first line whether to read on."""
    bare = [
        place(path)
        for path in files(package)
        if path.stat().st_size
        and not has_module_docstring(path.read_text(encoding="utf-8"), place(path))
    ]
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize("package", [*PACKAGES, "tests", "bench"])
def test_no_module_without_a_room(package: str) -> None:
    """`utils` is where code goes when nobody asked what it is about."""
    named = [
        path
        for path in (ROOT / package).rglob("*")
        if path.stem in NO_ROOM and (path.is_dir() or path.suffix == ".py")
    ]
    assert not named


def test_ratios_are_printed(record_property: Callable[[str, object], None]) -> None:
    """The score that style reviews look at; shown at the end of the run."""
    record_property("shape", "\n".join(row(package) for package in (*PACKAGES, "tests")))


def row(package: str) -> str:
    sizes = [function.lines for function in functions(package)]
    sources = max(1, lines(package))
    beside = [p for p in files("tests") if p.relative_to(ROOT / "tests").parts[0] == package]
    tests = sum(count(path) for path in beside)
    ratio = f"  tests ÷ source {tests / sources:.2f}" if package != "tests" else ""
    return (
        f"{package:<10} {lines(package):>6} lines  functions {len(sizes):>5}"
        f"  median {quantile(sizes, 0.5):>2}  p90 {quantile(sizes, 0.9):>2}"
        f"  longest {max(sizes, default=0):>2}{ratio}"
    )
