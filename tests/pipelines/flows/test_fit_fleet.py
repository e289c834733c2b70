"""Many services are fitted: each once, whatever stops in between, and stored once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from detector.errors import SourceError
from detector.fitted.model import FittedModel
from detector.fitted.promotion import Promotion, Why
from detector.gate.aa import Scope
from detector.gate.request import VerdictRequest
from pipelines.flows.backtest import Past
from pipelines.flows.fit import Fitting, scope_of
from pipelines.flows.fit_fleet import FitTask, FitWork, fit_services, fit_task, stored, unfitted
from pipelines.flows.fleet import Progress
from pipelines.flows.fleet_kept import Kept
from pipelines.flows.lanes import Lanes, Places, lanes_of
from pipelines.stores.memory_fitted import MemoryFitted
from tests.pipelines.flows.fleets import cluster
from tests.pipelines.flows.pasts import past_of
from tests.pipelines.flows.releases import T0, Week, fill_week

WEEK = Week(length_s=25_200.0, rate=2.0)
FITTING = Fitting(days=0.28, step_s=60.0, faults=10)
NOW = T0 + WEEK.length_s
LIKE = VerdictRequest(service="checkout", namespace="shop", canary="")
GONE = replace(LIKE, service="nobody")
SCOPE = Scope(tenant="default", cluster=None, namespace="shop", service="checkout")


@dataclass(frozen=True)
class Opening:
    """Fills seven hours of the shop. With `kills` the first process that opens it is ended.

    The file `opened` has a letter for each time that it was opened, anywhere.
    """

    folder: Path
    kills: bool = False

    def __call__(self) -> Past:
        """The shop; a service that is asked for twice is there, one that is none is not."""
        with (self.folder / "opened").open("a", encoding="ascii") as file:
            file.write("x")
        if self.kills and (self.folder / "opened").stat().st_size == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        source = fill_week(WEEK)
        return replace(past_of(source), source=source)


class Away(Opening):
    """A source that does not answer."""

    def __call__(self) -> Past:
        """Never."""
        raise SourceError("cannot connect to Prometheus")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """An empty file."""
    found = Kept(tmp_path / "fleet.db")
    yield found
    found.close()


def asked(
    opening: Opening, *requests: VerdictRequest, store: MemoryFitted | None = None
) -> FitTask:
    """The task of some services."""
    known = store or MemoryFitted()
    return fit_task(
        requests or (GONE, LIKE),
        lambda scope: known.current(scope, until=NOW),
        FitWork(opening=opening, fitting=FITTING, now=NOW),
        ("http://prometheus",),
    )


def run(
    task: FitTask, places: Places | Lanes, kept: Kept, store: MemoryFitted
) -> tuple[list[FittedModel], Progress]:
    """To its end: what is stored."""
    made: list[FittedModel] = []
    told = list(fit_services(task, places, kept, lambda one: made.append(stored(store, one))))
    return made, told[-1]


def test_one_that_fails_costs_no_other_and_is_listed(tmp_path: Path, kept: Kept) -> None:
    """A service that is gone is told in a sentence; the other is fitted and stored."""
    task, store = asked(Opening(tmp_path)), MemoryFitted()
    made, told = run(task, Places(), kept, store)
    assert told == Progress(done=2, troubled=1, of=2)
    assert [(one.scope, one.version) for one in made] == [(SCOPE, 1)]
    (failed,) = unfitted(task, kept)
    assert failed.scope == replace(SCOPE, service="nobody")
    assert "nobody" in failed.why


def test_a_run_that_is_gone_on_with_fits_nothing_again_and_stores_once(
    tmp_path: Path, kept: Kept
) -> None:
    """Nor is the source opened: the second time all is there."""
    store = MemoryFitted()
    first, _ = run(asked(Opening(tmp_path)), Places(), kept, store)
    again, told = run(asked(Away(tmp_path), store=store), Places(), kept, store)
    assert again == first
    assert told == Progress(done=2, troubled=0, of=2)
    assert [one.version for one in store.versions(SCOPE, limit=9)] == [1]


def test_what_was_fitted_and_not_stored_is_stored_by_the_next_run(
    tmp_path: Path, kept: Kept
) -> None:
    """It was stopped in between: the model is not lost."""
    before, store = MemoryFitted(), MemoryFitted()
    (lost,), _ = run(asked(Opening(tmp_path)), Places(), kept, before)
    (found,), _ = run(asked(Away(tmp_path)), Places(), kept, store)
    assert found == lost
    assert store.current(SCOPE, until=NOW) == lost


def test_a_source_that_was_away_is_asked_again(tmp_path: Path, kept: Kept) -> None:
    """Each service says so, and the next run fits it."""
    store = MemoryFitted()
    away = asked(Away(tmp_path), LIKE)
    assert run(away, Places(), kept, store) == ([], Progress(done=1, troubled=1, of=1))
    assert [one.why for one in unfitted(away, kept)] == ["cannot connect to Prometheus"]
    there = asked(Opening(tmp_path), LIKE)
    assert run(there, Places(), kept, store)[1] == Progress(done=1, troubled=0, of=1)
    assert list(unfitted(there, kept)) == []


def test_other_fits_are_other_work(tmp_path: Path) -> None:
    """Other rows, other steps or another source: nothing of before is taken for it."""
    one = asked(Opening(tmp_path))
    work = FitWork(opening=Opening(tmp_path), fitting=FITTING, now=NOW)
    names = {
        fit_task((LIKE,), lambda _: None, changed, said).work.name
        for changed, said in (
            (work, ("http://prometheus",)),
            (work, ("http://other",)),
            (replace(work, now=NOW + 60), ("http://prometheus",)),
            (replace(work, fitting=replace(FITTING, seed=2)), ("http://prometheus",)),
        )
    }
    assert len(names) == 4
    assert one.work.name in names


def test_a_service_that_is_named_twice_is_fitted_once(tmp_path: Path) -> None:
    """And those of two namespaces are two."""
    other = replace(LIKE, namespace="other")
    task = asked(Opening(tmp_path), LIKE, LIKE, other)
    assert list(task.scopes.values()) == [SCOPE, scope_of(other)]
    assert len(task.work.series) == 2


def model(at: float) -> FittedModel:
    """Of a moment."""
    return FittedModel(
        scope=SCOPE,
        at=at,
        since=0.0,
        until=at,
        step_s=60.0,
        metrics=("requests",),
        artefacts=(),
        promotion=Promotion(why=Why.FIRST, rows=100),
    )


def test_an_old_run_does_not_take_the_place_of_a_newer_fit() -> None:
    """Somebody fitted meanwhile: what the folder still has is of yesterday."""
    store = MemoryFitted()
    assert stored(store, model(20.0)).version == 1
    assert stored(store, model(20.0)).version == 1
    assert stored(store, model(10.0)).version == 0
    assert stored(store, model(30.0)).version == 2
    assert [one.at for one in store.versions(SCOPE, limit=9)] == [30.0, 20.0]


@pytest.mark.slow
def test_processes_and_dask_with_a_worker_killed_fit_the_same(tmp_path: Path) -> None:
    """The same bytes here, in a process that was ended in the middle, and on such a cluster."""
    found = []
    with cluster(1) as dask, lanes_of(Places(dask=dask.scheduler_address)) as there:
        everywhere: tuple[Places | Lanes, ...] = (Places(), Places(jobs=2), there)
        for number, places in enumerate(everywhere):
            folder = tmp_path / str(number)
            folder.mkdir()
            kept = Kept(folder / "fleet.db")
            task = asked(Opening(folder, kills=number > 0), LIKE)
            assert run(task, places, kept, MemoryFitted())[1].troubled == 0
            found.append(list(kept.results(task.work.name, task.work.series)))
            assert (folder / "opened").stat().st_size == (2 if number else 1)
            kept.close()
    assert found[1] == found[0]
    assert found[2] == found[0]
