"""Bytes of a line as clean text: no terminal's orders, no bytes that no text has, not too long."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipelines.ingest.records.flaws import Flaw

__all__ = ["LONGEST", "cleaned"]

# A message longer than this says at its end nothing that its beginning does not tell apart.
LONGEST = 32 * 1024
# ECMA-48: control sequences, strings up to their terminator, and two-byte escapes.
_ORDERS = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]?"
)
# What a text may hold beside what is printed: tabs, and line ends within a stack trace.
_STRANGE = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_MARKS = b"\xef\xbb\xbf"


def cleaned(line: bytes, count: Callable[[Flaw], None], *, most: int = LONGEST) -> str:
    """The text of a line without its end; `count` hears once of each kind of flaw.

    What is not UTF-8 stands as U+FFFD. Line ends within it stay, carriage returns do not.
    """
    if len(line) > most:
        count(Flaw.TOO_LONG)
        line = line[:most]
    if _STRANGE.search(line) is not None:
        line = _printed(line.replace(b"\r\n", b"\n").removesuffix(b"\r"), count)
    if line.startswith(_MARKS):
        line = line.removeprefix(_MARKS)
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character that the bound cut in two is no flaw of its writer's.
        if error.end < len(line) or len(line) < most:
            count(Flaw.NOT_UTF8)
        return line.decode("utf-8", errors="replace")


def _printed(line: bytes, count: Callable[[Flaw], None]) -> bytes:
    if b"\x1b" in line:
        count(Flaw.TERMINAL)
        line = _ORDERS.sub(b"", line)
    if _STRANGE.search(line) is not None:
        count(Flaw.BINARY)
        line = _STRANGE.sub(b"", line)
    return line
