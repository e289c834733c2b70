"""Symptoms, changes and who calls whom, for tests of incidents."""

from __future__ import annotations

from dataclasses import replace

from detector.changes.change import Change, ChangeEvent, ChangeKind, ChangePhase, Place, change_of
from detector.incidents.calls import call_map
from detector.incidents.linking import Alone
from detector.incidents.symptom import Symptom
from detector.stream.anomaly import AnomalyKind, Severity, Side

__all__ = ["CALLS", "MINUTE", "T0", "WEEKLY", "change", "symptom"]

T0, MINUTE = 1_790_000_000_000, 60_000
# web calls cart and search, both call db; mail is called by nobody who is known.
CALLS = call_map(
    [("web", "cart"), ("web", "search"), ("cart", "db"), ("search", "db"), ("cron", "mail")]
)

# Six services, each of which falls ill once a week.
WEEKLY = Alone(services=6, rate=lambda _: 1.0 / (7 * 24 * 60 * MINUTE))


def symptom(service: str = "cart", minute: float = 0, **other: object) -> Symptom:
    """Errors of a service that last from a minute on."""
    made = Symptom(
        id=f"an_{service}_{minute}",
        service=service,
        namespace="",
        cluster="",
        metric="errors",
        kind=AnomalyKind.METRIC,
        side=Side.ABOVE,
        severity=Severity.MEDIUM,
        start=T0 + round(MINUTE * minute),
        end=None,
        share=1.0,
        versions=frozenset(),
    )
    return replace(made, **other)  # type: ignore[arg-type]


def change(
    service: str = "cart",
    minute: float = -2,
    kind: ChangeKind = ChangeKind.DEPLOYMENT,
    *,
    version: str = "",
    phase: ChangePhase = ChangePhase.SUCCEEDED,
    cluster: str = "",
) -> Change:
    """A change that was made at a minute."""
    event = ChangeEvent(
        source="/argo",
        id=f"{service}/{minute}/{kind}",
        subject=f"{service}/{minute}/{kind}",
        at=T0 + round(MINUTE * minute),
        kind=kind,
        phase=phase,
        place=Place(service=service, cluster=cluster),
        version=version,
    )
    return change_of([event])
