"""Lines pulled page by page: whatever times they have and wherever pages end, each comes once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError, SourceError
from pipelines.ingest.decoded import BodyTooLargeError, FullError
from pipelines.ingest.limits import Limits
from pipelines.ingest.log_doors import LogDoors
from pipelines.ingest.log_pull import LogPull, LogPulls, checked_selector
from pipelines.ingest.logs.loki_json import Entry, Stream
from pipelines.testing.log_sink import MemoryLogSink
from tests.pipelines.ingest.logs.logways import NOW_MS, NOW_NS
from tests.profiles import HEAVY

NOW = NOW_MS / 1000
SELECTOR = '{namespace="prod"}'
SECOND = 10**9
Lines = dict[str, list[tuple[int, str]]]


@dataclass(slots=True)
class FakeLoki:
    """Lines in memory, by their app; the oldest of all streams first, as Loki pages forward."""

    lines: Lines = field(default_factory=dict)
    asked: list[tuple[str, int, int, int]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def page(
        self, selector: str, start: int, end: int, *, limit: int, timeout_s: float
    ) -> Sequence[Stream]:
        """See `LineReader`."""
        self.asked.append((selector, start, end, limit))
        if self.failures:
            raise self.failures.pop(0)
        every = sorted(
            (at, app, line)
            for app, lines in self.lines.items()
            for at, line in lines
            if start <= at < end and (selector == SELECTOR or f'"{app}"' in selector)
        )
        found: dict[str, list[Entry]] = {}
        for at, app, line in every[:limit]:
            found.setdefault(app, []).append(Entry(at=str(at), line=line))
        return [Stream(stream={"app": app}, values=values) for app, values in found.items()]

    def streams(
        self, selector: str, start: int, end: int, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """See `LineReader`."""
        return [
            {"app": app}
            for app, lines in self.lines.items()
            if any(start <= at < end for at, _ in lines)
        ]


def doors_onto(sink: MemoryLogSink) -> LogDoors:
    """Doors at a clock that stands still."""
    return LogDoors(sink, Limits(), clock=lambda: NOW)


def pull_of(reader: FakeLoki, sink: MemoryLogSink, **more: float) -> LogPull:
    """A pull of all that came in the last minute."""
    settings = {"first_s": 60.0, "settle_s": 10.0, **more}
    return LogPull(reader, doors_onto(sink), SELECTOR, **settings)  # type: ignore[arg-type]


def drain(pull: LogPull, now: float = NOW) -> None:
    """Take all that is due."""
    while pull.step(now, timeout_s=1) is not None:
        pass


def at(seconds: float, nanos: int = 0) -> int:
    """So long before now."""
    return NOW_NS - round(seconds * SECOND) + nanos


def test_what_is_due_is_taken_and_then_nothing() -> None:
    """Neither what is older than the first reading, nor what may still be joined by others."""
    reader = FakeLoki({"shop": [(at(80), "old"), (at(30), "due"), (at(5), "soon")]})
    sink = MemoryLogSink()
    pull = pull_of(reader, sink)
    drain(pull)
    assert sink.messages() == ["due"]
    assert pull.since == NOW - 10
    drain(pull, NOW + 10)
    assert sink.messages() == ["due", "soon"]


@HEAVY
@given(
    moments=st.lists(
        st.tuples(st.sampled_from(["shop", "cart", "ads"]), st.integers(0, 6)), max_size=40
    ),
    page=st.integers(1, 8),
    failing=st.sets(st.integers(0, 30)),
)
def test_each_line_comes_once_wherever_pages_end(
    moments: list[tuple[str, int]], page: int, failing: set[int]
) -> None:
    """Lines of one nanosecond at the end of a page are the ones that others lose or double."""
    reader, sink = FakeLoki(), MemoryLogSink()
    for nth, (app, nano) in enumerate(moments):
        reader.lines.setdefault(app, []).append((at(30, nano), f"line{nth}x"))
    most = max([1, *(_most_of_one(lines) + 1 for lines in reader.lines.values())])
    pull = pull_of(reader, sink, page_lines=max(page, most))
    for turn in range(200):
        if turn in failing:
            reader.failures.append(SourceError("it is away"))
        try:
            if pull.step(NOW, timeout_s=1) is None:
                break
        except SourceError:
            continue
    assert sorted(sink.messages()) == sorted(f"line{nth}x" for nth in range(len(moments)))
    assert pull.doubtful == 0


def _most_of_one(lines: list[tuple[int, str]]) -> int:
    """How many lines of a stream are of one nanosecond."""
    times = [moment for moment, _ in lines]
    return max(times.count(moment) for moment in times)


def test_more_than_a_page_in_one_nanosecond_is_asked_for_stream_by_stream() -> None:
    """A batch that is stamped once would else stop the pull, or be cut."""
    lines: Lines = {app: [(at(30), f"{app}{n}.") for n in range(3)] for app in ("a", "b", "c")}
    lines["a"].append((at(20), "after"))
    reader, sink = FakeLoki(lines), MemoryLogSink()
    pull = pull_of(reader, sink, page_lines=4)
    drain(pull)
    assert sorted(sink.messages()) == sorted(line for of in lines.values() for _, line in of)
    assert pull.doubtful == 0


def test_more_than_a_page_of_one_stream_in_one_nanosecond_is_counted_and_passed() -> None:
    """No question gives them all: it is said, and the rest goes on."""
    reader = FakeLoki({"a": [*((at(30), f"x{n}.") for n in range(9)), (at(20), "after")]})
    sink = MemoryLogSink()
    pull = pull_of(reader, sink, page_lines=4)
    drain(pull)
    assert (len(sink.messages()), sink.messages()[-1], pull.doubtful) == (5, "after", 1)


def test_another_process_goes_on_where_the_lines_end() -> None:
    """The sink keeps how far it is with the lines: neither a gap nor a second time."""
    reader = FakeLoki({"shop": [(at(30), "first"), (at(20), "second")]})
    sink = MemoryLogSink()
    pull_of(reader, sink, page_lines=2).step(NOW, timeout_s=1)
    assert sink.messages() == ["first"]
    drain(pull_of(reader, sink))
    assert sink.messages() == ["first", "second"]


def test_a_full_sink_moves_nothing() -> None:
    """The same page comes again."""
    reader, sink = FakeLoki({"shop": [(at(30), "due")]}), MemoryLogSink()
    pull = pull_of(reader, sink)
    sink.is_full = True
    with pytest.raises(FullError):
        pull.step(NOW, timeout_s=1)
    sink.is_full = False
    drain(pull)
    assert sink.messages() == ["due"]


def test_a_page_that_is_too_large_becomes_a_smaller_one() -> None:
    """Long lines stop nothing; the page grows again afterwards."""
    reader, sink = FakeLoki({"shop": [(at(30), "due")]}), MemoryLogSink()
    reader.failures = [BodyTooLargeError("over 64 MB", field="limit")]
    pull = pull_of(reader, sink, page_lines=1000)
    with pytest.raises(SourceError, match="500 lines"):
        pull.step(NOW, timeout_s=1)
    drain(pull)
    drain(pull, NOW + 1)
    assert [limit for *_, limit in reader.asked] == [1000, 500, 1000]


def test_what_is_older_than_doors_take_is_passed_over() -> None:
    """A serinus that was away for a month does not read a month."""
    reader, sink = FakeLoki(), MemoryLogSink()
    sink.reads["default", SELECTOR] = at(30 * 86_400)
    pull_of(reader, sink).step(NOW, timeout_s=1)
    assert reader.asked[0][1] == at(7 * 86_400)


@pytest.mark.parametrize("text", ["", "{}", 'app="shop"', '{app=~".*"}', '{app="a"} |= "x"', "x"])
def test_what_selects_no_streams_or_all_is_refused_at_once(text: str) -> None:
    """At the start, and not at the first reading."""
    with pytest.raises(InputError):
        checked_selector(text)


def test_of_several_selectors_one_that_fails_stops_no_other() -> None:
    """They take turns, page by page."""
    away, there, sink = FakeLoki(), FakeLoki({"shop": [(at(30), "due")]}), MemoryLogSink()
    away.failures = [SourceError("it is away")] * 9
    doors = doors_onto(sink)
    pulls = LogPulls([LogPull(reader, doors, SELECTOR, first_s=60.0) for reader in (away, there)])
    with pytest.raises(SourceError):
        pulls.step(NOW, timeout_s=1)
    pulls.step(NOW, timeout_s=1)
    assert sink.messages() == ["due"]
    assert (pulls.doubtful, pulls.since) == (0, NOW - 75)
