"""What scanners told: taken, found again, and what it means for a rollout."""

from __future__ import annotations

from collections.abc import Sequence

from detector.gate.attempt import Attempt
from detector.gate.policy import RollbackRule
from detector.gate.reason import Reason
from detector.gate.scanned import hold_of
from detector.ports import Clock
from detector.scans.ports import ScanFilter, ScanStore
from detector.scans.scan import Scan
from pipelines.scans.reading import scans_of

__all__ = ["Scans", "scanned_of"]

# Of one revision, the newest; a pipeline that tells more has told the same again and again.
_LOOKED_AT = 200


class Scans:
    """Takes reports and shows what is kept of them; safe for threads."""

    def __init__(self, store: ScanStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def take(
        self, tenant: str, body: bytes, *, service: str, revision: str
    ) -> tuple[tuple[Scan, bool], ...]:
        """The scans of a report, and whether each is new; `InputError`, `StoreError`."""
        from detector.logs.redaction import redacted

        now = round(1000 * self._clock())
        scans = scans_of(body, service=service, revision=revision, now=now, redact=redacted)
        return tuple((scan, self._store.add(tenant, scan)) for scan in scans)

    def list(self, wanted: ScanFilter) -> Sequence[Scan]:
        """Newest first."""
        return self._store.list(wanted)


def scanned_of(store: ScanStore, attempt: Attempt, as_of: float) -> Reason | None:
    """Why an attempt may not pass, by what scanners had told of its revision at a moment.

    A way back to what was stable is open, whatever was found in it since.
    """
    rule, identity = attempt.policy.scans, attempt.identity
    is_way_back = attempt.rollback is not None and attempt.policy.rollback is RollbackRule.PASS
    if rule is None or is_way_back:
        return None
    scans: Sequence[Scan] = ()
    if attempt.revision is not None:
        wanted = ScanFilter(
            tenant=identity.tenant,
            service=identity.service,
            revision=attempt.revision,
            until=round(1000 * as_of),
            limit=_LOOKED_AT,
        )
        scans = store.list(wanted)
    return hold_of(rule, attempt.revision, scans, as_of)
