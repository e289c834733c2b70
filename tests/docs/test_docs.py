"""Runs the documentation; tests/docs/README.md tells how a block is marked."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs import blocks
from tests.docs.blocks import Block
from tests.docs.command_line import problems
from tests.docs.reader import Reader

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SHELLS = {"bash", "console"}

pytestmark = pytest.mark.docs


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


documents = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)


def of_kind(document: Path, *kinds: str) -> list[Block]:
    return [b for b in blocks.read(document) if b.kind in kinds and not b.exempt]


@documents
@pytest.mark.timeout(600)
def test_commands_do_what_the_document_says(document: Path, tmp_path: Path) -> None:
    """Somebody who types what we wrote gets what we promised."""
    marked = [block for block in of_kind(document, *SHELLS) if block.marked]
    if not marked:
        return
    folder = tmp_path / "reader"
    folder.mkdir()
    with ExitStack() as stack:
        reader = Reader(folder, stack)
        for block in marked:
            reader.follow(block)


@documents
def test_python_runs(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snippet that is copied from the page works."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__docs__"}
    for block in of_kind(document, "python"):
        # Blank lines before it, so that a traceback shows the document's own line numbers.
        source = "\n" * block.line + block.text
        exec(compile(source, name_of(document), "exec"), namespace)  # noqa: S102


PARSERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
}


@documents
def test_configuration_parses(document: Path) -> None:
    """A configuration that is copied from the page is at least well formed."""
    for block in of_kind(document, *PARSERS):
        try:
            PARSERS[block.kind](block.text)
        except ValueError as error:
            pytest.fail(f"{name_of(document)}:{block.line}: {error}")


@documents
def test_commands_and_options_exist(document: Path) -> None:
    """Nobody is told to type an option that there is not."""
    wrong = [
        f"{name_of(document)}:{block.line}: {problem}"
        for block in of_kind(document, *SHELLS)
        for words in serinus_commands(block)
        for problem in problems(words)
    ]
    assert not wrong, "\n".join(wrong)


def serinus_commands(block: Block) -> Iterator[list[str]]:
    """The words after `serinus` of each command that calls it."""
    for command in blocks.commands(block):
        for line in command.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if "serinus" in words:
                yield words[words.index("serinus") + 1 :]
