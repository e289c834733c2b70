"""Capacity as JSON: what runs out when, and what is foretold; the classes document it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import digits, time_text
from detector.capacity.assessed import Accuracy, Assessment, DriverModel, Exhaustion, Sizing
from detector.capacity.report import Report
from detector.capacity.summary import sentence

__all__ = ["EXAMPLE_CAPACITY", "CapacityAnswer", "capacity_body", "resource_body"]

KindWord = Literal[
    "cpu", "memory", "disk", "connections", "partitions", "licences", "traffic", "other"
]


class ExhaustionAnswer(Answer):
    """When the limit is reached."""

    chance: float = Field(description="That it is within the horizon.", examples=[0.62])
    p10: str | None = Field(description="By then in 10 futures of 100; null: beyond the horizon.")
    p50: str | None = Field(description="By then in 50 futures of 100.")
    p90: str | None = Field(description="By then in 90 futures of 100.")
    since: str | None = Field(description="Since when it is reached already.")
    means: str = Field(description="What counts as reached.")


class HeadroomAnswer(Answer):
    """What is left."""

    used: float = Field(description="At its worst in the last week, in the unit.")
    limit: float
    left: float = Field(description="Below 0 where more is used than there is.")
    share: float = Field(description="`used` of `limit`.", examples=[0.82])
    ahead: float | None = Field(description="The share that 9 futures of 10 stay below.")


class SizingAnswer(Answer):
    """What is advised, for each replica."""

    action: Literal["raise", "lower", "keep"]
    what: Literal["limit", "request"]
    present: float
    to: float
    by: str | None = Field(description="The last moment to do it; null: no haste.")
    saving: float | None = Field(description="A month; below 0 it costs more; null: no price.")
    currency: str | None
    why: str


class DriverAnswer(Answer):
    """How usage follows its load: `base` + `slope` x, and `bend` more for each beyond `knee`."""

    name: str = Field(examples=["requests"])
    base: float
    slope: float
    slope_low: float
    slope_high: float
    explained: float = Field(description="The share of the variance.")
    seen: float = Field(description="The highest load that was seen.")
    knee: float | None
    bend: float


class AccuracyAnswer(Answer):
    """What past reports said, against what came."""

    reports: int
    dates: int = Field(description="Dates that can be judged by now.")
    within: int = Field(description="Of these, those that came between P10 and P90.")
    date_error_days: float | None
    error: float | None = Field(description="Median distance of usage from its P50, as a share.")
    inside: float | None = Field(description="Share of days between P10 and P90.")
    sentence: str


class OutlookAnswer(Answer):
    """What will be used, day by day."""

    start: str
    step_s: int
    p10: list[float]
    p50: list[float]
    p90: list[float]


class CurveAnswer(Answer):
    """What was used, day by day; null where nothing was measured."""

    start: str
    step_s: int
    values: list[float | None]


class ResourceAnswer(Answer):
    """A resource, and what is told of it."""

    id: str = Field(
        description="The same in every report.",
        examples=["eu/shop/web/memory/web{cluster=eu,container=web,namespace=shop,workload=web}"],
    )
    name: str
    title: str = Field(examples=["memory web of web"])
    kind: KindWord
    unit: str = Field(examples=["bytes"])
    service: str | None
    namespace: str | None
    cluster: str | None
    team: str | None
    source: str = Field(
        description="The pack that found it, or `by hand`.",
        examples=["kubernetes_workloads.memory"],
    )
    labels: dict[str, str]
    sentence: str = Field(description="For people.")
    limit: float | None = Field(description="Now; of each replica.")
    requested: float | None = Field(description="Now; of each replica.")
    replicas: int
    exhaustion: ExhaustionAnswer | None
    headroom: HeadroomAnswer | None
    sizing: SizingAnswer | None
    driver: DriverAnswer | None
    accuracy: AccuracyAnswer | None
    assumptions: list[str]
    problem: str | None = Field(
        description="Why nothing is foretold.",
        examples=["not enough history: needs 14 days, has 4 days"],
    )
    what_if: list[str]
    usage: CurveAnswer | None = Field(description="Only with `curves`.")
    outlook: OutlookAnswer | None = Field(description="Only with `curves`.")


class LeftOutAnswer(Answer):
    """What is not told of."""

    name: str
    why: str


class CapacityAnswer(Answer):
    """Resources, the most urgent first."""

    made_at: str | None = Field(description="Null while the first assessment is under way.")
    horizon_s: int | None
    problem: str | None = Field(description="Why there is none yet, or none newer.")
    summary: list[str] = Field(description="For who reads no more than this; of all resources.")
    what_if: list[str]
    resources: list[ResourceAnswer]
    left_out: list[LeftOutAnswer]
    next: str | None = Field(description="The cursor of the next page.")


def capacity_body(
    report: Report | None,
    page: Sequence[Assessment],
    *,
    problem: str,
    following: str | None,
    curves: bool,
) -> dict[str, Any]:
    """A page as it is answered."""
    told: Mapping[str, Any] = {"made_at": None, "horizon_s": None}
    if report is not None:
        told = {"made_at": time_text(report.made_at), "horizon_s": report.horizon_s}
    return {
        **told,
        "problem": problem or None,
        "summary": [] if report is None else list(report.summary),
        "what_if": [] if report is None else list(report.what_if),
        "resources": [resource_body(one, curves=curves) for one in page],
        "left_out": []
        if report is None
        else [{"name": one.name, "why": one.why} for one in report.left_out],
        "next": following,
    }


def resource_body(one: Assessment, *, curves: bool) -> dict[str, Any]:
    """A resource as it is answered."""
    about = one.identity
    return {
        "id": about.key,
        "name": about.name,
        "title": about.title,
        "kind": about.kind.value,
        "unit": about.unit,
        "service": about.service or None,
        "namespace": about.namespace or None,
        "cluster": about.cluster or None,
        "team": about.team or None,
        "source": about.source,
        "labels": dict(about.labels),
        "sentence": sentence(one),
        "limit": None if one.limit is None else digits(one.limit.at(one.as_of)),
        "requested": None if one.requested is None else digits(one.requested.at(one.as_of)),
        "replicas": one.replicas,
        "exhaustion": None if one.exhaustion is None else _exhaustion(one.exhaustion),
        "headroom": _headroom(one),
        "sizing": None if one.sizing is None else _sizing(one.sizing),
        "driver": None if one.driver is None else _driver(one.driver),
        "accuracy": None if one.accuracy is None else _accuracy(one.accuracy),
        "assumptions": list(one.assumptions),
        "problem": one.problem,
        "what_if": list(one.what_if),
        **_curves(one, curves=curves),
    }


def _curves(one: Assessment, *, curves: bool) -> dict[str, Any]:
    if not curves:
        return {"usage": None, "outlook": None}
    usage = {
        "start": time_text(one.usage.start_ms),
        "step_s": one.usage.step_s,
        "values": [None if value is None else digits(value) for value in one.usage.values],
    }
    told = one.outlook
    if told is None:
        return {"usage": usage, "outlook": None}
    quantiles = {name: [*map(digits, getattr(told, name))] for name in ("p10", "p50", "p90")}
    outlook = {"start": time_text(told.start_ms), "step_s": told.step_s, **quantiles}
    return {"usage": usage, "outlook": outlook}


def _exhaustion(found: Exhaustion) -> dict[str, Any]:
    return {
        "chance": digits(found.chance),
        "p10": _moment(found.p10),
        "p50": _moment(found.p50),
        "p90": _moment(found.p90),
        "since": _moment(found.since),
        "means": found.means,
    }


def _headroom(one: Assessment) -> dict[str, Any] | None:
    left = one.headroom
    if left is None:
        return None
    return {
        "used": digits(left.used),
        "limit": digits(left.limit),
        "left": digits(left.left),
        "share": digits(left.share),
        "ahead": None if left.ahead is None else digits(left.ahead),
    }


def _sizing(told: Sizing) -> dict[str, Any]:
    return {
        "action": told.action.value,
        "what": told.what,
        "present": digits(told.present),
        "to": digits(told.to),
        "by": _moment(told.by),
        "saving": None if told.saving is None else digits(told.saving),
        "currency": told.currency or None,
        "why": told.why,
    }


def _driver(model: DriverModel) -> dict[str, Any]:
    numbers = ("base", "slope", "slope_low", "slope_high", "explained", "seen", "bend")
    told = {name: digits(getattr(model, name)) for name in numbers}
    return {
        "name": model.name,
        **told,
        "knee": None if model.knee is None else digits(model.knee),
    }


def _accuracy(told: Accuracy) -> dict[str, Any]:
    maybe = {name: getattr(told, name) for name in ("date_error_days", "error", "inside")}
    return {
        "reports": told.reports,
        "dates": told.dates,
        "within": told.within,
        **{name: None if value is None else digits(value) for name, value in maybe.items()},
        "sentence": told.sentence,
    }


def _moment(at: int | None) -> str | None:
    return None if at is None else time_text(at)


EXAMPLE_CAPACITY: dict[str, Any] = {
    "made_at": "2026-11-23T12:00:00.000Z",
    "horizon_s": 7776000,
    "problem": None,
    "summary": ["1 of 42 resources may run out within 90 days; the most urgent first."],
    "what_if": [],
    "resources": [
        {
            "id": "eu/shop//disk/data-db-0{cluster=eu,persistentvolumeclaim=data-db-0}",
            "name": "data-db-0",
            "title": "disk data-db-0",
            "kind": "disk",
            "unit": "bytes",
            "service": None,
            "namespace": "shop",
            "cluster": "eu",
            "team": None,
            "source": "kubernetes_volumes.bytes",
            "labels": {"cluster": "eu", "persistentvolumeclaim": "data-db-0"},
            "sentence": "Disk data-db-0 runs out about 5 December 2026 (between 3 December 2026 and"
            " 8 December 2026 with 80 %; above 99 % within 90 days).",
            "limit": 97710500000,
            "requested": None,
            "replicas": 1,
            "exhaustion": {
                "chance": 0.998,
                "p10": "2026-12-03T09:00:00.000Z",
                "p50": "2026-12-05T10:30:00.000Z",
                "p90": "2026-12-08T01:00:00.000Z",
                "since": None,
                "means": "usage reaches the limit for the first time",
            },
            "headroom": {
                "used": 91268100000,
                "limit": 97710500000,
                "left": 6442450000,
                "share": 0.934066,
                "ahead": 1.0,
            },
            "sizing": {
                "action": "raise",
                "what": "limit",
                "present": 97710500000,
                "to": 171799000000,
                "by": "2026-12-03T09:00:00.000Z",
                "saving": -5.52,
                "currency": "EUR",
                "why": "it holds the peaks of 95 futures of 100, and a fifth",
            },
            "driver": None,
            "accuracy": None,
            "assumptions": ["Usage goes on as its past allows: a steady trend (81%)."],
            "problem": None,
            "what_if": [],
            "usage": None,
            "outlook": None,
        }
    ],
    "left_out": [{"name": "redis.memory", "why": "Prometheus refused the query"}],
    "next": "1795435200000.1",
}
