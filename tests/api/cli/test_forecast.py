"""`serinus forecast`: a fleet from Parquet, and the same from a real Prometheus and PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.api.cli.served import serinus
from tests.pipelines.history.pasts import long_blocks
from tests.servers import running_postgres, running_prometheus

HOUR, WEEKS = 3600, 4
END = int(time.time()) // HOUR * HOUR
HOURS = END - HOUR * np.arange(WEEKS * 168, 0, -1)
PODS = {"a": "shop", "b": "shop", "c": "pay", "young": "pay"}


def level(pod: str) -> np.ndarray:
    """What a pod uses, hour by hour."""
    return 100 + 10 * np.sin(2 * np.pi * HOURS / 86_400) + len(pod) + ord(pod[0]) % 7


def since(pod: str) -> int:
    """From which hour on it is there."""
    return len(HOURS) - 96 if pod == "young" else 0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Parquet."""
    folder = tmp_path_factory.mktemp("parquet")
    for pod, service in PODS.items():
        hours, values = HOURS[since(pod) :], level(pod)[since(pod) :]
        columns = {
            "service": [service] * len(hours),
            "pod": [pod] * len(hours),
            "timestamp": pa.array(hours * 1000, pa.timestamp("ms", "UTC")),
            "value": values,
        }
        pq.write_table(pa.table(columns), folder / f"{pod}.parquet")
    return folder


def forecast(*words: str, code: int = 0, **environment: str) -> tuple[list[dict[str, Any]], str]:
    """What it prints for programs, and what for people."""
    asked = serinus("forecast", "--horizon", "2d", "--back", "4w", *words, **environment)
    assert asked.exit_code == code, asked.output
    return [json.loads(line) for line in asked.stdout.splitlines()], asked.stderr


def hour(at: float) -> str:
    """In which it lies; it may turn between the writing of the files and the asking."""
    return time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(at))


def from_files(files: Path, *words: str, code: int = 0) -> tuple[list[dict[str, Any]], str]:
    """Of the folder."""
    return forecast("--from", "parquet", "--path", str(files), *words, code=code)


def test_the_fleet_is_forecast_and_the_young_is_told(files: Path) -> None:
    """In order; what has too little history is listed with what it needs."""
    told, said = from_files(files)
    assert [one["labels"]["pod"] for one in told] == ["a", "b", "c"]
    assert all(len(one["point"]) == 48 for one in told)
    assert hour(END) <= told[0]["start"] <= hour(time.time())
    assert 'pod="young"' in said
    assert "not enough history: needs" in said
    assert "1 of 4 series in trouble: 1 short_history" in said


def test_one_service_is_forecast(files: Path) -> None:
    """By the label that names it."""
    told, _ = from_files(files, "--service", "shop")
    assert [one["labels"]["pod"] for one in told] == ["a", "b"]


def test_what_a_forecast_rests_on_is_told(files: Path) -> None:
    """For programs with each series, for people the first of them and how many."""
    told, said = from_files(files)
    assert [one["assumptions"] for one in told] == [[]] * 3
    assert "less sure" not in said
    told, said = from_files(files, "--back", "3w")
    assert all("of history only" in one["assumptions"][0] for one in told)
    assert "its forecast rests on" in said
    assert "days of history only, so the intervals are rough." in " ".join(said.split())
    assert "3 of 3 forecasts are less sure than they look" in said


def test_a_floor_and_days_are_heard(files: Path) -> None:
    """What is typed reaches the forecaster."""
    told, _ = from_files(files, "--service", "shop", "--floor", "110", "--step", "day")
    assert [one["step_s"] for one in told] == [86_400, 86_400]
    assert all(min(one["quantiles"]["0.05"]) >= 110 for one in told)


def test_past_forecasts_are_held_against_what_came(files: Path) -> None:
    """As many origins as have enough before them."""
    told, _ = from_files(files, "--backtest", "2", "--service", "shop")
    assert [len(one["origins"]) for one in told] == [2, 2]
    assert all(one["mean"]["mase"] >= 0 for one in told)


def test_files_have_the_same_bytes_wherever_it_is_done(files: Path, tmp_path: Path) -> None:
    """Here and in two processes; and no file is half written."""
    made = []
    for jobs in ("1", "2"):
        out = tmp_path / f"{jobs}.jsonl"
        assert from_files(files, "--jobs", jobs, "--out", str(out))[0] == []
        made.append(out.read_bytes())
    assert made[0] == made[1]
    assert made[0].count(b"\n") == 3


def test_parquet_is_written(files: Path, tmp_path: Path) -> None:
    """A row for each step of each series."""
    from_files(files, "--out", str(tmp_path / "out.parquet"))
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 3 * 48


def test_a_run_is_gone_on_with(files: Path, tmp_path: Path) -> None:
    """As of when it began: what is kept is not done again, and is told."""
    folder = tmp_path / "run"
    first, _ = from_files(files, "--resume", str(folder))
    with sqlite3.connect(folder / "fleet.db") as base:
        base.execute("update settings set value = ? where name = 'until'", (repr(END - 7300.0),))
    base.close()
    (folder / "fleet.db").touch()
    second, said = from_files(files, "--resume", str(folder))
    assert "goes on with the run of" in said
    assert first[0]["start"] > second[0]["start"]


def test_a_second_run_does_nothing_again(files: Path, tmp_path: Path) -> None:
    """Its results come from the folder: spoil them, and that is what is told."""
    folder = tmp_path / "run"
    first, _ = from_files(files, "--resume", str(folder), "--service", "pay")
    with sqlite3.connect(folder / "fleet.db") as base:
        ((made,),) = base.execute("select made from came where made is not null")
        base.execute("update came set made = ? where made is not null", (made[:-3],))
    base.close()
    asked = serinus(
        *("forecast", "--horizon", "2d", "--back", "4w", "--from", "parquet"),
        *("--path", str(files), "--resume", str(folder), "--service", "pay"),
    )
    assert len(first) == 1
    assert asked.exit_code == 4
    assert "a result cannot be read" in asked.stderr


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("--from", "parquet"), "--path"),
        (("--from", "postgres"), "--database"),
        (("--from", "postgres", "--database", "postgresql://x/y"), "--sql"),
        (("--from", "parquet", "--path", "nowhere"), "--path"),
        (("--from", "parquet", "--path", "nowhere", "--out", "a.csv"), "--out"),
        (("--back", "8 weeks"), "--back"),
        (("--horizon", "20m"), "--horizon"),
        (("--zone", "Mars/Olympus"), "time zone"),
    ],
)
def test_what_is_typed_wrong_is_named(words: tuple[str, ...], field: str) -> None:
    """Before anything is read."""
    asked = serinus("forecast", *words)
    assert asked.exit_code == 2
    assert field in asked.stderr


def test_a_service_without_series_is_told(files: Path) -> None:
    """Rather than an empty file."""
    _, said = from_files(files, "--service", "nobody", code=2)
    assert "no series has values there" in said


def test_nothing_but_trouble_is_no_success(files: Path) -> None:
    """A pipeline stops there."""
    _, said = from_files(files, "--back", "2d", code=4)
    assert "4 of 4 series in trouble" in said


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with the four weeks, an hour apart."""
    folder = tmp_path_factory.mktemp("prometheus")
    lines = [
        f'usage{{pod="{pod}",service="{service}"}} {value} {at}'
        for pod, service in PODS.items()
        for at, value in zip(HOURS[since(pod) :], level(pod)[since(pod) :], strict=True)
    ]
    long_blocks("\n".join([*lines, "# EOF\n"]), folder / "data")
    with running_prometheus("prometheus3", folder) as server:
        yield server.url


@pytest.mark.real
@pytest.mark.slow
def test_prometheus_and_postgres_tell_the_same(
    prometheus: str, files: Path, tmp_path: Path
) -> None:
    """Wherever history lies, what is known of a series is the same."""
    expected, _ = from_files(files)
    found, _ = forecast("--query", "usage", "--prometheus", prometheus)
    assert [one["point"] for one in found] == [one["point"] for one in expected]
    asked = "sum by (service, pod) (last_over_time(usage[$step]))"
    found, _ = forecast("--query", asked, "--prometheus", prometheus)
    assert [one["point"] for one in found] == [one["point"] for one in expected]
    with running_postgres() as server:
        with psycopg.connect(server.url) as base:
            base.execute("create table usage (pod text, service text, at int, value float8)")
            with base.cursor() as cursor, cursor.copy("copy usage from stdin") as copy:
                for pod, service in PODS.items():
                    for at, value in zip(
                        HOURS[since(pod) :], level(pod)[since(pod) :], strict=True
                    ):
                        copy.write_row((pod, service, int(at), float(value)))
        sql = tmp_path / "usage.sql"
        sql.write_text("select pod, service, to_timestamp(at) as time, value from usage;\n")
        words = ("--from", "postgres", "--sql", str(sql))
        found, _ = forecast(*words, SERINUS_HISTORY_DATABASE=server.url)
    assert [one["point"] for one in found] == [one["point"] for one in expected]
