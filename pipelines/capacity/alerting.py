"""Tells people of what runs out soon, once for each time that it comes near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from detector.capacity.alarming import Nearing, nearing
from detector.capacity.report import Report
from detector.capacity.summary import sentence
from detector.gate.telling import Notice, NoticeKind, Post, Route, addressed
from detector.ports import Outbox

__all__ = ["CapacityAlerts"]

# More at once is no news for people on call: the report is what to read then.
_MOST = 20


@dataclass(frozen=True, slots=True)
class CapacityAlerts:
    """Compares each report with the one before it, and puts what is new into the outbox."""

    outbox: Outbox
    routes: Sequence[Route]
    days: int
    tenant: str = "default"

    def heard(self, report: Report, before: Report | None) -> None:
        """Tell what came near since; `StoreError`."""
        posts: list[Post] = []
        for one in nearing(report, before, days=self.days)[:_MOST]:
            posts += addressed(_notice(one, report, self.tenant), self.routes)
        if posts:
            self.outbox.put(posts)


def _notice(one: Nearing, report: Report, tenant: str) -> Notice:
    about = one.assessment.identity
    key = sha256(about.key.encode()).hexdigest()[:16]
    sizing = one.assessment.sizing
    return Notice(
        id=f"capacity:{key}:{one.level}:{one.month}",
        kind=NoticeKind.CAPACITY,
        at=report.made_at / 1000,
        tenant=tenant,
        title=f"{about.title[0].upper()}{about.title[1:]} {one.title}",
        text=sentence(one.assessment),
        advice="" if sizing is None else sizing.why,
        service=about.service,
    )
