"""Many rollouts at once, and workers that die."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from detector.backtest.course import Course
from detector.errors import ConfigError
from pipelines.flows.backtest import Past
from pipelines.flows.backtest_jobs import Opening, Places, Task, play_all, play_kept
from pipelines.flows.fleet_kept import Kept
from pipelines.sources.settings import Auth, SourceSettings
from tests.pipelines.flows.fleets import cluster
from tests.pipelines.flows.pasts import POLICY, Counted, past_of, rollout, shop

if TYPE_CHECKING:
    from distributed import LocalCluster


@dataclass(frozen=True)
class ShopOpening:
    """Every process fills the shop anew; the first `deaths` processes die when they open it.

    Where it `is_away`, nothing is read.
    """

    folder: str = ""
    deaths: int = 0
    is_away: bool = False

    def __call__(self) -> Past:
        """The shop."""
        for number in range(self.deaths):
            mark = Path(self.folder) / f"death-{number}"
            try:
                mark.touch(exist_ok=False)
            except FileExistsError:
                continue
            os._exit(1)
        source = shop()
        return past_of(source, Counted(source, down=self.is_away))


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


@pytest.fixture(scope="module")
def dask() -> Iterator[LocalCluster]:
    """A worker of Dask."""
    with cluster(1) as found:
        yield found


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """An empty file."""
    found = Kept(tmp_path / "fleet.db")
    yield found
    found.close()


def kept_courses(
    tasks: list[Task], opening: ShopOpening, kept: Kept, places: Places | None = None
) -> dict[int, Course]:
    """The one course of each task, of a run that may be gone on with."""
    found = play_kept(tasks, opening, places or Places(), kept, ("http://prometheus",))
    return {number: course for number, (course,) in found}


def test_what_was_played_is_not_played_again(kept: Kept) -> None:
    """To the last bit what was said; where it stands in the list is said anew."""
    before = kept_courses(tasks(2), ShopOpening(), kept)
    assert before[1].polls == played(tasks(2), ShopOpening(), Places())[1].polls
    moved = [replace(one, rollout=replace(one.rollout, line=7)) for one in tasks(2)[::-1]]
    after = kept_courses(moved, ShopOpening(is_away=True), kept)
    assert [after[number].polls for number in (1, 0)] == [before[number].polls for number in (0, 1)]
    assert after[0].rollout == moved[0].rollout
    assert (after[0].failed_at, after[0].cpu_s) == (before[1].failed_at, before[1].cpu_s)


def test_what_could_not_be_read_is_told_and_tried_by_the_next_run(kept: Kept) -> None:
    """It counts nowhere; and another poll, or another policy, is another question."""
    away = kept_courses(tasks(1), ShopOpening(is_away=True), kept)
    assert away[0].problem == "the shop's Prometheus is away"
    there = kept_courses(tasks(1), ShopOpening(), kept)
    assert there[0].is_judged
    often = [replace(one, every_s=100.0) for one in tasks(1)]
    assert kept_courses(often, ShopOpening(is_away=True), kept)[0].problem is not None


def test_a_rollout_that_is_listed_twice_is_played_once_and_told_twice(kept: Kept) -> None:
    """Each line has its answer."""
    found = kept_courses([*tasks(1), *tasks(1)], ShopOpening(), kept)
    assert found[0] == found[1]
    assert len(kept.finished(next(iter(_works(kept))))) == 1


def _works(kept: Kept) -> set[str]:
    """The names of all that was worked on."""
    with closing(sqlite3.connect(kept.file)) as base:
        return {name for (name,) in base.execute("select distinct work from came")}


@pytest.mark.slow
def test_a_worker_killed_costs_a_kept_run_nothing(
    tmp_path: Path, kept: Kept, dask: LocalCluster
) -> None:
    """On a cluster of one worker, which is ended in the middle."""
    here = played(tasks(2), ShopOpening(), Places())
    dying = ShopOpening(folder=str(tmp_path), deaths=1)
    there = kept_courses(tasks(2), dying, kept, Places(dask=dask.scheduler_address))
    assert (tmp_path / "death-0").exists()
    assert [there[n].polls for n in range(2)] == [here[n].polls for n in range(2)]


def test_what_is_said_of_a_source_has_no_secret_and_tells_packs(tmp_path: Path) -> None:
    """It is kept in a file beside the results."""
    pack = tmp_path / "own.yaml"
    pack.touch()
    auth = Auth(bearer_token="hush", tenant="a")
    settings = SourceSettings(url="http://127.0.0.1:9", auth=auth)
    one, other = Opening(settings), Opening(settings, (pack,))
    assert one.said == ("http://127.0.0.1:9", "a")
    assert other.said[:2] == one.said
    assert other.said != one.said
    assert "hush" not in repr(other.said)


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
def test_a_dask_cluster_says_the_same(dask: LocalCluster) -> None:
    """The same code on other machines; here they are processes of this one."""
    here = played(tasks(2), ShopOpening(), Places())
    there = played(tasks(2), ShopOpening(), Places(dask=dask.scheduler_address))
    assert [there[n].polls for n in range(2)] == [here[n].polls for n in range(2)]


def test_a_cluster_that_is_not_there_is_told() -> None:
    """The address, and that nobody answers."""
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    with pytest.raises(ConfigError, match="no scheduler answers"):
        list(play_all(tasks(1), ShopOpening(), Places(dask="tcp://127.0.0.1:9")))
