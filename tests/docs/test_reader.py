from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docs import prometheus
from tests.docs.blocks import Block, blocks
from tests.docs.reader import Reader

QUERY = "http://localhost:9090/api/v1/query?query=count(http_requests_total)"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Somebody with an empty folder and a terminal."""
    folder = tmp_path / "reader"
    folder.mkdir()
    with ExitStack() as stack:
        yield Reader(folder, stack)


def block(mark: str, *lines: str) -> Block:
    text = "\n".join(["<!-- test" + mark + " -->", "```console", *lines, "```"])
    return next(blocks(text))


def test_later_blocks_see_earlier_ones(reader: Reader) -> None:
    """A page is read from top to bottom."""
    reader.follow(block("", "$ mkdir a && cd a && export WHO=me"))
    reader.follow(block("", "$ echo $WHO in $(basename $PWD)", "me in a"))


def test_other_output_is_noticed(reader: Reader) -> None:
    """A page that shows what is no longer printed fails."""
    with pytest.raises(AssertionError, match="printed:\ntwo"):
        reader.follow(block("", "$ echo two", "one"))


def test_failing_command_is_noticed(reader: Reader) -> None:
    """A command in the middle that fails is not covered up by the last."""
    with pytest.raises(AssertionError, match="exit 1"):
        reader.follow(block("", "$ false", "$ true"))


def test_expected_exit_code_is_accepted(reader: Reader) -> None:
    """A page may show a check that fails, when it says so."""
    reader.follow(block(": exit=0,3", "$ (exit 3)"))


def test_need_that_nobody_meets_is_refused(reader: Reader) -> None:
    """A misspelt need must not leave the page with a server of somebody else."""
    with pytest.raises(pytest.fail.Exception, match="unknown need 'kafka'"):
        reader.follow(block(": needs=kafka", "$ true"))


def test_port_is_a_free_one_throughout(reader: Reader) -> None:
    """The page says 8080 and the test takes what is free."""
    reader.follow(block(": needs=port", "$ port=8080; [ $port != $((8079 + 1)) ]"))
    reader.follow(block("", "$ [ $port = 8080 ]"))


def test_wait_returns_when_the_server_answers(reader: Reader) -> None:
    """A page starts a server in the background and goes on."""
    serve = "$ python -m http.server --bind 127.0.0.1 8080 >log 2>&1 &"
    reader.follow(block(": needs=port wait=http://127.0.0.1:8080/log", serve))


@pytest.mark.real
def test_prometheus_of_the_pages_has_the_service(reader: Reader) -> None:
    """Nine pods with two codes each, where the page says http://localhost:9090."""
    fetch = f"from urllib.request import urlopen as u; print(u('{QUERY}').read().decode())"
    reader.follow(block(": needs=prometheus", f'$ python -c "{fetch}"', '...,"18"]...'))


def test_history_is_of_counters() -> None:
    """No reset and no step back in time, or the pages would show a fault that is none."""
    series: dict[str, list[tuple[float, float]]] = {}
    for line in prometheus.openmetrics(time.time()).splitlines():
        if found := re.fullmatch(r"(\w+\{.*\}) (\d+) ([\d.]+)", line):
            series.setdefault(found[1], []).append((float(found[3]), float(found[2])))
    assert len(series) == 9 * (2 + len(prometheus.BOUNDS) + 3)
    assert all(points == sorted(points) for points in series.values())
    assert all(values == sorted(values) for values in ([v for _, v in p] for p in series.values()))
