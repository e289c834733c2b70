"""Work in parts comes back whole, wherever it is done."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pipelines.flows.lanes import Lanes, lanes_of
from pipelines.flows.spread import TRIES, Places, spread


@pytest.fixture(scope="module")
def two() -> Iterator[Lanes]:
    """Two processes, begun once, and anew after they were ended."""
    with lanes_of(Places(jobs=2)) as lanes:
        yield lanes


def doubled(part: int) -> str:
    """What is made of a part."""
    return str(2 * part)


def lost(part: int, why: str) -> str:
    """What stands for a part that did not come back."""
    return f"{part}: {why}"


def deadly(part: int, *, mark: Path) -> str:
    """Ends its process at part 3, as the kernel does when memory is out; the first time only."""
    if part == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return doubled(part)


def always_deadly(part: int) -> str:
    """Ends its process at part 1, each time."""
    if part == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return doubled(part)


def process(_: int) -> str:
    """Where a part was worked on."""
    return str(os.getpid())


def one_by(part: int) -> str:
    """A bug."""
    return str(1 // part)


def all_but_one(part: list[int]) -> str:
    """Ends its process where 1 is among them."""
    if 1 in part:
        os.kill(os.getpid(), signal.SIGKILL)
    return ",".join(map(str, part))


def lost_pieces(part: list[int], why: str) -> str:
    """What stands for them."""
    return f"{part}: {why}"


def pieces(part: list[int]) -> list[list[int]]:
    """One by one."""
    return [[one] for one in part]


def test_each_part_comes_back_once_with_its_number(two: Lanes) -> None:
    """Here or in two processes: the same."""
    for places in (Places(), two):
        made = dict(spread(list(range(20)), doubled, lost, places))
        assert made == {number: str(2 * number) for number in range(20)}


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path, two: Lanes) -> None:
    """What had not come back is sent again."""
    work = partial(deadly, mark=tmp_path / "died")
    made = list(spread(list(range(8)), work, lost, two))
    assert sorted(made) == [(number, str(2 * number)) for number in range(8)]


@pytest.mark.slow
def test_a_part_that_kills_each_time_is_told(two: Lanes) -> None:
    """It ends; the part has a reason with a next move."""
    made = dict(spread([0, 1], always_deadly, lost, two))
    assert made[1] == f"1: its worker was ended {TRIES} times: out of memory? try fewer --jobs"


@pytest.mark.slow
def test_workers_that_are_there_are_used_again(two: Lanes) -> None:
    """Two runs one after the other pay for one start."""
    first, second = (dict(spread(list(range(4)), process, lost, two)) for _ in range(2))
    assert set(second.values()) <= set(first.values())
    assert str(os.getpid()) not in first.values()


def test_a_part_is_taken_when_a_worker_is_free_for_it() -> None:
    """A thousand parts are not read before the first is done."""
    taken: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(10):
            taken.append(part)
            yield part

    made = spread(parts(), doubled, lost, Places())
    assert next(made) == (0, "0")
    assert taken == [0]


@pytest.mark.slow
def test_a_part_that_kills_is_sent_in_pieces(two: Lanes) -> None:
    """Each piece comes back with the part's number; the guilty one is told."""
    made = list(spread([[1, 2], [5]], all_but_one, lost_pieces, two, pieces))
    ended = f"[1]: its worker was ended {TRIES} times: out of memory? try fewer --jobs"
    assert sorted(made) == [(0, "2"), (0, ended), (1, "5")]


def test_what_is_no_death_is_raised() -> None:
    """A bug is not tried three times."""
    with pytest.raises(ZeroDivisionError):
        list(spread([0], one_by, lost, Places()))


def test_nothing_to_do_is_nothing_done() -> None:
    """No process is started for no part."""
    assert list(spread([], doubled, lost, Places(jobs=2))) == []
