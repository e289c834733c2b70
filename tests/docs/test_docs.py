"""Runs the documentation; tests/docs/README.md tells how a block is marked."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs import blocks, prometheus
from tests.docs.blocks import Block
from tests.docs.shell import Shell

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SHELLS = {"bash", "console"}
OPTION = re.compile(r"^--[a-z][a-z-]*")

pytestmark = pytest.mark.docs


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


documents = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)


def of_kind(document: Path, *kinds: str) -> list[Block]:
    return [b for b in blocks.read(document) if b.kind in kinds and not b.exempt]


class Reader:
    """A person who follows a document from top to bottom, in a folder of their own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._shell = stack.enter_context(Shell(folder))
        self._changes: dict[str, str] = {}

    def follow(self, block: Block) -> None:
        """Do what a marked block says and compare what it prints."""
        for need in filter(None, block.options.get("needs", "").split(",")):
            self._provide(need, block)
        last = len(commands := blocks.commands(block)) - 1
        for number, command in enumerate(commands):
            status, printed = self._shell.run(self._here(command.text), timeout_s=block.timeout_s)
            told = f"line {block.line}: {command.text}\nexit {status}, printed:\n{printed}"
            assert status in (block.exits if number == last else {0}), told
            if command.expected is not None:
                assert blocks.matches(self._here(command.expected), printed), told
        if "wait" in block.options:
            prometheus.wait_until_ok(self._here(block.options["wait"]), within_s=block.timeout_s)

    def _here(self, text: str) -> str:
        for written, real in self._changes.items():
            text = text.replace(written, real)
        return text

    def _provide(self, need: str, block: Block) -> None:
        if need == "prometheus":
            if "http://localhost:9090" not in self._changes:
                store = self._folder.with_name(self._folder.name + "-prometheus")
                store.mkdir()
                address = self._stack.enter_context(prometheus.running(store))
                self._changes["http://localhost:9090"] = address
        elif need == "port":
            self._changes.setdefault("8080", str(prometheus.free_port()))
        else:
            pytest.fail(f"line {block.line}: unknown need {need!r}; use prometheus or port")


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


def problems(words: list[str]) -> Iterator[str]:
    subcommand = next((word for word in words if not word.startswith("-")), "")
    code, text = help_of(subcommand)
    if code != 0:
        yield f"there is no `serinus {subcommand}`"
        return
    known = set(re.findall(r"--[a-z][a-z-]*", text)) | {"--help"}
    for word in words:
        option = OPTION.match(word)
        if option and option[0] not in known:
            yield f"`serinus {subcommand}` has no {option[0]}"


@cache
def help_of(subcommand: str) -> tuple[int, str]:
    command = [sys.executable, "-c", "from api.cli import main; main()"]
    arguments = [subcommand, "--help"] if subcommand else ["--help"]
    result = subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env={"COLUMNS": "250", "NO_COLOR": "1", "TERM": "dumb", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return result.returncode, result.stdout
