"""Messages of a partition that are judged in one step: all comes of it as if each were alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.signals.packs import shipped_packs
from detector.stream.anomaly import Happened
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from detector.stream.counting import Counting
from detector.stream.settings import StreamSettings
from models.anomaly import kernel
from models.baseline import tally
from pipelines.flows.stream_operators import Operators
from pipelines.flows.worker_door import PartDoor
from pipelines.flows.worker_metrics import MetricsJudge
from pipelines.flows.worker_part import WorkerPart
from pipelines.flows.worker_share import Share
from pipelines.ingest.columnar import packed
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Format
from pipelines.ingest.tally import Tally
from pipelines.stores.connections import Connections
from pipelines.stores.sqlite import Database
from pipelines.stores.worker_parts import WorkerPartStore, progress_of
from pipelines.topics.port import Message, Partition
from tests.pipelines.flows.working import (
    MINUTE,
    OWNERS,
    T0,
    TOPIC,
    Log,
    body_of,
    gauges,
    kept,
    messages,
    share_on,
    told,
)
from tests.profiles import HEAVY

P0 = Partition(TOPIC, 0)
BREAKING = 666.0
COUNTING = Counting(shipped_packs(), OWNERS)
# An hour without a sample, and a series is forgotten: its id is the next new one's.
SETTINGS = StreamSettings(alarms_a_week=50.0, forget_s=3600.0, warm_s=60.0, silent_s=300.0)


class Steps(Operators):
    """Operators that note how many messages are judged in a step."""

    steps: list[int]

    def __init__(self, **more: Any) -> None:  # noqa: ANN401 - as there
        super().__init__(**more)
        self.steps = []

    def samples(self, tenant: str, columns: Columns) -> tuple[Happened, ...]:
        """One."""
        self.steps.append(1)
        return super().samples(tenant, columns)

    def samples_together(
        self, tenant: str, parts: Sequence[Columns]
    ) -> Sequence[Sequence[Happened]]:
        """Some."""
        self.steps.append(len(parts))
        return super().samples_together(tenant, parts)


class Breaking(Operators):
    """Operators that one value breaks, each time."""

    def samples(self, tenant: str, columns: Columns) -> tuple[Happened, ...]:
        """As ours, but for that value."""
        _check(columns)
        return super().samples(tenant, columns)

    def samples_together(
        self, tenant: str, parts: Sequence[Columns]
    ) -> Sequence[Sequence[Happened]]:
        """The same, wherever it is."""
        for columns in parts:
            _check(columns)
        return super().samples_together(tenant, parts)


def _check(columns: Columns) -> None:
    if (columns.value == BREAKING).any():
        raise ZeroDivisionError("no model of ours takes this")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = Database(tmp_path / "stream.db")
    yield opened
    opened.close()


def open_share(database: Connections, log: Log, operators: type[Operators] = Steps) -> Share:
    """A worker's share whose operators forget soon, and count for the gate."""

    def part(partition: Partition) -> WorkerPart:
        store = WorkerPartStore(database, f"{TOPIC}/{partition.number}", "w", clock=lambda: 1.0)
        made = operators(owners=OWNERS, settings=SETTINGS, counting=COUNTING, origin=store.part)
        return WorkerPart(store, MetricsJudge(made, PartDoor(Format.COLUMNAR, Limits(), Tally())))

    return Share(open_part=part, spans=log.spans, deliver=log.deliver, flush=lambda: None)


def steps_of(share: Share) -> list[int]:
    """How many messages each step had."""
    judge = share.parts[P0].judge
    assert isinstance(judge, MetricsJudge)
    assert isinstance(judge.operators, Steps)
    return judge.operators.steps


def counters(service: str) -> list[SeriesInfo]:
    """What a gate compares, of one service."""
    return [
        SeriesInfo(
            labels=(
                ("__name__", "http_requests_total"),
                ("code", code),
                ("pod", f"{service}-1"),
                ("service", service),
            ),
            kind=SeriesKind.CUMULATIVE,
        )
        for code in ("200", "500")
    ]


TABLES = (gauges(3), gauges(2, "cart"), [*gauges(1), *counters("shop")], gauges(4)[3:])
# Which table, minutes since the last message, what is odd about it, and of which tenant.
ONE = st.tuples(
    st.sampled_from([0, 0, 0, 1, 2, 3]),
    st.sampled_from([0, 1, 1, 1, 1, 2, -2, 7, 61, 200]),
    st.sampled_from([0.0, 0.0, 0.0, 0.0, 40.0, -40.0, float("nan"), None]),
    st.sampled_from([b"acme", b"acme", b"acme", b"other"]),
)


def made(steps: Sequence[tuple[int, int, float | None, bytes]]) -> list[Message]:
    """Quiet minutes of all tables, and then what is written down; None is no message."""
    rng, at, found = np.random.default_rng(3), 0, list[Message]()
    calm = [(n % 4, int(n % 4 == 0), 0.0, b"acme") for n in range(480)]
    for offset, (number, minutes, odd, tenant) in enumerate([*calm, *steps]):
        at += minutes
        values = rng.normal(size=len(TABLES[number])) + (odd or 0.0)
        body = body_of(TABLES[number], values.tolist(), T0 + at * MINUTE)
        headers = (("x-scope-orgid", tenant),)
        value = b"\xc1" if odd is None else body
        found.append(told(offset, value, at=T0 + at * MINUTE, headers=headers))
    return found


def outcome(every: Sequence[Message], sizes: Sequence[int]) -> dict[str, Any]:
    """What is kept of them, and put aside, judged in pieces of some sizes; each alone without."""
    with TemporaryDirectory() as folder:
        database, log = Database(Path(folder) / "stream.db"), Log({P0: every})
        share = open_share(database, log)
        share.assigned([P0])
        for piece in pieces(every, sizes):
            if sizes:
                share.apply_all(piece)
            else:
                share.apply(piece[0])
        share.checkpoint()
        found = kept(database)
        database.close()
    return {
        **found,
        "letters": [(one.message.offset, one.reason) for one in log.letters],
        "meters": (share.meters.messages, dict(share.meters.taken), share.meters.anomalies),
    }


def pieces(every: Sequence[Message], sizes: Sequence[int]) -> Iterator[Sequence[Message]]:
    """Cut so, over and over."""
    at = turn = 0
    while at < len(every):
        size = sizes[turn % len(sizes)] if sizes else 1
        yield every[at : at + size]
        at, turn = at + size, turn + 1


@HEAVY
@given(st.lists(ONE, max_size=80), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_what_is_kept_is_the_same_however_many_messages_waited(
    steps: list[tuple[int, int, float | None, bytes]], sizes: list[int]
) -> None:
    """After a death others wait together: events would have other places, series other ids."""
    every = made(steps)

    assert outcome(every, sizes) == outcome(every, [])


def test_what_ended_long_before_the_end_of_a_message_is_told_by_name(database: Database) -> None:
    """Series of an anomaly that the same message closes, and then forgets."""
    lasting = [(0, 1, 40.0, b"acme")] * 9
    every, others = made(lasting), gauges(2, "cart")
    minutes = np.arange(1, 40 * 60)
    later = Columns(
        series=np.zeros(len(minutes), np.int32),
        at=every[-1].at + minutes * MINUTE,
        value=np.random.default_rng(1).normal(size=len(minutes)),
    )
    headers = (("x-scope-orgid", b"acme"),)
    last = told(len(every), packed(others, later), at=int(later.at[-1]), headers=headers)
    share = open_share(database, Log({P0: [*every, last]}))
    share.assigned([P0])
    for message in [*every, last]:
        share.apply(message)

    part = share.parts[P0]
    closed = [
        {dict(info.labels)["pod"] for info in one.series.values()}
        for one in part.owed.events
        if one.position == last.offset and one.happened.kind.value == "closed"
    ]
    assert closed[0] >= {"checkout-0", "checkout-1", "checkout-2"}
    assert isinstance(part.judge, MetricsJudge)
    assert len(part.judge.operators.names("acme")) < 4, "and their ids are free"


def test_ids_of_the_forgotten_are_given_away_after_a_restart() -> None:
    """A process that ended before it gave them away would leave them taken for ever."""
    first, second = (Operators(owners=OWNERS, settings=SETTINGS) for _ in range(2))
    first.introduce("acme", gauges(2))
    for minute in range(181):
        rows = np.arange(2 if minute == 0 else 1, dtype=np.int32)
        at = np.full(len(rows), T0 + minute * MINUTE)
        first.samples("acme", Columns(series=rows, at=at, value=np.ones(len(rows))))
    assert first.has_gone() == ["acme"]
    second.restore(first.held())

    second.release_all()

    assert [second.names("acme").get(n) for n in (0, 1)] == [gauges(1)[0], None]


def test_the_messages_of_that_law_tell_something() -> None:
    """A law about streams in which nothing happens holds for anything."""
    odd = [(0, 1, 40.0, b"acme"), *[(0, 1, 0.0, b"acme")] * 20, (1, 61, 0.0, b"acme")]
    again = [(0, 61, 0.0, b"acme"), (1, 61, 0.0, b"acme"), (3, 1, 0.0, b"acme")]

    found = outcome(made([*odd, *again]), [32])

    _, _, tenants = found[f"{TOPIC}/0"]
    arrays, _ = tenants["acme"]
    assert len(found["anomalies"]) >= 1
    assert len(found["stream_events"]) >= 2
    assert {"tally.cells", "tally.running"} <= arrays.keys()


def test_messages_of_known_series_are_judged_in_one_step(database: Database) -> None:
    """Each by itself would cost a core half of what it judges."""
    every = messages(110)
    share = open_share(database, Log({P0: every}))
    share.assigned([P0])
    share.apply_all(every[:2])

    share.apply_all(every[2:50])

    assert steps_of(share) == [1, 1, 48]
    assert share.meters.messages == 50


def test_an_hour_and_a_new_series_are_judged_alone(database: Database) -> None:
    """Series that the hour forgets would still have the ids that the next message gives away."""
    every = messages(110)
    share = open_share(database, Log({P0: every}))
    share.assigned([P0])
    share.apply_all(every[:50])

    share.apply_all(every[50:])

    # The hour begins with the 60th, a series with the 100th.
    assert steps_of(share)[2:] == [10, 1, 39, 1, 9]


def test_another_tenant_is_another_step(database: Database) -> None:
    """Its series have ids of their own."""
    pairs = [(f"t{n // 3 % 2}".encode(), n) for n in range(18)]
    every = [
        told(n, body_of(gauges(2), [1.0, 2.0]), at=T0, headers=(("x-scope-orgid", tenant),))
        for tenant, n in pairs
    ]
    share = open_share(database, Log({P0: every}))
    share.assigned([P0])

    share.apply_all(every)

    assert steps_of(share) == [1, 2, 1, 2, 3, 3, 3, 3]


def test_what_broke_a_step_is_found_and_the_others_of_it_are_judged(database: Database) -> None:
    """One sample that no model takes would put thirty good messages aside, or stop all."""
    every = messages(50)
    every[30] = told(30, body_of(gauges(3, "checkout0")[:2], [BREAKING, 1.0]))
    log = Log({P0: every})
    share = open_share(database, log, Breaking)
    share.assigned([P0])
    share.apply_all(every[:20])
    share.checkpoint()

    share.apply_all(every[20:])
    # From its checkpoint one by one up to the message, and then on behind it.
    for _ in range(2):
        start = share.taken()[P0]
        share.apply_all(every[start:])
    share.checkpoint()

    assert [letter.message.offset for letter in log.letters] == [30]
    assert "no model of ours takes this" in log.letters[0].reason
    assert share.kept() == {P0: 50}
    assert share.meters.poison == 1


def test_where_every_message_breaks_the_judging_the_partition_stops(database: Database) -> None:
    """An error of ours would empty a topic into the dead letters, thirty at a time."""
    bodies = body_of(gauges(3, "checkout0")[:2], [BREAKING, 1.0])
    every = [*messages(20), *(told(offset, bodies) for offset in range(20, 50))]
    log = Log({P0: every})
    share = open_share(database, log, Breaking)
    share.assigned([P0])
    share.apply_all(every[:20])
    share.checkpoint()

    for _ in range(5):
        start = share.taken().get(P0, 20)
        share.apply_all(every[start:])
    share.checkpoint()

    [progress] = progress_of(database)
    assert "3 messages in a row" in progress.words
    assert (progress.position, log.letters) == (19, [])


def test_messages_that_come_again_in_the_midst_are_passed_over(database: Database) -> None:
    """A reader that seeks back while some wait would have samples counted twice."""
    every = messages(50)
    log = Log({P0: every})
    share = share_on(database, log)
    share.assigned([P0])

    share.apply_all([*every[:30], *every[10:40], *every[35:]])
    share.checkpoint()

    assert kept(database)[f"{TOPIC}/0"] == _alone(every)[f"{TOPIC}/0"]
    assert share.meters.messages == 75


def _alone(every: Sequence[Message]) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "stream.db")
        share = share_on(database, Log({P0: every}))
        share.assigned([P0])
        for message in every:
            share.apply(message)
        share.checkpoint()
        found = kept(database)
        database.close()
    return found


def test_no_loop_is_compiled_a_second_time_for_messages_together(database: Database) -> None:
    """A worker would stand still for as long as that takes, in the midst of its work."""
    every = messages(50)
    share = open_share(database, Log({P0: every}))
    share.assigned([P0])
    share.apply_all(every[:1])
    loops: tuple[Any, ...] = (kernel._loop, tally.tally)
    before = [len(one.signatures) for one in loops]

    share.apply_all(every[1:])

    assert steps_of(share) == [1, 49]
    assert [len(one.signatures) for one in loops] == before
