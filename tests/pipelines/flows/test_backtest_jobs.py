"""Many rollouts at once, and workers that die."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from detector.backtest.course import Course
from detector.errors import ConfigError
from pipelines.flows.backtest import Past
from pipelines.flows.backtest_jobs import Opening, Places, Task, play_all
from pipelines.sources.settings import SourceSettings
from tests.pipelines.flows.pasts import POLICY, past_of, rollout, shop


@dataclass(frozen=True)
class ShopOpening:
    """Every process fills the shop anew; the first `deaths` processes die when they open it."""

    folder: str = ""
    deaths: int = 0

    def __call__(self) -> Past:
        """The shop."""
        for number in range(self.deaths):
            mark = Path(self.folder) / f"death-{number}"
            try:
                mark.touch(exist_ok=False)
            except FileExistsError:
                continue
            os._exit(1)
        return past_of(shop())


def tasks(count: int) -> list[Task]:
    """Rollouts of growing length."""
    return [
        Task(rollout=rollout(length_s=300.0 + 60 * number), policies=(POLICY,), every_s=60.0)
        for number in range(count)
    ]


def played(tasks: list[Task], opening: ShopOpening, places: Places) -> dict[int, Course]:
    """The one course of each task."""
    return {number: course for number, (course,) in play_all(tasks, opening, places)}


def test_one_after_the_other_in_this_process() -> None:
    """No process is started for a few rollouts."""
    found = played(tasks(2), ShopOpening(), Places())
    assert list(found) == [0, 1]
    assert len(found[1].polls) == 6


@pytest.mark.slow
def test_several_processes_say_the_same() -> None:
    """Where a rollout is judged must not change what is said of it."""
    here = played(tasks(6), ShopOpening(), Places())
    there = played(tasks(6), ShopOpening(), Places(jobs=2))
    assert [there[n].polls for n in range(6)] == [here[n].polls for n in range(6)]


@pytest.mark.slow
def test_what_a_dead_worker_held_is_played_again(tmp_path: Path) -> None:
    """The machine ran out of memory once; an hour of work is not lost."""
    dying = ShopOpening(folder=str(tmp_path), deaths=1)
    found = played(tasks(3), dying, Places(jobs=2))
    assert sorted(found) == [0, 1, 2]
    assert all(course.is_judged for course in found.values())
    assert (tmp_path / "death-0").exists()


@pytest.mark.slow
def test_workers_that_die_each_time_are_told(tmp_path: Path) -> None:
    """Not tried for ever, and no rollout is silently left out."""
    dying = ShopOpening(folder=str(tmp_path), deaths=50)
    found = played(tasks(2), dying, Places(jobs=2))
    assert [course.problem for course in found.values()] == [
        "its worker was ended 3 times: out of memory? try fewer --jobs"
    ] * 2


def test_an_opening_travels_and_is_opened_once_per_process() -> None:
    """The same key is the same source, whatever process unpickled it."""
    one = Opening(SourceSettings(url="http://127.0.0.1:9"))
    assert one == replace(one, packs=(Path("x"),))
    assert one != Opening(SourceSettings(url="http://127.0.0.1:9"))
    assert one().catalog.__class__.__name__ == "PrometheusSource"


def test_dask_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, and where."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"serinus\[dask\]"):
        list(play_all(tasks(1), ShopOpening(), Places(dask="tcp://127.0.0.1:9")))


@pytest.mark.slow
def test_a_dask_cluster_says_the_same() -> None:
    """The same code on other machines; here they are processes of this one."""
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    here = played(tasks(2), ShopOpening(), Places())
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        there = played(tasks(2), ShopOpening(), Places(dask=cluster.scheduler_address))
    assert [there[n].polls for n in range(2)] == [here[n].polls for n in range(2)]


def test_a_cluster_that_is_not_there_is_told() -> None:
    """The address, and that nobody answers."""
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    with pytest.raises(ConfigError, match="no scheduler answers"):
        list(play_all(tasks(1), ShopOpening(), Places(dask="tcp://127.0.0.1:9")))
