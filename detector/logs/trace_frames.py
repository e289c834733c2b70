"""Stack traces as frames: Java, Python, Go, Node, .NET and Ruby, each as its runtime prints it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Frame", "Language", "Raised", "raised_in"]

# Of a longer trace only so much is read, so that a hostile one costs no more.
_MOST_LINES, _MOST_LINE = 400, 500
# JSON inside of JSON is escaped twice.
_ESCAPED_MOST = 2
_ESCAPE = re.compile(r"\\([nrt\"\\/])")
_ESCAPES = {"n": "\n", "r": "", "t": "\t", '"': '"', "\\": "\\", "/": "/"}


class Language(StrEnum):
    """Whose trace it is."""

    JAVA = "java"
    PYTHON = "python"
    GO = "go"
    NODE = "node"
    DOTNET = "dotnet"
    RUBY = "ruby"


class Frame(NamedTuple):
    """A place in code: its function with what it is in, and the file or module that has it."""

    function: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """What was raised where, the innermost frame first; of a chain the root cause."""

    language: Language
    error: str
    frames: tuple[Frame, ...]


_JAVA = re.compile(r"\s*at ([\w.$<>/@-]+)\(([^():]{0,200})(?::\d+)?\)")
_JAVA_FILES = (".java", ".kt", ".scala", ".groovy", "Unknown Source", "Native Method")
_JAVA_ERROR = re.compile(
    r"(?:Exception in thread \"[^\"]{0,100}\" )?(?:Caused by: )?((?:[\w$]+\.)+[\w$]+)(?::|$)"
)
_TRACEBACK = "Traceback (most recent call last):"
_CAUSED = "direct cause of the following"
_PYTHON = re.compile(r'\s*File "([^"]{1,300})", line \d+, in (.{1,200})')
# Traces of a group of exceptions stand behind rules that show what is in what.
_GROUP, _RULES = "Exception Group Traceback", re.compile(r"^\s*[|+](?:[-+| ]*[-+|])? ?")
_PYTHON_ERROR = re.compile(r"([A-Za-z_][\w.]*)(?::|$)")
_GO_FILE = re.compile(r"\s+(\S+\.(?:go|s)):\d+")
_GO_ERROR = re.compile(r"(panic|fatal error): (.*)")
_NODE = re.compile(
    r"\s*at (?:async )?(?:(?:new )?([^()\s][^()]{0,200}?) \()?"
    r"((?:[a-z]+:/*)?[^()\s:]{1,300}):\d+:\d+\)?$"
)
_NODE_ERROR = re.compile(
    r"(?:Uncaught )?([A-Z][\w.]*(?:Error|Exception|Warning)?)(?: \[[\w.]+\])?(?::|$)"
)
_DOTNET = re.compile(r"\s*at ([\w.`<>+\[\],|&$~-]+)\([^()]{0,300}\)(?: in (.{1,300}?):line \d+)?")
_DOTNET_ERROR = re.compile(r"(?:Unhandled exception\. )?((?:\w+\.)+\w+)(?::|$)")
_RUBY = re.compile(r"\s*(?:from )?(\S+\.rb):\d+:in [`']([^`']{1,200})'")
_RUBY_ERROR = re.compile(r"(?:\(|^(?=\S+ \(.*\):$))([A-Z][\w:]*)(?:\)$| \()")


def raised_in(text: str) -> Raised | None:
    """What a text tells was raised, or None where it holds no stack trace.

    Line ends may be `␊`, as in what was redacted, or escaped, as in JSON.
    """
    plain = text.replace("␊", "\n")
    for _ in range(_ESCAPED_MOST):
        if "\n" not in plain:
            plain = _ESCAPE.sub(lambda one: _ESCAPES.get(one[1], one[0]), plain)
    lines = [line[:_MOST_LINE].rstrip() for line in plain.split("\n", _MOST_LINES)[:_MOST_LINES]]
    for reader in _READERS:
        found = reader(lines)
        if found is not None and found.frames:
            return found
    return None


def _java(lines: Sequence[str]) -> Raised | None:
    """The last `Caused by` is the root."""
    first = next((n for n, line in enumerate(lines) if _JAVA.match(line)), None)
    if first is None or not any(name in line for line in lines[first:] for name in _JAVA_FILES):
        return None
    heads = [n for n, line in enumerate(lines) if line.startswith("Caused by: ")]
    head = heads[-1] if heads else max(first - 1, 0)
    found = (_JAVA.match(line) for line in lines[head:])
    return Raised(
        language=Language.JAVA,
        error=_error(_JAVA_ERROR, lines[: head + 1]),
        frames=tuple(Frame(_without_module(one[1]), one[2]) for one in found if one),
    )


def _without_module(name: str) -> str:
    """A name without loader and module before it; of a lambda what follows `/` is its address."""
    head, slash, rest = name.partition("/")
    while slash and "$$" not in head:
        name = rest
        head, slash, rest = name.partition("/")
    return name


def _python(lines: Sequence[str]) -> Raised | None:
    """Of a chain by `raise from` the first trace is the root, of one while handling the last."""
    if any(_GROUP in line for line in lines):
        lines = [_RULES.sub("", line) for line in lines]
    starts = [n for n, line in enumerate(lines) if line.endswith(_TRACEBACK)]
    if not starts:
        return None
    caused = [n for n, line in enumerate(lines) if _CAUSED in line]
    begin, end = (starts[0], caused[0]) if caused else (starts[-1], len(lines))
    block = lines[begin + 1 : end]
    found = [_PYTHON.match(line) for line in block]
    last = max((n for n, one in enumerate(found) if one), default=0)
    errors = [line for line in block[last + 1 :] if line and not line[0].isspace()]
    return Raised(
        language=Language.PYTHON,
        error=_error(_PYTHON_ERROR, errors[:1]),
        frames=tuple(Frame(one[2], one[1]) for one in reversed(found) if one),
    )


def _go(lines: Sequence[str]) -> Raised | None:
    """The goroutine that was running is the first."""
    if not any(line.startswith("goroutine ") for line in lines):
        return None
    frames: list[Frame] = []
    for line, under in itertools.pairwise([*lines, ""]):
        file = _GO_FILE.match(under)
        if file and line.endswith(")") and not line[0].isspace():
            frames.append(Frame(line[: line.rindex("(")] if "(" in line else line, file[1]))
        elif frames and not line:
            break
    panicked = next((one for line in lines if (one := _GO_ERROR.match(line))), None)
    error = "panic" if panicked is None else f"{panicked[1]}: {_worded(panicked[2])}"
    return Raised(language=Language.GO, error=error, frames=tuple(frames))


def _node(lines: Sequence[str]) -> Raised | None:
    """A cause follows in `[cause]: `, the root last."""
    heads = [n for n, line in enumerate(lines) if "[cause]: " in line]
    start = heads[-1] if heads else 0
    found = [_NODE.match(line.rstrip("{ ")) for line in lines[start:]]
    first = next((n for n, one in enumerate(found) if one), 0)
    head = [line.partition("[cause]: ")[2] or line for line in lines[start : start + first]]
    return Raised(
        language=Language.NODE,
        error=_error(_NODE_ERROR, head),
        frames=tuple(
            # Rust shows places in files in the same way; a time of day is none.
            Frame(one[1] or "<anonymous>", one[2])
            for one in found
            if one and not one[2].endswith(".rs") and not one[2].isdigit()
        ),
    )


def _dotnet(lines: Sequence[str]) -> Raised | None:
    """The innermost exception is printed first, and ends where its stack does."""
    end = next((n for n, line in enumerate(lines) if "End of inner exception" in line), len(lines))
    found = [_DOTNET.match(line) for line in lines[:end]]
    first = next((n for n, one in enumerate(found) if one), 0)
    return Raised(
        language=Language.DOTNET,
        error=_error(_DOTNET_ERROR, [line.rpartition("---> ")[2] for line in lines[:first]]),
        frames=tuple(Frame(one[1], one[2] or "") for one in found if one),
    )


def _ruby(lines: Sequence[str]) -> Raised | None:
    """The innermost frame stands before the message, on its line."""
    found = (_RUBY.match(line) for line in lines)
    return Raised(
        language=Language.RUBY,
        error=next((one[1] for line in lines if (one := _RUBY_ERROR.search(line))), ""),
        frames=tuple(Frame(one[2], one[1]) for one in found if one),
    )


_READERS: Sequence[Callable[[Sequence[str]], Raised | None]] = (
    _python, _go, _java, _ruby, _node, _dotnet
)  # fmt: skip


def _error(form: re.Pattern[str], lines: Sequence[str]) -> str:
    """The name of the error that the last of some lines begins with, without its package."""
    for line in reversed(lines):
        found = form.search(line.strip())
        if found is not None:
            return found[1].rpartition(".")[2]
    return ""


def _worded(message: str) -> str:
    """The words of a message: numbers, addresses and names in quotes differ each time."""
    kept = re.sub(r"0x[0-9a-fA-F]+|\d+|\"[^\"]*\"|\[[^\]]*\]", "", message)
    return " ".join(kept.split())[:80]
