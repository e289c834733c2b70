"""The records that a walk found become columns: times, levels, texts and who wrote them.

What most records are is done in arrays; by themselves are looked at only those with a text that is
to be mended, without a level, or with attributes that tell something that their resource does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import Level, LogLines, Origin
from pipelines.ingest.decoded import Refusal, Refused
from pipelines.ingest.logs.named import Role
from pipelines.ingest.logs.places import CLEAN, FLAWED, NONE, OTHER, Found
from pipelines.ingest.logs.remembering import Owner
from pipelines.ingest.logs.taken import Moment, TakenLines
from pipelines.ingest.logs.texts import Texts
from pipelines.ingest.logs.written import WrittenLines
from pipelines.ingest.records.building import NO_TRACE
from pipelines.ingest.records.cleaned import LONGEST, cleaned
from pipelines.ingest.records.flaws import Flaw
from pipelines.ingest.records.levels import Scale, level_of
from pipelines.ingest.records.plain import Told
from pipelines.ingest.records.trace_ids import trace_of
from pipelines.ingest.records.workloads import workload_of

__all__ = ["Reading", "Spoken"]

_MS = np.uint64(1_000_000)
_ORIGIN = {
    Role.SERVICE: "service",
    Role.NAMESPACE: "namespace",
    Role.CLUSTER: "cluster",
    Role.POD: "pod",
    Role.VERSION: "version",
}
# OTLP's SeverityNumber: four of each level.
_LEVELS = np.repeat(np.arange(len(Level), dtype=np.uint8), [1, *[4] * 6])
_BRACE = ord("{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What a record without a plain text says; None where it cannot be read."""

    text: str
    flaws: tuple[Flaw, ...] = ()


@dataclass(slots=True, kw_only=True)
class Reading:
    """One message. `value` reads an attribute's value, `other` a body that is no text.

    `owners` are those of its records, in their order. Where `is_raw`, each text is a whole line as
    a program wrote it, with time and level; else only one of which nobody told the level may be, or
    one that is a record itself. `leave` are rows that are left out and counted already.
    """

    body: bytes
    found: Found
    owners: Sequence[Owner]
    moment: Moment
    scales: Sequence[Scale]
    written: WrittenLines
    value: Callable[[bytes], object]
    other: Callable[[bytes], Spoken | None]
    is_raw: bool = False
    leave: NDArray[np.bool_] | None = None
    refused: Refused = field(default_factory=Refused)
    flaws: Counter[Flaw] = field(default_factory=Counter)
    texts: Texts = field(init=False)
    _changed: dict[int, Origin] = field(default_factory=dict)
    _words: dict[bytes, Level] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.texts = Texts(self.body, self.found)

    def lines(self) -> TakenLines:
        """All of it."""
        at = self._times()
        level = self._levels()
        self._mend_texts()
        self._tell_origins()
        self._tell_traces()
        self._read_texts(level)
        keep = self._kept(at)
        places, origins = self._places(keep)
        text, ends = self.texts.columns(keep)
        lines = LogLines(
            at=at[keep],
            level=level[keep],
            origin=places,
            trace=self.found.trace[keep],
            text=text,
            ends=ends,
            origins=origins,
        )
        return TakenLines(
            lines=lines,
            refused=self.refused,
            dropped=dict(self.flaws),
            is_timed=bool(((self.found.at | self.found.seen) != 0).all()),
        )

    def _count(self, flaw: Flaw) -> None:
        self.flaws[flaw] += 1

    def _times(self) -> NDArray[np.int64]:
        """When each was, else when it was seen, else now; no time is believed that lies ahead."""
        newest = self.moment.window.newest
        at, seen = ((t // _MS).astype(np.int64) for t in (self.found.at, self.found.seen))
        seen[(self.found.seen == 0) | (seen > newest)] = self.moment.now
        ahead = at > newest
        if ahead.any():
            self.flaws[Flaw.IN_THE_FUTURE] += int(ahead.sum())
        return np.where((self.found.at == 0) | ahead, seen, at)

    def _levels(self) -> NDArray[np.uint8]:
        """By number, else by word, else by an attribute."""
        number = self.found.severity
        known = (number > 0) & (number < len(_LEVELS))
        level = _LEVELS[np.where(known, number, 0)]
        for row in np.flatnonzero(level == Level.UNKNOWN).tolist():
            level[row] = self._level_of(row)
        return level

    def _level_of(self, row: int) -> Level:
        start, stop = self.found.word[row].tolist()
        word = self.body[start:stop]
        level = self._words.get(word)
        if level is None:
            level = level_of(str(word, "utf-8", "replace"), Scale.OTEL)
            if len(self._words) < 1000:
                self._words[word] = level
        rank = int(self.found.rank[row, Role.LEVEL])
        if level is Level.UNKNOWN and rank >= 0:
            level = level_of(self._named(row, Role.LEVEL), self.scales[rank])
        return level or self.owners[self.found.owner[row]].level

    def _named(self, row: int, role: Role) -> object:
        start, stop = self.found.named[row, role].tolist()
        return self.value(self.body[start:stop])

    def _mend_texts(self) -> None:
        state = self.found.state
        thrown = self.found.rank[:, Role.STACK] >= 0
        for row in np.flatnonzero((state == FLAWED) | (state == OTHER) | thrown).tolist():
            text = self._mended_text(row)
            if text is not None:
                self.texts.replace(row, text.encode())

    def _mended_text(self, row: int) -> str | None:
        state = self.found.state[row]
        if state == OTHER:
            text = self._other_text(self.texts.of(row, len(self.body)))
        elif state == NONE:
            text = ""
        else:
            # One byte more than is kept tells that it was too long; ten megabytes tell no more.
            text = cleaned(self.texts.of(row, LONGEST + 1), self._count)
        if text is not None and self.found.rank[row, Role.STACK] >= 0:
            stack = cleaned(str(self._named(row, Role.STACK)).encode(), self._count)
            text = f"{text}\n{stack}" if text else stack
        return text

    def _other_text(self, body: bytes) -> str | None:
        spoken = self.other(body)
        if spoken is None:
            self.refused.add(Refusal.BODY, 1, "a record's body cannot be read")
            return None
        for flaw in spoken.flaws:
            self._count(flaw)
        return cleaned(spoken.text.encode("utf-8", "replace"), self._count)

    def _tell_origins(self) -> None:
        """Records that say themselves who wrote them, as those that a collector read from files."""
        roles = list(_ORIGIN)
        told = (self.found.rank[:, roles] >= 0).any(axis=1)
        for row in np.flatnonzero(told).tolist():
            named = {
                word: str(self._named(row, role))[:256]
                for role, word in _ORIGIN.items()
                if self.found.rank[row, role] >= 0
            }
            self._changed[row] = _told(self._origin_of(row), named)

    def _origin_of(self, row: int) -> Origin:
        return self._changed.get(row) or self.owners[self.found.owner[row]].origin

    def _tell_traces(self) -> None:
        for row in np.flatnonzero(self.found.rank[:, Role.TRACE] >= 0).tolist():
            self._put_trace(row, trace_of(self._named(row, Role.TRACE)))

    def _put_trace(self, row: int, trace: bytes) -> None:
        """Of the ways to tell a trace the record's own field goes first."""
        if trace != NO_TRACE and not self.found.trace[row].any():
            self.found.trace[row] = np.frombuffer(trace, dtype=np.uint8)

    def _read_texts(self, level: NDArray[np.uint8]) -> None:
        """A text of which nobody said how grave it is may say so itself, as whole lines do."""
        unread = self.found.state == CLEAN
        if not self.is_raw:
            unread &= (level == Level.UNKNOWN) | self.texts.begin_with(_BRACE)
        for row in np.flatnonzero(unread).tolist():
            own = self._read_text(row)
            level[row] = level[row] or own

    def _read_text(self, row: int) -> Level:
        text = self.texts.of(row, LONGEST)
        told = Told(origin=self._origin_of(row), now=self.moment.now)
        line = self.written.read(text, told, self.flaws)
        if line is None:
            return Level.UNKNOWN
        if line.text != text:
            self.texts.replace(row, line.text)
        if line.origin != told.origin:
            self._changed[row] = line.origin
        self._put_trace(row, line.trace)
        return line.level

    def _kept(self, at: NDArray[np.int64]) -> NDArray[np.intp]:
        """Rows of which there is a text, and whose time is not over."""
        read = (self.found.state != OTHER) & self._owned()
        if self.leave is not None:
            read &= ~self.leave
        late = read & (at < self.moment.window.oldest)
        if late.any():
            words = f"the time {int(at[late][0])} (unix milliseconds) is older than what is taken"
            self.refused.add(Refusal.TOO_OLD, int(late.sum()), words)
        return np.flatnonzero(read & ~late)

    def _owned(self) -> NDArray[np.bool_]:
        """Rows whose owner could be read."""
        wrong = [nth for nth, owner in enumerate(self.owners) if owner.wrong]
        unread = np.isin(self.found.owner, wrong)
        for nth in wrong:
            count = int((self.found.owner == nth).sum())
            self.refused.add(Refusal.LABELS, count, self.owners[nth].wrong)
        return ~unread

    def _places(self, keep: NDArray[np.intp]) -> tuple[NDArray[np.int32], tuple[Origin, ...]]:
        """Each origin once, and which is whose."""
        places: dict[Origin, int] = {}
        of_owners = [owner.origin for owner in self.owners]
        of_owner = [places.setdefault(origin, len(places)) for origin in of_owners]
        origin = np.array(of_owner, dtype=np.int32)[self.found.owner]
        for row, own in self._changed.items():
            origin[row] = places.setdefault(own, len(places))
        return origin[keep], tuple(places)


def _told(origin: Origin, named: Mapping[str, str]) -> Origin:
    """An origin with what is told beside it; a service that nobody named is what made the pod."""
    told = replace(origin, **{word: value for word, value in named.items() if value})
    if told.service or not (told.namespace and told.pod):
        return told
    return replace(told, service=workload_of(told.pod))
