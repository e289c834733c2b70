"""At most N incidents a week are told to a team: those that are worth it, by calibrated ranking.

What comes is compared with the team's incidents of four weeks: its tail is the share of them that
ranked as high, ties broken by its id (a smoothed conformal p-value: Vovk, Gammerman, Shafer,
*Algorithmic Learning in a Random World*, 2005), so it is uniform while weeks are alike. It is told
where its tail is at most the ratio of what is left of the budget to what is expected to come until
more is left: the budget-ratio policy (Arlotto, Gurvich, "Uniformly bounded regret in the
multi-secretary problem", 2019), here in a rolling week, whose slots come back one by one.
Of forty incidents a week with a budget of ten this tells 94 % of each week's worst three and 67 %
of its worst ten; first come, first served tells 24 % and 25 %, and who knew the week's end all
(Poisson arrivals, twenty runs of twelve weeks: `tests/detector/alerts/test_budget.py`).
Nothing borrows: what was spent is spent, and what is left is kept for what is rarer the less it is.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from detector.alerts.brief import IncidentBrief
from detector.alerts.history import Case
from detector.alerts.matching import labels_of

__all__ = ["PAST_MS", "WEEK_MS", "Ledger", "Worth", "ledger_of", "rank_of", "worth"]

WEEK_MS = 7 * 86_400_000
PAST_MS = 4 * WEEK_MS
# Four doublings of the services outweigh a step of severity: sixteen that are slow, one that fails.
_SEVERITY, _USERS = 4.0, 2.0
# What comes again people have heard of, or it was not worth it: half a step less.
_BACK = 2.0
# A tenth of the budget is kept back for the gravest: of each week's worst three 94 % are told
# instead of 91 %, of its worst ten 67 % instead of 71 %. Of the last ones a part is never kept.
_RESERVE, _LEAST = 0.1, 0.3
# Half a second of a week: a rate that is the budget's to the millisecond is not above it.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Of one team: when it was told in the last week, and what came in four, in their order.

    `ranks` are those at first sight of what came at `came`.
    """

    spent: tuple[int, ...] = ()
    came: tuple[int, ...] = ()
    ranks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Whether it is told: its tail, the largest that is told now, and how many were left."""

    is_told: bool
    tail: float
    most: float
    left: int


def rank_of(brief: IncidentBrief) -> float:
    """How much an incident is worth telling; only the order counts.

    Severity first, then how many services show it and by how many signs, whether users see it (the
    label `user_facing` is `true`), and how sure it is that a change caused it, which can be undone;
    less where it only comes again.
    """
    users = labels_of(brief).get("user_facing") == "true"
    return (
        _SEVERITY * brief.severity.rank
        + math.log2(max(1, len(brief.services)))
        + 0.5 * math.log2(max(1, brief.count))
        + (_USERS if users else 0.0)
        + 0.5 * (1.0 - brief.none)
        - (_BACK if brief.is_back else 0.0)
    )


def ledger_of(cases: Iterable[Case], team: str, now: int) -> Ledger:
    """What is kept of a team's budget at unix ms."""
    kept = tuple(cases)
    spent = [one.at for case in kept for one in case.told if one.paid and one.team == team]
    ranked = [one for case in kept for one in case.ranked if one.team == team]
    past = sorted((one.at, one.first) for one in ranked if now - PAST_MS < one.at <= now)
    return Ledger(
        spent=tuple(sorted(at for at in spent if at > now - WEEK_MS)),
        came=tuple(at for at, _ in past),
        ranks=tuple(rank for _, rank in past),
    )


def worth(ledger: Ledger, a_week: int, rank: float, incident: str, now: int) -> Worth:
    """Whether an incident that is not in the ledger is told at unix ms."""
    left = max(0, a_week - len(ledger.spent))
    tail = _tail(sorted(ledger.ranks), rank, incident)
    most = _most(ledger, a_week, left, now)
    return Worth(is_told=left > 0 and tail <= most, tail=tail, most=most, left=left)


def _tail(ranks: Sequence[float], rank: float, incident: str) -> float:
    above = len(ranks) - bisect_right(ranks, rank)
    same = bisect_right(ranks, rank) - bisect_left(ranks, rank)
    return (above + _toss(incident) * (same + 1)) / (len(ranks) + 1)


def _toss(incident: str) -> float:
    """Between 0 and 1, the same for the same incident."""
    return int.from_bytes(sha256(incident.encode()).digest()[:7], "big") / (1 << 56)


def _most(ledger: Ledger, a_week: int, left: int, now: int) -> float:
    """The tail up to which is told; the reserve counts only where not all can be told."""
    if left == 0:
        return 0.0
    plain = _ratio(ledger, left, now)
    kept = max(left - _RESERVE * a_week, _LEAST * left)
    return 1.0 if plain >= 1.0 - _ROUNDING else _ratio(ledger, kept, now)


def _ratio(ledger: Ledger, left: float, now: int) -> float:
    """The least ratio of slots to arrivals over each stretch until another slot comes back."""
    rate = _rate(ledger, now)
    back = [at + WEEK_MS - now for at in ledger.spent] + [WEEK_MS]
    return min((left + more) / (rate * until) for more, until in enumerate(back) if until > 0)


def _rate(ledger: Ledger, now: int) -> float:
    """Arrivals in a millisecond, over at least a week, this one among them."""
    first = ledger.came[0] if ledger.came else now
    return (len(ledger.came) + 1) / min(PAST_MS, max(WEEK_MS, now - first))
