"""docs/argo.md and docs/flagger.md show what is shipped."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.controllers.controllers import DEPLOY
from tests.docs.blocks import Block, read

DOCS = DEPLOY.parent / "docs"
PAGES = {"argo": DOCS / "argo.md", "flagger": DOCS / "flagger.md"}
# Of serinus' own configuration, which deploy/ has no file for.
OWN = "policies:"


def excerpts() -> list[tuple[str, Block]]:
    found = [(name, block) for name, page in PAGES.items() for block in read(page)]
    return [(n, b) for n, b in found if b.kind == "yaml" and not b.text.startswith(OWN)]


def plain(text: str) -> list[str]:
    """Lines without comments."""
    lines = (line.split(" #")[0].rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def holds(file: Path, lines: list[str]) -> bool:
    """Whether the lines stand in the file one after the other, indented alike."""
    there = plain(file.read_text(encoding="utf-8"))
    windows = (there[at : at + len(lines)] for at in range(len(there) - len(lines) + 1))
    return any(textwrap.dedent("\n".join(window)) == "\n".join(lines) for window in windows)


@pytest.mark.parametrize(
    ("name", "block"), [pytest.param(n, b, id=f"{n}-{b.line}") for n, b in excerpts()]
)
def test_excerpt_stands_in_a_shipped_file(name: str, block: Block) -> None:
    """Who copies from the page gets what was tested."""
    files = sorted((DEPLOY / name).glob("*.yaml"))
    assert any(holds(file, plain(block.text)) for file in files), block.text


def test_there_are_excerpts_of_both() -> None:
    """The test above speaks of something."""
    assert {name for name, _ in excerpts()} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_every_shipped_file_is_told_of(name: str) -> None:
    """No manifest is without a word on what it does."""
    page = PAGES[name].read_text(encoding="utf-8")
    missing = [
        f.name for f in (DEPLOY / name).glob("*.yaml") if f"deploy/{name}/{f.name}" not in page
    ]
    assert not missing
