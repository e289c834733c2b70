"""What only the embedded file has: migrations, refusal, durability, threads."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from detector.errors import StoreError
from detector.gate.attempt import Attempt
from detector.gate.policy import Policy
from detector.gate.record import chunk_of
from pipelines.stores import schema
from pipelines.stores.attempts import SqlAttempts
from pipelines.stores.codec import SCHEMA, encode, pack, unpack
from pipelines.stores.migrate import NEWEST
from pipelines.stores.sqlite import Database, open_sqlite
from tests.pipelines.stores.test_stores import PLAN, T0, attempt

# What steps after 0004 made.
NEWER = ("fitted",
    "anomalies", "feedback", "stream_marks", "stream_chunks", "stream_series", "stream_tunings",
    "stream_events", "stream_workers", "stream_said",
    "own_marks", "own_series", "own_frames", "log_templates", "log_days", "changes",
    "incidents", "incident_services", "incident_events", "incident_said", "incident_states",
    "incident_inbox",
    "alert_histories",
    "learned", "scans", "reports", "versions", "burns",
)  # fmt: skip


def test_the_steps_lead_to_the_tables(tmp_path: Path) -> None:
    """Migrations and schema.py say the same."""
    database = Database(tmp_path / "s.db")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == NEWEST


def test_a_plan_that_was_not_written_is_written_with_the_next_answer(tmp_path: Path) -> None:
    """What a store remembers of a transaction that failed would lose the plan for good."""
    database = Database(tmp_path / "s.db")
    attempts = SqlAttempts(database)
    planned = replace(attempts.save(attempt()), started_at=T0, interval=15.0, plan=PLAN)
    with pytest.raises(ZeroDivisionError), database.write() as transaction:
        assert attempts.put(transaction, planned).version / 0
    kept = attempts.save(planned)
    again = attempts.save(replace(kept, last_asked=T0 + 15))
    assert SqlAttempts(database).get(kept.id) == again
    assert again.plan == PLAN
    database.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """An older serinus does not touch the data of a newer one."""
    Database(tmp_path / "s.db").close()
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="schema 9999"):
        open_sqlite(tmp_path / "s.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """The message names the file."""
    (tmp_path / "s.db").write_bytes(b"not a database, but long enough to be read" * 99)
    with pytest.raises(StoreError, match=r"s\.db"):
        open_sqlite(tmp_path / "s.db")


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A file in the way of the data directory."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        open_sqlite(tmp_path / "file" / "s.db")


def test_two_processes_open_one_file(tmp_path: Path) -> None:
    """The second sees what the first wrote."""
    one, two = open_sqlite(tmp_path / "s.db"), open_sqlite(tmp_path / "s.db")
    one.attempts.save(attempt(), durable=True)
    assert two.attempts.get("a1") == attempt()


def test_many_threads_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Migrations run once."""
    failures: list[Exception] = []

    def use(number: int) -> None:
        try:
            open_sqlite(tmp_path / "s.db").attempts.save(attempt(f"a{number}"))
        except Exception as error:  # noqa: BLE001 - collected for the assertion
            failures.append(error)

    threads = [threading.Thread(target=use, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_several_files_are_made_at_once(tmp_path: Path) -> None:
    """The gate's file and the stream's, opened side by side, would get each other's tables."""
    made = threading.Barrier(4)

    def make(number: int) -> str:
        made.wait(10)
        stores = open_sqlite(tmp_path / f"{number}.db")
        return stores.attempts.save(attempt(f"a{number}")).id

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(make, range(4))) == ["a0", "a1", "a2", "a3"]


def test_a_start_waits_for_another_that_takes_long_to_make_the_tables(tmp_path: Path) -> None:
    """On a busy machine the second of two processes would not start."""
    path = tmp_path / "s.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("pragma journal_mode=wal")
    other.execute("begin immediate")
    # Longer than a write may wait, which is five seconds.
    done = threading.Timer(5.5, lambda: other.execute("rollback"))
    done.start()
    open_sqlite(path).attempts.save(attempt())
    done.join()
    other.close()


def test_a_failing_disk_is_a_store_error(tmp_path: Path) -> None:
    """No driver's error leaves the store."""
    database = Database(tmp_path / "s.db")
    with database.engine.begin() as connection:
        connection.execute(sa.text("drop table points"))
    with pytest.raises(StoreError, match="points"):
        database.stores().points.append(chunk_of("a1", "", b""), at=T0)


def test_samples_of_nobody_are_refused(tmp_path: Path) -> None:
    """Foreign keys are on."""
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        open_sqlite(tmp_path / "s.db").points.append(chunk_of("a1", "", b""), at=T0)


def test_a_blob_of_a_newer_schema_is_refused() -> None:
    """A value is never half understood."""
    with pytest.raises(StoreError, match="schema"):
        unpack(Policy, encode((SCHEMA + 1, Policy())))
    for blob in (b"", b"\xc1", pack([1, 2])):
        with pytest.raises(StoreError, match="cannot be read"):
            unpack(Attempt, blob)
    assert unpack(Policy, pack(Policy(alpha=0.1))) == Policy(alpha=0.1)


def test_attempts_of_an_older_schema_go_on(tmp_path: Path) -> None:
    """An upgrade in the middle of a rollout would leave its attempt unwritable for ever."""
    open_sqlite(tmp_path / "s.db").attempts.save(attempt())
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("drop index attempts_follow")
        connection.execute("drop index deliveries_thread")
        for column in ("attempts.version", "attempts.follows", "deliveries.thread",
                       "deliveries.nth", "deliveries.receipt"):  # fmt: skip
            table, _, name = column.partition(".")
            connection.execute(f"alter table {table} drop column {name}")
        for table in NEWER:
            connection.execute(f"drop table {table}")
        connection.execute("update alembic_version set version_num = '0003'")
    connection.close()
    attempts = open_sqlite(tmp_path / "s.db").attempts
    found = attempts.get("a1")
    assert found == attempt()
    assert attempts.save(replace(found, last_asked=T0 + 9)).last_asked == T0 + 9
