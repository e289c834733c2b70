"""The documents of OpenSLO v1 as they are written: every field that there is, no other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

__all__ = [
    "AlertConditionSpec",
    "AlertPolicySpec",
    "Available",
    "Condition",
    "ConditionEntry",
    "Fast",
    "Indicator",
    "Metadata",
    "ObjectiveSpec",
    "PolicyEntry",
    "Ratio",
    "Shorthand",
    "SliSpec",
    "SloSpec",
    "TimeWindow",
    "Whole",
]


class Metadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every document is called."""

    name: str
    displayName: str = ""  # noqa: N815 - the wire's word
    labels: dict[str, Any] = {}
    annotations: dict[str, str] = {}


class Whole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document before its kind is looked at."""

    apiVersion: str  # noqa: N815 - the wire's word
    kind: str
    metadata: Metadata
    spec: dict[str, Any]


class _Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    metricSourceRef: str = ""  # noqa: N815 - the wire's word
    type: str = ""
    spec: dict[str, Any] = {}


class _Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    metricSource: _Source  # noqa: N815 - the wire's word


class Ratio(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Good or bad beside total, or a ratio that was made elsewhere."""

    counter: bool | None = None
    good: _Metric | None = None
    bad: _Metric | None = None
    total: _Metric | None = None
    rawType: str = ""  # noqa: N815 - the wire's word
    raw: _Metric | None = None


class SliSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an indicator is."""

    description: str = ""
    thresholdMetric: _Metric | None = None  # noqa: N815 - the wire's word
    ratioMetric: Ratio | None = None  # noqa: N815 - the wire's word


class Indicator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An indicator inside an SLO."""

    metadata: Metadata | None = None
    spec: SliSpec


class _Calendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    startTime: datetime  # noqa: N815 - the wire's word
    timeZone: str  # noqa: N815 - the wire's word


class TimeWindow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rolling window, or one of the calendar."""

    duration: str
    isRolling: bool | None = None  # noqa: N815 - the wire's word
    calendar: _Calendar | None = None


class ObjectiveSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One target."""

    displayName: str = ""  # noqa: N815 - the wire's word
    op: str = ""
    value: float | None = None
    target: float | None = None
    targetPercent: float | None = None  # noqa: N815 - the wire's word
    timeSliceTarget: float | None = None  # noqa: N815 - the wire's word
    timeSliceWindow: float | str | None = None  # noqa: N815 - the wire's word


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the burn rate is too high."""

    kind: str
    op: str
    threshold: float
    lookbackWindow: str  # noqa: N815 - the wire's word
    alertAfter: str = ""  # noqa: N815 - the wire's word


class AlertConditionSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition with how grave it is."""

    description: str = ""
    severity: str
    condition: Condition


class ConditionEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition by name, or inside."""

    conditionRef: str = ""  # noqa: N815 - the wire's word
    kind: str = ""
    metadata: Metadata | None = None
    spec: AlertConditionSpec | None = None


class AlertPolicySpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Conditions, and who is told: which serinus routes itself."""

    description: str = ""
    alertWhenNoData: bool = False  # noqa: N815 - the wire's word
    alertWhenResolved: bool = False  # noqa: N815 - the wire's word
    alertWhenBreaching: bool = True  # noqa: N815 - the wire's word
    conditions: list[ConditionEntry]
    notificationTargets: list[Any] = []  # noqa: N815 - the wire's word


class PolicyEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy by name, or inside."""

    alertPolicyRef: str = ""  # noqa: N815 - the wire's word
    kind: str = ""
    metadata: Metadata | None = None
    spec: AlertPolicySpec | None = None


class SloSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An objective of a service."""

    description: str = ""
    service: str
    indicator: Indicator | None = None
    indicatorRef: str = ""  # noqa: N815 - the wire's word
    timeWindow: list[TimeWindow]  # noqa: N815 - the wire's word
    budgetingMethod: str  # noqa: N815 - the wire's word
    objectives: list[ObjectiveSpec]
    alertPolicies: list[PolicyEntry] = []  # noqa: N815 - the wire's word


class Available(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Serinus' shortest form: which share of a service's requests is to be good, in per cent."""

    service: str
    availability: float
    window: str = "28d"
    name: str = ""
    namespace: str = ""


class _Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    below: float | str
    objective: float


class Fast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which share of a service's requests is to take so many seconds at most, in per cent."""

    service: str
    latency: _Latency
    window: str = "28d"
    name: str = ""
    namespace: str = ""


class Shorthand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Serinus' own form: a signal of a service, and what is promised of it in per cent."""

    signal: str
    service: str
    target: float
    window: str
    name: str = ""
    namespace: str = ""
    below: float | str | None = None
