"""How many log records a second of CPU a partition of a worker takes: messages to kept counts.

    python bench/logs/partition.py [--quick] [--json FILE]

`partition_records_core_s`: messages of 8,000 records of twenty pods (`otlp.py`), read, mined,
counted and judged, with a checkpoint at the end of each round, in a database of a file; a message
each five seconds of the log's time. `partition_json_records_core_s`: messages of one record each,
as Fluent Bit writes them. What Kafka's client takes for reading them is not in it. Times are the
thread's own CPU seconds; of several rounds the median counts.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from time import thread_time

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.ending import concluded  # noqa: E402
from bench.logs.otlp import AT_NS, PODS, RECORDS, otlp_body, text_of  # noqa: E402
from pipelines.flows.worker_feeds import LinesFeed  # noqa: E402
from pipelines.ingest.protocol import LogFormat  # noqa: E402
from pipelines.stores.sqlite import Database  # noqa: E402
from pipelines.topics.port import Message, Partition  # noqa: E402
from tests.pipelines.flows.counting import LOGS, counted_part, lines_feed, message_of  # noqa: E402

__all__ = ["partition_figures"]

_START_MS, _APART_MS = AT_NS // 1_000_000, 5_000


def partition_figures(*, rounds: int) -> dict[str, float]:
    """Records a second of each kind."""
    whole = [otlp_body(seed) for seed in range(2)]
    single = _records(2_000)
    return {
        "partition_records_core_s": _rate(lines_feed(), whole, PODS * RECORDS, rounds),
        "partition_json_records_core_s": _rate(
            lines_feed(LogFormat.JSON_LINES, mapping="fluent-bit"), single, 1, rounds
        ),
    }


def _rate(feed: LinesFeed, bodies: Sequence[bytes], records: int, rounds: int) -> float:
    """The first round, in which templates are learned, does not count."""
    with tempfile.TemporaryDirectory(prefix="serinus-bench-") as folder:
        database = Database(Path(folder) / "stream.db")
        part = counted_part(database, Partition(LOGS, 0), feed=feed)
        part.take(lambda: 0)
        offsets, rates = count(), []
        for _ in range(rounds + 1):
            messages = list(_messages(bodies, offsets, _APART_MS if records > 1 else 5))
            began = thread_time()
            for message in messages:
                part.apply(message)
            part.checkpoint()
            rates.append(len(bodies) * records / (thread_time() - began))
        assert not part.letters
        database.close()
    return statistics.median(rates[1:])


def _messages(bodies: Sequence[bytes], offsets: Iterator[int], apart_ms: int) -> Iterator[Message]:
    for body in bodies:
        offset = next(offsets)
        yield message_of(body, offset, _START_MS + offset * apart_ms)


def _records(many: int) -> list[bytes]:
    draw = random.Random(7)
    return [
        json.dumps(
            {
                "@timestamp": _START_MS / 1000,
                "log": text_of(draw),
                "level": "error" if draw.random() < 0.05 else "info",
                "kubernetes": {
                    "pod_name": f"service-{nth % 5}-5c4b8d6f7c-{nth % PODS:05d}",
                    "namespace_name": "shop",
                    "labels": {"app.kubernetes.io/name": f"service-{nth % 5}"},
                },
            }
        ).encode()
        for nth in range(many)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    args = parser.parse_args(argv)
    figures = partition_figures(rounds=3 if args.quick else 9)
    for name, value in figures.items():
        print(f"{name:<32} {value:14,.0f}")
    return concluded(figures, {}, {}, {"quick": args.quick}, args.json)


if __name__ == "__main__":
    raise SystemExit(main())
