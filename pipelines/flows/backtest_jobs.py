"""Many rollouts at once: in this process, in several, or on a Dask cluster.

The code is joblib's; its backend says where. A worker that is killed takes the batch with it, so
what has not come back is sent again, a few times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from detector.backtest.course import Course, PastRollout
from detector.errors import ConfigError
from detector.gate.policy import Policy
from pipelines.flows.backtest import Past, play_each
from pipelines.flows.discovery import Discovery
from pipelines.sources.settings import SourceSettings

__all__ = ["Opening", "Places", "Task", "opened", "play_all"]

_TRIES = 3
Courses: TypeAlias = tuple[Course, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """How a process comes to the source; it opens it once. `key` names it among others."""

    source: SourceSettings = field(compare=False)
    packs: tuple[Path, ...] = field(default=(), compare=False)
    key: str = field(default_factory=lambda: uuid4().hex)

    def __call__(self) -> Past:
        """The source, opened now."""
        from pipelines.packs import load_packs
        from pipelines.sources.open import open_source

        packs = load_packs(self.packs)
        found = open_source(self.source, packs)
        return Past(source=found, catalog=found, discover=Discovery(packs, found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One rollout to play by each of some policies.

    `as_placebo`: to its end whatever is found, with evidence of all signals that could be judged.
    """

    rollout: PastRollout
    policies: tuple[Policy, ...]
    every_s: float
    as_placebo: bool = False

    def run(self, past: Past) -> Courses:
        """Play it here."""
        return play_each(
            self.rollout,
            past,
            policies=self.policies,
            every_s=self.every_s,
            as_placebo=self.as_placebo,
        )

    def lost(self, why: str) -> Courses:
        """It could not be played."""
        return tuple(Course(rollout=self.rollout, polls=(), problem=why) for _ in self.policies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where rollouts are played: `jobs` processes here, or the Dask cluster at an address."""

    jobs: int = 1
    dask: str | None = None


def play_all(
    tasks: Sequence[Task], opening: Callable[[], Past], places: Places
) -> Iterator[tuple[int, Courses]]:
    """The courses of each task with its number, in the order in which they end.

    `opening` must travel to other processes, where more than one is asked for. `ConfigError`
    where Dask is asked for and is not there.
    """
    if places.dask is None and places.jobs == 1:
        past = opened(opening)
        yield from ((number, task.run(past)) for number, task in enumerate(tasks))
        return
    with _backend(places):
        yield from _spread(tasks, opening, places)


def _spread(
    tasks: Sequence[Task], opening: Callable[[], Past], places: Places
) -> Iterator[tuple[int, Courses]]:
    """What has come back is kept; the rest is sent again when workers die."""
    from concurrent.futures.process import BrokenProcessPool

    from joblib import Parallel, delayed

    left = dict(enumerate(tasks))
    for _ in range(_TRIES):
        run = Parallel(n_jobs=places.jobs, return_as="generator_unordered", batch_size=1)
        calls = [delayed(_there)(number, task, opening) for number, task in left.items()]
        try:
            for number, courses in run(calls):
                yield number, courses
                del left[number]
        except BrokenProcessPool:
            continue
        return
    for number, task in left.items():
        text = f"its worker was ended {_TRIES} times: out of memory? try fewer --jobs"
        yield number, task.lost(text)


def _there(number: int, task: Task, opening: Callable[[], Past]) -> tuple[int, Courses]:
    return number, task.run(opened(opening))


@lru_cache(maxsize=2)
def opened(opening: Callable[[], Past]) -> Past:
    """Each process opens a source once, however many rollouts it plays."""
    return opening()


@contextmanager
def _backend(places: Places) -> Iterator[None]:
    try:
        from joblib import parallel_config
    except ImportError as error:
        raise ConfigError("--jobs needs joblib: pip install joblib") from error
    if places.dask is None:
        with parallel_config(backend="loky", inner_max_num_threads=1):
            yield
        return
    with _cluster(places.dask), parallel_config(backend="dask"):
        yield


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError(
            "--dask needs Dask's distributed, which is not installed here:"
            " pip install 'serinus[dask]', here and on the workers"
        ) from error
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise ConfigError(f"--dask: no scheduler answers at {address}: {error}") from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise ConfigError(f"--dask: the scheduler at {address} has no worker: start one first")
        yield
