"""Texts of logs and traces as a page may show them, with the parameters of templates marked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from detector.logs.plain import LINE_END, plain

__all__ = ["Part", "parts_of", "plain_lines", "shortened"]

# A parameter of a template, and what redaction put in place of something: not any markup of a line.
_NAMES = (
    r"\*|num|time|date|ip|hex|id|path|url|mail|str|json|empty|bool"
    r"|email|card|iban|phone|person|key|jwt|private_key|secret|redacted"
)
_PARAMETER = re.compile(rf"(<(?:{_NAMES})>)")
_LONGEST, _LINES, _LINE = 400, 8, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a template: words, or a place at which lines differ."""

    text: str
    is_parameter: bool


def parts_of(text: str) -> tuple[Part, ...]:
    """A template in pieces, of which no one can act on the page or turn its direction.

    >>> [(one.text, one.is_parameter) for one in parts_of("order <num> failed")]
    [('order ', False), ('<num>', True), (' failed', False)]
    """
    pieces = _PARAMETER.split(shortened(text, _LONGEST))
    return tuple(
        Part(text=piece, is_parameter=bool(at % 2)) for at, piece in enumerate(pieces) if piece
    )


def plain_lines(sample: str) -> str:
    """The first lines of a sample, each on its own."""
    lines = sample.replace(LINE_END, "\n").split("\n", _LINES)[:_LINES]
    return "\n".join(shortened(line, _LINE) for line in lines)


def shortened(text: str, most: int = 160) -> str:
    """A text in one line, cut where it is too long to be read."""
    told = plain(text[: 4 * most])
    return told if len(told) <= most else f"{told[: most - 1]}…"
