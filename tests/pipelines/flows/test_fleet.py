"""Work over a fleet: each series by itself, gone on with, the same wherever it is done."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from detector.errors import BrokerError, ConfigError, SourceError
from models.forecast.history import ShortHistoryError
from pipelines.flows import fleet
from pipelines.flows.fleet import Given, Pace, Progress, Task, over_fleet
from pipelines.flows.fleet_kept import Kept, Trouble
from pipelines.flows.lanes import Lanes, lanes_of
from pipelines.flows.spread import TRIES, Places
from pipelines.version import code_version
from tests.pipelines.flows.fleets import Work, cluster, names, task

if TYPE_CHECKING:
    from distributed import LocalCluster

HERE = Places()
ENDED = f"its worker was ended {TRIES} times: out of memory? try fewer --jobs"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """An empty file."""
    found = Kept(tmp_path / "fleet.db")
    yield found
    found.close()


def run(
    wanted: Task[Any], places: Places | Lanes, kept: Kept, pace: Pace | None = None
) -> Progress:
    """To its end."""
    return list(over_fleet(wanted, places, kept, pace))[-1]


@pytest.fixture(scope="module")
def two() -> Iterator[Lanes]:
    """Two processes, begun once."""
    with lanes_of(Places(jobs=2)) as lanes:
        yield lanes


@pytest.fixture(scope="module")
def dask() -> Iterator[LocalCluster]:
    """Two workers of Dask, begun once."""
    with cluster(2) as found:
        yield found


@contextmanager
def patient(dask: LocalCluster, deaths: int) -> Iterator[Places]:
    """So many deaths of a part Dask mends by itself."""
    scheduler = dask.scheduler
    assert scheduler is not None
    before, scheduler.allowed_failures = scheduler.allowed_failures, deaths
    yield Places(dask=dask.scheduler_address)
    scheduler.allowed_failures = before


def killed_once(
    folder: Path, places: Places | Lanes, series: Sequence[str]
) -> list[tuple[str, bytes]]:
    """What comes of series of which one ends its worker once, but for this very process."""
    folder.mkdir()
    work, kept = Work(folder, once="" if places is HERE else "s017"), Kept(folder / "fleet.db")
    wanted = task(work, series)
    assert run(wanted, places, kept, Pace(chunk_s=1e9, most=5)).troubled == 0
    # Its chunk, and those that it had done and not handed over yet.
    assert sum(work.times(name) > 1 for name in series) <= 15
    found = list(kept.results(wanted.name, series))
    kept.close()
    return found


def test_each_series_has_its_result_and_progress_is_told(tmp_path: Path, kept: Kept) -> None:
    """From none to all, and never back."""
    series = names(7)
    told = list(over_fleet(task(Work(tmp_path), series), HERE, kept, Pace(page=3)))
    assert told[0] == Progress(done=0, troubled=0, of=7)
    assert told[-1] == Progress(done=7, troubled=0, of=7)
    assert [one.done for one in told] == sorted(one.done for one in told)
    found = dict(kept.results(task(Work(tmp_path), series).name, series))
    assert found == {name: (2 * name).encode() for name in series}


def test_one_series_that_fails_costs_no_other(tmp_path: Path, kept: Kept) -> None:
    """It is listed with what is wrong with it, a bug of a library with its kind."""
    wanted = task(Work(tmp_path, bad="s001", broken="s002"), names(4))
    assert run(wanted, HERE, kept) == Progress(done=4, troubled=2, of=4)
    assert list(kept.troubles(wanted.name)) == [
        ("s001", Trouble(reason="unusable", text="negative counter")),
        ("s002", Trouble(reason="broken", text="IndexError: s002")),
    ]


def test_too_little_history_is_told_as_such(kept: Kept) -> None:
    """With what it needs and has: no line is drawn through ten points."""
    error = ShortHistoryError(needs_s=21 * 86_400, has_s=4 * 86_400)

    def short(_: str) -> bytes:
        raise error

    wanted = Task(name="w", series=["a"], load=lambda page: [Given(page[0], "")], work=short)
    run(wanted, HERE, kept)
    text = "not enough history: needs 21 days, has 4 days"
    assert list(kept.troubles("w")) == [("a", Trouble(reason="short_history", text=text))]


def test_what_is_finished_is_neither_read_nor_done_again(tmp_path: Path, kept: Kept) -> None:
    """A run that was stopped goes on where it was."""
    series, work, read = names(10), Work(tmp_path), list[str]()
    wanted = task(work, series)

    def load(page: Sequence[str]) -> Sequence[Given[str]]:
        read.extend(page)
        return wanted.load(page)

    stopped = over_fleet(replace(wanted, load=load), HERE, kept, Pace(page=2, most=1))
    for progress in stopped:
        if progress.done == 4:
            break
    stopped.close()  # type: ignore[attr-defined]
    before = list(read)
    again = run(replace(wanted, load=load), HERE, kept, Pace(page=2))
    assert again == Progress(done=10, troubled=0, of=10)
    assert [work.times(name) for name in series] == [1] * 10
    assert len(before) < 10
    assert read[len(before) :] == series[4:]


def test_other_work_is_not_finished_by_it(tmp_path: Path, kept: Kept) -> None:
    """Another horizon is another name."""
    work = Work(tmp_path)
    run(task(work, ["a"], "two weeks"), HERE, kept)
    run(task(work, ["a"], "three weeks"), HERE, kept)
    assert work.times("a") == 2


def test_a_page_that_cannot_be_read_is_tried_by_the_next_run(tmp_path: Path, kept: Kept) -> None:
    """The source was away for a moment: its series are in trouble, the others are not."""
    wanted, away = task(Work(tmp_path), names(4)), [True]

    def load(page: Sequence[str]) -> Sequence[Given[str]]:
        if away[0] and page[0] == "s002":
            raise SourceError("cannot connect to Prometheus")
        return wanted.load(page)

    flaky = replace(wanted, load=load)
    assert run(flaky, HERE, kept, Pace(page=2)) == Progress(done=4, troubled=2, of=4)
    assert [one for one, _ in kept.troubles(wanted.name)] == ["s002", "s003"]
    away[0] = False
    assert run(flaky, HERE, kept, Pace(page=2)) == Progress(done=4, troubled=0, of=4)
    assert list(kept.troubles(wanted.name)) == []


def test_work_that_reads_by_itself_is_tried_by_the_next_run(kept: Kept) -> None:
    """Its source was away for one series; that is no fault of the series."""
    away = ["b"]

    def work(name: str) -> bytes:
        if name in away:
            raise SourceError("refused", code="query_rejected")
        return name.encode()

    wanted = Task(
        name="w", series=["a", "b"], load=task(Work(kept.file.parent), []).load, work=work
    )
    assert run(wanted, HERE, kept).troubled == 1
    trouble = Trouble(reason="query_rejected", text="refused", lasts=False)
    assert list(kept.troubles("w")) == [("b", trouble)]
    away.clear()
    assert run(wanted, HERE, kept) == Progress(done=2, troubled=0, of=2)


def test_what_came_is_told_once_and_first_what_was_there(tmp_path: Path, kept: Kept) -> None:
    """Who does something with each result hears of each, of an earlier run, too."""
    wanted = task(Work(tmp_path), names(6))
    run(task(Work(tmp_path), names(2)), HERE, kept)
    told = [one.came for one in over_fleet(wanted, HERE, kept)]
    assert told[0] == ("s000", "s001")
    assert [name for came in told for name in came] == names(6)


class Heavy:
    """A value whose end can be seen."""


def test_no_more_than_a_few_pages_are_held(kept: Kept) -> None:
    """Ten thousand series do not lie in memory at once."""
    alive: weakref.WeakSet[Heavy] = weakref.WeakSet()
    most = 0

    def load(page: Sequence[str]) -> Sequence[Given[Heavy]]:
        nonlocal most
        made = [Heavy() for _ in page]
        alive.update(made)
        most = max(most, len(alive))
        return [Given(name, one) for name, one in zip(page, made, strict=True)]

    wanted = Task(name="w", series=names(200), load=load, work=lambda _: b"x")
    assert run(wanted, HERE, kept, Pace(page=10)).done == 200
    assert most <= 40


def test_chunks_grow_until_they_keep_a_worker_busy(kept: Kept) -> None:
    """Two milliseconds of sending are nothing beside half a second of work."""
    wanted = Task(
        name="w",
        series=names(400),
        load=lambda page: [Given(name, "") for name in page],
        work=lambda _: b"x",
    )
    told = list(over_fleet(wanted, HERE, kept, Pace(most=50)))
    steps = [later.done - one.done for one, later in pairwise(told)]
    assert steps[0] == 1
    assert max(steps) == 50


def test_no_series_is_no_work(kept: Kept) -> None:
    """And no error."""
    assert run(task(Work(kept.file.parent), []), HERE, kept) == Progress(done=0, troubled=0, of=0)


def test_workers_of_another_version_are_refused(tmp_path: Path) -> None:
    """Results of two versions must not lie side by side."""
    chunk = (Given("a", "a"),)
    assert fleet._worked(chunk, Work(tmp_path), code_version()).batch[0].series == "a"
    with pytest.raises(ConfigError, match="another version"):
        fleet._worked(chunk, Work(tmp_path), "0123456789abcdef")


@pytest.mark.slow
def test_a_poisonous_series_is_found_in_its_chunk(tmp_path: Path, kept: Kept, two: Lanes) -> None:
    """It ends each worker that takes it; all others of its chunk have their results."""
    work, series = Work(tmp_path, poison="s005"), names(12)
    wanted = task(work, series)
    told = run(wanted, two, kept, Pace(chunk_s=1e9, most=8))
    assert told == Progress(done=12, troubled=1, of=12)
    assert list(kept.troubles(wanted.name)) == [("s005", Trouble(reason="killed", text=ENDED))]
    assert work.times("s005") == TRIES
    assert all(work.times(name) == 1 for name in series[8:])


@pytest.mark.slow
def test_a_killed_worker_costs_only_its_chunk(tmp_path: Path, kept: Kept, two: Lanes) -> None:
    """Once, by whatever: it is done again, and nothing beside it."""
    work, series = Work(tmp_path, once="s005"), names(24)
    told = run(task(work, series), two, kept, Pace(chunk_s=1e9, most=4))
    assert told == Progress(done=24, troubled=0, of=24)
    again = [name for name in series if work.times(name) > 1]
    assert "s005" in again
    assert len(again) <= 4


@pytest.mark.slow
def test_a_dask_cluster_with_a_worker_killed_says_the_same(
    tmp_path: Path, two: Lanes, dask: LocalCluster
) -> None:
    """Same bytes here, in processes, and on a cluster that lost a worker in the middle."""
    series, found = names(40), []
    with patient(dask, deaths=3) as there:
        everywhere: tuple[Places | Lanes, ...] = (HERE, two, there)
        for number, places in enumerate(everywhere):
            found.append(killed_once(tmp_path / str(number), places, series))
    assert found[1] == found[0]
    assert found[2] == found[0]


@pytest.mark.slow
def test_a_run_that_was_stopped_here_goes_on_on_dask_past_a_death(
    tmp_path: Path, kept: Kept, dask: LocalCluster
) -> None:
    """Its folder is all that it needs: what was done before is not done again."""
    work, series = Work(tmp_path, once="s021"), names(30)
    wanted = task(work, series)
    stopped = over_fleet(wanted, HERE, kept, Pace(most=5))
    assert next(one.done for one in stopped if one.done >= 10)
    stopped.close()  # type: ignore[attr-defined]
    before = kept.finished(wanted.name)
    places = Places(dask=dask.scheduler_address)
    told = run(wanted, places, kept, Pace(chunk_s=1e9, most=5))
    assert told == Progress(done=30, troubled=0, of=30)
    assert {work.times(name) for name in before} == {1}
    assert work.times("s021") == 2


@pytest.mark.slow
def test_a_dask_cluster_finds_the_poison(tmp_path: Path, kept: Kept, dask: LocalCluster) -> None:
    """It is listed, and its neighbours are not blamed for it."""
    work, series = Work(tmp_path, poison="s003"), names(10)
    wanted = task(work, series)
    told = run(wanted, Places(dask=dask.scheduler_address), kept, Pace(chunk_s=1e9, most=5))
    assert told == Progress(done=10, troubled=1, of=10)
    assert list(kept.troubles(wanted.name)) == [("s003", Trouble(reason="killed", text=ENDED))]


@pytest.mark.slow
def test_a_cluster_that_goes_away_is_told_and_gone_on_without(tmp_path: Path, kept: Kept) -> None:
    """Neither waited for for ever nor lost: what was done before is there."""
    work, series = Work(tmp_path), names(60)
    wanted = task(work, series)

    def broken_off(dask: LocalCluster) -> None:
        places = Places(dask=dask.scheduler_address)
        for told in over_fleet(wanted, places, kept, Pace(most=1)):
            if told.done == 3:
                dask.close()

    # No process of its own: that a cluster ends is the same, and begins sooner.
    one = cluster(1, processes=False, protocol="tcp")
    with one as dask, pytest.raises(BrokerError, match="went away"):
        broken_off(dask)
    before = kept.finished(wanted.name)
    assert len(before) >= 3
    assert run(wanted, HERE, kept) == Progress(done=60, troubled=0, of=60)
    assert all(work.times(name) == 1 for name in before)
