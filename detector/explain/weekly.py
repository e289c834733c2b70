"""Once a week: services whose rollouts never end decided, and what came of all that were judged.

Times are unix seconds.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from detector.backtest.shadow import Watched, scores_of
from detector.gate.cure import cure_of
from detector.gate.reason import ReasonCode
from detector.gate.ruling import underlying
from detector.gate.scored import PolicyScore
from detector.gate.telling import Ailing, Notice, NoticeKind, Post, Route
from detector.gate.verdict import Outcome, Verdict
from models.baseline.calendar import Calendar, instant_of, local_of

__all__ = [
    "QUIET_S",
    "SPAN_S",
    "WEEK_S",
    "Shares",
    "WeeklyAt",
    "ailing_of",
    "digests",
    "shares_of",
    "weekly_at",
]

WEEK_S = 7 * 86_400.0
# Some services are rolled out once a week; what is kept of passes reaches back 30 days.
SPAN_S = 4 * WEEK_S
QUIET_S = 600.0
_SET_BACK_S = 10_800.0
# One rollout that was left undecided is no habit.
_LEAST = 2
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyAt:
    """A moment of each week by a clock on the wall: `day` 0 is Monday."""

    day: int
    hour: int
    minute: int
    calendar: Calendar = field(default_factory=Calendar, compare=False)

    def before(self, now: float) -> float:
        """The last such moment, at or before `now`."""
        wall = datetime.fromtimestamp(local_of(math.floor(1000 * now), self.calendar) / 1000, UTC)
        this = wall.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        last = this - timedelta(days=(wall.weekday() - self.day) % 7)
        at = self._instant(last)
        return at if at <= now else self._instant(last - timedelta(days=7))

    def after(self, now: float) -> float:
        """The next such moment, after `now`."""
        # Clocks that are set back make a week longer than it is.
        return self.before(self.before(now) + WEEK_S + _SET_BACK_S)

    def _instant(self, wall: datetime) -> float:
        return instant_of(round(1000 * wall.timestamp()), self.calendar) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many rollouts ended, and which share of them undecided, by reason."""

    ended: int
    inconclusive: Mapping[str, float]


def weekly_at(text: str, calendar: Calendar | None = None) -> WeeklyAt | None:
    """`monday 09:00` (UTC, or by a calendar); `never` is None; `ValueError` for anything else."""
    if text.strip().lower() == _NEVER:
        return None
    found = re.fullmatch(r"([a-z]+) ([01]\d|2[0-3]):([0-5]\d)", text.strip().lower())
    if found is None or found[1] not in _DAYS:
        raise ValueError(f"{text!r} is no moment of a week; write monday 09:00, or never")
    return WeeklyAt(
        day=_DAYS.index(found[1]),
        hour=int(found[2]),
        minute=int(found[3]),
        calendar=calendar or Calendar(),
    )


def shares_of(newest: Sequence[Verdict], *, now: float) -> Shares:
    """Of rollouts by their newest verdict; those that may still be asked about are left out."""
    ended = list(_ended(newest, now))
    open_ = Counter(_code(v) for v in ended if v.outcome is Outcome.INCONCLUSIVE)
    return Shares(
        ended=len(ended), inconclusive={code: n / len(ended) for code, n in sorted(open_.items())}
    )


def ailing_of(newest: Sequence[Verdict], *, at: float) -> tuple[Ailing, ...]:
    """Services all of whose rollouts of four weeks ended undecided, one of them in the last.

    `newest`: the newest verdict of each attempt, newest first. What a person decided counts for
    neither side. The most rollouts come first.
    """
    ended = [v for v in _ended(newest, at) if v.as_of.timestamp() >= at - SPAN_S]
    services = dict.fromkeys(v.service for v in ended)
    found = (_ailing([v for v in ended if v.service == name], at) for name in services)
    return tuple(sorted((a for a in found if a is not None), key=lambda a: -a.rollouts))


def digests(
    ailing: Sequence[Ailing],
    routes: Sequence[Route],
    *,
    at: float,
    watched: Sequence[Watched] = (),
) -> Iterator[Post]:
    """The weekly notice for each who wants one, of the services that it covers.

    `watched` are the rollouts of four weeks; without any in the last there is nothing new of them.
    """
    day = datetime.fromtimestamp(at, UTC).date().isoformat()
    for route in routes:
        own = tuple(one for one in ailing if route.covers(one.service))
        judged = [one for one in watched if route.covers(one.service)]
        is_news = own or any(one.at >= at - WEEK_S for one in judged)
        if is_news and NoticeKind.WEEKLY in route.kinds:
            notice = _digest(own, scores_of(judged), f"weekly:{day}:{route.name}", at)
            yield Post(notice=notice, to=(route.name,))


def _digest(own: tuple[Ailing, ...], scores: tuple[PolicyScore, ...], id: str, at: float) -> Notice:
    rollouts = sum(score.rollouts for score in scores)
    right, known = sum(score.right for score in scores), sum(score.known for score in scores)
    count = (
        f"The gate judged {rollouts} rollouts in four weeks, and was right in {right} of {known}"
    )
    told = f"{count} of which that is known." if scores else ""
    return Notice(
        id=id,
        kind=NoticeKind.WEEKLY,
        at=at,
        tenant="default",
        title=_title(len(own)),
        text=" ".join(part for part in (_AILING if own else "", told) if part),
        ailing=own,
        policies=scores,
    )


_AILING = (
    "Every rollout of the last four weeks ended inconclusive, so serinus protected none of"
    " them. Below is for each service the one change that would have decided the most."
)


def _title(many: int) -> str:
    if not many:
        return "What came of the verdicts"
    which = "1 service never gets" if many == 1 else f"{many} services never get"
    return f"{which} a verdict"


def _ailing(ended: Sequence[Verdict], at: float) -> Ailing | None:
    is_open = all(v.outcome is Outcome.INCONCLUSIVE for v in ended)
    if not is_open or len(ended) < _LEAST or ended[0].as_of.timestamp() < at - WEEK_S:
        return None
    usual = Counter(_code(v) for v in ended).most_common(1)[0][0]
    example = next(v for v in ended if _code(v) == usual)
    return Ailing(
        service=example.service,
        rollouts=len(ended),
        cure=cure_of(example),
        attempt=example.attempt,
        example=underlying(example.reason).text,
    )


def _ended(newest: Sequence[Verdict], now: float) -> Iterator[Verdict]:
    for verdict in newest:
        at = verdict.as_of.timestamp()
        decided = verdict.reason.code == ReasonCode.OVERRIDDEN
        if not decided and (at <= now if verdict.final else at <= now - QUIET_S):
            yield verdict


def _code(verdict: Verdict) -> str:
    return str(underlying(verdict.reason).code)
