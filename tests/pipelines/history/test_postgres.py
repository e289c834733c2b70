"""History by a statement of the user: read only, bounded, and told what is wrong with it."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import psycopg
import pytest

from detector.errors import ConfigError, InputError, SourceError
from models.stat import Stat
from pipelines.history.port import SeriesId, Span
from pipelines.history.postgres import PostgresHistory
from tests.pipelines.history.pasts import DAY, T0

SPAN = Span(start_s=T0, step_s=3600, steps=48)
HOURS = "generate_series(timestamp '2026-01-01', '2026-01-02 23:00', '1 hour') as time"


def hourly(columns: str, more: str = "") -> str:
    """A statement of a row an hour."""
    return f"select {columns} from {HOURS} {more}"  # noqa: S608


def read(url: str, statement: str, zone: str = "", **more: float) -> dict[str, list[float]]:
    """What a statement gives, by the name of the series."""
    timeout = more.get("timeout_s", 20.0)
    with closing(PostgresHistory(url, statement, zone=zone, timeout_s=timeout)) as source:
        found = source.series(SPAN)
        values = source.read(found, SPAN)
        return {one.name: row.tolist() for one, row in zip(found, values, strict=True)}


@pytest.mark.real
def test_all_other_columns_name_the_series(postgres_past: str) -> None:
    """Whatever type they have; a null is no label."""
    told = read(
        postgres_past,
        hourly(
            "'eu' as region, shard, case shard when 1 then 'x' end as note, time, shard as value",
            ", generate_series(1, 2) as shard;",
        ),
    )
    assert list(told) == ['{note="x",region="eu",shard="1"}', '{region="eu",shard="2"}']
    assert told['{region="eu",shard="2"}'] == [2.0] * 48


@pytest.mark.real
def test_times_without_a_zone_are_of_the_zone_that_is_named(postgres_past: str) -> None:
    """In Berlin the new year began an hour before it did in Greenwich."""
    statement = hourly("'a' as pod, time, extract(hour from time) as value")
    told = read(postgres_past, statement, zone="Europe/Berlin")['{pod="a"}']
    assert told[:3] == [1.0, 2.0, 3.0]
    assert np.isnan(told[-1])
    assert read(postgres_past, statement)['{pod="a"}'][:2] == [0.0, 1.0]


@pytest.mark.real
def test_a_percent_sign_and_a_comment_are_nothing_special(postgres_past: str) -> None:
    """What people write runs as they wrote it."""
    rest = "where 'x%s' like 'x%' -- all of it;"
    statement = hourly("'a' as pod, time, 1 as value", rest)
    assert read(postgres_past, statement)['{pod="a"}'] == [1.0] * 48


@pytest.mark.real
def test_nulls_are_missing(postgres_past: str) -> None:
    """A row without a value is no zero."""
    statement = hourly(
        "'a' as pod, time, case when extract(hour from time) <> 1 then 5 end as value"
    )
    told = read(postgres_past, statement)['{pod="a"}']
    assert told[0] == 5.0
    assert np.isnan(told[1])


@pytest.mark.real
def test_nothing_is_ever_written(postgres_past: str) -> None:
    """Not even by a function that a statement calls."""
    with psycopg.connect(postgres_past, autocommit=True) as connection:
        connection.execute(
            "create or replace function sly() returns text language sql as"
            " $$ delete from samples; select 'a'::text $$"
        )
    with pytest.raises(InputError, match="read-only transaction"):
        read(postgres_past, hourly("sly() as pod, time, 1 as value"))
    with psycopg.connect(postgres_past) as connection:
        assert connection.execute("select count(*) > 0 from samples").fetchone() == (True,)


@pytest.mark.real
def test_a_second_statement_is_refused(postgres_past: str) -> None:
    """A bracket that is closed too early is a mistake, not a way out."""
    with pytest.raises(InputError, match="refuses the statement"):
        read(postgres_past, "select 1) as q; drop table samples; select (1")


@pytest.mark.real
def test_a_statement_that_takes_too_long_is_broken_off(postgres_past: str) -> None:
    """The database is somebody else's."""
    statement = hourly("'a' as pod, time, 1 as value", ", pg_sleep(5)")
    with pytest.raises(SourceError, match=r"within 0\.2 s"):
        read(postgres_past, statement, timeout_s=0.2)


@pytest.mark.real
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("select 1 as value, 'a' as pod", r"no column \['time'\]"),
        ("select now() as time, 1 as value", "one or more that name the series"),
        ("select 'a' as pod, 'a' as pod, now() as time, 1 as value", "each name once"),
        ("select pod from nowhere", 'relation "nowhere" does not exist'),
        ("select 'a' as pod, 17 as time, 1 as value", "cannot cast type integer to timestamp"),
        ("", "refuses the statement"),
    ],
)
def test_a_statement_that_gives_no_history_is_refused(
    postgres_past: str, statement: str, words: str
) -> None:
    """With what is wrong, and the field to mend."""
    with pytest.raises(InputError, match=words) as caught:
        read(postgres_past, statement)
    assert caught.value.field == "sql"


def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    """Secrets are in no message."""
    source = PostgresHistory("postgresql://me:hush@127.0.0.1:9/x", "select 1", Stat.MEAN)
    with closing(source), pytest.raises(SourceError, match=r"127\.0\.0\.1:9/x") as caught:
        source.read([SeriesId.of({"pod": "a"})], Span(start_s=T0, step_s=DAY, steps=1))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://me:hush@[host/x", "what is this hush"])
def test_what_is_no_address_is_told_without_its_password(url: str) -> None:
    """Nor in those of a parser."""
    with pytest.raises(ConfigError) as caught:
        PostgresHistory(url, "select 1")
    assert "hush" not in str(caught.value)
