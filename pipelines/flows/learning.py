"""What is learned from what people said: looked up, shown, and applied or undone by a person."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.alerts.brief import Gravity
from detector.alerts.history import Case
from detector.alerts.learning import RuleCut, cuts_of
from detector.changes.change import Change, ChangeKind
from detector.changes.learned import (
    Learned,
    LearnedRule,
    applied,
    in_force,
    needs_in_force,
    undone,
)
from detector.changes.record import ChangeFilter
from detector.changes.rollouts import SOURCE
from detector.errors import InputError
from detector.gate.attempt import Attempt
from detector.gate.decision import Action, AuditEntry
from detector.gate.needing import Need, Tried, needs_of
from detector.gate.record import Filter
from detector.gate.verdict import Outcome, Verdict
from detector.incidents.labels import labels_of, overridden
from detector.incidents.learning import Relearned, relearned
from detector.incidents.record import IncidentFilter, KeptIncident
from detector.incidents.suspects import SuspectSettings
from detector.ports import Stores
from pipelines.stores.incidents import SqlIncidents

__all__ = ["Learning", "Lesson", "Signed"]

_PAGE = 200
_INCIDENTS, _CHANGES, _ROLLOUTS = 10_000, 50_000, 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What a span teaches, and every version that was applied so far, the oldest first."""

    found: Relearned
    cuts: tuple[RuleCut, ...]
    versions: tuple[Learned, ...]
    needs: tuple[Need, ...] = ()

    @property
    def rules(self) -> tuple[LearnedRule, ...]:
        """Rules that had better tell from another severity on, also by what was told later."""
        better = (one for one in self.cuts if one.is_better)
        return tuple(
            LearnedRule(route=one.route, receiver=one.receiver, least=one.least) for one in better
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who wants it and why, at unix seconds."""

    person: str
    reason: str
    at: float


class Learning:
    """Learns of one database of incidents or several; `bad` is what the configuration says.

    `StoreError` of every call while one of them is away.
    """

    def __init__(
        self,
        incidents: Callable[[], Sequence[SqlIncidents]],
        stores: Stores,
        *,
        bad: Mapping[ChangeKind, float],
    ) -> None:
        self._incidents, self._stores = incidents, stores
        self._defaults = {**SuspectSettings().bad, **bad}

    def suspicion(self, tenant: str) -> SuspectSettings:
        """How changes are weighed now."""
        return SuspectSettings(bad=self._priors(self._stores.learned.of(tenant)))

    def rules(self, tenant: str) -> dict[tuple[str, str], Gravity]:
        """From which severity on rules tell now, by route and receiver; others as configured."""
        last = in_force(self._stores.learned.of(tenant))
        return {} if last is None else {(one.route, one.receiver): one.least for one in last.rules}

    def look_back(self, tenant: str, since: float, until: float) -> Lesson:
        """On what is since unix seconds, as of `until`; changes nothing."""
        versions = self._stores.learned.of(tenant)
        start, end = round(1000 * since), round(1000 * until)
        changes = list(self._changes(tenant, start))
        labels = labels_of(self._kept(tenant, start), changes, self._called(changes))
        return Lesson(
            found=relearned(labels, self._defaults, self._priors(versions)),
            cuts=cuts_of(self._cases(tenant), start, end),
            versions=tuple(versions),
            needs=needs_of(self._tried(tenant, since, until), needs_in_force(versions)),
        )

    def apply(self, tenant: str, since: float, by: Signed, *, force: bool = False) -> Learned:
        """Put in force what a span up to now teaches; `InputError` where nothing of it is better.

        Of kinds of changes, of rules and of what fails need each only where it is; `force` takes
        the kinds anyway. It is audited.
        """
        lesson = self.look_back(tenant, since, by.at)
        priors, rules = lesson.found.priors, lesson.rules
        needs = [one.learned for one in lesson.needs if one.is_better]
        if not (priors or rules or needs):
            raise InputError("there is nothing to apply: nobody said anything", field="from")
        takes_kinds = bool(priors) and (force or lesson.found.is_better)
        if not (takes_kinds or rules or needs):
            text = "it is not better on past incidents: nothing was applied; force does it anyway"
            raise InputError(text, field="force", semantic=True)
        last = in_force(lesson.versions)
        made = applied(
            lesson.versions,
            priors if takes_kinds else {} if last is None else last.bad,
            person=by.person,
            reason=by.reason,
            at=by.at,
            rules=rules,
            needs=needs,
        )
        return self._keep(tenant, made, f"{tenant} version {made.version}")

    def undo(self, tenant: str, by: Signed) -> Learned:
        """Go back to what was in force before the newest; `InputError` where that is nothing."""
        versions = self._stores.learned.of(tenant)
        made = undone(versions, person=by.person, reason=by.reason, at=by.at)
        return self._keep(tenant, made, f"{tenant} version {made.version} undoes {made.undoes}")

    def _keep(self, tenant: str, made: Learned, subject: str) -> Learned:
        self._stores.learned.add(tenant, made)
        self._stores.audit.write(
            AuditEntry(
                at=made.at,
                person=made.person,
                action=Action.LEARN,
                subject=subject,
                reason=made.reason,
            )
        )
        return made

    def _priors(self, versions: Sequence[Learned]) -> dict[ChangeKind, float]:
        """What was applied stands above the configuration, until it is undone."""
        last = in_force(versions)
        return {**self._defaults, **({} if last is None else last.bad)}

    def _kept(self, tenant: str, since: int) -> Iterator[KeptIncident]:
        for store in self._incidents():
            wanted = IncidentFilter(tenant=tenant, since=since, limit=_PAGE)
            for _ in range(_INCIDENTS // _PAGE):
                page = store.list(wanted)
                yield from page.incidents
                if page.next is None:
                    break
                wanted = replace(wanted, after=page.next)

    def _changes(self, tenant: str, since: int) -> Iterator[Change]:
        wanted = ChangeFilter(tenant=tenant, since=since, limit=_PAGE)
        for _ in range(_CHANGES // _PAGE):
            page = self._stores.changes.list(wanted)
            yield from page.changes
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)

    def _called(self, changes: Sequence[Change]) -> dict[str, bool]:
        """What people decided over verdicts on these rollouts."""
        rollouts = [change for change in changes if change.source == SOURCE]
        said = {one.id: overridden(self._stores.overrides.of(one.subject)) for one in rollouts}
        return {id: is_bad for id, is_bad in said.items() if is_bad is not None}

    def _tried(self, tenant: str, since: float, until: float) -> Iterator[Tried]:
        """Past rollouts by their last verdicts; those that never were judged teach nothing."""
        wanted = Filter(tenant=tenant, since=since, until=until, limit=_PAGE, newest_only=True)
        for _ in range(_ROLLOUTS // _PAGE):
            page = self._stores.verdicts.list(wanted)
            for verdict in page.verdicts:
                attempt = self._stores.attempts.get(verdict.attempt)
                is_bad = overridden(self._stores.overrides.of(attempt.id))
                tried = _tried_of(verdict, attempt, is_bad=is_bad)
                if tried is not None:
                    yield tried
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)

    def _cases(self, tenant: str) -> Iterator[Case]:
        for store in self._incidents():
            history = store.histories().get(tenant)
            if history is not None:
                yield from history.cases.values()


def _tried_of(verdict: Verdict, attempt: Attempt, *, is_bad: bool | None) -> Tried | None:
    """What its signals say, whatever a person decided; None for one that neither failed nor passed.

    `is_bad` is what a person called it.
    """
    failed = [one for one in verdict.signals if one.judged and one.outcome is Outcome.FAIL]
    if not failed and verdict.outcome is not Outcome.PASS:
        return None
    raised = 0.0 if attempt.aa is None else attempt.aa.log_raised
    overs = [
        math.log(one.evidence / one.needed)
        for one in failed
        if one.evidence and one.needed and one.evidence > 0
    ]
    return Tried(
        scope=attempt.identity.scope,
        policy=attempt.policy.name,
        alpha=attempt.policy.alpha,
        over=max(overs, default=0.0) + max(raised, math.log(attempt.policy.needs)),
        has_failed=bool(failed),
        is_wrong=bool(failed) and is_bad is False,
    )
