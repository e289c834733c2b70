"""Templates of one tenant's lines: mined, with ids that outlive what the miner makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.logs.binned import Binned, binned
from detector.logs.counted import LogCounts, Template
from detector.logs.lines import LogLines
from detector.logs.plain import plain
from pipelines.flows.logs_record import STEP_MS

__all__ = ["OTHER", "LineMiner", "Mined", "Pattern", "TenantMiner"]

# For lines of templates that there is no room for.
OTHER = "lt_other"
_SAMPLE_BYTES, _SAMPLE, _TEXT = 4_096, 1_000, 2_000


class Pattern(Protocol):
    """A template as the miner has it."""

    @property
    def id(self) -> str:
        """It follows from the content."""
        ...

    @property
    def text(self) -> str:
        """With `<...>` where lines differ."""
        ...


class Mined(Protocol):
    """What the miner says of a batch of lines."""

    @property
    def number(self) -> NDArray[np.int32]:
        """Of each line, the number of its template."""
        ...

    @property
    def merged(self) -> Iterable[tuple[int, int]]:
        """Numbers that are gone, each with the one that it went into."""
        ...


class LineMiner(Protocol):
    """What is used of `models.templates.miner.Miner`."""

    def add(self, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> Mined:
        """Take lines."""
        ...

    def template(self, number: int) -> Pattern:
        """A template by its number."""
        ...

    def to_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Its state."""
        ...


class TenantMiner:
    """Counts lines by template; whoever asks holds the tenant's lock.

    `known` are the ids of templates that were seen before; of new ones there are at most so many
    that they are `most`, and the lines of the others are counted under `OTHER`.
    """

    def __init__(
        self,
        miner: LineMiner,
        known: Iterable[str] = (),
        *,
        most: int,
        redact: Callable[[str], str],
    ) -> None:
        self.miner, self.most, self._redact = miner, most, redact
        self.known = set(known)
        self.fresh = self.merged = self.refused = 0
        # Under which id a number was counted last: a template that became wider is not a new one.
        self._was: dict[int, str] = {}

    def count(self, lines: LogLines) -> LogCounts:
        """The lines by bin, template, origin and level."""
        mined = self.miner.add(lines.text, lines.ends)
        for gone, into in mined.merged:
            self.merged += 1
            was = self._was.pop(int(gone), None)
            if was is not None:
                self._was.setdefault(int(into), was)
        rows = binned(lines, mined.number, STEP_MS)
        numbers, place = np.unique(rows.number, return_inverse=True)
        return self._counts(lines, rows, numbers.tolist(), place.astype(np.int32))

    def kept(self, counts: LogCounts) -> None:
        """What was counted is kept: its templates are known from now on."""
        self.known.update(one.id for one in counts.templates if one.id != OTHER)
        self.fresh += len(counts.fresh)

    def _counts(
        self, lines: LogLines, rows: Binned, numbers: list[int], place: NDArray[np.int32]
    ) -> LogCounts:
        templates: dict[str, Template] = {}
        fresh: set[str] = set()
        places = np.zeros(len(numbers), np.int32)
        for nth, number in enumerate(numbers):
            template, is_fresh = self._template(number, lambda: _first(lines, rows, number))  # noqa: B023
            templates.setdefault(template.id, template)
            if is_fresh:
                fresh.add(template.id)
            places[nth] = list(templates).index(template.id)
        ids = list(templates)
        return LogCounts(
            step_ms=STEP_MS,
            at=rows.at,
            template=places[place],
            origin=rows.origin,
            level=rows.level,
            count=rows.count,
            templates=tuple(templates.values()),
            origins=lines.origins,
            fresh=frozenset(ids.index(id) for id in fresh),
        )

    def _template(self, number: int, first: Callable[[], bytes]) -> tuple[Template, bool]:
        pattern = self.miner.template(number)
        is_known = pattern.id in self.known
        if not is_known and len(self.known) >= self.most:
            self.refused += 1
            return _OTHERS, False
        is_fresh = not is_known and self._was.get(number) not in self.known
        self._was[number] = pattern.id
        sample = "" if is_known else self._sample(first())
        return Template(id=pattern.id, text=plain(pattern.text)[:_TEXT], sample=sample), is_fresh

    def _sample(self, line: bytes) -> str:
        return self._redact(line[:_SAMPLE_BYTES].decode(errors="replace"))[:_SAMPLE]


_OTHERS = Template(id=OTHER, text="<lines of templates beyond the limit>")


def _first(lines: LogLines, rows: Binned, number: int) -> bytes:
    return lines.message(int(rows.line[rows.number == number].min()))
