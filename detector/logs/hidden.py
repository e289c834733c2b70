"""Where in the bytes of a text something is to be hidden, and by which word it is replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import re2

__all__ = ["Hidden", "expression", "hide", "is_hidden", "without"]

# What a template or an earlier redaction has in place of something.
_PLACEHOLDER = re2.compile(rb"<[a-z0-9_*]{1,16}>")


class Hidden(NamedTuple):
    """Bytes from `start` to `stop`, and the word in angles that takes their place."""

    start: int
    stop: int
    word: str


def hide(span: tuple[int, int], word: str) -> Hidden:
    """What is to be hidden there."""
    return Hidden(*span, word)


def expression(pattern: bytes) -> Any:  # noqa: ANN401 - re2 ships no types
    """An expression over bytes; RE2 takes time in proportion to the text, whatever is in it."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 1 << 26
    options.log_errors = False
    return re2.compile(pattern, options)


def is_hidden(value: bytes) -> bool:
    """Whether a value is a placeholder already."""
    return _PLACEHOLDER.fullmatch(value) is not None


def without(text: bytes, found: Iterable[Hidden]) -> bytes:
    """The text with words in place of what was found; of what overlaps the first one's word."""
    parts, at = [], 0
    for one in _merged(sorted(found)):
        parts += [text[at : one.start], b"<%b>" % one.word.encode()]
        at = one.stop
    return b"".join((*parts, text[at:]))


def _merged(found: Iterable[Hidden]) -> Iterator[Hidden]:
    held: Hidden | None = None
    for one in found:
        if held is None:
            held = one
        elif one.start < held.stop:
            held = Hidden(held.start, max(held.stop, one.stop), held.word)
        else:
            yield held
            held = one
    if held is not None:
        yield held
