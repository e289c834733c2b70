"""Reports as they are made in earnest: resources that run out, last, are too large, or are new."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detector.capacity.assessed import (
    Accuracy,
    Action,
    Assessment,
    Curve,
    DriverModel,
    Exhaustion,
    Headroom,
    Outlook,
    Sizing,
)
from detector.capacity.report import LeftOut, Report
from detector.capacity.resource import Identity, Kind, Limit
from detector.capacity.summary import composed

GIB = float(2**30)
DAY_MS, DAY_S = 86_400_000, 86_400
# Wednesday 25 November 2026, 07:00 UTC.
NOW = 1_795_590_000_000
HORIZON_S = 90 * DAY_S
PAST, AHEAD = 84, 90


def day(number: float) -> int:
    """So many days from now."""
    return NOW + round(number * DAY_MS)


def usage(first: float, last: float, *, noise: float, seed: int, gap: bool = False) -> Curve:
    """Twelve weeks from one level to another, quieter on weekends."""
    rng = np.random.default_rng(seed)
    at = np.arange(PAST)
    level = np.linspace(first, last, PAST)
    weekend = np.where((at + 3) % 7 >= 5, -1.5, 0.3) * noise
    values = level + weekend + rng.normal(0, 0.5 * noise, PAST)
    told = [None if gap and 30 <= n < 37 else float(v) for n, v in enumerate(values)]
    return Curve(start_ms=day(-PAST), step_s=DAY_S, values=tuple(told))


def outlook(first: float, a_day: float, *, noise: float) -> Outlook:
    """On from there, wider and wider."""
    at = np.arange(AHEAD)
    middle = first + a_day * at + np.where((at + PAST + 3) % 7 >= 5, -1.5, 0.3) * noise
    wide = noise * (1 + 0.35 * np.sqrt(at)) + 0.35 * abs(a_day) * at
    return Outlook(
        start_ms=NOW,
        step_s=DAY_S,
        p10=tuple((middle - wide).tolist()),
        p50=tuple(middle.tolist()),
        p90=tuple((middle + wide).tolist()),
        p05=tuple((middle - 1.28 * wide).tolist()),
        p25=tuple((middle - 0.53 * wide).tolist()),
        p75=tuple((middle + 0.53 * wide).tolist()),
        p95=tuple((middle + 1.28 * wide).tolist()),
        weights={"trend": 0.55, "profile": 0.45},
        mase=0.84,
    )


def disk() -> Assessment:
    """It runs out in 23 days."""
    return Assessment(
        identity=Identity(
            name="data", kind=Kind.DISK, unit="bytes", service="orders-db", namespace="shop",
            cluster="eu-1", team="shop", source="kubelet",
        ),
        as_of=NOW,
        horizon_s=HORIZON_S,
        usage=usage(120 * GIB, 171 * GIB, noise=1.2 * GIB, seed=1),
        limit=Limit(steps=((day(-200), 150 * GIB), (day(-50), 200 * GIB))),
        outlook=outlook(171.5 * GIB, 0.86 * GIB, noise=1.2 * GIB),
        exhaustion=Exhaustion(
            chance=0.97, p10=day(14), p50=day(23), p90=day(40), means="95 % of the disk is full"
        ),
        headroom=Headroom(used=172 * GIB, limit=200 * GIB, share=0.86, ahead=1.31),
        sizing=Sizing(
            action=Action.RAISE, what="limit", present=200 * GIB, to=320 * GIB, by=day(12),
            saving=-14.4, currency="EUR",
            why="so that nine futures of ten fit for 90 days and 10 % is left",
        ),
        driver=DriverModel(
            name="orders a second", base=10 * GIB, slope=2.1 * GIB, slope_low=1.9 * GIB,
            slope_high=2.4 * GIB, explained=0.91, seen=92.0,
        ),
        assumptions=(
            "The disk was enlarged on 6 October from 150 GiB to 200 GiB.",
            "Growth goes on as in the last six weeks.",
        ),
        accuracy=Accuracy(
            reports=3, dates=2, within=2, date_error_days=2.5, error=0.03, inside=0.83,
            sentence="Last month we said 168 GiB for today, between 160 and 179; it is 172 GiB.",
        ),
    )  # fmt: skip


def pool() -> Assessment:
    """It has run out already."""
    return Assessment(
        identity=Identity(
            name="pool", kind=Kind.CONNECTIONS, unit="connections", service="checkout",
            namespace="shop", cluster="eu-1", team="shop", source="hikari",
        ),
        as_of=NOW,
        horizon_s=HORIZON_S,
        usage=usage(38, 50, noise=2, seed=2),
        limit=Limit.of(50),
        outlook=outlook(50, 0.08, noise=2),
        exhaustion=Exhaustion(
            chance=1.0, p10=NOW, p50=NOW, p90=NOW, since=day(-4), means="every connection is taken"
        ),
        headroom=Headroom(used=50, limit=50, share=1.0, ahead=1.3),
        sizing=Sizing(
            action=Action.RAISE, what="limit", present=50, to=72, by=NOW,
            why="callers have waited for a connection on four days",
        ),
        assumptions=("What waits for a connection is not seen in this metric.",),
    )  # fmt: skip


def memory() -> Assessment:
    """It may run out late, and only with the campaign."""
    return Assessment(
        identity=Identity(
            name="memory", kind=Kind.MEMORY, unit="bytes", service="checkout", namespace="shop",
            cluster="eu-1", team="shop", source="cadvisor",
        ),
        as_of=NOW,
        horizon_s=HORIZON_S,
        usage=usage(1.2 * GIB, 1.5 * GIB, noise=0.04 * GIB, seed=3, gap=True),
        limit=Limit(steps=((0, 2 * GIB),), planned=((day(45), 2.25 * GIB),)),
        requested=Limit.of(1.5 * GIB),
        replicas=6,
        outlook=outlook(1.5 * GIB, 0.0035 * GIB, noise=0.05 * GIB),
        exhaustion=Exhaustion(
            chance=0.22, p10=day(71), p50=None, p90=None, means="the limit, where pods are killed"
        ),
        headroom=Headroom(used=1.52 * GIB, limit=2 * GIB, share=0.76, ahead=0.99),
        sizing=Sizing(
            action=Action.RAISE, what="request", present=1.5 * GIB, to=1.75 * GIB, by=day(30),
            saving=-6.1, currency="EUR", why="pods use more than is set aside for them",
        ),
        what_if=("traffic +40 % from 2026-12-01",),
        assumptions=("The rollout of 3 November raised it by 90 MiB; that is no trend.",),
    )  # fmt: skip


def cores() -> Assessment:
    """It is much too large."""
    return Assessment(
        identity=Identity(
            name="cpu", kind=Kind.CPU, unit="cores", service="search", namespace="search",
            cluster="eu-1", team="discovery", source="cadvisor",
        ),
        as_of=NOW,
        horizon_s=HORIZON_S,
        usage=usage(0.7, 0.75, noise=0.05, seed=4),
        limit=Limit.of(4),
        requested=Limit.of(3),
        replicas=12,
        outlook=outlook(0.75, 0.0005, noise=0.05),
        exhaustion=Exhaustion(chance=0.0, p10=None, p50=None, p90=None, means="the limit"),
        headroom=Headroom(used=0.8, limit=4, share=0.2, ahead=0.28),
        sizing=Sizing(
            action=Action.LOWER, what="request", present=3, to=1.2, saving=410.0, currency="EUR",
            why="nine futures of ten need no more than 0.9 cores",
        ),
    )  # fmt: skip


def partitions() -> Assessment:
    """It lasts."""
    return Assessment(
        identity=Identity(
            name="partitions", kind=Kind.PARTITIONS, unit="partitions", service="kafka",
            cluster="eu-1", team="platform", source="kafka",
        ),
        as_of=NOW,
        horizon_s=HORIZON_S,
        usage=usage(1500, 1550, noise=4, seed=5),
        limit=Limit.of(4000),
        outlook=outlook(1550, 0.6, noise=4),
        exhaustion=Exhaustion(chance=0.0, p10=None, p50=None, p90=None, means="the limit"),
        headroom=Headroom(used=1556, limit=4000, share=0.389, ahead=0.42),
        sizing=Sizing(action=Action.KEEP, what="limit", present=4000, to=4000),
    )  # fmt: skip


def new() -> Assessment:
    """Nothing can be told of it yet."""
    return Assessment(
        identity=Identity(
            name="data", kind=Kind.DISK, unit="bytes", service="loyalty-db", namespace="shop",
            cluster="eu-1", team="shop", source="kubelet",
        ),
        as_of=NOW,
        horizon_s=HORIZON_S,
        usage=Curve(start_ms=day(-4), step_s=DAY_S, values=(GIB, 1.1 * GIB, 1.1 * GIB, 1.2 * GIB)),
        limit=Limit.of(20 * GIB),
        headroom=Headroom(used=1.2 * GIB, limit=20 * GIB, share=0.06),
        problem="not enough history: needs 21 days, has 4 days",
    )  # fmt: skip


def hostile() -> Assessment:
    """Names of somebody who means ill, or who likes long ones."""
    bad = "<script>alert(1)</script>"
    return replace(
        partitions(),
        identity=Identity(
            name=f"=HYPERLINK(\"http://x\")'{bad}", kind=Kind.OTHER, unit="<b>", service=f"@{bad}",
            team="+cmd|' /C calc'!A0", cluster="\u202eesrever\n", labels={"a": "-1+1"},
        ),
        assumptions=(f"</script><img src=x onerror=alert(1)>{'long' * 60}",),
    )  # fmt: skip


def report(*assessments: Assessment) -> Report:
    """The report of a shop, or of these."""
    return composed(
        assessments or (pool(), disk(), memory(), new(), cores(), partitions()),
        made_at=NOW,
        horizon_s=HORIZON_S,
        scope="all services",
        left_out=(
            LeftOut(name="traffic of gateway", why="no limit is known: set one under capacity:"),
            LeftOut(name="disk of log-archive", why="every value is missing since 2 November"),
        ),
        what_if=("traffic +40 % from 2026-12-01",),
    )
