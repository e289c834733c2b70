"""`serinus try`: what a stranger's source holds, and what the gate would have said of its past.

Everything is read and nothing is written. Each stage has its own part of the time and says what it
left out; what is not looked at in time is named.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from threading import Lock

import numpy as np

from detector.backtest.course import Course, PastRollout
from detector.backtest.placebos import PLACEBO_S
from detector.discovery.census import Census, Skipped, census
from detector.discovery.judged import Judged, judged_of
from detector.discovery.looking import Look
from detector.discovery.oddities import Course as Hours
from detector.discovery.oddities import Oddity, course_of, hourly, strongest
from detector.discovery.past import Telling
from detector.discovery.rehearsal import rehearsal
from detector.discovery.splits import splits
from detector.discovery.survey import View, views
from detector.errors import InputError, SourceError
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.ports import MetricOutline
from detector.series import FloatArray, Series
from detector.signals.packs import Pack
from detector.signals.plan import Plan
from detector.signals.signal import Kind, Shape
from pipelines.flows.aa import Checking, placebos_of
from pipelines.flows.backtest import Past
from pipelines.flows.backtest_jobs import Opening, Places, Task, play_all
from pipelines.flows.cataloged import KeptCatalog
from pipelines.flows.discovery import Discovery
from pipelines.flows.history import Dug, History, past_rollout
from pipelines.sources.open import Source

__all__ = ["Sparing", "Trying"]

_NOBODY = '{__none__="nothing"}'
_HOUR_S, _DAY_S, _WEEK_S = 3600.0, 86_400.0, 7 * 86_400.0
_PLACEBO_DAYS = 1.0
_ODD_STEP_S = 1800.0
_BATCH = 25

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sparing:
    """What opens a source in a process, with a catalogue that asks for names once."""

    opening: Opening

    def __call__(self) -> Past:
        """The source, opened now."""
        past = self.opening()
        return replace(past, catalog=KeptCatalog(past.catalog))


@dataclass(slots=True, kw_only=True)
class Trying:
    """The stages of a try, to be called in order; `now` is unix seconds.

    `left_s` gives the seconds that one call may take; `may_look` whether there is time to look at
    more services.
    """

    source: Source
    packs: Sequence[Pack]
    policy: Policy
    now: float
    days: float
    left_s: Callable[[], float]
    may_look: Callable[[], bool] = lambda: True
    seed: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    catalog: KeptCatalog = field(init=False)
    # One pool of processes: who wants it while it comes up waits.
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.catalog = KeptCatalog(self.source)

    def look(self, seconds: float = _HOUR_S) -> Look:
        """A look back over a span."""
        return Look(
            catalog=self.catalog,
            start=self.now - seconds + _HOUR_S,
            end=self.now,
            timeout_s=self.left_s(),
        )

    # -- services

    def services(self) -> tuple[Census, Mapping[str, View]]:
        """All services as they are now, by name."""
        look = self.look()
        found = census(look, self.packs, names=look.names())
        seen, skipped = views(look, self.packs, found.sightings, may_go_on=self.may_look)
        self.skipped += [*found.skipped, *skipped]
        return found, {name: held[0] for name, held in seen.items() if held[0].series}

    def busiest(self, seen: Mapping[str, View]) -> tuple[tuple[str, float], ...]:
        """Services with their requests per second in the last hour, the busiest first."""
        rates: dict[str, float] = {}
        grid = self._grid(_HOUR_S, _HOUR_S / 4)
        for name, held in self._outlines(seen, grid):
            rates[name] = float(hourly(held, grid).sum() / (grid[-1] - grid[0]))
        return tuple(sorted(rates.items(), key=lambda one: (-one[1], one[0])))

    def plans(self, seen: Mapping[str, View], order: Sequence[str]) -> Iterator[Judged]:
        """What would be judged of each service, in an order."""
        discover = Discovery(self.packs)
        for name in order:
            view = seen[name]
            try:
                yield judged_of(view, self._plan(discover, view))
            except SourceError as error:
                self.skipped.append(Skipped(what=name, why=str(error)))

    def _plan(self, discover: Discovery, view: View) -> Plan:
        arms = rehearsal(splits(view.series, view.split_by), view.series, view.split_by)
        request = VerdictRequest(
            service=view.service,
            canary=_NOBODY if arms is None else arms.canary,
            control=None if arms is None else arms.control,
        )
        begin = self.now - _HOUR_S / 6
        return discover(self.catalog, request, start=begin, end=self.now, timeout_s=self.left_s())

    # -- the past

    def dig(self, found: Census, *, most: int, tell: Told) -> Dug:
        """Rollouts of the last days; at most `most` of them are read, the newest."""
        look = self.look(self.days * _DAY_S)
        names = {one.what.split(" ")[0] for one in self.skipped}
        wanted = [one for one in found.sightings if one.service not in names]
        held, skipped = views(look, self.packs, wanted, whole=True)
        self.skipped += skipped
        history = History(look=look, source=self.source, left_s=self.left_s, tell=tell)
        return history.dig({name: views[0] for name, views in held.items()}, most=most)

    def rollout_tasks(self, found: Sequence[Telling]) -> list[Task]:
        """What has to be asked of each rollout that was found: each minute of it."""
        return [self._task(past_rollout(one), 60.0) for one in found]

    def placebo_tasks(self, names: Sequence[str], count: int) -> list[Task]:
        """Placebos over the newest day of some services, in turn over the services."""
        drawn = [self._placebos(name, -(-count // len(names))) for name in names]
        turns = (one for at in range(count) for own in drawn for one in own[at : at + 1])
        return [self._task(one, PLACEBO_S) for one in islice(turns, count)]

    def _placebos(self, name: str, count: int) -> list[PastRollout]:
        """Of one service; none where its pods cannot be told apart or changed too often."""
        past = Past(source=self.source, catalog=self.catalog, discover=Discovery(self.packs))
        checking = Checking(policy=self.policy, count=count, days=_PLACEBO_DAYS, seed=self.seed)
        asked = VerdictRequest(service=name, canary="")
        try:
            found = placebos_of(asked, past, checking, now=self.now).found
        except InputError:
            return []
        except SourceError as error:
            self.skipped.append(Skipped(what=f"placebos of {name}", why=str(error)))
            return []
        return [replace(one.rollout, name=f"{name}, {one.kind.value} pods") for one in found]

    def _task(self, rollout: PastRollout, every_s: float) -> Task:
        return Task(rollout=rollout, policies=(self.policy,), every_s=every_s)

    def play(
        self, tasks: Sequence[Task], opening: Callable[[], Past], places: Places
    ) -> Generator[tuple[int, Course]]:
        """The answers of each task, by its number, as they come; close it to give up the rest."""
        with self._lock, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*still being processed.*")
            for number, courses in play_all(tasks, opening, places):
                yield number, courses[0]

    def warm(self, opening: Callable[[], Past], places: Places) -> None:
        """Let every process come up and open the source, with a question that asks nothing."""
        at = datetime.fromtimestamp(self.now, UTC)
        request = VerdictRequest(service="-", canary=_NOBODY, started_at=at)
        rollout = PastRollout(request=request, start=self.now, end=self.now)
        task = Task(rollout=rollout, policies=(self.policy,), every_s=60.0)
        for _ in self.play([task] * places.jobs, opening, places):
            pass

    # -- oddities

    def oddities(
        self, seen: Mapping[str, View], plans: Mapping[str, Plan], *, most: int = 3
    ) -> tuple[Oddity, ...]:
        """The strangest half-hours of the week among some services."""
        return strongest(self._courses(seen, plans), most=most)

    def _courses(self, seen: Mapping[str, View], plans: Mapping[str, Plan]) -> Iterator[Hours]:
        grid = self._grid(min(_WEEK_S, self.days * _DAY_S), _ODD_STEP_S)
        chosen = {name: seen[name] for name in plans if name in seen}
        buckets = dict(self._histograms(chosen, plans, grid))
        for name, requests in self._outlines(chosen, grid):
            bad = [b for b in plans[name].signals if b.signal.kind is Kind.RATIO and not b.bad_in]
            timed = [b for b in plans[name].signals if b.total.shape is Shape.BUCKETS]
            yield course_of(
                name,
                grid,
                requests,
                bad[0].bad if bad else (),
                buckets.get(name, ()),
                timed[0].total.scale if timed else 1.0,
            )

    def _histograms(
        self, seen: Mapping[str, View], plans: Mapping[str, Plan], grid: FloatArray
    ) -> Iterator[tuple[str, Sequence[Series]]]:
        """The buckets of each service, where they carry its name."""
        asked: dict[str, View] = {}
        for name, view in seen.items():
            timed = [b for b in plans[name].signals if b.total.shape is Shape.BUCKETS]
            if timed and not timed[0].total.joined:
                total = timed[0].total
                asked[name] = view.reading(total.metric, total.matchers)
        yield from self._outlines(asked, grid)

    # -- outlines

    def _grid(self, seconds: float, step_s: float) -> FloatArray:
        """Whole multiples of a step up to now."""
        last = np.floor(self.now / step_s)
        return step_s * np.arange(last - np.floor(seconds / step_s), last + 1)

    def _outlines(
        self, seen: Mapping[str, View], grid: FloatArray
    ) -> Iterator[tuple[str, Sequence[Series]]]:
        """The series of some services at the times of a grid; what is refused is named."""
        names = list(seen)
        for begin in range(0, len(names), _BATCH):
            yield from self._outlined({n: seen[n] for n in names[begin : begin + _BATCH]}, grid)

    def _outlined(
        self, seen: Mapping[str, View], grid: FloatArray
    ) -> Iterator[tuple[str, Sequence[Series]]]:
        assert isinstance(self.source, MetricOutline)
        step = float(grid[1] - grid[0])
        try:
            answers = self.source.outline(
                [view.query for view in seen.values()],
                float(grid[0]) - step / 2,
                float(grid[-1]),
                step_s=step,
                timeout_s=self.left_s(),
            )
        except SourceError as error:
            if error.code == "query_rejected" and len(seen) > 1:
                for name, view in seen.items():
                    yield from self._outlined({name: view}, grid)
                return
            self.skipped += [Skipped(what=name, why=str(error)) for name in seen]
            return
        yield from ((name, a.series) for name, a in zip(seen, answers, strict=True))
