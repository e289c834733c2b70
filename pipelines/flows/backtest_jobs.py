"""Many rollouts at once: in this process, in several, or on a Dask cluster; gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from detector.backtest.course import Course, PastRollout
from detector.errors import SourceError
from detector.gate.policy import Policy
from pipelines.flows import fleet
from pipelines.flows.backtest import Past, play_each
from pipelines.flows.discovery import Discovery
from pipelines.flows.fleet_kept import Kept, name_of
from pipelines.flows.spread import Places, spread
from pipelines.sources.settings import SourceSettings
from pipelines.stores.codec import pack, unpack
from pipelines.version import code_version

__all__ = ["Opening", "Places", "Task", "opened", "play_all", "play_kept"]

Courses: TypeAlias = tuple[Course, ...]
# A rollout waits for its source, which the length of a chunk does not see.
_PACE = fleet.Pace(page=50, most=4)


@dataclass(frozen=True, slots=True)
class Opening:
    """How a process comes to the source; it opens it once. `key` names it among others."""

    source: SourceSettings = field(compare=False)
    packs: tuple[Path, ...] = field(default=(), compare=False)
    key: str = field(default_factory=lambda: uuid4().hex)

    @property
    def said(self) -> tuple[str, ...]:
        """What tells it from others to a run that is gone on with; no secret is in it."""
        packs = [f"{pack}:{pack.stat().st_mtime_ns}" for pack in self.packs if pack.exists()]
        return (self.source.url, self.source.auth.tenant or "", *packs)

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

    @property
    def name(self) -> str:
        """Of all that is said of it, but for where in a list."""
        rollout = replace(self.rollout, line=None)
        return name_of("rollout", rollout, self.policies, self.every_s, self.as_placebo)

    def lost(self, why: str) -> Courses:
        """It could not be played."""
        return tuple(Course(rollout=self.rollout, polls=(), problem=why) for _ in self.policies)


def play_all(
    tasks: Sequence[Task], opening: Callable[[], Past], places: Places
) -> Iterator[tuple[int, Courses]]:
    """The courses of each task with its number, in the order in which they end.

    `opening` must travel to other processes, where more than one is asked for. `ConfigError`
    where Dask is asked for and is not there.
    """
    return spread(tasks, partial(_played, opening=opening), Task.lost, places)


def play_kept(
    tasks: Sequence[Task],
    opening: Callable[[], Past],
    places: Places,
    kept: Kept,
    said: tuple[str, ...],
) -> Iterator[tuple[int, Courses]]:
    """As `play_all`; what `kept` has of an earlier run comes first and is not played again.

    `said` tells the source from all others. One that could not be read is tried by the next run.
    """
    numbers: dict[str, list[int]] = {}
    for number, task in enumerate(tasks):
        numbers.setdefault(task.name, []).append(number)

    def load(page: Sequence[str]) -> Sequence[fleet.Given[Task]]:
        return [fleet.Given(name, tasks[numbers[name][0]]) for name in page]

    name = name_of("backtest", code_version(), said)
    work = fleet.Task(name=name, series=list(numbers), load=load, work=_Playing(opening))
    for told in fleet.over_fleet(work, places, kept, _PACE):
        for one, made in kept.results(name, told.came):
            for number in numbers[one]:
                yield number, _of(tasks[number], made)
    for one, trouble in kept.troubles(name):
        for number in numbers.get(one, ()):
            yield number, tasks[number].lost(trouble.text)


@dataclass(frozen=True, slots=True)
class _Playing:
    """The courses of a task as bytes, from a source that is opened where it is played."""

    opening: Callable[[], Past]

    def __call__(self, task: Task) -> bytes:
        """`SourceError` where none of them could be judged."""
        courses = task.run(opened(self.opening))
        problems = [course.problem for course in courses if course.problem is not None]
        if len(problems) == len(courses):
            raise SourceError(problems[0])
        return pack(courses)


def _of(task: Task, made: bytes) -> Courses:
    """What was made of a task, which may stand in another line by now."""
    return tuple(replace(one, rollout=task.rollout) for one in unpack(tuple[Course, ...], made))


def _played(task: Task, opening: Callable[[], Past]) -> Courses:
    return task.run(opened(opening))


@lru_cache(maxsize=2)
def opened(opening: Callable[[], Past]) -> Past:
    """Each process opens a source once, however many rollouts it plays."""
    return opening()
