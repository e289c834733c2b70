"""Follows a document as a person would, and compares what the terminal prints."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docs import blocks, prometheus
from tests.docs.blocks import Block
from tests.docs.shell import Shell
from tests.servers import free_port


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
            self._changes.setdefault("8080", str(free_port()))
        else:
            pytest.fail(f"line {block.line}: unknown need {need!r}; use prometheus or port")
