"""A gate beside workers: what they counted is its history, while what they kept is young."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from detector.gate.course import Streamed, untold
from detector.signals.plan import Plan
from detector.stream.answering import streamed
from detector.stream.columns import Columns
from detector.stream.settings import StreamSettings
from pipelines.flows.stream_baselines import JoinedBaselines
from pipelines.flows.stream_operators import Operators
from pipelines.flows.worker_baselines import WorkerBaselines
from pipelines.flows.worker_door import PartDoor
from pipelines.flows.worker_metrics import MetricsJudge
from pipelines.flows.worker_part import WorkerPart
from pipelines.ingest.columnar import packed
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Format
from pipelines.ingest.tally import Tally
from pipelines.stores.connections import Connections
from pipelines.stores.part_counts import SqlPartCounts
from pipelines.stores.sqlite import Database
from pipelines.stores.worker_parts import WorkerPartStore
from pipelines.topics.port import Message, Partition
from tests.detector.stream.services import Pushed, counting, plan_of, tallies_of
from tests.pipelines.flows.working import OWNERS
from tests.servers import RunningPostgres, running_postgres

PLAN, MINUTES = plan_of(), 200


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    """A PostgreSQL, for all of these tests."""
    with running_postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connections]:
    """One that workers and gates share."""
    if request.param == "sqlite":
        made: Connections = Database(tmp_path / "shared.db")
    else:
        from pipelines.stores.postgres import PostgresDatabase

        running: RunningPostgres = request.getfixturevalue("server")
        made = PostgresDatabase(running.database(f"t{abs(hash(request.node.name)) % 10**9}"))
    yield made
    made.close()


def pushed(*pods: str) -> tuple[Pushed, list[Columns]]:
    """Some hours of a service, and what of it was pushed."""
    made = Pushed().born(*pods)
    return made, list(made.batches(MINUTES, errors=0.05))


def work(
    database: Connections, number: int, of: Pushed, batches: Sequence[Columns], *, wrote_at: float
) -> WorkerPart:
    """A worker that read all of that from a partition, and wrote a checkpoint."""
    store = WorkerPartStore(database, f"metrics/{number}", "w1", clock=lambda: wrote_at)
    operators = Operators(
        owners=OWNERS, settings=StreamSettings(), counting=counting(), origin=store.part
    )
    door = PartDoor(Format.COLUMNAR, Limits(), Tally())
    part = WorkerPart(store, MetricsJudge(operators, door))
    part.take(lambda: 0)
    for offset, columns in enumerate(batches):
        part.apply(_message(number, offset, of, columns))
    part.checkpoint()
    return part


def _message(number: int, offset: int, of: Pushed, columns: Columns) -> Message:
    table = [of.series[id] for id in columns.series.tolist()]
    own = Columns(
        series=np.arange(len(columns), dtype=np.int32), at=columns.at, value=columns.value
    )
    return Message(
        partition=Partition("metrics", number),
        offset=offset,
        at=int(columns.at[0]),
        key=b"checkout",
        value=packed(table, own),
        headers=(),
    )


def asked(database: Connections, until: float, *, now: float | None = None) -> Streamed:
    """What a gate hears that reads the same database."""
    clock = until if now is None else now
    told = WorkerBaselines(SqlPartCounts(database), counting(), clock=lambda: clock)
    return told.told("default", PLAN, until=until)


def test_what_a_worker_counted_is_told_as_its_own_stream_would(database: Connections) -> None:
    """With workers in place of an embedded stream the gate had no history but its own."""
    of, batches = pushed("pod-old-1", "pod-old-2")
    work(database, 0, of, batches, wrote_at=of.now)
    alone = tallies_of()
    alone.introduce(of.series)
    for columns in batches:
        alone.take(columns)
    assert asked(database, of.now) == streamed(alone, of.series, PLAN, until=of.now)
    assert asked(database, of.now).of("error_rate") is not None


def test_a_service_in_two_partitions_is_added_up(database: Connections) -> None:
    """Where senders give no key its pods are spread."""
    one, first = pushed("pod-old-1")
    two, second = pushed("pod-old-2", "pod-old-3")
    work(database, 0, one, first, wrote_at=one.now)
    work(database, 1, two, second, wrote_at=one.now)
    found = asked(database, one.now).of("error_rate")
    assert found is not None
    assert found.table[-1] == pytest.approx([3 * 60 * 30, 3 * 3 * 30])


def test_what_was_kept_long_ago_is_not_used_and_its_age_is_said(database: Connections) -> None:
    """A worker that is away knows nothing of the incident of the last hour."""
    of, batches = pushed("pod-old-1")
    work(database, 0, of, batches, wrote_at=of.now)
    told = asked(database, of.now, now=of.now + 2400)
    assert told.signals == {}
    assert told.why["error_rate"] == "what the worker of metrics/0 kept is 40 minutes old"


def test_no_worker_and_no_such_service_are_said(database: Connections) -> None:
    """The notes of a verdict say what is missing."""
    assert asked(database, 0.0).why["error_rate"] == (
        "workers have no http_requests_total of the service"
    )
    of = Pushed(service="cart").born("pod-old-1")
    work(database, 0, of, list(of.batches(MINUTES)), wrote_at=of.now)
    assert "workers have no" in asked(database, of.now).why["error_rate"]


def test_a_new_checkpoint_is_read_and_an_old_one_is_not_read_twice(database: Connections) -> None:
    """Each verdict would read a hundred megabytes, or the first one for ever."""
    of, batches = pushed("pod-old-1")
    work(database, 0, of, batches[:100], wrote_at=of.now)
    told = WorkerBaselines(SqlPartCounts(database), counting(), clock=lambda: of.now)
    first = told.told("default", PLAN, until=of.now)
    held = told._held["metrics/0", "default"]
    assert told.told("default", PLAN, until=of.now) == first
    assert told._held["metrics/0", "default"] is held
    work(database, 0, of, batches, wrote_at=of.now + 1)
    found = told.told("default", PLAN, until=of.now)
    assert found != first
    assert found.of("error_rate") is not None


def test_a_database_that_is_away_is_a_reason(tmp_path: Path) -> None:
    """Nothing in a stream may stop a verdict."""
    away = Database(tmp_path / "shared.db")
    away.close()
    assert asked(away, 0.0).why["error_rate"]


class _Tells:
    """A stream that tells this."""

    def __init__(self, told: Streamed) -> None:
        self._told = told

    def told(self, tenant: str, plan: Plan, *, until: float) -> Streamed:
        """It."""
        return self._told


def test_the_own_stream_is_first_and_both_reasons_are_said(database: Connections) -> None:
    """Senders may push to either; the notes name both."""
    of, batches = pushed("pod-old-1")
    work(database, 0, of, batches, wrote_at=of.now)
    workers = asked(database, of.now)
    nothing, away = untold(PLAN, "nothing is pushed to it"), untold(PLAN, "workers are away")
    assert JoinedBaselines(_Tells(workers), lambda: None).told("t", PLAN, until=0) is workers
    joined = JoinedBaselines(_Tells(nothing), lambda: _Tells(workers))
    assert joined.told("t", PLAN, until=0) is workers
    joined = JoinedBaselines(_Tells(nothing), lambda: _Tells(away))
    why = joined.told("t", PLAN, until=0).why["error_rate"]
    assert why == "nothing is pushed to it; workers are away"
