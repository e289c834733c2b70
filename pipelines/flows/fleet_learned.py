"""What the series of a fleet have in common, learned from some of them before all are forecast."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.forecast.fleet import Common, Gathered
from models.forecast.history import DAY_S, History, ShortHistoryError
from models.forecast.origins import origins_of
from models.forecast.ready import ready_of
from pipelines.flows.fleet_kept import Trouble
from pipelines.flows.fleet_read import Reading
from pipelines.history.port import SeriesId

__all__ = ["MOST_SERIES", "Learned", "learned_of", "learns_from"]

# Series that are learned from, evenly over all; below the least each is forecast by itself.
MOST_SERIES, _LEAST_SERIES = 300, 10
_PAGE = 100
_PAST_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned, of how many series, and their names as a digest."""

    common: Common
    series: int
    digest: str


def learned_of(
    reading: Reading,
    series: Mapping[str, SeriesId],
    ahead: int,
    *,
    heard: Callable[[int], None] = lambda done: None,
) -> Learned | None:
    """What series have in common for forecasts of `ahead` steps.

    None where they are few, or too short to learn from and be tried on. Held at once are the values
    of a page, after each of which it is `heard` how many of `learns_from` are done. `SourceError`
    as of the source.
    """
    day = DAY_S // reading.span.step_s
    first = origins_of(reading.span.steps, ahead, day).at[0]
    past = _PAST_DAYS * day
    if len(series) < _LEAST_SERIES or first < past + ahead:
        return None
    names = _spread(sorted(series))
    gathered = Gathered(past=past, ahead=ahead, day=day, held=reading.span.steps - first)
    count = 0
    for done, page in _pages(reading, series, names):
        count += sum(_added(gathered, one) for one in page if isinstance(one, History))
        heard(done)
    common = gathered.common() if count >= _LEAST_SERIES else None
    if common is None:
        return None
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    return Learned(common=common, series=count, digest=digest)


def learns_from(series: Mapping[str, SeriesId]) -> int:
    """From how many of these series is learned, where that is worth it."""
    return len(_spread(sorted(series)))


def _spread(names: Sequence[str]) -> list[str]:
    """As many of them as are learned from, evenly."""
    every = -(-len(names) // MOST_SERIES)
    return list(names[:: max(every, 1)])


def _pages(
    reading: Reading, series: Mapping[str, SeriesId], names: Sequence[str]
) -> Iterator[tuple[int, Sequence[History | Trouble]]]:
    """What was read of each page, and how many that are with those before."""
    for start in range(0, len(names), _PAGE):
        page = [series[name] for name in names[start : start + _PAGE]]
        yield start + len(page), reading.histories(page)


def _added(gathered: Gathered, history: History) -> bool:
    """Whether a series had enough to be learned from."""
    try:
        ready = ready_of(history, 0)
    except ShortHistoryError:
        return False
    gathered.add(ready.values, ready.slots)
    return True
