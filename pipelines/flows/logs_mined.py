"""Templates of one tenant's lines: mined, with ids that outlive what the miner makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.logs.binned import binned
from detector.logs.counted import LogCounts, Template
from detector.logs.lines import LogLines
from detector.logs.tracing import traces_of
from pipelines.stores.own import STEP_MS

__all__ = ["OTHER", "LineMiner", "Mined", "Noted", "Pattern", "TenantMiner"]

# For lines of templates that there is no room for.
OTHER = "lt_other"
_SAMPLE_BYTES, _SAMPLE, _TEXT = 4_096, 1_000, 2_000
# New templates of one service in an hour: whoever writes more has an id in every position, and is
# not to take the room of others.
_AN_HOUR = 2_000
_HOUR_MS = 3_600_000


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

    @property
    def forgotten(self) -> NDArray[np.int32]:
        """Numbers that there was no more room for."""
        ...


class LineMiner(Protocol):
    """What is used of `models.templates.miner.Miner`."""

    def add(self, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> Mined:
        """Take lines."""
        ...

    def template(self, number: int) -> Pattern:
        """A template by its number."""
        ...

    def to_bare_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Its state, without what lines had in the places of parameters: nothing redacted it."""
        ...


class Noted(msgspec.Struct, frozen=True, array_like=True):
    """What a `TenantMiner` remembers beside its miner and the templates that it knows.

    `was`: numbers, each with the id that its lines were counted under last. `new`: how many new
    templates of each service came in an `hour`.
    """

    was: tuple[tuple[int, str], ...] = ()
    new: tuple[tuple[str, int], ...] = ()
    hour: int = 0


class TenantMiner:
    """Counts lines by template; whoever asks holds the tenant's lock.

    `known` are the ids of templates that were seen before; of new ones there are at most so many
    that they are `most`, and so many of a service in an hour. Lines of the others are counted under
    `OTHER`.
    """

    def __init__(
        self,
        miner: LineMiner,
        known: Iterable[str] = (),
        *,
        most: int,
        redact: Callable[[str], str],
        step_ms: int = STEP_MS,
    ) -> None:
        self.miner, self.most, self._redact, self._step = miner, most, redact, step_ms
        # Of a template whose lines are all alike its words are what somebody wrote.
        self._shown = lru_cache(1 << 14)(lambda text: redact(text[:_SAMPLE_BYTES])[:_TEXT])
        self.known = set(known)
        self.fresh = self.merged = self.refused = self.forgotten = 0
        # Under which id a number was counted last: a template that became wider is not a new one.
        self._was: dict[int, str] = {}
        self._new: dict[str, int] = {}
        self._hour = 0

    def count(self, lines: LogLines, now: int) -> LogCounts:
        """The lines by bin, template, origin and level; `now` in unix milliseconds."""
        if now // _HOUR_MS > self._hour:
            self._hour, self._new = now // _HOUR_MS, {}
        mined = self.miner.add(lines.text, lines.ends)
        self._follow(mined)
        numbers, first, place = np.unique(mined.number, return_index=True, return_inverse=True)
        templates: dict[str, Template] = {}
        fresh: set[str] = set()
        ids = []
        for number, line in zip(numbers.tolist(), first.tolist(), strict=True):
            template, is_fresh = self._template(number, lines, line)
            ids.append(template.id)
            templates.setdefault(template.id, template)
            fresh |= {template.id} if is_fresh else set()
        places = {id: nth for nth, id in enumerate(templates)}
        of = np.array([places[id] for id in ids], np.int32)
        counts = binned(lines, of[place], self._step)
        new = frozenset(places[id] for id in fresh)
        return LogCounts(
            step_ms=self._step,
            at=counts.at,
            template=counts.number,
            origin=counts.origin,
            level=counts.level,
            count=counts.count,
            templates=tuple(templates.values()),
            origins=lines.origins,
            fresh=new,
            traces=traces_of(lines, of[place], new),
        )

    def noted(self) -> Noted:
        """What it is to go on from."""
        return Noted(tuple(self._was.items()), tuple(self._new.items()), self._hour)

    def resume(self, noted: Noted) -> None:
        """Go on from it, with the miner that went with it."""
        self._was, self._new, self._hour = dict(noted.was), dict(noted.new), noted.hour

    def kept(self, counts: LogCounts) -> None:
        """What was counted is kept: its templates are known from now on."""
        self.known.update(one.id for one in counts.templates if one.id != OTHER)
        self.fresh += len(counts.fresh)
        for place in counts.fresh:
            row = int(np.flatnonzero(counts.template == place)[0])
            service = counts.origins[int(counts.origin[row])].service
            self._new[service] = self._new.get(service, 0) + 1

    def _follow(self, mined: Mined) -> None:
        """What became of numbers."""
        for gone, into in mined.merged:
            self.merged += 1
            was = self._was.pop(int(gone), None)
            if was is not None:
                self._was.setdefault(int(into), was)
        for gone in mined.forgotten.tolist():
            self.forgotten += 1
            self._was.pop(gone, None)

    def _template(self, number: int, lines: LogLines, line: int) -> tuple[Template, bool]:
        pattern = self.miner.template(number)
        if pattern.id in self.known:
            self._was[number] = pattern.id
            return Template(id=pattern.id, text=self._shown(pattern.text)), False
        if not self._has_room(lines.origins[int(lines.origin[line])].service):
            self.refused += 1
            return _OTHERS, False
        is_fresh = self._was.get(number) not in self.known
        self._was[number] = pattern.id
        sample = self._sample(lines.message(line))
        return Template(id=pattern.id, text=self._shown(pattern.text), sample=sample), is_fresh

    def _has_room(self, service: str) -> bool:
        return len(self.known) < self.most and self._new.get(service, 0) < _AN_HOUR

    def _sample(self, line: bytes) -> str:
        return self._redact(line[:_SAMPLE_BYTES].decode(errors="replace"))[:_SAMPLE]


_OTHERS = Template(id=OTHER, text="<lines of templates beyond the limit>")
