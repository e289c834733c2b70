"""Stack traces of several lines become one line, with the line that told of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pipelines.follow.traces import State, begun, going_on
from pipelines.ingest.records.cleaned import LONGEST

__all__ = ["Joined", "Joiner"]

# A message of an exception that has more lines than that is joined no further.
_HELD_MOST = 8
# Twice what Java shows of a stack that ran over; a longer one ends here.
_LINES_MOST = 2048


@dataclass(frozen=True, slots=True)
class Joined:
    """A message, and in how many lines it was written."""

    text: bytes
    lines: int


class Joiner:
    """Joins the lines of one writer; what it gives are its lines in order, none lost.

    A line is held until the next one tells whether it goes on, or nothing came for `silence_s`.
    Lines that are only perhaps part of a trace are held until one comes that is for certain, and
    are else lines of their own. Of a trace so much text is kept as of any line.
    """

    def __init__(self, *, silence_s: float = 1.0) -> None:
        self._silence_s = silence_s
        self._last = 0.0
        self._clear()

    def _clear(self) -> None:
        self._text = bytearray()
        self._sure = 0
        self._held: list[bytes] = []
        self._state = State.ORDINARY

    def add(self, line: bytes, *, now: float) -> list[Joined]:
        """One more line; what is complete by it."""
        self._last = now
        complete: list[Joined] = []
        waiting = deque((line,))
        while waiting:
            waiting.extendleft(reversed(self._step(waiting.popleft(), complete)))
        return complete

    def flush(self, *, now: float) -> list[Joined]:
        """All that is held, where nothing came for a while; also where the clock went back."""
        return [] if 0 <= now - self._last < self._silence_s else self.end()

    def end(self) -> list[Joined]:
        """All that is held."""
        complete: list[Joined] = []
        waiting: deque[bytes] = deque()
        while self._sure:
            waiting.extendleft(reversed(self._cut(complete)))
            while waiting:
                waiting.extendleft(reversed(self._step(waiting.popleft(), complete)))
        return complete

    def _step(self, line: bytes, complete: list[Joined]) -> list[bytes]:
        """Take a line; those that must be taken anew, because they went on with nothing."""
        if not self._sure:
            self._state = begun(line)
            self._keep(line)
            return []
        rule = going_on(self._state, line)
        if rule is None or len(self._held) >= _HELD_MOST or self._sure >= _LINES_MOST:
            return [*self._cut(complete), line]
        self._state = rule.to
        self._held.append(line)
        if rule.sure:
            for held in self._held:
                self._keep(held)
            self._held = []
        return []

    def _keep(self, line: bytes) -> None:
        room = LONGEST + 1 - len(self._text)
        if room > 0:
            self._text += (b"\n" if self._sure else b"") + line[:room]
        self._sure += 1

    def _cut(self, complete: list[Joined]) -> list[bytes]:
        """Give what is sure; what was only held goes on by itself."""
        complete.append(Joined(bytes(self._text), self._sure))
        held = self._held
        self._clear()
        return held
