"""Fenced blocks of a Markdown document and what the comment before them asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>[\w+-]*)[^`]*$")
_TEST = re.compile(r"^ *<!-- test(?:: *(?P<options>.*?))? *-->$")
_EXEMPT = re.compile(r"^ *<!-- no test: *(?P<why>\S.*?) *-->$")
_ALLOWED = {"exit", "needs", "timeout", "wait"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block; `line` is its fence's, `options` what follows `test:`."""

    kind: str
    text: str
    line: int
    marked: bool = False
    exempt: bool = False
    options: dict[str, str] = field(default_factory=dict)

    @property
    def exits(self) -> frozenset[int]:
        """Exit codes that its last command may end with."""
        return frozenset(int(code) for code in self.options.get("exit", "0").split(","))

    @property
    def timeout_s(self) -> float:
        return float(self.options.get("timeout", "30"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of a block and what it should print; None when that does not matter."""

    text: str
    expected: str | None = None


def read(path: Path) -> list[Block]:
    return list(blocks(path.read_text(encoding="utf-8")))


def blocks(source: str) -> Iterator[Block]:
    """Blocks in order; a fence that is never closed raises."""
    lines = source.splitlines()
    position = 0
    while position < len(lines):
        fence = _FENCE.match(lines[position])
        if fence is None:
            position += 1
            continue
        end = _closing(lines, position)
        indent = len(fence["indent"])
        body = [line[indent:] for line in lines[position + 1 : end]]
        comment = _comment_before(lines, position)
        yield _block(fence["kind"], "\n".join(body) + "\n", position + 1, comment)
        position = end + 1


def _closing(lines: list[str], start: int) -> int:
    for number in range(start + 1, len(lines)):
        if lines[number].strip() == "```":
            return number
    raise ValueError(f"line {start + 1}: a fence without an end")


def _comment_before(lines: list[str], position: int) -> str:
    above = (line for line in reversed(lines[:position]) if line.strip())
    return next(above, "")


def _block(kind: str, text: str, line: int, comment: str) -> Block:
    test, exempt = _TEST.match(comment), _EXEMPT.match(comment)
    if comment.lstrip().startswith(("<!-- test", "<!-- no test")) and not (test or exempt):
        raise ValueError(f"line {line}: cannot read {comment.strip()!r}")
    return Block(
        kind=kind,
        text=text,
        line=line,
        marked=test is not None,
        exempt=exempt is not None,
        options=_options((test["options"] if test else None) or "", line),
    )


def _options(text: str, line: int) -> dict[str, str]:
    pairs = [word.partition("=") for word in text.split()]
    unknown = [name for name, _, value in pairs if name not in _ALLOWED or not value]
    if unknown:
        raise ValueError(f"line {line}: unknown option {unknown[0]!r}; use one of {_ALLOWED}")
    return {name: value for name, _, value in pairs}


def commands(block: Block) -> list[Command]:
    """What a person would type: all of a `bash` block at once, each `$ ` line of a `console`."""
    if block.kind != "console":
        return [Command(text=block.text)]
    found: list[tuple[list[str], list[str]]] = []
    goes_on = False
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
            goes_on = line.endswith("\\")
        elif goes_on:
            found[-1][0].append(line)
            goes_on = line.endswith("\\")
        elif found:
            found[-1][1].append(line)
        else:
            raise ValueError(f"line {block.line}: output before the first `$ `")
    return [
        Command(text="\n".join(typed), expected="\n".join(printed) if any(printed) else None)
        for typed, printed in found
    ]


def matches(expected: str, printed: str) -> bool:
    """Whether the output is what the document shows; `...` stands for anything."""
    parts = [re.escape(part) for part in _plain(expected).split("...")]
    return re.fullmatch(".*?".join(parts), _plain(printed), flags=re.DOTALL) is not None


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
