"""What reading raw samples costs us, beside prometheus-api-client on the same Prometheus.

    python bench/source/read.py [--quick] --json FILE

Each path runs in a process of its own against one real Prometheus whose blocks hold counters at
30 s; CPU is that of the reading process, memory the peak above what was there before the read.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

T0 = 1_767_225_600.0
STEP_S = 30.0
READS = 5
PATHS = ("serinus", "client_lists", "client_arrays")
ASKED: dict[str, tuple[str, float]] = {
    "ns_per_sample": ("<=", 500.0),
    "peak_bytes_per_sample": ("<=", 250.0),
    "cpu_against_client": ("<=", 0.5),
    "catalog_cold_ms": ("<=", 1000.0),
}


def openmetrics(series: int, points: int) -> str:
    """Counters with labels as long as those of a cluster."""
    lines = ["# TYPE shop_requests counter"]
    values = np.cumsum(np.random.default_rng(3).exponential(7.0, (series, points)), axis=1)
    for number in range(series):
        labels = f'namespace="shop",pod="checkout-6d9f7c5b8d-{number:05d}",code="200",method="GET"'
        lines += [
            f"shop_requests_total{{{labels}}} {value:.6f} {T0 + STEP_S * (at + 1):.0f}"
            for at, value in enumerate(values[number])
        ]
    return "\n".join([*lines, "# EOF", ""])


def read_serinus(url: str, end: float) -> Callable[[], int]:
    """Our hot path."""
    from detector.series import Query
    from pipelines.sources.prometheus import PrometheusSource
    from pipelines.sources.settings import Budget, SourceSettings

    source = PrometheusSource(SourceSettings(url=url, budget=Budget(max_span_s=1e6)))

    def read() -> int:
        (answer,) = source.read([Query("shop_requests_total")], T0, end, timeout_s=60)
        return sum(series.times.size for series in answer.series)

    return read


def read_client(url: str, end: float, *, arrays: bool) -> Callable[[], int]:
    """The client's own instant query with the same range selector."""
    from prometheus_api_client import PrometheusConnect

    client = PrometheusConnect(url)
    query = f"shop_requests_total[{int(end - T0)}s]"

    def read() -> int:
        found = client.custom_query(query, params={"time": end}, timeout=60)
        if arrays:
            return sum(np.array(one["values"], dtype=np.float64).shape[0] for one in found)
        return sum(len(one["values"]) for one in found)

    return read


def peak_memory() -> int:
    """Bytes; unlike `ru_maxrss` it does not start from the parent's peak."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def measure(path: str, url: str, end: float) -> dict[str, float]:
    """Best CPU and wall per sample of some reads, and the peak memory of the first."""
    read = (
        read_serinus(url, end)
        if path == "serinus"
        else read_client(url, end, arrays=path == "client_arrays")
    )
    before = peak_memory()
    samples = read()
    peak = peak_memory() - before
    cpu, wall = [], []
    for _ in range(READS):
        cpu_begun, begun = time.process_time(), time.perf_counter()
        read()
        cpu.append(time.process_time() - cpu_begun)
        wall.append(time.perf_counter() - begun)
    return {
        "ns_per_sample": min(cpu) / samples * 1e9,
        "wall_ns_per_sample": min(wall) / samples * 1e9,
        "peak_bytes_per_sample": peak / samples,
        "samples": samples,
    }


def cold_catalog(url: str) -> float:
    """Milliseconds to the names of all metrics, imports of httpx2 and of the client included."""
    begun = time.perf_counter()
    from pipelines.sources.prometheus import PrometheusSource
    from pipelines.sources.settings import SourceSettings

    PrometheusSource(SourceSettings(url=url)).metrics(timeout_s=60)
    return (time.perf_counter() - begun) * 1000


def child(path: str, url: str, end: float) -> dict[str, float]:
    """Run one path in a new process."""
    command = [sys.executable, __file__, "--path", path, "--url", url, "--end", repr(end)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(quick: bool) -> dict[str, dict[str, float]]:
    """Every path on one Prometheus."""
    from tests.servers import make_blocks, running_prometheus

    series, points = (100, 360) if quick else (500, 720)
    with tempfile.TemporaryDirectory() as folder:
        make_blocks(openmetrics(series, points), Path(folder) / "data")
        with running_prometheus("prometheus2", Path(folder)) as server:
            end = T0 + STEP_S * points
            return {path: child(path, server.url, end) for path in (*PATHS, "catalog")}


def report(found: dict[str, dict[str, float]], quick: bool) -> dict[str, object]:
    """The figures as the conventions of the benches want them."""
    ours = found["serinus"]
    figures = {
        **ours,
        "cpu_against_client": ours["ns_per_sample"] / found["client_arrays"]["ns_per_sample"],
        "catalog_cold_ms": found["catalog"]["catalog_cold_ms"],
    }
    return {
        "figures": figures,
        "peers": {
            f"prometheus-api-client {name.removeprefix('client_')}": found[name]
            for name in PATHS[1:]
        },
        "asked": {name: list(bound) for name, bound in ASKED.items()},
        "setup": {"quick": quick, "python": platform.python_version(), "reads": READS},
    }


def show(found: dict[str, dict[str, float]]) -> None:
    """The table."""
    print(f"{'path':<16}{'CPU ns/sample':>15}{'wall ns/sample':>16}{'peak B/sample':>15}")
    for path in PATHS:
        one = found[path]
        print(
            f"{path:<16}{one['ns_per_sample']:>15.0f}{one['wall_ns_per_sample']:>16.0f}"
            f"{one['peak_bytes_per_sample']:>15.0f}"
        )
    print(f"first catalog call, imports included: {found['catalog']['catalog_cold_ms']:.0f} ms")


def falls_short(figures: dict[str, float]) -> list[str]:
    """What was asked and not reached; every bound is an upper one."""
    return [name for name, (_, bound) in ASKED.items() if figures[name] > bound]


def main() -> int:
    """Measure, print, write; 1 when a figure falls short."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    parser.add_argument("--json", type=Path, metavar="FILE")
    for hidden in ("--path", "--url", "--end"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.path == "catalog":
        print(json.dumps({"catalog_cold_ms": cold_catalog(chosen.url)}))
        return 0
    if chosen.path:
        print(json.dumps(measure(chosen.path, chosen.url, float(chosen.end))))
        return 0
    found = compare(chosen.quick)
    written = report(found, chosen.quick)
    show(found)
    if chosen.json:
        chosen.json.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    short = falls_short(written["figures"])  # type: ignore[arg-type]
    for name in short:
        print(f"short: {name} is {written['figures'][name]:.3g}")  # type: ignore[index]
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
