"""What only the shared store has: several processes at once, and a server that comes and goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from detector.errors import ConfigError, ConflictError, NotFoundError, StoreError
from detector.gate.attempt import Latch, Revision
from detector.gate.policy import Policy
from detector.gate.record import chunk_of
from pipelines.stores import schema
from pipelines.stores.attempts import SqlAttempts
from pipelines.stores.connections import Row, Transaction, Values
from pipelines.stores.migrate import NEWEST
from pipelines.stores.postgres import PostgresDatabase
from pipelines.stores.postgres_server import postgres_url, shown_url
from pipelines.stores.statements import Statement
from tests.pipelines.stores.test_sqlite import NEWER
from tests.pipelines.stores.test_stores import PLAN, REASON, T0, attempt
from tests.servers import RunningPostgres, free_port, running_postgres

pytestmark = pytest.mark.real


@pytest.fixture
def replicas(empty: str) -> Iterator[Callable[[], PostgresDatabase]]:
    """Opens the one database as often as wanted."""
    with ExitStack() as stack:

        def opened() -> PostgresDatabase:
            database = PostgresDatabase(empty)
            stack.callback(database.close)
            return database

        yield opened


Replicas = Callable[[], PostgresDatabase]


def at_once(*steps: Callable[[], object]) -> list[Exception]:
    """What goes wrong where each step is done by a thread of its own, all at the same moment."""
    failures: list[Exception] = []
    ready = threading.Barrier(len(steps))

    def run(step: Callable[[], object]) -> None:
        ready.wait(10)
        try:
            step()
        except Exception as error:  # noqa: BLE001 - collected for the assertion
            failures.append(error)

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_the_steps_lead_to_the_tables(replicas: Replicas) -> None:
    """Migrations and schema.py say the same, on this server, too."""
    with replicas().built() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == NEWEST


def test_a_database_from_before_the_stream_is_migrated_and_keeps_what_it_has(
    replicas: Replicas,
) -> None:
    """An update of a gate in use: the step makes tables, and touches none that are there."""
    old = replicas()
    old.stores().attempts.save(attempt())
    with old.built() as connection:
        for table in NEWER:
            connection.execute(sa.text(f"drop table {table}"))
        for name in ("thread", "nth", "receipt"):
            # With its index.
            connection.execute(sa.text(f"alter table deliveries drop column {name}"))
        connection.execute(sa.text("update alembic_version set version_num = '0004'"))
    new = replicas()
    with new.built() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == NEWEST
    assert new.stores().attempts.get("a1") == attempt()


def test_replicas_that_start_at_once_migrate_once(replicas: Replicas) -> None:
    """A deployment of three would fail at its first start, and leave half of a schema."""
    assert at_once(*[replicas] * 4) == []
    replicas().stores().attempts.save(attempt())


def test_a_newer_schema_is_refused(replicas: Replicas) -> None:
    """An older serinus does not touch the data of a newer one."""
    with replicas().built() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreError, match="schema 9999"):
        replicas()


def test_a_race_of_two_first_questions_makes_one_attempt(replicas: Replicas) -> None:
    """Each would latch for itself, and a controller would hear both in turns."""
    stores = [replicas().stores() for _ in range(4)]
    firsts = [attempt(f"a{n}", at=T0 + n, follows="") for n in range(4)]
    steps = [
        lambda one=one, first=first: one.attempts.save(first)
        for one, first in zip(stores, firsts, strict=True)
    ]
    failures = at_once(*steps)
    assert [type(failure) for failure in failures] == [ConflictError] * 3
    with replicas().built() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(schema.attempts)) == 1


def test_of_many_that_move_an_attempt_at_once_nobody_undoes_another(replicas: Replicas) -> None:
    """A latch would be lost to a poll that had begun before it."""
    stores = [replicas().stores() for _ in range(3)]
    stores[0].attempts.save(attempt())

    def move(number: int) -> None:
        for _ in range(10):
            moved = False
            while not moved:
                found = stores[number].attempts.get("a1")
                # Each adds one to what it read: a lost move would be missing in the end.
                with suppress(ConflictError):
                    stores[number].attempts.save(replace(found, last_asked=found.last_asked + 1))
                    moved = True

    assert at_once(*[lambda n=n: move(n) for n in range(3)]) == []
    assert stores[0].attempts.get("a1").last_asked == T0 + 30


def test_a_latch_by_one_is_seen_by_the_other_at_once(replicas: Replicas) -> None:
    """A controller would hear fail and then pass."""
    one, two = replicas().stores(), replicas().stores()
    began = one.attempts.save(attempt())
    assert two.attempts.get("a1").latch is None
    latch = Latch(at=T0, found_at=T0, signal="latency", reason=REASON)
    one.attempts.save(replace(began, latch=latch), durable=True)
    assert two.attempts.get("a1").latch == latch


def test_a_plan_of_a_later_version_is_not_read_into_an_earlier(replicas: Replicas) -> None:
    """Looks see different moments: an attempt with a plan and no start cannot be judged."""
    one, two = replicas(), replicas()
    began = one.stores().attempts.save(attempt(started_at=None))
    started = replace(began, started_at=T0, interval=15.0, plan=PLAN)
    found = SqlAttempts(Between(two, lambda: one.stores().attempts.save(started))).get("a1")
    assert (found.version, found.started_at, found.plan) == (began.version, None, None)
    assert two.stores().attempts.get("a1").plan == PLAN


class Between:
    """Connections by whose looks something happens after the first."""

    def __init__(self, database: PostgresDatabase, happens: Callable[[], object]) -> None:
        self._database, self._happens = database, happens
        self.write, self.built, self.close = database.write, database.built, database.close

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Looks, with the event between the first and the second."""
        with self._database.read() as looks:
            yield _Interrupted(looks, self._happens)


class _Interrupted(Transaction):
    def __init__(self, looks: Transaction, happens: Callable[[], object]) -> None:
        self._looks, self._happens = looks, happens

    def rows(self, statement: Statement, asked: Values) -> list[Row]:
        """What is found, and then the event, once."""
        found, happens = self._looks.rows(statement, asked), self._happens
        self._happens = lambda: None
        happens()
        return found


def test_policies_saved_at_once_have_versions_of_their_own(replicas: Replicas) -> None:
    """Two people save a policy in the same second: one would read an error of the database."""
    stores = [replicas().stores() for _ in range(3)]

    def save(number: int) -> None:
        policy = Policy(name="a", alpha=0.001 + number / 1000)
        stores[number].policies.save(policy, at=T0, person="ann")

    assert at_once(*[lambda n=n: save(n) for n in range(3)]) == []
    assert stores[0].policies.all()[0].version == 3


def test_spans_of_a_revision_that_two_see_at_once_are_one(replicas: Replicas) -> None:
    """A poll would fail because another had seen the same pods."""
    stores = [replicas().stores() for _ in range(3)]
    seen = Revision(
        tenant="t", cluster=None, namespace=None, service="s", key="k", since=T0, until=T0 + 9
    )
    steps = [
        lambda n=n: stores[n].revisions.saw([replace(seen, until=T0 + 9 + n)], apart_s=60.0)
        for n in range(3)
    ]
    assert at_once(*steps) == []
    like = replace(seen, since=T0 + 99)
    assert [s.until for s in stores[0].revisions.known(like, since=T0)] == [T0 + 11]


def test_what_is_broken_off_leaves_nothing(replicas: Replicas) -> None:
    """Half of an answer."""
    database = replicas()
    stores = database.stores()
    with pytest.raises(StoreError, match="foreign key"):
        stores.points.append(chunk_of("nobody", "", b""), at=T0)
    with pytest.raises(NotFoundError):
        stores.points.chain(chunk_of("nobody", "", b"").hash)
    stores.attempts.save(attempt())


def test_many_threads_share_few_connections(replicas: Replicas) -> None:
    """A burst of questions must not open connections without end, nor fail for want of them."""
    database = replicas()
    stores = database.stores()

    def use(number: int) -> None:
        mine = attempt(f"a{number}")
        for _ in range(5):
            mine = stores.attempts.save(mine)
            assert stores.attempts.get(mine.id) == mine

    assert at_once(*[lambda n=n: use(n) for n in range(40)]) == []
    with database.built() as connection:
        text = "select count(*) from pg_stat_activity where datname = current_database()"
        assert connection.scalar(sa.text(text)) <= 16


@pytest.mark.slow
def test_a_server_that_was_away_is_found_again() -> None:
    """Whoever restarts the database would have to restart serinus, too."""
    with running_postgres() as server:
        database = PostgresDatabase(server.database("kept"))
        attempts = database.stores().attempts
        began = attempts.save(attempt(), durable=True)
        server.stop()
        with pytest.raises(StoreError, match=r"127\.0\.0\.1"):
            attempts.get("a1")
        with pytest.raises(StoreError, match=r"127\.0\.0\.1"):
            attempts.save(began)
        server.start()
        assert attempts.get("a1") == began
        assert attempts.save(replace(began, last_asked=T0 + 1)).version == 2
        database.close()


@pytest.mark.slow
def test_connections_that_the_server_closed_while_idle_cost_no_answer(
    server: RunningPostgres,
) -> None:
    """A restart between two polls would fail as many polls as there are connections."""
    database = PostgresDatabase(server.database("idle"))
    attempts = database.stores().attempts
    attempts.save(attempt(), durable=True)
    server.stop()
    server.start()
    assert attempts.get("a1") == attempt()
    database.close()


def test_a_server_that_is_not_there_is_said_without_its_password() -> None:
    """A password in a log, or an error of the driver."""
    address = f"postgresql://ann:s3cret@127.0.0.1:{free_port()}/records"
    with pytest.raises(StoreError, match=r"ann:\*\*\*@127\.0\.0\.1") as failed:
        PostgresDatabase(address)
    assert "s3cret" not in str(failed.value)


def test_a_text_that_the_server_cannot_keep_is_a_store_error(replicas: Replicas) -> None:
    """No driver's error leaves the store."""
    with pytest.raises(StoreError, match="NUL"):
        replicas().stores().attempts.save(attempt("a\x00b"))


@pytest.mark.parametrize(
    ("address", "words"),
    [("mysql://h/d", "'mysql' is unknown"), ("serinus.db", "no address"), ("", "no address")],
)
def test_another_address_is_refused(address: str, words: str) -> None:
    """The configuration is wrong, not the store."""
    with pytest.raises(ConfigError, match=words):
        postgres_url(address)


@pytest.mark.parametrize(
    "address", ["postgresql://ann:s3cret@db/x", "postgres://ann@db/x?password=s3cret"]
)
def test_an_address_is_shown_without_its_password(address: str) -> None:
    """What is printed at the start is in every log."""
    assert "s3cret" not in shown_url(address)
    assert "db/x" in shown_url(address)
