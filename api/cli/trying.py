"""`serinus try`: the stages with their progress, within a time; what is not reached is named."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.cli.guard import Code
from api.cli.moments import moment_of, span_of
from api.cli.serving import settings_of
from api.cli.try_text import ODDITIES, try_text
from detector.backtest.course import Course
from detector.discovery.census import Skipped
from detector.discovery.judged import Judged
from detector.discovery.oddities import Oddity
from detector.discovery.past import Telling
from detector.discovery.portrait import Listing
from detector.discovery.survey import View
from detector.discovery.tried import Placebos, Report, Rolled
from detector.errors import ConfigError, InputError
from detector.gate.policy import Policy
from detector.signals.plan import Plan
from pipelines.flows.backtest_jobs import Opening, Places, Task
from pipelines.flows.history import Dug
from pipelines.flows.trying import Sparing, Trying

if TYPE_CHECKING:
    from api.settings import Settings

__all__ = ["Wanted", "try_source"]

# Parts of the time: until when each stage may take up something new.
_SERVICES = 0.25
_PLANS, _ROLLOUTS, _PLACEBOS, _ALL = 0.3, 0.7, 0.88, 0.95
_CALL_S, _LEAST_S = 30.0, 2.0
_BUSIEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted, as it was typed."""

    days: float
    rollouts: int
    placebos: int
    within: str
    jobs: int
    as_of: str | None
    as_json: bool


@dataclass(slots=True)
class _Watch:
    """The time that is left of all."""

    seconds: float
    begun: float = field(default_factory=time.monotonic)

    def left_s(self) -> float:
        """What one call may take; the last ones are given a little more than what is left."""
        return max(min(_CALL_S, self.seconds - self.spent_s), _LEAST_S)

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self.begun

    def is_before(self, part: float) -> bool:
        """Whether a part of the time is still to come."""
        return self.spent_s < part * self.seconds


def try_source(wanted: Wanted, *, url: str | None, config: Path | None) -> int:
    """Look, ask, print. Code 4 where the source does not answer."""
    settings = _settings(url, config)
    seconds = _checked(wanted)
    watch = _Watch(seconds)
    with _source(settings) as trying_of, _progress() as progress:
        trying = trying_of(wanted, watch)
        report = _Run(trying, wanted, watch, progress, settings).report()
    if wanted.as_json:
        from api.cli.try_json import try_json

        print(json.dumps(try_json(report, settings), indent=2))
    else:
        print(try_text(report, settings), end="")
    return Code.PASS


def _checked(wanted: Wanted) -> float:
    """Seconds in all; `InputError` for what cannot be meant."""
    seconds = span_of(wanted.within, "within")
    for name, value, least, most in (
        ("days", wanted.days, 0.1, 60),
        ("rollouts", wanted.rollouts, 0, 200),
        ("placebos", wanted.placebos, 0, 5000),
        ("jobs", wanted.jobs, 1, 64),
    ):
        if not least <= value <= most:
            raise InputError(f"{value:g} is not between {least:g} and {most:g}", field=name)
    return seconds


def _settings(url: str | None, config: Path | None) -> Settings:
    if url is None and config is None and "SERINUS_SOURCE__URL" not in os.environ:
        raise ConfigError("say what to look at: serinus try URL, or --config FILE")
    return settings_of(config, url, {})


@contextmanager
def _source(settings: Settings) -> Iterator[Callable[[Wanted, _Watch], Trying]]:
    """The source, open, and what makes a try of it."""
    from api.compose import source_of
    from pipelines.packs import load_packs

    source = source_of(settings)
    policies = {policy.name: policy for policy in settings.native_policies}

    def trying(wanted: Wanted, watch: _Watch) -> Trying:
        return Trying(
            source=source,
            packs=load_packs(settings.packs),
            policy=policies.get("default", Policy()),
            now=time.time() if wanted.as_of is None else moment_of(wanted.as_of, "as_of"),
            days=wanted.days,
            left_s=watch.left_s,
            may_look=lambda: watch.is_before(_SERVICES),
        )

    try:
        yield trying
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()


@contextmanager
def _progress() -> Iterator[Progress]:
    """Bars at a terminal, one line a stage elsewhere; on standard error."""
    console = Console(stderr=True, width=None if sys.stderr.isatty() else 100)
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[what]}"),
    )
    with Progress(*columns, console=console, redirect_stdout=False) as progress:
        yield progress


class _Run:
    """The stages, one after the other."""

    def __init__(
        self,
        trying: Trying,
        wanted: Wanted,
        watch: _Watch,
        progress: Progress,
        settings: Settings,
    ) -> None:
        self.trying, self.wanted, self.watch, self.progress = trying, wanted, watch, progress
        self.opening = Sparing(Opening(settings.source.native(), settings.packs))
        self.places = Places(jobs=wanted.jobs)
        self.stages: dict[str, float] = {}

    def report(self) -> Report:
        """Everything, as far as the time reached."""
        trying = self.trying
        if self.places.jobs > 1:  # the processes start while the services are looked for
            Thread(target=trying.warm, args=(self.opening, self.places), daemon=True).start()
        with self._stage("services", None) as tick:
            census, seen = trying.services()
            rates = trying.busiest(seen)
            tick(f"{len(seen)} found")
        names = [name for name, _ in rates]
        judged = self._judged(seen, names)
        plans = {one.service: one.plan for one in judged}
        is_past_reached = self.watch.is_before(_ROLLOUTS)
        dug = Dug(read=(), unread=(), skipped=())
        with self._stage("past rollouts", None) as tick:
            if is_past_reached:
                dug = trying.dig(census, most=self.wanted.rollouts, tell=tick)
        rolled = self._rolled(trying.rollout_tasks(dug.read), dug.read)
        placebos = self._placebos(names[:_BUSIEST])
        looked = [*names[: 2 * _BUSIEST], *(one.found.service for one in rolled)]
        odd = self._oddities(seen, {name: plans[name] for name in looked if name in plans})
        listing = Listing(
            metrics=census.metrics, services=len(census.services), skipped=tuple(trying.skipped)
        )
        return Report(
            listing=listing,
            rates=dict(rates),
            judged=judged,
            unjudged=tuple(name for name in names if name not in plans),
            rolled=rolled,
            unread=(*dug.unread, *_left(dug.read, rolled)),
            skipped=dug.skipped,
            placebos=placebos,
            oddities=tuple(odd),
            days=self.wanted.days,
            now=trying.now,
            stages=self.stages,
            is_past_reached=is_past_reached,
        )

    def _judged(self, seen: Mapping[str, View], names: Sequence[str]) -> tuple[Judged, ...]:
        out = []
        with self._stage("what would be judged", len(names)) as tick:
            for one in self.trying.plans(seen, names):
                out.append(one)
                tick(one.service)
                if not self.watch.is_before(_PLANS):
                    break
        return tuple(out)

    def _rolled(self, tasks: Sequence[Task], found: Sequence[Telling]) -> tuple[Rolled, ...]:
        courses = self._played("verdicts of past rollouts", tasks, _ROLLOUTS)
        return tuple(Rolled(found=found[at], course=courses[at]) for at in sorted(courses))

    def _placebos(self, names: Sequence[str]) -> Placebos:
        is_wanted = bool(names) and self.wanted.placebos > 0
        is_in_time = self.watch.is_before(_PLACEBOS)
        tasks: list[Task] = []
        if is_wanted and is_in_time:
            tasks = self.trying.placebo_tasks(names, self.wanted.placebos)
        courses = self._played("placebos (A/A)", tasks, _PLACEBOS)
        is_reached = not is_wanted or (is_in_time and not (tasks and not courses))
        return Placebos.of(list(courses.values()), asked=len(tasks), is_reached=is_reached)

    def _oddities(self, seen: Mapping[str, View], plans: Mapping[str, Plan]) -> Sequence[Oddity]:
        with self._stage(ODDITIES, None):
            if self.watch.is_before(_ALL):
                return self.trying.oddities(seen, plans)
        why = "not looked at in the time; give --within more"
        self.trying.skipped.append(Skipped(what=ODDITIES, why=why))
        return ()

    def _played(self, name: str, tasks: Sequence[Task], part: float) -> dict[int, Course]:
        """The answers of tasks by their number, until the time of the stage is up."""
        done: dict[int, Course] = {}
        with self._stage(name, len(tasks)) as tick:
            if not tasks or not self.watch.is_before(part):
                return done
            with closing(self.trying.play(tasks, self.opening, self.places)) as courses:
                for number, course in courses:
                    done[number] = course
                    tick(course.rollout.name)
                    if not self.watch.is_before(part):
                        break
        return done

    @contextmanager
    def _stage(self, name: str, total: int | None) -> Iterator[Callable[[str], None]]:
        """A bar that moves by one each time it is told something."""
        bar = self.progress.add_task(name, total=total, what="")
        begun = time.monotonic()

        def tick(what: str) -> None:
            self.progress.update(bar, advance=1, what=what[:40])

        yield tick
        done = self.progress.tasks[bar].completed
        self.progress.update(bar, total=max(total or done, 1), completed=max(done, 1), what="")
        self.stages[name] = time.monotonic() - begun


def _left(found: Sequence[Telling], rolled: Sequence[Rolled]) -> Iterator[Telling]:
    """Rollouts that were read and not judged in the time."""
    judged = {id(one.found) for one in rolled}
    return (one for one in found if id(one) not in judged)
