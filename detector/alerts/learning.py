"""From which severity on a rule had better tell, by what people said of what it told.

The older two thirds of what was told and judged propose, the rest is what the proposal is held
against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from detector.alerts.brief import Gravity
from detector.alerts.history import Case
from detector.alerts.precision import Judged, judged
from models.binomial import plausible

__all__ = ["Cut", "RuleCut", "cuts_of"]

# Worth no word is what is an incident in less than one of five, with 95 % of certainty.
_WORTH, _SURE = 0.2, 0.9
_PROPOSING = 2 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Of what was told from a severity on: how many were incidents, and how many were none."""

    right: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCut:
    """A rule and who it leads to, that had better tell from `least` on.

    `before` and `after` count what it told later than what that was learned of.
    """

    route: str
    receiver: str
    least: Gravity
    before: Cut
    after: Cut

    @property
    def is_better(self) -> bool:
        """Whether that would have spared more than it would have hidden, later too."""
        spared = self.before.wrong - self.after.wrong
        hidden = self.before.right - self.after.right
        return spared > 0 and hidden <= _WORTH * (spared + hidden)


@dataclass(frozen=True, slots=True)
class _Told:
    at: int
    gravity: Gravity
    is_right: bool


def cuts_of(cases: Iterable[Case], since: int, until: int) -> tuple[RuleCut, ...]:
    """Of each rule that tells what is hardly ever an incident, over [since, until) unix ms."""
    found: dict[tuple[str, str], list[_Told]] = {}
    for case in cases:
        for key, told in _told(case, since, until):
            found.setdefault(key, []).append(told)
    cuts = (_cut(route, receiver, told) for (route, receiver), told in sorted(found.items()))
    return tuple(cut for cut in cuts if cut is not None)


def _told(case: Case, since: int, until: int) -> Iterator[tuple[tuple[str, str], _Told]]:
    """As each rule told it first, where people said what it was."""
    said = judged(case)
    for one in case.told if said is not None else ():
        if one.step == 0 and since <= one.at < until:
            right = said is not Judged.NONE
            yield (one.route, one.receiver), _Told(one.at, case.severity, right)


def _cut(route: str, receiver: str, told: Sequence[_Told]) -> RuleCut | None:
    """The highest severity below which hardly anything was one; None where that is the least."""
    ordered = sorted(told, key=lambda one: (one.at, one.gravity.rank, one.is_right))
    first = round(_PROPOSING * len(ordered))
    least = Gravity.LOW
    for gravity in (Gravity.LOW, Gravity.MEDIUM):
        own = [one for one in ordered[:first] if one.gravity is gravity]
        right = sum(one.is_right for one in own)
        _, high = plausible(1.0 + right, 1.0 + len(own) - right, _SURE)
        if high >= _WORTH:
            break
        least = list(Gravity)[gravity.rank + 1]
    if least is Gravity.LOW:
        return None
    later = ordered[first:]
    return RuleCut(
        route=route,
        receiver=receiver,
        least=least,
        before=_counted(later, Gravity.LOW),
        after=_counted(later, least),
    )


def _counted(told: Iterable[_Told], least: Gravity) -> Cut:
    kept = [one.is_right for one in told if one.gravity.rank >= least.rank]
    return Cut(right=sum(kept), wrong=len(kept) - sum(kept))
