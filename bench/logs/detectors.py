"""Do the log detectors find what is new or silent, and how often are they wrong?

    python bench/logs/detectors.py [--quick] [--json FILE] [--seed N]

Services write logs for two weeks, as `drifting.py` draws them: half of their templates are rare,
new ones come that mean nothing, deploys bring banners, and one service in four has a new error that
means nothing every day. From the fourth day on each has two new errors, a burst of many, two
heartbeats that stop for hours, and an outage in which it writes nothing at all. An alarm is wrong
where no template of a fault is in it, in all days but the first, in which everything is learned.

The peers run on the same lines: `each_new` tells each template once that was not there on the first
day, `each_new_error` those of errors alone; `gap` tells whatever is missing for five times as long
as its lines were apart.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.ending import concluded  # noqa: E402
from bench.logs.drifting import DAY, MINUTE_MS, T0, Fault, Fleet, fleet  # noqa: E402
from detector.logs.counted import LogCounts  # noqa: E402
from detector.logs.lines import Level  # noqa: E402
from detector.logs.operator import step  # noqa: E402
from detector.logs.state import LogState  # noqa: E402
from detector.stream.anomaly import AnomalyKind, Happened, Happening  # noqa: E402

ASKED = {
    "new_error_rate": (">=", 0.95),
    "silence_rate": (">=", 0.95),
    "burst_rate": (">=", 0.95),
    "anomalies_a_burst": ("<=", 1.5),
    "false_a_week": ("<=", 1.0),
}
_NEW, _SILENT = AnomalyKind.LOG_NOVELTY, AnomalyKind.LOG_SILENCE
_KIND = {"error": _NEW, "burst": _NEW, "silence": _SILENT}


@dataclass(slots=True)
class Alarm:
    """Something that was told: by what, of whose, when, and with which templates since."""

    kind: AnomalyKind
    service: int
    at: float
    told: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Peers:
    """What simple rules tell of the same lines."""

    first: dict[tuple[int, str], float] = field(default_factory=dict)
    last: dict[tuple[int, str], float] = field(default_factory=dict)
    seen: dict[tuple[int, str], int] = field(default_factory=dict)
    each_new: list[Alarm] = field(default_factory=list)
    each_new_error: list[Alarm] = field(default_factory=list)
    gap: list[Alarm] = field(default_factory=list)
    missing: set[tuple[int, str]] = field(default_factory=set)

    def take(self, minute: int, counts: LogCounts) -> None:
        """A minute of lines."""
        for origin, place, level in zip(
            counts.origin.tolist(), counts.template.tolist(), counts.level.tolist(), strict=True
        ):
            key = origin, counts.templates[place].id
            if key not in self.first:
                self.first[key] = minute
                if minute >= DAY:
                    self._new(key, minute, level)
            self.last[key] = minute
            self.seen[key] = self.seen.get(key, 0) + 1
            self.missing.discard(key)
        if minute >= DAY and minute % 5 == 0:
            self._missing(minute)

    def _new(self, key: tuple[int, str], minute: int, level: int) -> None:
        alarm = Alarm(_NEW, key[0], minute, {key[1]: minute})
        self.each_new.append(alarm)
        if level >= Level.ERROR:
            self.each_new_error.append(alarm)

    def _missing(self, minute: int) -> None:
        for key, last in self.last.items():
            apart = (last - self.first[key]) / max(self.seen[key] - 1, 1)
            if self.seen[key] < 20 or key in self.missing or minute - last <= max(5 * apart, 2):
                continue
            self.missing.add(key)
            self.gap.append(Alarm(_SILENT, key[0], minute, {key[1]: minute}))


def run(world: Fleet) -> tuple[list[Alarm], Peers, float]:
    """All alarms on a fleet, those of the peers, and the seconds that the detectors took."""
    state, peers = LogState(tenant="bench"), Peers()
    alarms: list[Alarm] = []
    open_ones: dict[str, Alarm] = {}
    spent = 0.0
    for counts in world.minutes_of_logs():
        began = time.thread_time()
        state, happened = step(state, counts)
        spent += time.thread_time() - began
        peers.take(int(counts.at.min() - T0) // MINUTE_MS, counts)
        for one in happened:
            _heard(one, open_ones, alarms)
    return alarms, peers, spent


def _heard(one: Happened, open_ones: dict[str, Alarm], alarms: list[Alarm]) -> None:
    anomaly, at = one.anomaly, (one.at - T0) / MINUTE_MS
    if one.kind in (Happening.OPENED, Happening.REOPENED):
        service = int(anomaly.subject.service[1:])
        open_ones[anomaly.id] = Alarm(anomaly.kind, service, at)
        alarms.append(open_ones[anomaly.id])
    for line in anomaly.lines:
        open_ones[anomaly.id].told.setdefault(line.template, at)


def caught(fault: Fault, alarms: Sequence[Alarm]) -> list[Alarm]:
    """Alarms that name a template of a fault while it lasts."""
    return [
        one
        for one in alarms
        if one.kind is _KIND[fault.kind]
        and one.service == fault.service
        and any(fault.start <= one.told.get(id, -1) <= fault.end + 5 for id in fault.ids)
    ]


def scored(world: Fleet, alarms: Sequence[Alarm]) -> dict[str, float]:
    """How many faults were told, how late, and how many alarms a week and service were wrong."""
    delays: dict[str, list[float]] = {kind: [] for kind in _KIND}
    told: dict[str, list[bool]] = {kind: [] for kind in _KIND}
    bursts, right = [], set()
    for fault in world.faults:
        if fault.kind not in _KIND:
            continue
        found = caught(fault, alarms)
        right |= {id(one) for one in found}
        told[fault.kind].append(bool(found))
        if found:
            first = min(one.told[id] for one in found for id in fault.ids & set(one.told))
            delays[fault.kind].append(first - fault.start)
        if fault.kind == "burst":
            bursts.append(len(found))
    wrong = [one for one in alarms if id(one) not in right and one.at >= DAY]
    weeks = world.services * (world.minutes / DAY - 1) / 7
    return {
        "new_error_rate": statistics.fmean(told["error"]),
        "burst_rate": statistics.fmean(told["burst"]),
        "silence_rate": statistics.fmean(told["silence"]),
        "new_error_delay_min": statistics.median(delays["error"] or [float("nan")]),
        "silence_delay_min": statistics.median(delays["silence"] or [float("nan")]),
        "anomalies_a_burst": statistics.fmean(bursts),
        "false_a_week": len(wrong) / weeks,
        "false_new_a_week": sum(one.kind is _NEW for one in wrong) / weeks,
        "false_silence_a_week": sum(one.kind is _SILENT for one in wrong) / weeks,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run a fleet, print, write; 1 where a figure misses what was asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="five services in place of twenty")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn")
    args = parser.parse_args(argv)
    world = fleet(args.seed, 5 if args.quick else 20, 14)
    alarms, rules, spent = run(world)
    figures = scored(world, alarms) | {"seconds": spent}
    peers = {
        "each_new": scored(world, rules.each_new),
        "each_new_error": scored(world, rules.each_new_error),
        "gap": scored(world, rules.gap),
    }
    for name, row in (("serinus", figures), *peers.items()):
        print(f"{name:16}", " ".join(f"{key}={value:.3g}" for key, value in row.items()))
    setup = {"services": world.services, "days": 14, "templates": len(world.service),
             "faults": len(world.faults), "seed": args.seed}  # fmt: skip
    return concluded(figures, peers, ASKED, setup, args.json)


if __name__ == "__main__":
    raise SystemExit(main())
