"""Tapes, what is new, turns: the parts under the gate."""

from __future__ import annotations

import math
import threading

import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError, StoreError
from detector.gate.design import Elsewhere
from detector.gate.memory import Amount, Memory, Moment, Then
from detector.series import Answer, FloatArray, Matcher, MatchOp, Query, Series
from detector.signals.plan import ArmName, Family, Reading
from detector.signals.signal import Shape
from pipelines.flows.fresh import Fresh
from pipelines.flows.tape import (
    SCHEMA,
    Event,
    Fed,
    Remembered,
    Seen,
    TapeReader,
    TapeWriter,
    Told,
)
from pipelines.flows.turns import Budget, Recent, Turns

FAMILY = Family(
    metric="m",
    shape=Shape.BUCKETS,
    matchers=(Matcher("a", MatchOp.NOT_MATCHES, 'x"|y'),),
    pod_fallback=("instance", "host"),
    scale=0.001,
)
READINGS = tuple(
    Reading(family=FAMILY, arm=arm, query=Query("m", (Matcher("p", MatchOp.EQUAL, "ü"),)))
    for arm in (ArmName.CANARY, ArmName.CONTROL, None)
)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)
LABELS = st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3)


@st.composite
def series(draw: st.DrawFn) -> Series:
    """Some samples."""
    times = sorted(draw(st.lists(st.floats(0, 1e9), max_size=5, unique=True)))
    values = draw(st.lists(FLOATS, min_size=len(times), max_size=len(times)))
    return Series(labels=draw(LABELS), times=np.array(times), values=np.array(values))


@st.composite
def fed(draw: st.DrawFn) -> Fed:
    """One read."""
    readings = tuple(draw(st.lists(st.sampled_from(READINGS), max_size=3)))
    answers = tuple(
        Answer(
            series=tuple(draw(st.lists(series(), max_size=4))),
            warnings=tuple(draw(st.lists(st.text(max_size=5), max_size=2))),
        )
        for _ in readings
    )
    return Fed(now=draw(st.floats(0, 1e9)), readings=readings, answers=answers)


TOLD = st.builds(Told, at=st.floats(0, 1e9), weight=st.floats(0, 100), is_read=st.booleans())
COUNT = st.floats(0, 1e9)
AMOUNTS = st.builds(
    Amount,
    counts=st.dictionaries(st.sampled_from(["error_rate", "grpc"]), st.tuples(COUNT, COUNT)),
    below=st.just({"latency": ((0.1, 3.0), (math.inf, 4.0))}) | st.just({}),
)
THEN = st.builds(
    Then,
    moment=st.builds(Moment, at=st.floats(0, 1e9), weeks=st.integers(0, 4)),
    before=AMOUNTS,
    after=AMOUNTS,
    changed=st.booleans(),
)
MEMORIES = st.builds(Memory, at=st.floats(0, 1e9), then=st.lists(THEN, max_size=3).map(tuple))
REMEMBERED = st.builds(Remembered, at=st.floats(0, 1e9), memory=MEMORIES)
NAMES = st.lists(st.text(max_size=5), max_size=3).map(tuple)
ELSEWHERE = st.builds(Elsewhere, at=st.floats(0, 1e9), services=NAMES, moved=NAMES)
SEEN = st.builds(Seen, at=st.floats(0, 1e9), elsewhere=ELSEWHERE)
TAPES = st.lists(st.lists(fed() | TOLD | REMEMBERED | SEEN, max_size=4), max_size=4)


def same(one: Event, other: Event) -> bool:
    """To the bit, NaN and all."""
    if not isinstance(one, Fed) or not isinstance(other, Fed):
        return one == other
    pairs = list(zip(one.answers, other.answers, strict=True))
    return (
        (one.now, one.readings) == (other.now, other.readings)
        and all(a.warnings == b.warnings for a, b in pairs)
        and all(
            dict(x.labels) == dict(y.labels)
            and x.times.tobytes() == y.times.tobytes()
            and x.values.tobytes() == y.values.tobytes()
            for a, b in pairs
            for x, y in zip(a.series, b.series, strict=True)
        )
    )


@given(TAPES, st.integers(0, 4))
def test_what_was_written_is_read(tape: list[list[Event]], restart: int) -> None:
    """Also where another process went on writing in the middle."""
    writer = TapeWriter()
    bodies: list[bytes] = []
    for number, events in enumerate(tape):
        if number == restart:
            heard = TapeReader()
            for body in bodies:
                heard.read(body)
            writer = TapeWriter()
            writer.heard(heard.labels, heard.readings)
        bodies.append(writer.write(events))
    reader = TapeReader()
    for events, body in zip(tape, bodies, strict=True):
        got = list(reader.read(body))
        assert len(got) == len(events)
        assert all(same(a, b) for a, b in zip(events, got, strict=True))


def part(**changes: object) -> list[object]:
    """An answer as it is written: one series that has no samples."""
    fields = {"reading": 0, "warnings": [], "series": bytes(4), "sizes": 0}
    return list({**fields, "times": b"", "values": b"", **changes}.values())


def chunk(*parts: list[object], schema: int = SCHEMA) -> bytes:
    """A chunk of one reading and one series, packed by hand."""
    body = [schema, [READINGS[0]], [{"pod": "a"}], [[0.0, None, parts]]]
    return zstandard.compress(msgspec.msgpack.encode(body))


def test_a_chunk_packed_by_hand_is_read() -> None:
    """The broken chunks below would be refused for another reason than they are meant for."""
    (event,) = TapeReader().read(chunk(part()))
    assert isinstance(event, Fed)
    assert [len(s.times) for s in event.answers[0].series] == [0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"junk",
        zstandard.compress(b"junk"),
        chunk(part(reading=7)),
        chunk(part(series=None)),
        chunk(part(series=b"\x01\0\0\0")),
        chunk(part(sizes=b"\x01\0\0\0")),
        chunk(part(sizes=b"\x01\0\0\0", series=b"")),
        chunk(part(times=bytes(8))),
        chunk(part(), schema=9),
        chunk([*part(times=bytes(8), values=bytes(7), sizes=1), True]),
        chunk([*part(times=bytes(8), values=bytes(8), sizes=1), True, b"\x01\0\0\0"]),
        chunk([*part(times=bytes(8), values=bytes(8), sizes=0), True, bytes(4)]),
        TapeWriter().write([])[:-2],
    ],
    ids=[
        "empty",
        "junk",
        "no msgpack",
        "unknown reading",
        "series of nothing before",
        "unknown series",
        "a size too many",
        "a size of no series",
        "a time without a value",
        "newer",
        "half a plane",
        "times of no series",
        "times without a size",
        "cut",
    ],
)
def test_what_is_no_chunk_is_a_store_error(body: bytes) -> None:
    """A broken disk is told, never half believed."""
    with pytest.raises(StoreError):
        TapeReader().read(body)


def test_a_chunk_of_the_schema_before_is_read() -> None:
    """A rollout under way would be judged anew from nothing when serinus is upgraded."""
    samples = np.array([3.0, 5.0])
    old = part(times=samples.tobytes(), values=(2 * samples).tobytes(), sizes=2)
    (event,) = TapeReader().read(chunk(old, schema=2))
    assert isinstance(event, Fed)
    (only,) = event.answers[0].series
    assert (only.times.tolist(), only.values.tolist()) == ([3.0, 5.0], [6.0, 10.0])


def _times(size: int) -> FloatArray:
    """Every quarter of a minute."""
    return np.arange(size, dtype=np.float64) * 15.0 + 1e9 / 3


def _rising(rng: np.random.Generator, size: int) -> FloatArray:
    """A counter."""
    return np.cumsum(rng.poisson(900.0, size)).astype(np.float64)


@given(st.integers(1, 5), st.integers(1, 40), st.booleans(), st.sampled_from([0.0, 1.0]))
def test_a_history_is_read_as_it_was_written(
    count: int, size: int, odd: bool, shift: float
) -> None:
    """Long series are written in another way than the sample of a poll; no bit may differ."""
    rng = np.random.default_rng(size)
    drawn = tuple(
        Series(
            labels={"pod": str(n)}, times=_times(size) + n // 2 * shift, values=_rising(rng, size)
        )
        for n in range(count)
    )
    if odd:
        drawn[-1].values[::3] = np.nan
        drawn = (*drawn, Series(labels={}, times=_times(size + 1), values=_rising(rng, size + 1)))
    told = Fed(now=1.0, readings=READINGS[:1], answers=(Answer(series=drawn),))
    (got,) = TapeReader().read(TapeWriter().write([told]))
    assert same(told, got)


def test_a_history_takes_less_room_than_its_numbers() -> None:
    """An hour of a wide service is stored with every rollout."""
    rng = np.random.default_rng(1)
    drawn = tuple(
        Series(labels={"pod": str(n)}, times=_times(480), values=_rising(rng, 480))
        for n in range(60)
    )
    told = Fed(now=1.0, readings=READINGS[:1], answers=(Answer(series=drawn),))
    written = len(TapeWriter().write([told]))
    plain = zstandard.compress(b"".join(s.values.tobytes() for s in drawn), 3)
    assert written < 0.92 * len(plain)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), min_size=1, max_size=8))
def test_each_sample_is_new_once(reads: list[tuple[int, int]]) -> None:
    """Whatever the overlap of the reads, in order and without a gap."""
    fresh, got, top = Fresh(), [], 0
    for back, ahead in reads:
        begin, top = max(0, top - back), top + ahead
        times = np.arange(begin, top, dtype=float)
        answer = Answer(series=(Series(labels={"pod": "a"}, times=times, values=times),))
        new = fresh.new(READINGS[:1], [answer])
        fresh.take(READINGS[:1], new)
        got += [t for s in new[0].series for t in s.times]
    assert got == [float(t) for t in range(top)]


SHOWN = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 6), st.integers(0, 6)), max_size=4
)


@given(st.lists(SHOWN, max_size=6))
def test_new_is_what_is_later_than_all_before(reads: list[list[tuple[str, int, int]]]) -> None:
    """Series that come, pause and come back, with one new sample, several, or none."""
    fresh, newest = Fresh(), dict.fromkeys("abc", -1.0)
    for read in reads:
        series = {pod: np.arange(begin, begin + size, dtype=float) for pod, begin, size in read}
        answer = Answer(
            series=tuple(
                Series(labels={"pod": pod}, times=times, values=-times)
                for pod, times in series.items()
            )
        )
        (new,) = fresh.new(READINGS[:1], [answer])
        fresh.take(READINGS[:1], [new])
        wanted = {pod: times[times > newest[pod]].tolist() for pod, times in series.items()}
        assert {s.labels["pod"]: s.times.tolist() for s in new.series} == {
            pod: times for pod, times in wanted.items() if times
        }
        assert all((s.values == -s.times).all() for s in new.series)
        newest |= {pod: times[-1] for pod, times in wanted.items() if times}


def test_a_poll_of_the_same_series_does_not_name_them_again() -> None:
    """The store of a long attempt would be mostly names."""
    writer = TapeWriter()
    first, second = (
        writer.write([Fed(now=at, readings=READINGS[:1], answers=(wide(at),))]) for at in (1.0, 2.0)
    )
    reader = TapeReader()
    read = [event for body in (first, second) for event in reader.read(body)]
    assert len(second) < len(first) / 2
    assert same(read[1], Fed(now=2.0, readings=READINGS[:1], answers=(wide(2.0),)))


def wide(at: float) -> Answer:
    """One sample of each of many series."""
    return Answer(
        series=tuple(
            Series(labels={"pod": str(n)}, times=np.array([at]), values=np.array([float(n)]))
            for n in range(100)
        )
    )


def test_arms_and_series_are_told_apart() -> None:
    """The same labels under another question are other samples."""
    fresh = Fresh()
    answer = Answer(
        series=tuple(
            Series(labels={"pod": pod}, times=np.array([1.0]), values=np.array([1.0]))
            for pod in "ab"
        )
    )
    fresh.take(READINGS[:1], [Answer(series=answer.series[:1])])
    new = fresh.new(READINGS, [answer] * 3)
    assert [[s.labels["pod"] for s in a.series] for a in new] == [["b"], ["a", "b"], ["a", "b"]]


def test_a_turn_that_does_not_come_is_an_overload() -> None:
    """The caller gets 503 and asks again; other names go on."""
    turns = Turns()
    with turns.of("a", timeout_s=1):
        with turns.of("b", timeout_s=0):
            pass
        with pytest.raises(StoreError, match="overloaded"), turns.of("a", timeout_s=0.01):
            pass
    with turns.of("a", timeout_s=0):
        pass
    assert turns._locks == {}


def test_turns_follow_each_other() -> None:
    """Never two at once."""
    turns, inside, most = Turns(), 0, 0

    def use() -> None:
        nonlocal inside, most
        for _ in range(50):
            with turns.of("a", timeout_s=10):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, turns._locks) == (1, {})


def test_the_value_not_used_for_longest_goes() -> None:
    """Memory is bounded."""
    recent: Recent[int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(name) for name in "abc"] == [1, None, 3]
    recent.drop("a")
    assert recent.get("a") is None


def test_a_budget_ends() -> None:
    """No question takes longer than it may."""
    assert 0 < Budget(60.0).left_s() <= 60.0
    with pytest.raises(SourceError, match="in all"):
        Budget(0.0).left_s()
