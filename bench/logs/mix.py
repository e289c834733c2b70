"""Lines of loghub's systems over and over, each time with other parameters."""

from __future__ import annotations

import csv
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

__all__ = ["Shape", "mix", "shapes"]

_DIGITS, _HEX = "0123456789", "0123456789abcdef"
# So many different values make a labelled place that holds words one of names, and not of states.
_NAMES_LEAST, _VOCABULARY = 4, 5_000
_CONSONANTS, _VOWELS = "bcdfghklmnprstvz", "aeiou"
_SEED = 20_261_127


class Shape:
    """A labelled line: its constants, its parameters, and which of these are names of something."""

    def __init__(self, constants: Sequence[str], values: Sequence[str]) -> None:
        self.constants, self.values = tuple(constants), tuple(values)
        self.is_name = [False] * len(self.values)

    def line(self, draw: random.Random, names: Sequence[str]) -> str:
        """It, with other parameters of the same look."""
        parts = [self.constants[0]]
        for value, is_name, constant in zip(
            self.values, self.is_name, self.constants[1:], strict=True
        ):
            parts += [_other(value, is_name, draw, names), constant]
        return "".join(parts)


def _other(value: str, is_name: bool, draw: random.Random, names: Sequence[str]) -> str:
    """Digits become other digits, ids other ids; a word becomes another where it is a name."""
    if value.isalpha():
        return draw.choice(names) if is_name else value
    is_id = any(c.isdigit() for c in value) and all(c in _HEX for c in value)
    letters = _HEX if is_id and not value.isdigit() else _DIGITS
    return "".join(draw.choice(letters) if c.isdigit() else c for c in value)


def shapes(folder: Path) -> list[Shape]:
    """Every labelled line of every set, in the order of the files."""
    made: list[Shape] = []
    for path in sorted(folder.glob("*/*.log_structured.csv")):
        seen: dict[tuple[str, int], set[str]] = defaultdict(set)
        rows = []
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                shape = _shape(row["Content"], row["EventTemplate"])
                rows.append((row["EventId"], shape))
                for place, value in enumerate(shape.values):
                    seen[row["EventId"], place].add(value)
        for event, shape in rows:
            shape.is_name = [
                len(seen[event, place]) >= _NAMES_LEAST for place in range(len(shape.values))
            ]
            made.append(shape)
    return made


def _shape(message: str, template: str) -> Shape:
    """A message as its label cuts it; where that does not fit, all of it is constant but digits."""
    constants = template.split("<*>")
    found = re.fullmatch("(.*?)".join(map(re.escape, constants)), message, re.DOTALL)
    if found is not None:
        return Shape(constants, found.groups())
    parts = re.split(r"(\d+)", message)
    return Shape(parts[::2], parts[1::2])


def mix(known: Sequence[Shape], rounds: int, seed: int = _SEED) -> list[bytes]:
    """Each line of all sets so many times, in an order without order."""
    draw = random.Random(seed)
    names = [_name(draw) for _ in range(_VOCABULARY)]
    lines = [shape.line(draw, names).encode() for _ in range(rounds) for shape in known]
    draw.shuffle(lines)
    return lines


def _name(draw: random.Random) -> str:
    return "".join(
        draw.choice(_CONSONANTS) + draw.choice(_VOWELS) for _ in range(draw.randint(2, 4))
    )
