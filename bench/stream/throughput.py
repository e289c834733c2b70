"""How many samples a second one core takes through the doors, against plain loops over objects.

    python bench/stream/throughput.py [--quick] [--json FILE]

Bodies are those that senders make: remote write of 2,000 samples of as many series, packed with
snappy; OTLP of sums, gauges and histograms (6 : 2 : 2), twenty points a metric; columns of 500
samples. All series are known: each was seen in a round before. Times are the thread's own CPU
seconds, from the body to what the sink is given; of several rounds the median counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import thread_time

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import cramjam  # noqa: E402
import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.stream.pushed import AT, columnar, labels_of, otlp, remote_write  # noqa: E402
from bench.stream.through_kafka import Shape, loop_rate, standing, worker_rate  # noqa: E402
from bench.stream.throughput_peers import (  # noqa: E402
    JsonLoop,
    ProtobufLoop,
    RiverJsonLoop,
    RiverLoop,
)
from detector.stream.columns import Columns  # noqa: E402
from detector.stream.ports import SeriesNames  # noqa: E402
from pipelines.ingest.doors import Doors  # noqa: E402
from pipelines.ingest.protocol import Door, Packing  # noqa: E402
from tests.servers import find_server  # noqa: E402

ASKED = {
    "remote_write_samples_core_s": (">=", 300_000.0),
    "otlp_points_core_s": (">=", 150_000.0),
}
ASKED_BY_KAFKA = {"kafka_samples_core_s": (">=", 2e6)}


class Counting:
    """A sink that takes all and keeps nothing."""

    def put(
        self, tenant: str, columns: Columns, names: SeriesNames, *, read_to: int | None = None
    ) -> bool:
        """There is always room."""
        return True

    def known(self, tenant: str) -> SeriesNames | None:
        """Nothing is kept."""
        return None

    def read_to(self, tenant: str) -> int | None:
        """Nothing is kept."""
        return None


def rate(work: Callable[[bytes], int], bodies: Sequence[bytes], rounds: int) -> float:
    """Samples a CPU second; the first round, in which all is new, does not count."""
    seconds, done = [], 0
    for _ in range(rounds + 1):
        before, done = thread_time(), 0
        for body in bodies:
            done += work(body)
        seconds.append(thread_time() - before)
    return done / statistics.median(seconds[1:])


def through(door: Door, packing: Packing, points: int) -> Callable[[bytes], int]:
    """A body's way through a door, counted in what its protocol counts."""
    doors = Doors(Counting(), clock=lambda: AT / 1000)

    def work(body: bytes) -> int:
        decoded = doors.take(door, "default", body, packing)
        assert not decoded.refused.total
        return points

    return work


def measured(series: int, rounds: int) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Figures of ours, and of the peers on the same samples."""
    writes = [bytes(cramjam.snappy.compress_raw(body)) for body in remote_write(series)]
    exports, points = otlp(series)
    packed = [bytes(cramjam.gzip.compress(body, level=6)) for body in exports]
    columns = columnar(series)
    plain = [_as_json(start) for start in range(0, series, 2_000)]
    figures = {
        "remote_write_samples_core_s": rate(
            through(Door.REMOTE_WRITE, Packing.SNAPPY, 2_000), writes, rounds
        ),
        "otlp_points_core_s": rate(through(Door.OTLP, Packing.PLAIN, points), exports, rounds),
        "otlp_gzip_points_core_s": rate(through(Door.OTLP, Packing.GZIP, points), packed, rounds),
        "columnar_samples_core_s": rate(
            through(Door.COLUMNAR, Packing.PLAIN, 500), columns, 4 * rounds
        ),
    }
    few = max(2, rounds // 4)
    peers = {
        "protobuf_objects": {"remote_write_samples_core_s": rate(ProtobufLoop(), writes[:5], few)},
        "json_objects": {"samples_core_s": rate(JsonLoop(), plain[:5], few)},
        "river_means": {"samples_core_s": rate(RiverLoop(), writes[:1], few)},
    }
    return figures, peers


def by_kafka(*, is_quick: bool) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Figures of a worker, and of the peers on the same broker; quick, of one kind of messages."""
    minute = Shape(series=500, samples=4, series_in_all=10_000)
    scrape = Shape(series=500, samples=1, series_in_all=10_000)
    shapes = {
        "kafka_samples_core_s": minute,
        "kafka_zstd_samples_core_s": replace(minute, codec="zstd"),
        "kafka_single_samples_core_s": scrape,
        "kafka_single_zstd_samples_core_s": replace(scrape, codec="zstd"),
    }
    bodies = [_as_json(start) for start in range(0, 10_000, 2_000)]
    repeats, few = (3, 4) if is_quick else (5, 10)
    with standing() as stand:
        figures = {
            # Two million samples, or half as many where each message is as long with a quarter.
            name: worker_rate(
                stand, shape, warm=130, rounds=50 if shape.samples > 1 else 100, repeats=repeats
            )
            for name, shape in list(shapes.items())[: 1 if is_quick else None]
        }
        peers = {
            "json_objects_by_kafka": loop_rate(stand, JsonLoop(), bodies, repeats=few),
            "river_by_kafka": loop_rate(stand, RiverJsonLoop(), bodies, repeats=few),
        }
    figures["river_ratio"] = figures["kafka_samples_core_s"] / peers["river_by_kafka"]
    return figures, {name: {"kafka_samples_core_s": value} for name, value in peers.items()}


def _as_json(start: int) -> bytes:
    """The samples of one request, as a list of objects."""
    told = [
        {"labels": dict(labels_of(n)), "timestamp": AT, "value": n + 0.5}
        for n in range(start, start + 2_000)
    ]
    return json.dumps(told).encode()


def shown(figures: Mapping[str, float], peers: Mapping[str, Mapping[str, float]]) -> None:
    """A line for each."""
    for name, value in figures.items():
        print(f"{name:<32} {value:>12,.0f}")
    for peer, told in peers.items():
        for name, value in told.items():
            print(f"  {peer + ': ' + name:<46} {value:>12,.0f}")


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer series and rounds")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    asked = parser.parse_args()
    series, rounds = (20_000, 8) if asked.quick else (100_000, 20)
    figures, peers = measured(series, rounds)
    bounds: dict[str, tuple[str, float]] = dict(ASKED)
    if find_server("kafka") and find_server("postgres"):
        more, others = by_kafka(is_quick=asked.quick)
        figures, peers, bounds = figures | more, peers | others, bounds | ASKED_BY_KAFKA
    else:
        print("no Kafka or no PostgreSQL here, so nothing by Kafka: run `make servers`")
    shown(figures, peers)
    setup = {"series": series, "rounds": rounds, "labels": 8, "numpy": np.__version__}
    return concluded(figures, peers, bounds, setup, asked.json)


if __name__ == "__main__":
    sys.exit(main())
