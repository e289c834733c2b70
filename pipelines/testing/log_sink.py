"""A sink of log lines that keeps all of them in memory, and can be full or broken on demand."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from detector.errors import StoreError
from detector.logs.lines import Level, LogLines, Origin

__all__ = ["Line", "MemoryLogSink", "lines_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line by itself, as a test compares it; `trace` in hexadecimal, empty where none is."""

    at: int
    level: Level
    origin: Origin
    message: bytes
    trace: str = ""


class MemoryLogSink:
    """Keeps what was put; while `is_full` it refuses, while `is_down` it fails."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_full = False
        self.is_down = False
        self.refusals = 0
        self.batches: dict[str, list[LogLines]] = {}
        self.reads: dict[tuple[str, str], int] = {}

    def put(self, tenant: str, lines: LogLines) -> bool:
        """Keep the batch."""
        if self.is_down:
            raise StoreError("the disk is full")
        if self.is_full:
            self.refusals += 1
            return False
        with self._lock:
            self.batches.setdefault(tenant, []).append(lines)
        return True

    def put_read(self, tenant: str, lines: LogLines, *, source: str, read_to: int) -> bool:
        """Keep the batch, and how far its source was read."""
        if not self.put(tenant, lines):
            return False
        self.reads[tenant, source] = read_to
        return True

    def read_to(self, tenant: str, source: str) -> int | None:
        """How far a source was read."""
        return self.reads.get((tenant, source))

    def lines(self, tenant: str = "default") -> list[Line]:
        """Every line, in the order in which they came."""
        return [line for batch in self.batches.get(tenant, ()) for line in lines_of(batch)]

    def messages(self, tenant: str = "default") -> list[str]:
        """What every line says, in order."""
        return [line.message.decode() for line in self.lines(tenant)]


def lines_of(lines: LogLines) -> list[Line]:
    """The lines of a batch, one by one."""
    return [
        Line(
            at=int(lines.at[nth]),
            level=Level(int(lines.level[nth])),
            origin=lines.origins[int(lines.origin[nth])],
            message=lines.message(nth),
            trace=lines.trace[nth].tobytes().hex() if lines.trace[nth].any() else "",
        )
        for nth in range(len(lines))
    ]
