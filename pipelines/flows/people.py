"""What people decide: overrides, break-glass modes, policies; each written to the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detector.errors import NotFoundError
from detector.gate.decision import Action, AuditEntry, ModeChange, Override, standing_mode
from detector.gate.policy import Mode, Policy
from detector.gate.record import PolicyVersion, Pruned
from detector.gate.verdict import Outcome
from detector.ports import Clock, Stores
from pipelines.flows.asked import check_person

__all__ = ["People"]


class People:
    """Decisions, and the policies that there are; `configured` are those of no store."""

    def __init__(self, stores: Stores, clock: Clock, configured: Mapping[str, Policy]) -> None:
        self._stores, self._clock, self._configured = stores, clock, configured

    def override(
        self, attempt: str, *, outcome: Outcome, person: str, reason: str, for_s: float
    ) -> Override:
        """A person decides for an attempt, for a while; audited."""
        check_person(person, reason, for_s)
        self._stores.attempts.get(attempt)
        now = self._clock()
        made = Override(
            attempt=attempt,
            outcome=outcome,
            person=person,
            reason=reason,
            at=now,
            until=now + for_s,
        )
        self._stores.overrides.add(made)
        self._audit(now, person, Action.OVERRIDE, f"{attempt} {outcome} for {for_s:g} s", reason)
        return made

    def set_mode(
        self,
        mode: Mode | None,
        *,
        person: str,
        reason: str,
        for_s: float,
        service: str | None = None,
        tenant: str = "default",
    ) -> ModeChange:
        """Break-glass: a mode for all or one service, for a while; None ends it. Audited."""
        check_person(person, reason, for_s)
        now = self._clock()
        change = ModeChange(
            tenant=tenant,
            service=service,
            mode=mode,
            person=person,
            reason=reason,
            at=now,
            until=now + for_s,
        )
        self._stores.modes.add(change)
        what = f"{mode or 'policy'} for {service or 'all'} for {for_s:g} s"
        self._audit(now, person, Action.MODE, what, reason)
        return change

    def modes(self, tenant: str = "default") -> tuple[ModeChange, ...]:
        """The break-glass modes in force, that of all services first."""
        now, changes = self._clock(), self._stores.modes.of(tenant)
        scopes = sorted({c.service or "" for c in changes})
        found = (_in_force(changes, scope or None, now) for scope in scopes)
        return tuple(c for c in found if c is not None)

    def policy(self, policy: str | Policy) -> Policy:
        """A policy by name, or as it was given; `NotFoundError` names the known ones."""
        if isinstance(policy, Policy):
            return policy
        try:
            return self._stores.policies.get(policy)
        except NotFoundError:
            pass
        if policy in self._configured:
            return self._configured[policy]
        if policy == "default":
            return Policy()
        known = ", ".join(sorted({"default", *self._configured, *self._saved()}))
        raise NotFoundError(f"no policy {policy!r}; known: {known}")

    def _saved(self) -> Sequence[str]:
        return [v.policy.name for v in self._stores.policies.all()]

    def policies(self) -> tuple[PolicyVersion, ...]:
        """All policies by name; those of the configuration have version 0."""
        built_in = {"default": Policy(), **self._configured}
        found = {
            name: PolicyVersion(policy=policy, version=0, at=0.0, person="configuration")
            for name, policy in built_in.items()
        }
        found |= {v.policy.name: v for v in self._stores.policies.all()}
        return tuple(found[name] for name in sorted(found))

    def save_policy(self, policy: Policy, *, person: str, reason: str = "") -> int:
        """Save a named policy and return its version; attempts under way keep theirs."""
        now = self._clock()
        version = self._stores.policies.save(policy, at=now, person=person)
        self._audit(now, person, Action.POLICY, f"{policy.digest} version {version}", reason)
        return version

    def audit(self, *, limit: int = 100, before: float | None = None) -> Sequence[AuditEntry]:
        """What people did, newest first."""
        return self._stores.audit.entries(limit=limit, before=before)

    def prune(self) -> Pruned:
        """Delete what is past its retention."""
        return self._stores.retention.prune(self._clock())

    def _audit(self, at: float, person: str, action: Action, subject: str, reason: str) -> None:
        entry = AuditEntry(at=at, person=person, action=action, subject=subject, reason=reason)
        self._stores.audit.write(entry)


def _in_force(changes: Sequence[ModeChange], service: str | None, now: float) -> ModeChange | None:
    own = [c for c in changes if c.service == service]
    return standing_mode(own, service or "", now)
