"""A followed file as lines of a log: unwrapped, joined and read, and how far they reach in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from detector.logs.lines import Origin
from pipelines.follow.containers import unwrap
from pipelines.follow.file import FollowedFile, RawLine
from pipelines.follow.multiline import Joined, Joiner
from pipelines.follow.positions import Position
from pipelines.ingest.records.building import Written
from pipelines.ingest.records.cleaned import LONGEST

__all__ = ["Reading", "Tail"]

# By a message, what is known of its file, and when it was written or came (unix ms), its line.
Reading = Callable[[bytes, Origin, int], Written | None]


@dataclass(frozen=True, slots=True)
class _Held:
    """Where a line that was given to the joiner lies, and when it was written."""

    start: int
    end: int
    at: int | None


@dataclass(slots=True)
class _Stream:
    """What one writer of a file has begun and not ended: output and errors come in between."""

    joiner: Joiner
    held: deque[_Held] = field(default_factory=deque)
    part: bytearray = field(default_factory=bytearray)
    part_start: int = -1

    @property
    def start(self) -> int | None:
        """Where the first of it lies, None where there is nothing."""
        if self.held:
            return self.held[0].start
        return self.part_start if self.part_start >= 0 else None


class Tail:
    """Reads a file's new lines; `given` is how far all of them went into what it gave."""

    def __init__(
        self,
        file: FollowedFile,
        *,
        origin: Origin,
        read: Reading,
        is_wrapped: bool,
        silence_s: float = 1.0,
    ) -> None:
        self.file = file
        self.quiet_since: float | None = None
        self._origin, self._read, self._is_wrapped = origin, read, is_wrapped
        self._silence_s = silence_s
        self._streams: dict[str, _Stream] = {}
        self._end = self._furthest = file.offset

    @property
    def given(self) -> int:
        """All lines before this offset were given."""
        starts = (stream.start for stream in self._streams.values())
        return min((start for start in starts if start is not None), default=self._end)

    def position(self) -> Position:
        """What is to be kept once what was given is taken."""
        return self.file.position(self.given)

    def poll(self, most: int, now: float) -> list[Written]:
        """The lines that are complete by what is new, or by silence."""
        raw = self.file.read(most)
        if raw:
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = now
        lines = [line for one in raw for line in self._take(one, now)]
        for stream in self._streams.values():
            lines += self._written(stream, stream.joiner.flush(now=now), now)
        return lines

    def end(self, now: float) -> list[Written]:
        """All that is begun, where nothing more will come."""
        last = self.file.last()
        lines = self._take(last, now) if last is not None else []
        return lines + self._flushed(now)

    def settle(self, now: float) -> list[Written]:
        """What must go out before a restart, or lines that went out already would come again."""
        return self._flushed(now) if self._furthest > self.given else []

    def restart(self) -> None:
        """The file begins anew."""
        self.file.restart()
        self._streams.clear()
        self._end = self._furthest = 0

    def _flushed(self, now: float) -> list[Written]:
        return [
            line
            for stream in self._streams.values()
            for line in self._written(stream, stream.joiner.end(), now)
        ]

    def _take(self, raw: RawLine, now: float) -> list[Written]:
        self._end = raw.end
        text, at, name, is_whole = raw.text, None, "", True
        wrapped = unwrap(raw.text) if self._is_wrapped else None
        if wrapped is not None:
            text, at, name, is_whole = wrapped.text, wrapped.at, wrapped.stream, wrapped.is_whole
        stream = self._stream(name)
        if stream.part_start < 0:
            stream.part_start = raw.start
        stream.part += text[: LONGEST + 1 - len(stream.part)]
        if not is_whole:
            return []
        stream.held.append(_Held(stream.part_start, raw.end, at))
        text = bytes(stream.part)
        stream.part.clear()
        stream.part_start = -1
        return self._written(stream, stream.joiner.add(text, now=now), now)

    def _stream(self, name: str) -> _Stream:
        found = self._streams.get(name)
        if found is None:
            found = self._streams[name] = _Stream(Joiner(silence_s=self._silence_s))
        return found

    def _written(self, stream: _Stream, joined: Iterable[Joined], now: float) -> list[Written]:
        lines = []
        for one in joined:
            held = [stream.held.popleft() for _ in range(one.lines)]
            self._furthest = max(self._furthest, held[-1].end)
            at = held[0].at
            line = self._read(one.text, self._origin, round(now * 1000) if at is None else at)
            if line is not None:
                lines.append(line)
        return lines
