"""A line as its tokens, and as the template that it is the first line of."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.templates import tuning
from models.templates.kernel_scan import Places
from models.templates.kinds import CAPITALS, KIND, LED, MOST_BYTES, STATE, Kind

__all__ = ["Form", "form", "shown"]

# Members of enumerations are slow to look up, for each token anew.
_WORD, _NAME = int(Kind.WORD), int(Kind.NAME)
_SUFFIXES = (b"ed", b"ing")
_SUFFIXED_LEAST = 5
# So much is shown of what is before the first token and behind the last one.
_AROUND = 64
_UNSEEN = re.compile(rb"(?:\x1b\[[ -?]*[@-~]?|[\x00-\x20\x7f])+")
_PLAIN = frozenset((b"", b" ", b": ", b", ", b"=", b":", b" (", b") ", b" [", b"] "))
_SHOWN = {int(kind): f"<{kind.name.lower()}>".encode() for kind in Kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Tokens of a line: hash, kind with signs, text; `marks` are what is around them, one more."""

    shape: np.uint64
    hashes: NDArray[np.uint64]
    signs: NDArray[np.uint8]
    words: tuple[bytes, ...]
    marks: tuple[bytes, ...]


def form(
    text: NDArray[np.uint8], begin: int, end: int, stopped: NDArray[np.uint64], places: Places
) -> Form:
    """What the scan found of the message from `begin` to `end`; `stopped`: its shape, tokens."""
    n = int(stopped[1])
    hashes, kinds = places[0][:n], places[1][:n]
    froms, tos = places[2][:n].tolist(), places[3][:n].tolist()
    first = max(begin, froms[0] - _AROUND) if n else begin
    last = min(end, tos[-1] + _AROUND if n else begin + MOST_BYTES)
    line = text[first:last].tobytes()
    words = tuple(line[i - first : j - first] for i, j in zip(froms, tos, strict=True))
    gaps = zip([first, *tos], [*froms, last], strict=True)
    marks = [line[i - first : j - first] for i, j in gaps]
    marks[0], marks[-1] = marks[0].rsplit(b"\n", 1)[-1], marks[-1].split(b"\n", 1)[0]
    signs = [
        _signs(word, kind, before)
        for word, kind, before in zip(words, kinds.tolist(), (b"", *words)[:n], strict=True)
    ]
    return Form(
        shape=stopped[0],
        hashes=hashes.copy(),
        signs=np.array(signs, np.uint8),
        words=words,
        marks=tuple(_spaced(mark) for mark in marks),
    )


def _signs(word: bytes, kind: int, before: bytes) -> int:
    """Whether it follows what leads to a name, tells a state, is in capitals.

    A capital alone is a label, as of a slot or a port.
    """
    plain, is_label = kind & KIND, len(word) == 1 and word.isupper()
    is_led = kind & LED and before.lower() in tuning.LEADS
    signs = plain | (LED if is_led or is_label else 0)
    if plain > _NAME:
        return signs
    lower = word.lower()
    is_state = lower in tuning.STATUS or (
        len(word) >= _SUFFIXED_LEAST and lower.endswith(_SUFFIXES) and plain == _WORD
    )
    is_capitals = word.isupper() and not is_label
    return signs | (STATE if is_state else 0) | (CAPITALS if is_capitals else 0)


def _spaced(marks: bytes) -> bytes:
    """What is between two tokens, each run of spaces and control codes as one space."""
    return marks if marks in _PLAIN else _UNSEEN.sub(b" ", marks)


def shown(words: tuple[bytes, ...], marks: tuple[bytes, ...], signs: NDArray[np.uint8]) -> bytes:
    """The text of a line with `<num>`, `<ip>` ... in place of its parameters."""
    parts = [marks[0]]
    for word, sign, mark in zip(words, signs.tolist(), marks[1:], strict=True):
        kind = sign & KIND
        parts += [word if kind <= _NAME else _SHOWN[kind], mark]
    return b"".join(parts).strip()
