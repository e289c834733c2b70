"""What was learned and applied: versions that are only ever added, so that each can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detector.alerts.brief import Gravity
from detector.changes.change import ChangeKind
from detector.errors import InputError
from detector.gate.aa import Scope
from detector.gate.needing import LearnedNeed

__all__ = ["Learned", "LearnedRule", "applied", "in_force", "needs_in_force", "undone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRule:
    """From which severity on a rule tells a receiver."""

    route: str
    receiver: str
    least: Gravity


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What is in force since unix seconds, as a person applied it, or undid another.

    `bad` are chances of kinds, `rules` have severities of their own, `needs` is of fails.
    `before` is the version that is in force again once this is undone, 0 for none.
    """

    version: int
    bad: Mapping[ChangeKind, float]
    person: str
    reason: str
    at: float
    before: int
    undoes: int | None = None
    rules: tuple[LearnedRule, ...] = ()
    needs: tuple[LearnedNeed, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether all is as configured."""
        return not (self.bad or self.rules or self.needs)


def in_force(versions: Sequence[Learned]) -> Learned | None:
    """The newest of them, the oldest first; None where nothing was ever applied."""
    return versions[-1] if versions else None


def needs_in_force(versions: Sequence[Learned]) -> dict[tuple[Scope, str], float]:
    """What fails need now, by service and policy; 1 of all others."""
    last = in_force(versions)
    return {} if last is None else {(one.scope, one.policy): one.needs for one in last.needs}


def applied(
    versions: Sequence[Learned],
    bad: Mapping[ChangeKind, float],
    *,
    person: str,
    reason: str,
    at: float,
    rules: Sequence[LearnedRule] = (),
    needs: Sequence[LearnedNeed] = (),
) -> Learned:
    """The next version, with these chances; rules and needs that it does not name stay.

    What a rule tells no more, and what fails no more, teaches nothing of it any more.
    """
    last = in_force(versions)
    kept = {} if last is None else {(one.route, one.receiver): one for one in last.rules}
    named = kept | {(one.route, one.receiver): one for one in rules}
    needed = {} if last is None else {(one.scope, one.policy): one for one in last.needs}
    needed |= {(one.scope, one.policy): one for one in needs}
    version = 0 if last is None else last.version
    return Learned(
        version=version + 1,
        bad=dict(bad),
        person=person,
        reason=reason,
        at=at,
        before=version,
        rules=tuple(named.values()),
        needs=tuple(needed.values()),
    )


def undone(versions: Sequence[Learned], *, person: str, reason: str, at: float) -> Learned:
    """The next version, as it was before the one in force; `InputError` where none is."""
    last = in_force(versions)
    if last is None or last.is_empty:
        raise InputError("nothing learned is in force: there is nothing to undo", field="undo")
    old = next((one for one in versions if one.version == last.before), None)
    return Learned(
        version=last.version + 1,
        bad={} if old is None else old.bad,
        person=person,
        reason=reason,
        at=at,
        before=0 if old is None else old.before,
        undoes=last.version,
        rules=() if old is None else old.rules,
        needs=() if old is None else old.needs,
    )
