"""Lines of a selector read from a Loki again and again: none is lost, none is taken twice.

A page ends at a number of lines, which may be in the middle of a nanosecond. So of a page that is
full only what is older than its newest line is taken, and the next one begins at that: where it
begins depends on nothing that must be remembered beside it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from detector.errors import InputError, SourceError
from detector.selector import matches_everything, parse_selector
from pipelines.ingest.decoded import BodyTooLargeError, broken
from pipelines.ingest.log_doors import LogDoors

if TYPE_CHECKING:
    from pipelines.ingest.logs.loki_json import Stream
    from pipelines.ingest.logs.taken import TakenLines

__all__ = ["LineReader", "LogPull", "LogPulls", "checked_selector"]

_NS = 1_000_000_000


class LineReader(Protocol):
    """What is asked for lines: `pipelines.sources.loki.Loki`."""

    def page(
        self, selector: str, start: int, end: int, *, limit: int, timeout_s: float
    ) -> Sequence[Stream]:
        """The oldest `limit` lines with `start <= time < end` (unix nanoseconds), by stream."""
        ...

    def streams(
        self, selector: str, start: int, end: int, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """The labels of each stream that has lines in a stretch."""
        ...


class LogPull:
    """What one selector gives a tenant, from the end of what was taken before.

    The very first step begins `first_s` before now, each ends `settle_s` before it: what a sender
    brings later than that is not seen. A step that fails, or for which there is no room, moves
    nothing. `doubtful` counts moments of which lines were left out, for there were more of one
    stream in one nanosecond than a page holds.
    """

    def __init__(
        self,
        reader: LineReader,
        doors: LogDoors,
        selector: str,
        *,
        first_s: float = 0.0,
        settle_s: float = 15.0,
        tenant: str = "default",
        page_lines: int = 5_000,
    ) -> None:
        self._reader, self._doors, self._selector = reader, doors, checked_selector(selector)
        self._first_s, self._settle_s, self._tenant = first_s, settle_s, tenant
        self._most = self._limit = page_lines
        self._at: int | None = None
        self.doubtful = 0

    @property
    def since(self) -> float | None:
        """How far it was read, in unix seconds."""
        return None if self._at is None else self._at / _NS

    def step(self, now: float, *, timeout_s: float) -> TakenLines | None:
        """Take the next page; None where there is nothing to read yet.

        `SourceError` where the source does not answer, `FullError` and `StoreError` as
        `LogDoors.take`.
        """
        start, end = self._begin(now), _ns(now - self._settle_s)
        if end <= start:
            return None
        page = self._page(start, end, timeout_s)
        if _lines_in(page) < self._limit:
            return self._take(page, end)
        newest = max(int(entry.at) for stream in page for entry in stream.values)
        if newest > start:
            return self._take(_before(page, newest), newest)
        return self._take(self._moment(start, timeout_s), start + 1)

    def _begin(self, now: float) -> int:
        """Where to read on; what is older than the doors take is passed over."""
        if self._at is None:
            kept = self._doors.read_to(self._tenant, self._selector)
            self._at = _ns(now - self._settle_s - self._first_s) if kept is None else kept
        return max(self._at, _ns(now - self._doors.limits.behind_s))

    def _page(self, start: int, end: int, timeout_s: float) -> Sequence[Stream]:
        try:
            page = self._reader.page(
                self._selector, start, end, limit=self._limit, timeout_s=timeout_s
            )
        except BodyTooLargeError as error:
            self._limit = max(self._limit // 2, 1)
            raise SourceError(f"{error} (the next page has {self._limit} lines)") from error
        except SourceError:
            self._limit = max(self._limit // 2, min(self._most, 100))
            raise
        return page

    def _take(self, streams: Sequence[Stream], read_to: int) -> TakenLines:
        from pipelines.ingest.logs.loki_json import packed_streams

        taken = self._doors.take_read(
            self._tenant, packed_streams(streams), source=self._selector, read_to=read_to
        )
        self._at, self._limit = read_to, min(2 * self._limit, self._most)
        return taken

    def _moment(self, at: int, timeout_s: float) -> list[Stream]:
        """All of one nanosecond, stream by stream, for together they are more than a page."""
        from pipelines.ingest.logs.loki_json import labels_text

        found: list[Stream] = []
        for labels in self._reader.streams(self._selector, at, at + 1, timeout_s=timeout_s):
            page = self._reader.page(
                labels_text(labels), at, at + 1, limit=self._most, timeout_s=timeout_s
            )
            # An exact selector also selects streams that have more labels than it names.
            own = [stream for stream in page if stream.stream == labels]
            self.doubtful += _lines_in(page) >= self._most
            found += own
        return found


class LogPulls:
    """Several of them, page by page in turn: of one that fails the others take no harm."""

    def __init__(self, pulls: Sequence[LogPull]) -> None:
        self._pulls = deque(pulls)

    @property
    def since(self) -> float | None:
        """How far all of them were read, in unix seconds."""
        reached = [pull.since for pull in self._pulls]
        known = [since for since in reached if since is not None]
        return min(known) if len(known) == len(reached) and known else None

    @property
    def doubtful(self) -> int:
        """Moments of which lines were left out."""
        return sum(pull.doubtful for pull in self._pulls)

    def step(self, now: float, *, timeout_s: float) -> TakenLines | None:
        """Take the next page of the next that has one; None where nothing is due."""
        for _ in range(len(self._pulls)):
            pull = self._pulls[0]
            self._pulls.rotate(-1)
            taken = pull.step(now, timeout_s=timeout_s)
            if taken is not None:
                return taken
        return None


def checked_selector(text: str) -> str:
    """A selector of streams; `InputError` for what is none, or would select all there are."""
    try:
        matchers = parse_selector(text, field="selectors")
    except InputError as error:
        raise InputError(f"{text[:80]!r} selects no streams: {error}", field="selectors") from error
    if not text.strip().startswith("{"):
        raise broken(f'{text[:80]!r} selects no streams: write {{label="value"}}')
    if matches_everything(matchers):
        raise InputError(f"{text[:80]!r} selects every stream there is", field="selectors")
    return text.strip()


def _ns(seconds: float) -> int:
    """Whole milliseconds: a float of seconds knows no nanoseconds."""
    return round(1000 * seconds) * 1_000_000


def _lines_in(page: Sequence[Stream]) -> int:
    return sum(len(stream.values) for stream in page)


def _before(page: Sequence[Stream], newest: int) -> list[Stream]:
    """What of a page is older than a time."""
    from pipelines.ingest.logs.loki_json import Stream

    return [
        Stream(
            stream=stream.stream,
            values=[entry for entry in stream.values if int(entry.at) < newest],
        )
        for stream in page
    ]
