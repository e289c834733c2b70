"""What a try of a source found, as a value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detector.backtest.course import Course
from detector.discovery.census import Skipped
from detector.discovery.judged import Judged
from detector.discovery.oddities import Oddity
from detector.discovery.past import Ending, Telling
from detector.discovery.portrait import Listing
from models.proportion import exact_interval

__all__ = ["Placebos", "Report", "Rolled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """A past rollout with what the gate would have said of it at each minute."""

    found: Telling
    course: Course

    @property
    def says(self) -> str:
        """What the gate would have done, beside what people did."""
        course, ending = self.course, self.found.ending
        if course.first_fail is not None:
            same = ending is Ending.ROLLED_BACK
            return "would have stopped it" + (", as people did" if same else "")
        if course.first_pass is not None:
            other = ending is Ending.ROLLED_BACK
            return "would have let it on" + (", people took it back" if other else "")
        return "would have stayed undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placebos:
    """Placebos that were asked about: of `judged` ones `failed` would have been rolled back.

    `services` is how many services they are of. `is_reached`: False where the time was up before
    any could be looked for, so that none judged says nothing of the data.
    """

    asked: int
    judged: int
    failed: int
    passed: int
    services: int
    closest: float | None
    failures: tuple[Course, ...] = ()
    is_reached: bool = True

    @classmethod
    def of(cls, courses: Sequence[Course], *, asked: int, is_reached: bool = True) -> Placebos:
        """What courses of placebos come to."""
        judged = [course for course in courses if course.is_judged]
        failed = [course for course in judged if course.first_fail is not None]
        most = [value for course in judged for value in course.closest.values()]
        return cls(
            asked=asked,
            judged=len(judged),
            failed=len(failed),
            passed=sum(course.first_pass is not None for course in judged),
            services=len({course.rollout.request.service for course in judged}),
            closest=math.exp(max(most)) if most else None,
            failures=tuple(failed),
            is_reached=is_reached,
        )

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share that would be rolled back lies, 95 %."""
        return exact_interval(self.failed, self.judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it. `rates` are requests per second; `unread` rollouts were not looked at in full.

    `is_past_reached`: False where the time was up before rollouts could be looked for at all.

    `stages` tells the seconds of each stage; `now` is unix seconds.
    """

    listing: Listing
    rates: Mapping[str, float]
    judged: tuple[Judged, ...]
    unjudged: tuple[str, ...]
    rolled: tuple[Rolled, ...]
    unread: tuple[Telling, ...]
    skipped: tuple[Skipped, ...]
    placebos: Placebos
    oddities: tuple[Oddity, ...]
    days: float
    now: float
    stages: Mapping[str, float]
    is_past_reached: bool = True
