"""Work in parts comes back whole, wherever it is done."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from pipelines.flows.spread import TRIES, Places, spread


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


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_part_comes_back_once_with_its_number(jobs: int) -> None:
    """Here or in two processes: the same."""
    made = dict(spread(list(range(20)), doubled, lost, Places(jobs=jobs)))
    assert made == {number: str(2 * number) for number in range(20)}


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """What had not come back is sent again."""
    work = partial(deadly, mark=tmp_path / "died")
    made = list(spread(list(range(8)), work, lost, Places(jobs=2)))
    assert sorted(made) == [(number, str(2 * number)) for number in range(8)]


@pytest.mark.slow
def test_a_part_that_kills_each_time_is_told() -> None:
    """It ends; the part has a reason with a next move."""
    made = dict(spread([0, 1], always_deadly, lost, Places(jobs=2)))
    assert made[1] == f"1: its worker was ended {TRIES} times: out of memory? try fewer --jobs"


def test_nothing_to_do_is_nothing_done() -> None:
    """No process is started for no part."""
    assert list(spread([], doubled, lost, Places(jobs=2))) == []
