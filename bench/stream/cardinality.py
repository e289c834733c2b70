"""What a million live series take: memory, checkpoints, a recovery, and what a sample costs then.

    python bench/stream/cardinality.py [--quick] [--json FILE] [--series N]

Series are those of pods, with nine labels; nearly half are of requests and durations, which are
counted for the gate as well. Requests of remote write go through the door, the spool and the
judging thread into SQLite, as in `serinus serve`. `state_mb` is by how much the process has grown,
with everything that it holds of its series; `array_mb` the arrays alone. `checkpoint_s` is the
median of what is written after a minute's samples of all series, `checkpoint_hour_s` after a new
hour, when profiles change, too. `recovery_s` is a new process on what one left that was killed a
minute after its checkpoint. `cost_growth` is CPU a sample, door and judging, at all series over
that at 10,000.

The peer keeps an object for each series, with the same numbers in lists, and pickles all of them;
what it takes for fewer series is counted up to as many.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter, process_time, thread_time

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import cramjam  # noqa: E402
import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.stream.cardinality_peer import PeerFigures, peer  # noqa: E402
from bench.stream.pushed import AT, fleet_labels_of, remote_write  # noqa: E402
from detector.signals.packs import shipped_packs  # noqa: E402
from detector.stream.columns import Columns  # noqa: E402
from detector.stream.counting import Counting  # noqa: E402
from detector.stream.ports import SeriesNames  # noqa: E402
from detector.stream.settings import StreamSettings  # noqa: E402
from detector.stream.subject import Owners  # noqa: E402
from pipelines.flows.stream import Stream  # noqa: E402
from pipelines.flows.stream_part import Samples, StreamPart  # noqa: E402
from pipelines.ingest.doors import Doors  # noqa: E402
from pipelines.ingest.limits import Limits  # noqa: E402
from pipelines.ingest.protocol import Door, Packing  # noqa: E402
from pipelines.stores.spool import Spool  # noqa: E402
from pipelines.stores.sqlite import Database  # noqa: E402

ASKED = {
    "state_mb": ("<=", 600.0),
    "hot_bytes_a_series": ("<=", 120.0),
    "checkpoint_s": ("<=", 5.0),
    "recovery_s": ("<=", 15.0),
    "cost_growth": ("<=", 1.5),
}
FEW, BATCH = 10_000, 10_000
MINUTE, HOUR = 60_000, 3_600_000
# What changes with each sample, as it is called in a checkpoint.
HOT = ("model.at", "model.last", "model.level", "model.hot", "track.heard")
TENANT = "default"


def resident_mb() -> float:
    """Memory of this process that is in use."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    [kib] = [line.split()[1] for line in lines if line.startswith("VmRSS")]
    return int(kib) * 1024 / 1e6


class Bodies:
    """Requests of 2,000 series each, in a file, so that they take no memory."""

    def __init__(self, folder: Path, series: int) -> None:
        self._path, self._sizes = folder / "bodies", list[int]()
        with self._path.open("wb") as file:
            for start in range(0, series, 2_000):
                count = min(2_000, series - start)
                for body in remote_write(count, first=start, labels=fleet_labels_of):
                    self._sizes.append(file.write(bytes(cramjam.snappy.compress_raw(body))))

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            for size in self._sizes:
                yield file.read(size)


def part_of(folder: Path) -> StreamPart:
    """The operators of a stream in a folder."""
    packs = shipped_packs()
    owners = Owners(packs)
    return StreamPart(
        Database(folder / "stream.db"),
        "local",
        owners=owners,
        counting=Counting(packs, owners),
        settings=StreamSettings(),
    )


class Life:
    """A stream of so many series, fed by remote write first and by columns of its ids after."""

    def __init__(self, folder: Path, series: int) -> None:
        folder.mkdir()
        self.folder, self.series = folder, series
        self._bodies = Bodies(folder, series)
        self.before_mb = resident_mb()
        self.part = part_of(folder)
        self._rounds = 1

    def introduce(self) -> float:
        """All series come for the first time; CPU seconds that it took."""
        began = process_time()
        with closing(Stream(self.part, Spool(self.folder / "spool"), checkpoint_s=1e9)) as stream:
            doors = Doors(stream, Limits(series=self.series), clock=lambda: AT / 1000)
            for body in self._bodies:
                doors.take(Door.REMOTE_WRITE, TENANT, body, Packing.SNAPPY)
                stream.drain(600)
        return process_time() - began

    def door_s(self) -> float:
        """CPU seconds of the door for a sample of each series, all of them known."""
        doors = Doors(_Nowhere(self.part), Limits(series=self.series), clock=lambda: AT / 1000)
        took = []
        for _ in range(3):
            spent = 0.0
            for body in self._bodies:
                began = thread_time()
                doors.take(Door.REMOTE_WRITE, TENANT, body, Packing.SNAPPY)
                spent += thread_time() - began
            took.append(spent)
        return min(took)

    def minute(self) -> float:
        """CPU seconds for a sample of each series, judged."""
        spent = 0.0
        for position, arrived in enumerate(self.arrivals(), start=self.part.position + 1):
            began = thread_time()
            self.part.apply(position, arrived)
            self.part.keep()
            spent += thread_time() - began
        return spent

    def arrivals(self, at: int | None = None) -> Iterator[Samples]:
        """A sample of each series, a minute after those before or at a time."""
        self._rounds += 1
        at = AT + self._rounds * MINUTE if at is None else at
        rng = np.random.default_rng(self._rounds)
        for start in range(0, self.series, BATCH):
            ids = np.arange(start, min(start + BATCH, self.series), dtype=np.int32)
            value = self._rounds * 600 + rng.normal(0.0, 30.0, len(ids)).cumsum()
            yield Samples(
                tenant=TENANT,
                series=ids.tobytes(),
                at=np.full(len(ids), at, np.int64).tobytes(),
                value=value.tobytes(),
            )

    def skip_to_hour(self) -> None:
        """The next samples are of another hour."""
        self._rounds += HOUR // MINUTE

    def checkpoint(self) -> tuple[float, float]:
        """Seconds, and those of CPU, to write what has changed."""
        began, cpu = perf_counter(), process_time()
        self.part.checkpoint()
        return perf_counter() - began, process_time() - cpu

    def leave(self) -> None:
        """Spool a minute of samples and go, as kill -9 would have it."""
        from pipelines.flows.stream_part import spelled

        spool = Spool(self.folder / "spool")
        spool.follow(self.part.position)
        for arrived in self.arrivals():
            spool.append(spelled(arrived))

    def arrays(self) -> dict[str, int]:
        """Bytes of each array that is held of all series."""
        held = self.part.operators.held()[TENANT].arrays
        return {name: array.nbytes for name, array in held.items()}


class _Nowhere:
    """A sink that has the names of a stream and keeps nothing."""

    def __init__(self, part: StreamPart) -> None:
        self._part = part

    def put(self, tenant: str, columns: Columns, names: object, **_: object) -> bool:
        """There is always room."""
        return True

    def known(self, tenant: str) -> SeriesNames:
        """Those of the stream."""
        return self._part.operators.names(tenant)

    def read_to(self, tenant: str) -> None:
        """Nothing is kept."""
        return


def costs(life: Life, rounds: int) -> dict[str, float]:
    """Nanoseconds of CPU a sample."""
    judged = min(life.minute() for _ in range(rounds))
    return {
        "door_ns": 1e9 * life.door_s() / life.series,
        "judged_ns": 1e9 * judged / life.series,
    }


def recovered(folder: Path) -> tuple[float, float, float]:
    """Seconds and CPU seconds until a new process goes on from a folder, and its memory, in MB."""
    code = f"from bench.stream.cardinality import recover; recover({str(folder)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds, cpu, grown = json.loads(done.stdout.splitlines()[-1])
    return float(seconds), float(cpu), float(grown)


def recover(folder: str) -> None:
    """What the new process does: it prints its figures."""
    # The compiled loops are on the disk; to load them is part of every start, however small.
    warm = Path(folder).parent / "warm"
    Stream(part_of(warm), Spool(warm / "spool")).close()
    before, began, cpu = resident_mb(), perf_counter(), process_time()
    stream = Stream(part_of(Path(folder)), Spool(Path(folder) / "spool"))
    seconds, cpu = perf_counter() - began, process_time() - cpu
    print(json.dumps([seconds, cpu, resident_mb() - before]))
    stream.close()


def measured(folder: Path, series: int, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Our figures, and the parts that they are made of."""
    few = Life(folder / "warm", min(FEW, series // 5))
    few.introduce()
    at_few = costs(few, 3 * rounds)
    few.checkpoint()
    few.leave()
    life = Life(folder / "many", series)
    introduced_s = life.introduce()
    at_many = costs(life, rounds)
    state_mb = resident_mb() - life.before_mb
    _say(state_mb=state_mb, introduced_s=introduced_s)
    minutes, hours = list[tuple[float, float]](), list[tuple[float, float]]()
    for _ in range(rounds):
        life.minute()
        minutes.append(life.checkpoint())
    for _ in range(2):
        life.skip_to_hour()
        life.minute()
        hours.append(life.checkpoint())
    arrays = life.arrays()
    _say(state_mb=state_mb, minutes=minutes, hours=hours, few=at_few, many=at_many)
    life.leave()
    recovery_s, recovery_cpu_s, recovered_mb = recovered(life.folder)
    figures = {
        "state_mb": state_mb,
        "array_mb": sum(arrays.values()) / 1e6,
        "hot_bytes_a_series": sum(arrays[name] for name in HOT) / series,
        "checkpoint_s": statistics.median(wall for wall, _ in minutes),
        "checkpoint_cpu_s": statistics.median(cpu for _, cpu in minutes),
        "checkpoint_hour_s": statistics.median(wall for wall, _ in hours),
        "recovery_s": recovery_s,
        "recovery_cpu_s": recovery_cpu_s,
        "recovered_mb": recovered_mb,
        "cost_growth": sum(at_many.values()) / sum(at_few.values()),
    }
    more = {f"few_{name}": value for name, value in at_few.items()}
    more |= {f"many_{name}": value for name, value in at_many.items()}
    more |= {"introduce_us": 1e6 * introduced_s / series}
    more |= {f"bytes_{name}": count / series for name, count in arrays.items() if count > series}
    return figures, more


def _say(**told: object) -> None:
    """Figures so far, for who waits."""
    print(told, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 where it takes more than asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="50,000 series, and no bounds")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--series", type=int, default=1_000_000)
    args = parser.parse_args(argv)
    series, rounds = (50_000, 2) if args.quick else (args.series, 3)
    with tempfile.TemporaryDirectory() as folder:
        # First, while no memory is there that it could take over.
        peers: dict[str, PeerFigures] = {"object_a_series": peer(Path(folder), series)}
        figures, more = measured(Path(folder), series, rounds)
    for name, value in figures.items():
        print(f"{name:<24} {value:>12,.2f}")
    for name, value in more.items():
        print(f"  {name:<32} {value:>12,.1f}")
    for name, told in peers.items():
        print(name, " ".join(f"{key}={value:,.2f}" for key, value in told.items()))
    setup = {"series": series, "labels": 9, "rounds": rounds, "numpy": np.__version__, **more}
    return concluded(figures, peers, ASKED if series >= 1_000_000 else {}, setup, args.json)


if __name__ == "__main__":
    sys.exit(main())
