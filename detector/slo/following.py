"""Alerts on a burn while time goes on: those of `alerting`, with what was told kept in between.

A stretch that nobody counted ends no alert and begins none: it is not known to be fine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.slo.alerting import spendings
from detector.slo.burn import PAIRS, Burning, Course, burning

__all__ = ["Alert", "Following", "followed"]

_PLACES = list(Burning)
_QUIET = _PLACES.index(Burning.QUIET)
_LONGEST_S = max(pair.long_s for pair in PAIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert on a burn, unix seconds: it burns since `onset`, and was begun to be told later.

    `level` is the gravest that it had, `ended` None while it lasts.
    """

    begun: float
    onset: float
    level: Burning
    ended: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether it lasts."""
        return self.ended is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What was told up to the end of the bin `at` (unix seconds): the alert that is on, or was."""

    at: float
    alert: Alert | None = None


def followed(
    was: Following | None, course: Course, end: float
) -> tuple[Following, tuple[Alert, ...]]:
    """What follows of the bins after `was`, of a course that ends at unix seconds.

    Beside the state, the alerts that began, became graver or ended since, as they are now. Of what
    was before anybody followed, only what still lasts is told.
    """
    if was is not None:
        # No window of a bin that is new reaches further back.
        new = max(round((end - was.at) / course.step_s), 1)
        course = course.last(new + course.bins(_LONGEST_S))
    walk = _Walk(course, end)
    first = 0 if was is None else walk.place(was.at)
    alert, at = (None, walk.begin) if was is None else (was.alert, was.at)
    changed: dict[float, Alert] = {}
    for place in walk.known(first):
        after = walk.stepped(alert, place)
        if after is not None and after is not alert:
            changed[after.begun] = after
        alert, at = after, walk.time(place)
    news = [one for one in changed.values() if was is not None or one.is_on]
    return Following(at=at, alert=alert), tuple(news)


class _Walk:
    """Steps through the bins of a course that ends at unix seconds."""

    def __init__(self, course: Course, end: float) -> None:
        self._course = course
        self.begin = end - course.step_s * len(course.total)
        self._level, self._spending = burning(course), spendings(course)

    def place(self, at: float) -> int:
        """Of the first bin that ends after a time."""
        place = round((at - self.begin) / self._course.step_s)
        return min(max(place, 0), len(self._level))

    def time(self, place: int) -> float:
        """The end of a bin."""
        return self.begin + self._course.step_s * (place + 1)

    def known(self, first: int) -> Sequence[int]:
        """The bins from one on of which it is known whether it burns."""
        counted = np.isfinite(self._course.total) & (self._level >= _QUIET)
        places: list[int] = (first + np.flatnonzero(counted[first:])).tolist()
        return places

    def stepped(self, alert: Alert | None, place: int) -> Alert | None:
        """The alert after one more bin."""
        level = int(self._level[place])
        if alert is None or not alert.is_on:
            return self._begun(alert, place) if level > _QUIET else alert
        if level <= _QUIET:
            return replace(alert, ended=self.time(place - 1))
        is_graver = level > _PLACES.index(alert.level)
        return replace(alert, level=_PLACES[level]) if is_graver else alert

    def _begun(self, last: Alert | None, place: int) -> Alert | None:
        """A new alert, where it tells something that the last one did not."""
        ended = None if last is None or last.ended is None else self.place(last.ended)
        if all(one.begins(place, place + 1, ended) > place for one in self._spending):
            return last
        level = _PLACES[int(self._level[place])]
        onset = self.begin + self._course.step_s * self._onset(place, ended or 0)
        return Alert(begun=self.time(place), onset=onset, level=level)

    def _onset(self, place: int, since: int) -> int:
        """The bin at which the burn began: since then the most was spent beyond the budget.

        The estimate that goes with cumulated sums (E. S. Page, *Continuous Inspection Schemes*,
        1954), over the shortest of the windows that see it.
        """
        first = max(place + 1 - self._shortest(place), since, 0)
        spending = self._spending[0]
        beyond = spending.bad - self._course.budget * spending.total
        # Of equals the last: nothing was spent in between.
        back = int(np.argmin(beyond[first : place + 1][::-1]))
        return place - back

    def _shortest(self, place: int) -> int:
        return min(
            self._course.bins(pair.long_s)
            for pair, one in zip(PAIRS, self._spending, strict=True)
            if one.on[place]
        )
