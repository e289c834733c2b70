"""One attempt being watched: when it reads, how much, what it believes, what a tape restores."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError
from detector.gate.policy import Policy
from detector.gate.record import Chunk, chunk_of
from detector.gate.request import Stage
from detector.signals.plan import Reading
from pipelines.flows.watch import NARROW_S, OVERLAP_S, Watch, watch_of
from pipelines.testing import Fault
from tests.detector.gate.test_attempt import attempt
from tests.pipelines.flows.scripted import STEP, T0, Counting, World, ask, counting, discover
from tests.profiles import HEAVY

SETTLE = 25.0


def world() -> World:
    made = World()
    made.shop()
    return made


def watching(of: World, policy: Policy | None = None) -> Watch:
    """The canary of a shop from T0 on."""
    plan = discover(of.source, ask(), start=T0, end=T0 + 60, timeout_s=1)
    of.source.reads.clear()
    rules = policy or Policy()
    return watch_of(attempt(plan=plan, started_at=T0, interval=STEP, policy=rules), counting)


def poll(watch: Watch, of: World, second: float) -> SourceError | None:
    """Read up to a moment and put the events on the tape, as the gate does."""
    events, error = watch.read(of.source, T0 + second, lambda: 5.0)
    if events:
        watch.head = chunk_of("a", watch.head, watch.record(events)).hash
    return error


def seen(watch: Watch) -> float:
    """Canary requests that the judge has counted."""
    judge = watch.judge
    assert isinstance(judge, Counting)
    said = judge.judge(as_of=T0, stage=Stage.STEP, deadline=None)
    return sum(signal.samples.canary for signal in said.signals)


def doubted(watch: Watch) -> bool:
    """Whether a pass is held back because series may be missing."""
    return watch.partial is not None


# -- beginning


@pytest.mark.parametrize("lack", ["plan", "started_at", "interval"])
def test_an_attempt_that_has_not_begun_is_not_watched(lack: str) -> None:
    """Before its canary is seen there is nothing to judge, and no moment to judge it from."""
    whole = attempt(plan=watching(world()).plan, started_at=T0, interval=STEP)
    with pytest.raises(ValueError, match="cannot be watched"):
        watch_of(replace(whole, **{lack: None}), counting)  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [1.0, 1 / 15])
def test_history_reaches_as_far_as_the_policy_says(scale: float) -> None:
    """In engine time: a demo of fifteen times the pace looks eight minutes back."""
    of = world()
    watch = watching(of, Policy(history_s=7200.0, time_scale=scale))
    assert watch.history_start == T0 - 7200.0 * scale
    poll(watch, of, 60.0)
    assert {read.start for read in of.source.reads} == {T0 - 7200.0 * scale}


# -- when to read


def test_a_source_is_read_when_a_boundary_became_final() -> None:
    """A controller that polls each second does not make people's Prometheus answer each second."""
    of = world()
    watch = watching(of)
    assert watch.is_due(T0)
    poll(watch, of, 100.0)
    due = [second for second in range(100, 131) if watch.is_due(T0 + second)]
    assert due == list(range(115, 131))
    poll(watch, of, 115.0)
    assert not watch.is_due(T0 + 129)


@HEAVY
@given(st.lists(st.integers(1, 900), min_size=1, max_size=12).map(sorted))
def test_reading_only_when_due_misses_nothing(seconds: list[int]) -> None:
    """Whoever reads at every question knows no more about what is final."""
    lazy, eager = world(), world()
    one, other = watching(lazy), watching(eager)
    for second in seconds:
        if one.is_due(T0 + second):
            poll(one, lazy, second)
        poll(other, eager, second)
        assert one.judge.end == other.judge.end  # type: ignore[attr-defined]
        assert seen(one) == seen(other)
    assert len(lazy.source.reads) <= len(eager.source.reads)


# -- how much to read


def test_later_reads_take_what_is_new_and_an_overlap() -> None:
    """Two hours once, then ten minutes back: late samples are found, the history is not resent."""
    of = world()
    watch = watching(of)
    poll(watch, of, 60.0)
    of.source.reads.clear()
    poll(watch, of, 900.0)
    assert {read.start for read in of.source.reads} == {T0 + 60.0 - OVERLAP_S}
    of.source.reads.clear()
    poll(watch, of, 1800.0)
    assert {read.start for read in of.source.reads} == {T0 + 900.0 - OVERLAP_S}


def test_what_is_late_is_looked_for_once_a_minute() -> None:
    """Forty samples of each series for one that is new, at each poll of each rollout."""
    of = world()
    watch = watching(of)
    spans, narrow = [], max(NARROW_S, 6 * watch.judge.step)
    for second in (600.0, 630.0, 660.0, 690.0):
        of.source.reads.clear()
        poll(watch, of, second)
        spans.append({read.start - T0 for read in of.source.reads})
    assert spans[1:] == [{600.0 - narrow}, {630.0 - OVERLAP_S}, {660.0 - narrow}]


def test_a_read_that_failed_looked_for_nothing() -> None:
    """Late samples would be missed for another minute each time."""
    of = world()
    watch = watching(of)
    poll(watch, of, 600.0)
    of.source.fault = Fault.DOWN
    poll(watch, of, 660.0)
    of.source.fault = Fault.NONE
    of.source.reads.clear()
    poll(watch, of, 675.0)
    assert {read.start - T0 for read in of.source.reads} == {600.0 - OVERLAP_S}


class Growing(Counting):
    """A judge that asks for more once it has seen something."""

    def readings(self) -> tuple[Reading, ...]:
        """The control only after the canary."""
        first, second = Counting.readings(self)
        return (first, second) if self._series else (first,)


def test_what_is_asked_for_later_is_read_from_its_beginning() -> None:
    """A pod's container metrics are known by the pod's name: they come a round later, whole."""
    of = world()
    plain = watching(of)
    judge = Growing(plain.plan, plain.policy, T0, STEP)
    watch = replace(plain, judge=judge)
    poll(watch, of, 60.0)
    assert [len(read.queries) for read in of.source.reads] == [1, 1]
    assert {read.start for read in of.source.reads} == {watch.history_start}
    of.source.reads.clear()
    poll(watch, of, 120.0)
    assert [len(read.queries) for read in of.source.reads] == [2]


class Greedy(Counting):
    """A judge that always asks for one more."""

    def readings(self) -> tuple[Reading, ...]:
        """As many as were asked for, and another."""
        first, second = Counting.readings(self)
        self.weights.append((0.0, 0.0))
        more = [replace(first, query=replace(first.query, metric=f"m{n}")) for n in range(99)]
        return (first, second, *more[: len(self.weights)])


def test_a_poll_ends_though_a_judge_asks_for_ever() -> None:
    """Three rounds at most: a cluster in which pods come each second is still answered."""
    of = world()
    plain = watching(of)
    watch = replace(plain, judge=Greedy(plain.plan, plain.policy, T0, STEP))
    assert poll(watch, of, 60.0) is None
    assert len(of.source.reads) == 3


# -- what to believe


def test_what_came_before_an_error_stays() -> None:
    """A source that breaks off in the second round has told the first."""
    of = world()
    plain = watching(of)
    watch = replace(plain, judge=Growing(plain.plan, plain.policy, T0, STEP))
    of.source.script(Fault.NONE, Fault.DOWN)
    events, error = watch.read(of.source, T0 + 60, lambda: 5.0)
    assert error is not None
    assert error.code == "source_unavailable"
    assert len(events) == 1
    assert poll(watch, of, 75.0) is None
    assert seen(watch) > 0


def test_an_answer_with_holes_is_asked_for_again() -> None:
    """For two minutes: half of a canary's pods, taken for all of it, would judge the wrong half."""
    of = world()
    watch = watching(of)
    of.source.fault = Fault.PARTIAL
    for second in (60.0, 120.0, 179.0):
        assert poll(watch, of, second) is None
        assert seen(watch) == 0
    assert watch.partial is not None
    assert watch.partial.code == "partial_data"
    assert "was told to warn" in watch.partial.text
    poll(watch, of, 181.0)
    assert watch.clock == T0 + 181.0


def test_after_a_whole_answer_doubt_is_over_at_once() -> None:
    """A warning that went away before anything was believed holds nobody up."""
    of = world()
    watch = watching(of)
    of.source.script(Fault.WARNINGS)
    poll(watch, of, 60.0)
    assert doubted(watch)
    poll(watch, of, 75.0)
    assert not doubted(watch)
    assert seen(watch) > 0


def test_holes_that_were_believed_are_doubted_for_five_minutes() -> None:
    """Their window is still looked at: no pass until it has gone by."""
    of = world()
    watch = watching(of)
    of.source.fault = Fault.WARNINGS
    poll(watch, of, 60.0)
    poll(watch, of, 180.0)
    of.source.fault = Fault.NONE
    poll(watch, of, 479.0)
    assert doubted(watch)
    poll(watch, of, 495.0)
    assert not doubted(watch)


def test_a_faster_clock_is_less_patient() -> None:
    """A demo does not wait for two minutes of a scraper that warns."""
    of = world()
    watch = watching(of, Policy(time_scale=0.1))
    of.source.fault = Fault.WARNINGS
    poll(watch, of, 60.0)
    poll(watch, of, 73.0)
    assert watch.clock == T0 + 73.0


# -- weights


def test_a_weight_is_an_event_only_when_it_is_new() -> None:
    """A controller tells it with every question; it is one step."""
    watch = watching(world())
    assert len(watch.tell(T0 + 5, 10.0)) == 1
    assert watch.tell(T0 + 6, 10.0) == ()
    assert watch.tell(T0 + 7, None) == ()
    assert len(watch.tell(T0 + 8, 30.0)) == 1
    assert watch.judge.weights == [(T0 + 5, 10.0), (T0 + 8, 30.0)]  # type: ignore[attr-defined]


# -- tapes


def taped(of: World, seconds: list[int]) -> tuple[Watch, list[Chunk]]:
    """A watch that polled at these seconds, and the chunks of its tape."""
    watch, chunks, head = watching(of), list[Chunk](), ""
    for number, second in enumerate(seconds):
        told = watch.tell(T0 + second, 10.0 * (number + 1))
        read, error = watch.read(of.source, T0 + second, lambda: 5.0)
        assert error is None
        chunks.append(chunk_of("a", head, watch.record((*told, *read))))
        head = watch.head = chunks[-1].hash
    return watch, chunks


SECONDS = st.lists(st.integers(1, 900), min_size=1, max_size=6, unique=True).map(sorted)


@HEAVY
@given(SECONDS)
def test_a_watch_from_its_tape_stands_where_the_lost_one_stood(seconds: list[int]) -> None:
    """kill -9 between two polls: the rollout goes on where it was, and asks no more than it did."""
    of = world()
    watch, chunks = taped(of, seconds)
    again = watching(of)
    again.play(chunks)
    assert (again.head, again.clock, again.steering) == (watch.head, watch.clock, watch.steering)
    assert seen(again) == seen(watch)
    assert again.judge.weights == watch.judge.weights  # type: ignore[attr-defined]
    for one in (watch, again):
        of.source.reads.clear()
        poll(one, of, 1000.0)
        assert [read.start for read in of.source.reads] == [T0 + seconds[-1] - OVERLAP_S]
    assert seen(again) == seen(watch)


@HEAVY
@given(SECONDS, st.integers(1, 900))
def test_a_tape_is_heard_as_far_as_it_was_due(seconds: list[int], until: int) -> None:
    """The answer of a past moment is made from what was known then, and nothing that came later."""
    of = world()
    _, chunks = taped(of, seconds)
    past = watching(of)
    past.play(chunks, until=T0 + until)
    known = [second for second in seconds if second <= until]
    weights = past.judge.weights  # type: ignore[attr-defined]
    assert [at for at, _ in weights] == [T0 + second for second in known]
    assert past.clock <= T0 + until
    assert past.judge.end <= T0 + max(until - SETTLE, 0.0)  # type: ignore[attr-defined]


def test_an_empty_tape_is_a_beginning() -> None:
    """Nothing was read yet: everything is still to be read."""
    of = world()
    watch = watching(of)
    watch.play([])
    assert (watch.head, watch.clock) == ("", watch.history_start)
    assert watch.is_due(T0)


def test_times_of_a_tape_only_go_on() -> None:
    """A clock that was set back does not make old samples new."""
    of = world()
    watch, _ = taped(of, [300, 400])
    clocks = []
    for second in (500.0, 450.0, 600.0):
        poll(watch, of, second)
        clocks.append(watch.clock)
    assert all(a <= b for a, b in itertools.pairwise(clocks))
