"""Events of a stream as it keeps them, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from detector.stream.anomaly import (
    Anomaly,
    AnomalyState,
    Contribution,
    Ending,
    Happened,
    Happening,
    Severity,
    Side,
    Subject,
    anomaly_id,
)
from detector.stream.columns import SeriesInfo, SeriesKind
from pipelines.stores.connections import Connections
from pipelines.stores.events import Told, add_event

__all__ = ["MINUTE", "T0", "Wire", "anomaly"]

T0, MINUTE = 1_790_000_000_000, 60_000


def anomaly(
    service: str = "cart",
    minute: float = 0,
    *,
    until: float | None = None,
    ending: Ending = Ending.CALM,
    severity: Severity = Severity.MEDIUM,
    tenant: str = "default",
    metric: str = "errors",
    again: float | None = None,
) -> Anomaly:
    """Errors of a service from a minute on; over where `until` is given, back where `again` is."""
    start = T0 + round(MINUTE * minute)
    end = None if until is None else T0 + round(MINUTE * until)
    subject = Subject(service=service, namespace="shop", cluster="", metric=metric)
    worst = Contribution(
        series=7, start=start, peak_at=start, end=end, value=40.0, expected=10.0, low=7.0,
        high=13.0, surprise=9.5, excess=4.5,
    )  # fmt: skip
    return Anomaly(
        id=anomaly_id(tenant, subject, Side.ABOVE, start, 7),
        tenant=tenant,
        subject=subject,
        side=Side.ABOVE,
        severity=severity,
        state=AnomalyState.OPEN if end is None else AnomalyState.CLOSED,
        ending=None if end is None else ending,
        start=start,
        end=end,
        members=1,
        live=4,
        contributions=(worst,),
        again=None if again is None else T0 + round(MINUTE * again),
    )


@dataclass(slots=True)
class Wire:
    """Keeps events one after the other, as a stream does."""

    database: Connections
    _position: count[int] = field(default_factory=count)

    def tell(self, *anomalies: Anomaly) -> None:
        """That they are so now."""
        with self.database.write() as transaction:
            for one in anomalies:
                kind = Happening.OPENED if one.end is None else Happening.CLOSED
                at = one.start if one.end is None else one.end
                series = {7: _named(one)}
                happened = Happened(kind=kind, at=at, anomaly=one)
                told = Told(position=next(self._position), nth=0, happened=happened, series=series)
                add_event(transaction, "local", told, at / 1000, is_sent=True)


def _named(one: Anomaly) -> SeriesInfo:
    labels: Mapping[str, str] = {"__name__": "errors", "service": one.subject.service}
    return SeriesInfo(labels=tuple(labels.items()), kind=SeriesKind.GAUGE)
