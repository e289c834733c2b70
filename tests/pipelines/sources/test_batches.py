"""Reads that wait at the same time go together; what goes wrong with one is its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from detector.errors import SourceError
from detector.series import Answer, Matcher, MatchOp, Query
from pipelines.sources.batches import Batches, Order
from pipelines.sources.deadline import Deadline
from pipelines.sources.refusal import TooMuchError
from pipelines.sources.settings import Budget
from pipelines.sources.spent import Spent
from pipelines.sources.wire import Matrix, Part, decode_matrix

SERVICES = [f"s{n}" for n in range(6)]


@dataclass(slots=True)
class Source:
    """A source with one sample for each service, held while `gate` is closed."""

    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    alone_for: list[Sequence[Query]] = field(default_factory=list)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    failure: SourceError | None = None

    def matrix(
        self, selector: str, start: float, end: float, deadline: Deadline, *, reads: int
    ) -> Matrix:
        """Everything, whatever is selected: the batch tells whose it is."""
        del start, end, deadline, reads
        self.asked.append(selector)
        self.begun.release()
        self.gate.wait(10)
        if self.failure is not None:
            raise self.failure
        result = [
            {"metric": {"__name__": "up", "service": name}, "values": [[9.0, str(number)]]}
            for number, name in enumerate(SERVICES)
            if f'"{name}"' in selector or name in selector.split('"')[1].split("|")
        ]
        body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        return decode_matrix(json.dumps(body).encode(), "here")

    def alone(self, order: Order) -> Sequence[Answer]:
        """One answer for each query."""
        self.alone_for.append(order.queries)
        return [Answer(series=(), warnings=("alone",)) for _ in order.queries]

    def parsed(self, part: Part, start: float, end: float) -> Answer:
        """As the real one."""
        return part.answer(start, end)


@dataclass(slots=True)
class Bench:
    """Batches over a source, and hands that read."""

    source: Source
    batches: Batches
    hands: ThreadPoolExecutor

    def read(self, service: str, *, span: float = 60.0, timeout_s: float = 10.0) -> list[float]:
        """The values of a service."""
        [answer] = self.batches.read(order(service, span=span, timeout_s=timeout_s))
        return [float(value) for one in answer.series for value in one.values]


def order(service: str, *, span: float = 60.0, timeout_s: float = 10.0) -> Order:
    """A read of one service."""
    query = Query("up", (Matcher("service", MatchOp.EQUAL, service),))
    return Order((query,), 10.0 - span, 10.0, Deadline(timeout_s), Spent(Budget(), "here"))


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A source that is held until its gate opens."""
    source = Source()
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(16) as hands:
        yield Bench(source, Batches(workers, source, "here"), hands)
        source.gate.set()


def fill_lanes(bench: Bench) -> None:
    """Two reads under way, so that what comes now waits."""
    for name in SERVICES[:2]:
        bench.hands.submit(bench.read, name)
        assert bench.source.begun.acquire(timeout=10)


def until_waiting(bench: Bench, count: int) -> None:
    """Until so many orders wait."""
    while len(bench.batches._waiting) < count:
        threading.Event().wait(0.001)


def test_a_read_that_finds_the_source_free_goes_alone_and_at_once(bench: Bench) -> None:
    """A single rollout would wait for company."""
    bench.source.gate.set()
    assert bench.read("s3") == [3.0]
    assert bench.source.asked == ['up{service="s3"}']


def test_those_that_wait_go_together_and_each_gets_its_own(bench: Bench) -> None:
    """A thousand rollouts would ask a thousand times."""
    fill_lanes(bench)
    later = {name: bench.hands.submit(bench.read, name) for name in SERVICES[2:]}
    until_waiting(bench, 4)
    bench.source.gate.set()
    assert {name: job.result() for name, job in later.items()} == {
        "s2": [2.0], "s3": [3.0], "s4": [4.0], "s5": [5.0],
    }  # fmt: skip
    assert bench.source.asked[2:] == ['up{service=~"s2|s3|s4|s5"}']


def test_a_long_span_is_not_read_for_those_who_want_a_short_one(bench: Bench) -> None:
    """One rollout that looks back ten minutes would make all others pay for it."""
    fill_lanes(bench)
    jobs = [
        bench.hands.submit(bench.read, name, span=span)
        for name, span in (("s2", 60.0), ("s3", 700.0), ("s4", 60.0))
    ]
    until_waiting(bench, 3)
    bench.source.gate.set()
    assert [job.result() for job in jobs] == [[2.0], [3.0], [4.0]]
    assert set(bench.source.asked[2:]) == {'up{service="s3"}', 'up{service=~"s2|s4"}'}


def test_whoever_gave_up_is_not_read_for(bench: Bench) -> None:
    """A source that is slow would be asked for what nobody waits for."""
    fill_lanes(bench)
    gone = bench.hands.submit(bench.read, "s4", timeout_s=0.05)
    with pytest.raises(SourceError, match="did not answer"):
        gone.result()
    bench.source.gate.set()
    assert bench.read("s5") == [5.0]
    assert not [text for text in bench.source.asked if "s4" in text]


def test_a_refused_batch_is_read_one_by_one(bench: Bench) -> None:
    """The selector of one rollout would make all others inconclusive."""
    fill_lanes(bench)
    jobs = [bench.hands.submit(bench.batches.read, order(name)) for name in SERVICES[2:4]]
    until_waiting(bench, 2)
    bench.source.failure = SourceError("bad", code="query_rejected", retryable=False)
    bench.source.gate.set()
    assert [job.result()[0].warnings for job in jobs] == [("alone",), ("alone",)]


def test_what_is_too_much_at_once_is_read_in_pieces(bench: Bench) -> None:
    """A busy service would never be judged."""
    bench.source.gate.set()
    bench.source.failure = TooMuchError("too many samples")
    [answer] = bench.batches.read(order("s1"))
    assert answer.warnings == ("alone",)


@pytest.mark.parametrize(
    "failure",
    [
        SourceError("down"),
        SourceError("bad", code="query_rejected", retryable=False),
        SourceError("too often", code="query_rejected"),
    ],
    ids=["down", "the only one refused", "asked to be quiet"],
)
def test_an_error_is_told_to_all_who_wait_and_not_tried_again(
    bench: Bench, failure: SourceError
) -> None:
    """A source that is down would be asked twice as often as before."""
    bench.source.gate.set()
    bench.source.failure = failure
    with pytest.raises(SourceError, match=str(failure)):
        bench.read("s1")
    assert (len(bench.source.asked), bench.source.alone_for) == (1, [])


def test_where_reads_come_all_the_time_they_wait_for_company() -> None:
    """A source that is quick would be asked by each rollout alone, a thousand times."""
    source = Source()
    source.gate.set()
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(16) as hands:
        batches = Batches(workers, source, "here", busy_s=60.0, linger_s=2.0)
        bench = Bench(source, batches, hands)
        assert bench.read("s0") == [0.0]
        jobs = [hands.submit(bench.read, name) for name in SERVICES]
        assert [job.result() for job in jobs] == [[float(n)] for n in range(6)]
    assert source.asked == ['up{service="s0"}', 'up{service=~"s0|s1|s2|s3|s4|s5"}']


def test_those_who_come_while_others_are_served_wait_for_company_too() -> None:
    """A busy source would be asked anew for each read that comes between two answers."""
    source = Source()
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(16) as hands:
        bench = Bench(source, Batches(workers, source, "here", busy_s=60.0, linger_s=1.0), hands)
        first = hands.submit(bench.read, "s0")
        assert source.begun.acquire(timeout=10)
        early = hands.submit(bench.read, "s1")
        until_waiting(bench, 1)
        source.gate.set()
        assert first.result() == [0.0]
        late = hands.submit(bench.read, "s2")
        assert [early.result(), late.result()] == [[1.0], [2.0]]
    assert source.asked == ['up{service="s0"}', 'up{service=~"s1|s2"}']


def test_company_is_not_waited_for_without_end() -> None:
    """The last read of the evening would never be answered."""
    source = Source()
    source.gate.set()
    with ThreadPoolExecutor(4) as workers:
        batches = Batches(workers, source, "here", busy_s=60.0, linger_s=0.01)
        for _ in range(2):
            [answer] = batches.read(order("s3"))
            assert len(answer.series) == 1


def test_a_budget_is_that_of_each_read(bench: Bench) -> None:
    """A selector that is too wide would be let through, or others refused for it."""
    fill_lanes(bench)
    both = replace(order("s2"), queries=(*order("s2").queries, *order("s4").queries))
    both.spent = Spent(Budget(max_series=1), "here")
    tight = bench.hands.submit(bench.batches.read, both)
    roomy = bench.hands.submit(bench.read, "s3")
    until_waiting(bench, 2)
    bench.source.gate.set()
    with pytest.raises(SourceError, match="max_series"):
        tight.result()
    assert roomy.result() == [3.0]
