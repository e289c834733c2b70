"""Transactions on the embedded file: whole or not at all, and seen by whoever else reads it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from detector.errors import NotFoundError, StoreError
from detector.gate.record import chunk_of
from pipelines.stores import schema
from pipelines.stores.attempts import SqlAttempts, SqlPoints, add_chunk
from pipelines.stores.sqlite_file import SqliteFile
from pipelines.stores.statements import Attempts, Statement, insertion
from tests.pipelines.stores.test_stores import PLAN, T0, attempt

SYNCHRONOUS = Statement("pragma synchronous", {})
NORMAL, FULL = 1, 2


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteFile]:
    found = SqliteFile(tmp_path / "s.db")
    yield found
    found.close()


class BrokenOffError(Exception):
    """What a test raises inside a transaction."""


def test_what_is_broken_off_leaves_nothing(database: SqliteFile) -> None:
    """A poll that dies between its samples and its answer would leave half of both."""
    attempts, chunk = SqlAttempts(database), chunk_of("a1", "", b"samples")
    with suppress(BrokenOffError), database.write() as transaction:
        attempts.put(transaction, attempt())
        add_chunk(transaction, chunk, T0)
        raise BrokenOffError
    with pytest.raises(NotFoundError):
        attempts.get("a1")
    with pytest.raises(NotFoundError):
        SqlPoints(database).chain(chunk.hash)


def test_after_a_broken_transaction_the_next_one_works(database: SqliteFile) -> None:
    """One failure would lock the file for good."""
    attempts = SqlAttempts(database)
    with pytest.raises(StoreError, match="no such table"), database.write() as transaction:
        transaction.run(Statement("delete from nowhere", {}))
    attempts.save(attempt())
    assert attempts.get("a1") == attempt()


def test_durable_is_for_one_write_only(database: SqliteFile) -> None:
    """Every later poll would wait for the disk, or a decision of a person would not."""
    with database.write(durable=True) as transaction:
        inside = transaction.first(SYNCHRONOUS, {})
    with database.read() as looks:
        after = looks.first(SYNCHRONOUS, {})
    assert (inside, after) == ((FULL,), (NORMAL,))


def test_an_attempt_that_another_process_moved_is_read_anew(tmp_path: Path) -> None:
    """What was read before would hide a fail that another process latched."""
    one, two = (SqlAttempts(SqliteFile(tmp_path / "s.db")) for _ in range(2))
    began = one.save(attempt())
    before = one.get("a1")
    two.save(replace(began, last_asked=T0 + 99, head="f00d"))
    assert before == attempt()
    assert one.get("a1") == replace(attempt(), last_asked=T0 + 99, head="f00d")


def test_a_plan_is_there_at_the_next_reading_after_it_came(database: SqliteFile) -> None:
    """An attempt that began without a plan would never be judged."""
    attempts = SqlAttempts(database)
    planned = replace(attempts.save(attempt()), plan=PLAN, started_at=T0)
    without = attempts.get("a1")
    attempts.save(planned)
    assert without.plan is None
    assert attempts.get("a1").plan == planned.plan


def test_saving_again_changes_what_moves_and_keeps_the_one_row(database: SqliteFile) -> None:
    """Searches by time would find attempts where they stood at their first question."""
    attempts = SqlAttempts(database)
    began = attempts.save(attempt())
    attempts.save(replace(began, last_asked=T0 + 5, head="beef", evaluated_to=T0 + 1))
    with database.built() as connection:
        row = connection.execute(sa.select(schema.attempts)).one()
    assert (row.last_asked, row.head, row.evaluated_to) == (T0 + 5, "beef", T0 + 1)
    assert (row.asked_at, row.service) == (attempt().asked_at, attempt().identity.service)


def test_threads_write_and_read_at_once(database: SqliteFile) -> None:
    """Two threads on one connection, or a lock that is never given back."""
    attempts, failures = SqlAttempts(database), []

    def use(number: int) -> None:
        try:
            mine = attempt(f"a{number}")
            for second in range(20):
                mine = attempts.save(replace(mine, last_asked=T0 + second))
                assert attempts.get(mine.id) == mine
        except Exception as error:  # noqa: BLE001 - collected for the assertion
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_what_is_fixed_in_a_statement_goes_along() -> None:
    """The `limit 1` of a query would have no value."""
    assert 1 in Attempts.NEWEST.with_fixed({"identity": "i", "until": 9.0}).values()
    assert Attempts.OF_ID.with_fixed({"id": "a1"}) == {"id": "a1"}


def test_an_insertion_leaves_out_what_the_store_numbers_itself() -> None:
    """Two rows of the same number."""
    assert ":number" not in insertion(schema.audit, but="number").text
    assert ":body" in insertion(schema.audit, but="number").text


def test_what_was_never_committed_is_not_believed(database: SqliteFile) -> None:
    """A poll would go on from samples that the store does not have."""
    attempts = SqlAttempts(database)
    began = attempts.save(attempt())
    with suppress(BrokenOffError), database.write() as transaction:
        attempts.put(transaction, replace(began, head="lost"))
        raise BrokenOffError
    assert attempts.get("a1").head == attempt().head
