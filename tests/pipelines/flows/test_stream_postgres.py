"""The stream over a PostgreSQL that goes away while it judges, and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.stream.anomaly import Happened
from pipelines.flows.stream import Stream
from pipelines.flows.stream_meters import Patience
from pipelines.stores.connections import Connections
from pipelines.stores.spool import Spool
from pipelines.stores.sqlite import Database
from tests.pipelines.flows.test_stream import batches, found, named
from tests.pipelines.flows.test_stream_away import fed, held, opened, part_on, until
from tests.servers import RunningPostgres, running_postgres

pytestmark = pytest.mark.real


@pytest.fixture
def server() -> Iterator[RunningPostgres]:
    """A PostgreSQL of this test alone."""
    with running_postgres() as running:
        yield running


def on(database: Connections, folder: Path) -> Stream:
    """A stream that writes a checkpoint every now and then."""
    soon = Patience(first_s=0.01, longest_s=0.2, at_end_s=5)
    return Stream(part_on(database), Spool(folder), patience=soon, checkpoint_s=0.05)


def test_a_server_that_stops_and_starts_loses_no_sample_and_doubles_none(
    tmp_path: Path, server: RunningPostgres
) -> None:
    """Connections break in the middle of transactions; the next ones are to the new server."""
    from pipelines.stores.postgres import PostgresDatabase

    calm = Database(tmp_path / "calm.db")
    whole = opened(tmp_path / "calm", calm)
    expected = fed(whole, batches())
    whole.close()
    database = PostgresDatabase(server.url)
    stream = on(database, tmp_path / "spool")
    told: list[tuple[int, Happened]] = fed(stream, batches()[:190])
    stream.watch = lambda number, one: told.append((number, one))
    server.stop()
    assert all(stream.put("default", batch, named(stream, 4)) for batch in batches()[190:])
    until(lambda: stream.meters.retries >= 3)
    server.start()
    assert stream.drain(60)
    until(lambda: not stream.meters.retrying)
    stream.close()
    assert (stream.meters.samples, stream.meters.failed) == (1200, "")
    assert [one for _, one in told] == [one for _, one in expected]
    assert [number for number, _ in told] == sorted({number for number, _ in told})
    assert found(database) == found(calm)
    assert held(database) == held(calm)
    database.close()
