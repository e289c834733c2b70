"""How long `serinus try` takes on a company's Prometheus, and whether it says what is true of it.

    python bench/gate/try.py [--quick] [--data DIR] [--json FILE]

A real Prometheus with 200 services of ten pods and two weeks of data round 20 rollouts, of which
six are bad (`company.py` tells what is scraped how often); `--quick` is 40 services of six pods,
three days and six rollouts. The command is a process of its own, by the clock on the wall, from
before it is started until after it has ended. `--data` keeps the blocks there for another run on
the same day; making them takes minutes.

Beside the time it is told how much of the report was reached in it: rollouts that were found and
judged, whether each bad one would have been stopped and each good one let on, and how many
placebos were asked about. On a busy machine the command ends in time with fewer of them; with
`--within 10m` it takes what it needs, and `cpu_seconds` tells what that is. The peer is a
person's own look at the same rollouts: one range query for errors and one for latency a rollout,
by promtool.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.company import Company, build  # noqa: E402
from tests.servers import RunningPrometheus, find_server, running_prometheus  # noqa: E402

# The time is asked for; the others keep it from being met by leaving out what it is for.
ASKED: dict[str, tuple[str, float]] = {
    "seconds": ("<=", 90.0),
    "rollouts_judged": (">=", 20.0),
    "placebos_judged": (">=", 200.0),
}
SERINUS = "from api.cli import main; main()"
# No compaction while we measure: the blocks are as long as those of a Prometheus of two weeks.
ARGUMENTS = ("--storage.tsdb.min-block-duration=18h", "--storage.tsdb.max-block-duration=18h")
QUICK = {"services": 40, "pods": 6, "days": 3.0, "rollouts": 6, "busiest": 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One run: seconds of the wall, CPU seconds of it and of Prometheus, and what it printed."""

    wall: float
    cpu: float
    server_cpu: float
    said: Mapping[str, Any]


@contextmanager
def kept(folder: Path | None) -> Iterator[Path]:
    """A folder that stays, or one that goes."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def company_of(folder: Path, *, quick: bool) -> Company:
    """The company whose blocks are in a folder, made now where there are none."""
    told = folder / "company.json"
    if told.is_file():
        return Company(**json.loads(told.read_text(encoding="utf-8")))
    sizes: dict[str, Any] = dict(QUICK) if quick else {}
    company = Company(now=float(int(time.time())), **sizes)
    promtool = find_server("promtool")
    assert promtool is not None
    begun = time.monotonic()
    count = build(company, folder, promtool)
    print(f"{count:,} samples made in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    told.write_text(json.dumps({"now": company.now, **sizes}), encoding="utf-8")
    return company


def run(server: RunningPrometheus, company: Company, jobs: int, within: str | None) -> Tried:
    """The command, once."""
    process = psutil.Process(server.pid)
    words = [sys.executable, "-c", SERINUS, "try", server.url, "--format", "json"]
    words += ["--as-of", str(company.now), "--days", str(company.days), "--jobs", str(jobs)]
    words += [] if within is None else ["--within", within]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SERINUS_")}
    busy, before = sum(process.cpu_times()[:2]), resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"serinus try ended with {done.returncode}: {done.stderr[-2000:]}")
    print(done.stderr, file=sys.stderr)
    return Tried(
        wall=wall,
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        server_cpu=sum(process.cpu_times()[:2]) - busy,
        said=json.loads(done.stdout),
    )


def figures_of(tried: Tried, company: Company) -> dict[str, float]:
    """The time, and how much of it was right."""
    said = tried.said
    bad = {company.name(one.service) for one in company.releases() if one.is_bad}
    judged = {one["service"]: one for one in said["rollouts"]}
    stopped = {name for name, one in judged.items() if one["first_fail"] is not None}
    passed = {name for name, one in judged.items() if one["first_pass"] is not None}
    good = {company.name(one.service) for one in company.releases()} - bad
    return {
        "seconds": tried.wall,
        "cpu_seconds": tried.cpu,
        "prometheus_cpu_seconds": tried.server_cpu,
        "services_judged": float(len(said["services"])),
        "rollouts_judged": float(len(judged)),
        "bad_stopped": float(len(stopped & bad)),
        "bad": float(len(bad)),
        "good_stopped": float(len(stopped & good)),
        "good_let_on": float(len(passed & good)),
        "placebos_judged": float(said["placebos"]["judged"]),
        "placebos_stopped": float(said["placebos"]["failed"]),
    }


def peer_of(server: RunningPrometheus, company: Company) -> dict[str, float]:
    """Two range queries for each rollout, as somebody with a dashboard would ask them."""
    promtool = find_server("promtool")
    begun = time.monotonic()
    for one in company.releases():
        own = f'service="{company.name(one.service)}"'
        slow = f"rate(http_request_duration_seconds_bucket{{{own}}}[5m])"
        failed = f'rate(http_requests_total{{{own},code="500"}}[5m])'
        for query in (
            f"sum by (pod) ({failed})",
            f"histogram_quantile(0.95, sum by (pod, le) ({slow}))",
        ):
            words = [str(promtool), "query", "range", f"--start={one.at - 600:.0f}"]
            words += [f"--end={one.at + 3600:.0f}", "--step=60s", server.url, query]
            subprocess.run(words, check=True, capture_output=True)
    return {"seconds": time.monotonic() - begun}


def report(figures: Mapping[str, float], peer: Mapping[str, float]) -> None:
    """Print the table."""
    print(f"{'':26}{'serinus':>10}{'asked':>9}{'promtool':>12}")
    for name, value in figures.items():
        asked = f"{ASKED[name][0]} {ASKED[name][1]:g}" if name in ASKED else ""
        other = f"{peer[name]:.1f}" if name in peer else "-"
        print(f"{name:26}{value:>10.1f}{asked:>9}{other:>12}")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; 1 where a figure falls short."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small company")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the blocks here")
    parser.add_argument("--jobs", type=int, default=2, help="processes that judge")
    parser.add_argument("--within", metavar="SPAN", help="the time it is given, such as 10m")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    chosen = parser.parse_args(argv)
    if find_server("prometheus2") is None or find_server("promtool") is None:
        print("Prometheus is not installed here: run `make servers`", file=sys.stderr)
        return 1
    with kept(chosen.data) as folder:
        company = company_of(folder, quick=chosen.quick)
        with running_prometheus("prometheus2", folder, arguments=ARGUMENTS) as server:
            peer = peer_of(server, company)
            tried = run(server, company, chosen.jobs, chosen.within)
    figures = figures_of(tried, company)
    report(figures, peer)
    setup = {
        "services": company.services,
        "pods": company.pods,
        "days": company.days,
        "rollouts": company.rollouts,
        "jobs": chosen.jobs,
        "stages": tried.said["seconds"],
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    asked = {**ASKED, "rollouts_judged": (">=", float(company.rollouts))}
    return concluded(figures, {"promtool query": peer}, asked, setup, chosen.json)


if __name__ == "__main__":
    sys.exit(main())
