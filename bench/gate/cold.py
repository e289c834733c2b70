"""What a person or a pipeline waits for: `serinus check` from a cold process to its answer.

    python bench/gate/cold.py [--quick] [--json FILE]

A real Prometheus with two hours of a service of nine pods at 15 s; each run is a process of its
own, by the clock on the wall, from before it is started until after it has ended. Peers, run in
turn with ours so that a busy machine is as busy for them: an interpreter that does nothing, a
Python script that sends one query, and `promtool query instant`, which only fetch a number.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from tests.docs import prometheus  # noqa: E402
from tests.servers import find_server  # noqa: E402

ASKED: dict[str, tuple[str, float]] = {
    "check_seconds": ("<=", 2.0),
    "import_seconds": ("<=", 0.3),
}
CANARY = '{pod=~"checkout-6d9f7c-.+"}'
QUERY = "sum(rate(http_requests_total[5m]))"
SERINUS = "from api.cli import main; main()"
ONE_QUERY = (
    "import json, sys, urllib.parse, urllib.request as u;"
    "print(json.load(u.urlopen(sys.argv[1] + '/api/v1/query?'"
    " + urllib.parse.urlencode({'query': sys.argv[2]})))['status'])"
)
# An undecided answer is one, too: the history ends when it was made, and ages while we measure.
ANSWERED = (0, 3)


@dataclass(slots=True)
class Command:
    """What is run; `seconds` of the wall and of the CPU, one a run."""

    words: list[str]
    codes: tuple[int, ...] = (0,)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    printed: str = ""

    def run(self) -> None:
        """Once, from nothing to its end."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SERINUS_")}
        before, began = os.times(), time.monotonic()
        done = subprocess.run(
            self.words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        seconds, after = time.monotonic() - began, os.times()
        if done.returncode not in self.codes:
            raise RuntimeError(f"{self.words[:4]} ended with {done.returncode}: {done.stderr}")
        self.wall.append(seconds)
        spent = after.children_user + after.children_system
        self.cpu.append(spent - before.children_user - before.children_system)
        self.printed = done.stdout


def commands(url: str, folder: Path) -> dict[str, Command]:
    """Ours and the peers'."""
    python = sys.executable
    ask = ["check", "--prometheus", url, "--service", "checkout", "--canary", CANARY]
    found = {
        "check": Command([python, "-c", SERINUS, *ask, "--format", "json"], ANSWERED),
        "kept": Command([python, "-c", SERINUS, *ask, "--data", str(folder / "own")], ANSWERED),
        "import": Command([python, "-c", "import api.cli"]),
        "bare": Command([python, "-c", "pass"]),
        "query": Command([python, "-c", ONE_QUERY, url, QUERY]),
    }
    promtool = find_server("promtool")
    if promtool is not None:
        found["promtool"] = Command([str(promtool), "query", "instant", url, QUERY])
    return found


def measure(url: str, folder: Path, runs: int) -> dict[str, Command]:
    """Each command as often, in turn; a first round fills the caches of bytecode and files."""
    found = commands(url, folder)
    for number in range(runs + 1):
        for command in found.values():
            command.run()
            if number == 0:
                command.wall.clear()
                command.cpu.clear()
    _check(found["check"].printed)
    return found


def _check(printed: str) -> None:
    """What was timed was an answer with evidence, not a quick excuse."""
    signals = {s["name"]: s for s in json.loads(printed)["signals"]}
    missing = {"error_rate", "latency"} - set(signals)
    if missing or not signals["error_rate"]["samples"]["canary"]:
        raise RuntimeError(f"the answer has no evidence: {printed[:500]}")


def figures_of(found: dict[str, Command]) -> dict[str, float]:
    """Medians; the slowest run beside them."""
    return {
        "check_seconds": _median(found["check"].wall),
        "import_seconds": _median(found["import"].wall),
        "check_seconds_slowest": max(found["check"].wall),
        "check_cpu_seconds": _median(found["check"].cpu),
        "check_with_store_seconds": _median(found["kept"].wall),
        "import_seconds_beyond_python": _median(found["import"].wall) - _median(found["bare"].wall),
    }


def peers_of(found: dict[str, Command]) -> dict[str, dict[str, float]]:
    """What others take for less."""
    peers = {
        "python -c pass": {"import_seconds": _median(found["bare"].wall)},
        "one query, urllib": {
            "check_seconds": _median(found["query"].wall),
            "check_cpu_seconds": _median(found["query"].cpu),
        },
    }
    if "promtool" in found:
        peers["promtool query"] = {
            "check_seconds": _median(found["promtool"].wall),
            "check_cpu_seconds": _median(found["promtool"].cpu),
        }
    return peers


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def report(figures: dict[str, float], peers: dict[str, dict[str, float]]) -> None:
    """Print the table."""
    print(f"{'':30}{'serinus':>10}{'asked':>9}" + "".join(f"{peer:>20}" for peer in peers))
    for name, value in figures.items():
        asked = f"<= {ASKED[name][1]:g}" if name in ASKED else ""
        cells = [f"{p[name]:.3f}" if name in p else "-" for p in peers.values()]
        print(f"{name:30}{value:>10.3f}{asked:>9}" + "".join(f"{cell:>20}" for cell in cells))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; 1 where a figure falls short."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    chosen = parser.parse_args(argv)
    if find_server("prometheus2") is None or find_server("promtool") is None:
        print("Prometheus is not installed here: run `make servers`", file=sys.stderr)
        return 1
    runs, begun = 5 if chosen.quick else 21, time.monotonic()
    with tempfile.TemporaryDirectory() as folder, prometheus.running(Path(folder)) as url:
        found = measure(url, Path(folder), runs)
    figures, peers = figures_of(found), peers_of(found)
    report(figures, peers)
    setup = {
        "runs": runs,
        "pods": [len(prometheus.CANARY), len(prometheus.STABLE)],
        "history_s": prometheus.HISTORY_S,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "seconds": round(time.monotonic() - begun, 1),
    }
    return concluded(figures, peers, ASKED, setup, chosen.json)


if __name__ == "__main__":
    sys.exit(main())
