"""A thread that follows files, gives their lines to a sink, and keeps how far it came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detector.logs.lines import Origin
from detector.logs.ports import LogSink
from pipelines.follow.giving import Giving
from pipelines.follow.positions import Positions
from pipelines.follow.roll import Group, Roll
from pipelines.follow.tail import Reading, Tail
from pipelines.ingest.records.building import LinesBuilder, Written
from pipelines.ingest.records.json_lines import JsonLines
from pipelines.ingest.records.keeping import KeepingMeters
from pipelines.ingest.records.mapping import Mapping
from pipelines.ingest.records.plain import Told

__all__ = ["FollowMeters", "Following", "Pace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often files are looked at and looked for, and how much is read of one at a time."""

    poll_s: float = 0.25
    scan_s: float = 2.0
    full_s: float = 0.5
    silence_s: float = 1.0
    piece: int = 256 * 1024
    batch: int = 2 * 1024 * 1024
    files: int = 1024
    from_start: bool = False


@dataclass(slots=True, kw_only=True)
class FollowMeters(KeepingMeters):
    """Running totals."""

    name: str = "serinus.follow"
    cannot: str = "cannot follow files"
    again: str = "follows files again"
    files: int = 0
    unfollowed: int = 0
    truncations: int = 0


class Following:
    """Follows the files of groups; what is read is kept as read once the sink has it.

    Where the sink has no room nothing more is read until it has. A restart goes on where the last
    lines were taken, also after a crash (`Giving`).
    """

    def __init__(
        self,
        groups: tuple[Group, ...],
        sink: LogSink,
        positions: Positions,
        *,
        pace: Pace | None = None,
        mappings: Sequence[Mapping] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._groups = groups
        self._pace = pace or Pace()
        self._clock = clock
        self._roll: Roll | None = None
        self._scanned = -1e18
        self._builders: dict[str, LinesBuilder] = {}
        self._given = Giving(sink, positions, clock)
        self._ended = threading.Event()
        self.meters = FollowMeters()
        count = self.meters.flaws.add
        self._lines = {
            group: JsonLines(count, mapping=group.mapping, mappings=mappings) for group in groups
        }
        self._thread = threading.Thread(target=self._run, name="follow", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, with what was read given on as far as it is taken at once."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self) -> float:
        """Read what there is, once; how long to wait before the next."""
        now = self._clock()
        roll = self._opened()
        if not self._put():
            return self._pace.full_s
        if now - self._scanned >= self._pace.scan_s or now < self._scanned:
            is_first, self._scanned = self._scanned < 0, now
            roll.scan()
            if is_first:
                # Else a restart before the first line would go by where files end by then.
                self._given.keep(roll)
        is_more = self._read(roll, now)
        self.meters.files, self.meters.unfollowed = len(roll), roll.unfollowed
        if not self._put():
            return self._pace.full_s
        self._let_go(roll, now)
        return 0.0 if is_more else self._pace.poll_s

    def settle(self) -> None:
        """Give on what a restart would bring twice, and let all files go."""
        roll = self._roll
        if roll is None:
            return
        if self._put():
            now = self._clock()
            for tail, group in roll.tails():
                self._gather(group, tail.settle(now))
            if self._put():
                self._given.keep(roll)
        for tail, _ in roll.tails():
            tail.file.close()
        self._roll = None

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            pause = self._guarded(self.step)
        self._guarded(self.settle)

    def _guarded(self, act: Callable[[], float | None]) -> float:
        try:
            pause = act() or 0.0
        except Exception as error:  # noqa: BLE001 - the one at the top of the thread
            self.meters.failed(error)
            return self._pace.full_s
        if self.meters.failing:
            self.meters.took(0)
        return pause

    def _opened(self) -> Roll:
        if self._roll is None:
            self._roll = Roll(
                self._groups,
                self._given.load({group.tenant for group in self._groups}),
                self._reading,
                most=self._pace.files,
                silence_s=self._pace.silence_s,
                from_start=self._pace.from_start,
            )
        return self._roll

    def _read(self, roll: Roll, now: float) -> bool:
        """A piece of each file; whether any has more."""
        is_more = False
        for tail, group in roll.tails():
            if tail.file.is_replaced:
                # Its turn comes again, after that of the copy that holds what came before.
                self._begin_anew(roll, tail, group, now)
                is_more = True
                continue
            self._gather(group, tail.poll(self._pace.piece, now))
            is_more = is_more or tail.file.unread > 0
            if sum(builder.size for builder in self._builders.values()) > self._pace.batch:
                break
        return is_more

    def _begin_anew(self, roll: Roll, tail: Tail, group: Group, now: float) -> None:
        self.meters.truncations += 1
        if not roll.truncated(tail):
            self._gather(group, tail.end(now))
        tail.restart()

    def _let_go(self, roll: Roll, now: float) -> None:
        for tail, group in roll.leaving(now):
            self._gather(group, tail.end(now))
            if not self._put():
                return
            roll.close(tail)
        for tail in roll.idle(now):
            roll.close(tail)

    def _gather(self, group: Group, lines: list[Written]) -> None:
        builder = self._builders.setdefault(group.tenant, LinesBuilder())
        for line in lines:
            builder.add(line)

    def _put(self) -> bool:
        """Give on what was gathered, and note how far it reaches; False where there is no room."""
        assert self._roll is not None
        if not self._given.is_open:
            self._given.gather(self._builders, self._roll)
        took = self._given.give()
        if took is None:
            self.meters.fulls += 1
            return False
        if took:
            self.meters.took(took)
        return True

    def _reading(self, group: Group) -> Reading:
        lines = self._lines[group]

        def read(line: bytes, origin: Origin, at: int) -> Written | None:
            return lines.read(line, Told(origin=origin, now=at, zone=group.zone))

        return read
