"""Who is told of an incident by rules: routes, hours, budgets, escalations, and what was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from detector.alerts.brief import Gravity
from detector.alerts.history import History, pruned
from detector.alerts.plan import decide, review, waiting
from detector.alerts.settings import AlertRules
from detector.gate.telling import Notice
from detector.incidents.incident import EntryKind
from detector.incidents.record import NumberedEvent
from detector.incidents.silence import words_of
from pipelines.stores.incidents import SqlIncidents

__all__ = ["IncidentAlerts", "Learned"]

# What is due again so soon after it was looked at waits.
_AGAIN_MS = 60_000


Learned = Callable[[str], Mapping[tuple[str, str], Gravity]]


class IncidentAlerts:
    """The rules over a database; `histories` are those of the tenants that were decided of.

    `learned` says from which severity on rules of a tenant tell, where people applied that.
    """

    def __init__(
        self, store: SqlIncidents, rules: AlertRules, learned: Learned = lambda _: {}
    ) -> None:
        self._store, self._rules, self._learned = store, rules, learned
        self._in_force: dict[str, AlertRules] = {}
        self._looked: dict[tuple[str, str], int] = {}
        self.histories: dict[str, History] = store.histories()

    def load(self) -> None:
        """What is kept: another process may have told of more."""
        self.histories, self._in_force = self._store.histories(), {}

    def receivers(self, told: NumberedEvent, notice: Notice) -> tuple[str, ...]:
        """Who is told of an event; the history knows it from then on."""
        brief, at = notice.incident, told.event.at
        assert brief is not None
        history = self.histories.get(notice.tenant, History())
        if told.event.kind is EntryKind.SAID:
            history = self._heard(history, told, notice.tenant)
        ask = review if told.event.kind is EntryKind.DUE else decide
        decision = ask(brief, self._rules_of(notice.tenant), history, at)
        self.histories[notice.tenant] = pruned(decision.history, at)
        return decision.receivers

    def _rules_of(self, tenant: str) -> AlertRules:
        if tenant not in self._in_force:
            learned = self._learned(tenant)
            self._in_force[tenant] = replace(self._rules, learned=learned)
        return self._in_force[tenant]

    def remind(self, now: int) -> None:
        """Have looked at what time has made due."""
        for tenant, history in self.histories.items():
            due = [id for id in waiting(history, self._rules, now) if self._is_new(tenant, id, now)]
            if due:
                self._store.remind(tenant, due, now)
        if len(self._looked) > len(self.histories) * 1000:
            self._looked.clear()

    def _is_new(self, tenant: str, id: str, now: int) -> bool:
        if now - self._looked.get((tenant, id), 0) < _AGAIN_MS:
            return False
        self._looked[tenant, id] = now
        return True

    def _heard(self, history: History, told: NumberedEvent, tenant: str) -> History:
        """With what people said up to this event."""
        incident = told.event.incident.id
        case = history.cases.get(incident)
        known = 0 if case is None else max([0, *(word.at for word in case.words)])
        for word in words_of(self._store.get(tenant, incident).said):
            if known < word.at <= told.event.at:
                history = history.heard(incident, word)
        return history
