"""Many rollouts at once: in this process, in several, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from detector.backtest.course import Course, PastRollout
from detector.gate.policy import Policy
from pipelines.flows.backtest import Past, play_each
from pipelines.flows.discovery import Discovery
from pipelines.flows.spread import Places, spread
from pipelines.sources.settings import SourceSettings

__all__ = ["Opening", "Places", "Task", "opened", "play_all"]

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


def play_all(
    tasks: Sequence[Task], opening: Callable[[], Past], places: Places
) -> Iterator[tuple[int, Courses]]:
    """The courses of each task with its number, in the order in which they end.

    `opening` must travel to other processes, where more than one is asked for. `ConfigError`
    where Dask is asked for and is not there.
    """
    return spread(tasks, partial(_played, opening=opening), Task.lost, places)


def _played(task: Task, opening: Callable[[], Past]) -> Courses:
    return task.run(opened(opening))


@lru_cache(maxsize=2)
def opened(opening: Callable[[], Past]) -> Past:
    """Each process opens a source once, however many rollouts it plays."""
    return opening()
