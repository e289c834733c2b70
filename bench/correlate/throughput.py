"""How many anomalies an hour one core makes incidents of, and how much memory that takes.

    python bench/correlate/throughput.py [--quick] [--json FILE] [--seed N] [--minutes N]

A storm over a fleet: a million anomalies an hour, of two thousand services that call each other,
most of them in waves (a fault that up to thirty services feel, each in several metrics), the rest
alone; each opens and closes. Their events lie in the database as a stream keeps them, and are read,
correlated with a thousand changes an hour, and kept as `serinus serve` does, one virtual second
after the other.
`anomalies_core_hour` is by the CPU of that alone, `rss_mb` the process at its end, `rss_growth_mb`
by how much it grew over the second half: the storm goes on, and memory must not.

The peer asks of each anomaly whether it is linked to each of the last half hour, as the text of the
method has it, and not to those of its neighbours alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.stream.cardinality import resident_mb  # noqa: E402
from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place  # noqa: E402
from detector.incidents.calls import CallMap, call_map  # noqa: E402
from detector.incidents.linking import Rates, link  # noqa: E402
from detector.incidents.symptom import Symptom, symptom_of  # noqa: E402
from detector.stream.anomaly import Anomaly  # noqa: E402
from pipelines.flows.incidents import Incidents  # noqa: E402
from pipelines.stores.events import SqlEvents  # noqa: E402
from pipelines.stores.memory_changes import MemoryChanges  # noqa: E402
from pipelines.stores.sqlite import Database  # noqa: E402
from tests.pipelines.flows.happening import MINUTE, T0, Wire, anomaly  # noqa: E402

ASKED = {"anomalies_core_hour": (">=", 1_000_000.0), "rss_mb": ("<=", 600.0)}
AN_HOUR = 1_000_000
SECOND = 1_000
METRICS = ("requests", "errors", "duration", "cpu", "memory", "queue")
CHANGES_AN_HOUR = 1_000
IN_WAVES, WIDEST = 0.8, 30


@dataclass(frozen=True, slots=True)
class Fleet:
    """Services by name, and who calls whom."""

    names: tuple[str, ...]
    calls: CallMap


def fleet_of(services: int, draw: np.random.Generator) -> Fleet:
    """Each is called by up to three that come before it."""
    names = tuple(f"svc{number}" for number in range(services))
    edges = [
        (names[int(caller)], names[callee])
        for callee in range(1, services)
        for caller in draw.integers(0, callee, size=int(draw.integers(1, 4)))
    ]
    return Fleet(names, call_map(edges))


def storm(fleet: Fleet, minutes: int, draw: np.random.Generator) -> dict[int, list[Anomaly]]:
    """What opens and what closes, by the second."""
    seconds: dict[int, list[Anomaly]] = {}
    left = AN_HOUR * minutes // 60
    while left > 0:
        at = int(draw.integers(0, minutes * 60))
        is_wave = draw.random() < IN_WAVES
        hit = _round(fleet, draw) if is_wave else [str(draw.choice(fleet.names))]
        for place, service in enumerate(hit):
            metrics = draw.choice(METRICS, size=int(draw.integers(1, 4)), replace=False)
            for metric in metrics if is_wave else metrics[:1]:
                start = at + min(120, int(draw.exponential(20.0)) + 2 * place)
                ends = start + 60 + int(draw.exponential(240.0))
                begin, name = (start + draw.random()) / 60, str(metric)
                seconds.setdefault(start, []).append(anomaly(service, begin, metric=name))
                over = anomaly(service, begin, until=ends / 60, metric=name)
                seconds.setdefault(ends, []).append(over)
                left -= 1
    return seconds


def _round(fleet: Fleet, draw: np.random.Generator) -> list[str]:
    """A service, and some of those that call it, near ones first."""
    first = str(draw.choice(fleet.names))
    hit, wave = [first], deque([first])
    most = int(draw.integers(2, WIDEST + 1))
    while wave and len(hit) < most:
        for caller in sorted(fleet.calls.callers.get(wave.popleft(), ())):
            if caller not in hit and len(hit) < most:
                hit.append(caller)
                wave.append(caller)
    return hit


@dataclass(slots=True)
class Scene:
    """A database that is told of the storm, and a process that correlates."""

    database: Database
    fleet: Fleet
    log: MemoryChanges
    now: float = T0 / 1000
    cpu_s: float = 0.0

    def process(self) -> Incidents:
        """As `serinus serve` has it."""
        return Incidents(
            self.database,
            changes=self.log,
            calls=lambda _: self.fleet.calls,
            clock=lambda: self.now,
        )

    def look(self, process: Incidents) -> None:
        """All that is new, timed."""
        began = process_time()
        while process.look():
            pass
        self.cpu_s += process_time() - began


def deployed(fleet: Fleet, second: int, draw: np.random.Generator) -> ChangeEvent:
    """Of any service."""
    service = str(draw.choice(fleet.names))
    return ChangeEvent(
        source="/bench",
        id=f"{service}/{second}",
        subject=f"{service}/{second}",
        at=T0 + second * SECOND,
        kind=ChangeKind.DEPLOYMENT,
        phase=ChangePhase.SUCCEEDED,
        place=Place(service=service),
    )


def measured(services: int, minutes: int, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Ours and the peer's figures."""
    draw = np.random.default_rng(seed)
    fleet = fleet_of(services, draw)
    seconds = storm(fleet, minutes, draw)
    with tempfile.TemporaryDirectory() as folder, closing(Database(Path(folder) / "s.db")) as base:
        scene, stream = Scene(base, fleet, MemoryChanges()), Wire(base)
        process = scene.process()
        process.look()
        halfway = 0.0
        counted = 0
        for second in range(minutes * 60):
            scene.now = T0 / 1000 + second
            if draw.random() < CHANGES_AN_HOUR / 3600:
                scene.log.add("default", [deployed(fleet, second, draw)])
            told = seconds.get(second, [])
            counted += sum(one.end is None for one in told)
            # The stream keeps its events; not a part of what is measured.
            stream.tell(*told)
            scene.look(process)
            if second % 60 == 0:
                print(f"minute {second // 60}: {counted:,} anomalies", end="\r", flush=True)
                # As retention does: who follows reads the newest ones.
                SqlEvents(base).forget(SqlEvents(base).newest() - 50_000)
            if second == minutes * 30:
                halfway = resident_mb()
        figures = {
            "anomalies_core_hour": 3600 * counted / scene.cpu_s,
            "rss_mb": resident_mb(),
            "rss_growth_mb": resident_mb() - halfway,
            "incidents": float(_count(base)),
            "anomalies": float(counted),
        }
    return figures, _peer(fleet, seconds)


def _count(base: Database) -> int:
    with base.engine.connect() as connection:
        row = connection.exec_driver_sql("select count(*) from incidents").first()
    return int(row[0]) if row else 0


def _peer(fleet: Fleet, seconds: dict[int, list[Anomaly]]) -> dict[str, float]:
    """Each against all of the last half hour, at the storm's tenth minute."""
    symptoms = [one for one in _opened(seconds) if one.start < T0 + 10 * MINUTE]
    last, few = symptoms[:-30], symptoms[-30:]
    rates = Rates(since=T0)
    began = process_time()
    for later in few:
        sum(link(one, later, fleet.calls, lambda s: rates.of(s, T0)) > 0 for one in last)
    return {"anomalies_core_hour": 3600 * len(few) / (process_time() - began)}


def _opened(seconds: dict[int, list[Anomaly]]) -> Iterator[Symptom]:
    for second in sorted(seconds):
        for one in seconds[second]:
            if one.end is None:
                yield replace(symptom_of(one, {}), versions=frozenset())


def main() -> int:
    """Measure, print, conclude."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="three minutes of it")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--services", type=int, default=2_000)
    parser.add_argument("--minutes", type=int, default=12)
    told = parser.parse_args()
    minutes = 3 if told.quick else told.minutes
    figures, peer = measured(told.services, minutes, told.seed)
    for name, value in figures.items():
        print(f"{name:24}{value:16,.1f}")
    print(f"{'peer: each with each':24}{peer['anomalies_core_hour']:16,.1f} anomalies_core_hour")
    setup = {"services": told.services, "minutes": minutes, "seed": told.seed}
    return concluded(figures, {"each_with_each": peer}, ASKED, setup, told.json)


if __name__ == "__main__":
    sys.exit(main())
