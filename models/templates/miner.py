"""The template miner: lines in, numbers of their templates out, learned as they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.templates import kernel
from models.templates.bare import bare, named_of
from models.templates.form import Form, form
from models.templates.kernel_scan import scanned
from models.templates.kinds import MOST_TOKENS
from models.templates.learning import Learning
from models.templates.pattern import Pattern, Patterns
from models.templates.state import (
    VERSION,
    families_from,
    family_arrays,
    read_header,
    shelf_arrays,
    shelf_from,
)

__all__ = ["Mined", "Miner", "Pattern", "Settings", "Tally"]

Text = NDArray[np.uint8]
Ends = NDArray[np.int64]
_LEAST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How many templates are kept at most; those unseen for longest are forgotten first."""

    templates: int = 100_000

    def __post_init__(self) -> None:
        if self.templates < _LEAST:
            raise ValueError(f"at least {_LEAST} templates, not {self.templates}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """What a batch of N lines was.

    `number` int32 (N,): of the template of each line, after what was merged in this call. Numbers
    grow with the age of templates and are never given twice. `fresh` int32: those first seen in
    this call. `merged`: pairs (gone, into); lines counted under the first belong to the second from
    now on. `forgotten` int32: those that there was no more room for; what was counted stays theirs.
    """

    number: NDArray[np.int32]
    fresh: NDArray[np.int32]
    merged: tuple[tuple[int, int], ...] = ()
    forgotten: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a miner has seen so far.

    `born` templates, of which `joined` were merged into others and `forgotten` had to make room;
    where many are born and forgotten, lines have an id where none is known to be. `floods`: shapes
    of lines that had so many kinds that all further lines of each are one template.
    """

    lines: int
    templates: int
    born: int
    joined: int
    forgotten: int
    floods: int


class Miner:
    """Templates of a stream of lines, in the order that they come in.

    The same lines give the same numbers and ids, however they are cut into batches.
    """

    def __init__(self, settings: Settings = Settings()) -> None:
        self._settings, self._clock = settings, 0
        self._places = (
            np.zeros(MOST_TOKENS, np.uint64),
            np.zeros(MOST_TOKENS, np.uint8),
            np.zeros(MOST_TOKENS, np.int64),
            np.zeros(MOST_TOKENS, np.int64),
        )
        self._learning = Learning(settings.templates)
        self._departed: dict[int, Pattern] = {}
        self._patterns = Patterns()

    def add(self, text: Text, ends: Ends) -> Mined:
        """Count lines, the bytes of all of them in `text` and where each ends in `ends`.

        `ValueError` where they end behind the text, or before they begin.
        """
        text, ends = _read_only(text, np.uint8), _read_only(ends, np.int64)
        if len(ends) and not (
            ends[0] >= 0 and ends[-1] <= len(text) and (np.diff(ends) >= 0).all()
        ):
            raise ValueError(f"lines that end outside of a text of {len(text)} bytes")
        learning = self._learning
        learning.fresh, learning.merged, self._departed = [], [], {}
        forgotten: list[int] = []
        numbers, stopped = np.empty(len(ends), np.int32), np.zeros(2, np.uint64)
        early = np.zeros(len(ends) + 1, np.int64)
        at = 0
        while at < len(ends):
            early[0] = 0
            groups, known = learning.families.groups, learning.templates
            out = (numbers, stopped, early)
            at = kernel.walk(text, ends, at, self._clock, self._places, groups, known, out)
            place = self._form(text, ends, at, stopped) if at < len(ends) else None
            self._sample(text, ends, early, numbers)
            if place is not None:
                forgotten += self._make_room()
                numbers[at] = self._learned(place, self._clock + at)
                at += 1
        self._clock += len(ends)
        return self._mined(numbers, forgotten)

    def template(self, number: int) -> Pattern:
        """What is known of a number; `KeyError` where it was merged, forgotten or never given.

        Those forgotten during the last `add` that lines of it were of can still be asked for.
        """
        slot = self._learning.shelf.slot_of(number)
        if slot < 0:
            return self._departed[number]
        return self._pattern(slot)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All that it knows, for `from_arrays`."""
        learning = self._learning
        learning.without(np.zeros(0, np.int64))
        counts = (
            *(VERSION, self._clock, learning.born),
            *(learning.joined, learning.lost, learning.floods),
        )
        header = {"header": np.array(counts, np.int64)}
        return header | shelf_arrays(learning.shelf) | family_arrays(learning.families)

    def to_bare_arrays(self) -> dict[str, NDArray[Any]]:
        """As `to_arrays`, without a word that stood in the place of a parameter.

        Who goes on from them mines the same; of what was in parameters it has no samples.
        """
        arrays, learning = self.to_arrays(), self._learning
        free = [int(learning.families.free[of]) for of in arrays["family"].tolist()]
        ids = [self._patterns.id_of(learning.shelf, slot) for slot in range(len(free))]
        self._patterns.named = dict(zip(arrays["number"].tolist(), ids, strict=True))
        return arrays | bare(learning.shelf, free, ids)

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], settings: Settings = Settings()
    ) -> Miner:
        """One that goes on where another was; `ValueError` for what `to_arrays` did not make."""
        made = cls(settings)
        learning = made._learning
        header = read_header(arrays, 6)
        made._clock, learning.born, learning.joined = header[1:4]
        learning.lost, learning.floods = header[4:]
        shelf = shelf_from(arrays)
        learning.settle(shelf, families_from(arrays, shelf))
        made._patterns.named = named_of(arrays)
        return made

    @property
    def tally(self) -> Tally:
        """How many lines and templates there were."""
        learning = self._learning
        return Tally(
            lines=self._clock,
            templates=learning.live,
            born=learning.born,
            joined=learning.joined,
            forgotten=learning.lost,
            floods=learning.floods,
        )

    def _pattern(self, slot: int) -> Pattern:
        shelf = self._learning.shelf
        return self._patterns.read(
            shelf, slot, int(self._learning.families.free[shelf.family[slot]])
        )

    def _form(self, text: Text, ends: Ends, at: int, stopped: NDArray[np.uint64]) -> Form:
        begin = int(ends[at - 1]) if at else 0
        return form(text, begin, int(ends[at]), stopped, self._places)

    def _sample(
        self, text: Text, ends: Ends, early: NDArray[np.int64], numbers: NDArray[np.int32]
    ) -> None:
        """Keep those lines as samples that are among the first of their templates."""
        for at in early[1 : 1 + int(early[0])].tolist():
            begin = int(ends[at - 1]) if at else 0
            n, shape = scanned(text, begin, int(ends[at]), self._places)
            stopped = np.array([shape, n], np.uint64)
            slot = self._learning.shelf.slot_of(int(numbers[at]))
            self._learning.keep(slot, self._form(text, ends, at, stopped))

    def _make_room(self) -> list[int]:
        """Numbers that are forgotten, so that there is room for one more."""
        learning = self._learning
        slots = learning.oldest()
        if not len(slots) and not learning.is_full():
            return []
        shelf = learning.shelf
        numbers: list[int] = shelf.number[slots].tolist()
        for slot in slots[shelf.seen[slots] >= self._clock].tolist():
            self._departed[int(shelf.number[slot])] = self._pattern(slot)
        learning.without(slots)
        return numbers

    def _learned(self, line: Form, clock: int) -> int:
        slot = self._learning.learn(line)
        shelf = self._learning.shelf
        shelf.count[slot] += 1
        shelf.seen[slot] = clock
        return int(shelf.number[slot])

    def _mined(self, numbers: NDArray[np.int32], forgotten: list[int]) -> Mined:
        merged = self._learning.merged
        into: dict[int, int] = {}
        for gone, to in reversed(merged):
            into[gone] = into.get(to, to)
        if into:
            places = np.flatnonzero(np.isin(numbers, np.array(list(into), np.int32)))
            numbers[places] = [into[number] for number in numbers[places].tolist()]
        fresh = [number for number in self._learning.fresh if number not in into]
        return Mined(
            number=numbers,
            fresh=np.array(fresh, np.int32),
            merged=tuple(merged),
            forgotten=np.array(forgotten, np.int32),
        )


def _read_only(column: NDArray[Any], kind: type[np.generic]) -> NDArray[Any]:
    """A view that loops are compiled for once, whether who gives it may write to it or not."""
    view = np.ascontiguousarray(column, kind).view()
    view.flags.writeable = False
    return view
