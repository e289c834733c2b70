"""What past reports said of a resource, against what came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from detector.capacity.assessed import Accuracy, Assessment, Outlook
from detector.capacity.days import Days
from detector.capacity.exhaustion import first_passages
from detector.capacity.moments import day, lasting
from detector.capacity.report import Report
from detector.capacity.resource import Kind
from detector.series import FloatArray
from models.baseline.calendar import DAY_MS

__all__ = ["accuracy"]

_LEAST_DAYS = 7


def accuracy(
    past: Sequence[Report], key: str, days: Days, kind: Kind, as_of: int
) -> Accuracy | None:
    """How good the reports were, the oldest first; None where none of them can be judged yet.

    A report is judged after a week; its date once the limit that it knew was reached, or its P90 or
    its horizon has gone by without. What-ifs are left out: they did not say what will be.
    """
    told = [one for one in _told(past, key, as_of) if one.outlook is not None]
    if not told:
        return None
    misses = [_dated(one, days, kind, as_of) for one in told]
    dated = [one for one in misses if one is not None]
    errors = [error for _, error in dated if error is not None]
    off, inside = _followed(told, days)
    return Accuracy(
        reports=len(told),
        dates=len(dated),
        within=sum(is_within for is_within, _ in dated),
        date_error_days=median(abs(error) for error in errors) if errors else None,
        error=off,
        inside=inside,
        sentence=_sentence(told[-1], misses[-1], days, kind, off),
    )


def _told(past: Sequence[Report], key: str, as_of: int) -> Iterator[Assessment]:
    for report in past:
        for one in report.assessments:
            is_old = one.as_of + _LEAST_DAYS * DAY_MS <= as_of
            if is_old and one.identity.key == key and not one.what_if:
                yield one


def _reached(one: Assessment, days: Days, kind: Kind) -> int | None:
    """When the limit of that report was reached after it (unix ms), None where it was not yet."""
    if one.limit is None:
        return None
    later, before = _later(one.as_of, days)
    if not len(later):
        return None
    starts = days.end_ms - DAY_MS * np.arange(len(later), 0, -1, dtype=np.int64)
    bound = np.array([one.limit.at(int(start) + DAY_MS // 2) for start in starts])
    found = first_passages(np.nan_to_num(later, nan=-1.0)[None, :], bound, before, kind)[0]
    return int(starts[0] + DAY_MS * found) if np.isfinite(found) else None


def _later(since: int, days: Days) -> tuple[FloatArray, float]:
    """Days that begin after a moment, and the last that is known of before."""
    first = int(np.clip(-((days.start_ms - since) // DAY_MS), 0, len(days.worst)))
    before = days.worst[:first][np.isfinite(days.worst[:first])]
    return days.worst[first:], float(before[-1]) if len(before) else 0.0


def _dated(one: Assessment, days: Days, kind: Kind, as_of: int) -> tuple[bool, float | None] | None:
    """Whether the truth was between P10 and P90, and how many days later than P50 it came.

    The second is None where one of both is beyond the horizon; all of it where it is not known yet.
    """
    said = one.exhaustion
    if said is None or said.since is not None:
        return None
    came, until = _reached(one, days, kind), one.as_of + 1000 * one.horizon_s
    if came is None or came > until:
        over = until if said.p90 is None else said.p90
        return None if as_of < over else (said.p90 is None, None)
    early = said.p10 is None or came < said.p10
    late = said.p90 is not None and came > said.p90
    error = None if said.p50 is None else (came - said.p50) / DAY_MS
    return not early and not late, error


def _followed(told: Sequence[Assessment], days: Days) -> tuple[float | None, float | None]:
    """The median distance of usage from P50 as a share of it, and the share between P10 and P90."""
    found = [_against(one.outlook, days) for one in told if one.outlook is not None]
    off = np.concatenate([first for first, _ in found])
    inside = np.concatenate([second for _, second in found])
    if not len(off):
        return None, None
    return float(np.median(off)), float(inside.mean())


def _against(outlook: Outlook, days: Days) -> tuple[FloatArray, FloatArray]:
    """Of each day that came since: the distance, and whether it was inside."""
    count = int(np.clip((days.end_ms - outlook.start_ms) // DAY_MS, 0, len(outlook.p50)))
    shift = (outlook.start_ms - days.start_ms) // DAY_MS
    at = np.arange(count)
    at = at[(at + shift >= 0) & (at + shift < len(days.worst))]
    came = days.worst[at + shift]
    known = np.isfinite(came)
    came, at = came[known], at[known]
    p10, p50, p90 = (np.array(some)[at] for some in (outlook.p10, outlook.p50, outlook.p90))
    inside = ((came >= p10) & (came <= p90)).astype(np.float64)
    return np.abs(came - p50) / np.maximum(p50, 1e-300), inside


def _sentence(
    last: Assessment,
    dated: tuple[bool, float | None] | None,
    days: Days,
    kind: Kind,
    off: float | None,
) -> str:
    """What the last report said, and what came."""
    said, when = last.exhaustion, day(last.as_of)
    usage = "" if off is None else f" Usage was {off:.0%} off its forecast, at the median."
    if said is None or said.since is not None:
        return f"On {when} no date was said.{usage}"
    date = "not within the horizon" if said.p50 is None else day(said.p50)
    came = _reached(last, days, kind)
    if came is None:
        still = "and it was not, as yet" if dated is None else "and it was not"
        return f"On {when} we said that the limit is reached: {date}; {still}.{usage}"
    late = ""
    if dated is not None and dated[1] is not None:
        word = "later" if dated[1] >= 0 else "earlier"
        late = f", {lasting(86_400 * abs(dated[1]))} {word} than said"
    return (
        f"On {when} we said that the limit is reached: {date}; it was on {day(came)}{late}.{usage}"
    )
