"""Zero configuration: every convention in a cluster of its own, on a real Prometheus.

    python bench/gate/conventions.py [--quick] [--only WORLD] [--server NAME] [--json FILE]

A world (`worlds.py`) is what one exporter really writes, beside what every cluster has: the
kubelet's and the cluster's own metrics with pause containers, another service that fails, probes,
second reporters, the proxy's own traffic, other namespaces that roll out the same service. In each,
four rollouts are judged at once in four namespaces by the function that answers HTTP: a healthy
canary, one that fails 3 % of its requests, one that is slow, and one that serves nobody. Nobody
names a metric, a label or a unit. Every binding is held against what the series truly count.

A pack needs a world here, unless serinus itself counts what it describes: no exporter writes that,
and `bench/logs/gate.py` judges it from the lines on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.ending import concluded  # noqa: E402
from bench.gate.scenes import LENGTH_S, Fault, Scene  # noqa: E402
from bench.gate.staging import play  # noqa: E402
from bench.gate.truth import Finding, held_against  # noqa: E402
from bench.gate.worlds import World, without_a_world, worlds  # noqa: E402
from detector.gate.request import Stage, VerdictRequest  # noqa: E402
from detector.gate.session import Session  # noqa: E402
from detector.gate.verdict import Outcome, Verdict  # noqa: E402
from detector.signals.packs import shipped_packs  # noqa: E402
from detector.signals.plan import Plan  # noqa: E402
from pipelines.flows.discovery import Discovery  # noqa: E402
from pipelines.flows.gate import Gate, GateSettings  # noqa: E402
from pipelines.packs import load_packs  # noqa: E402
from pipelines.sources.open import Source, open_source  # noqa: E402
from pipelines.sources.settings import SourceSettings  # noqa: E402
from pipelines.stores.memory import memory_stores  # noqa: E402
from tests.servers import find_server, make_blocks, running_prometheus  # noqa: E402

ASKED: dict[str, tuple[str, float]] = {
    "bound_share": (">=", 1.0),
    "wrong_bound": ("<=", 0.0),
    "wrong_verdicts": ("<=", 0.0),
    "worlds_missing": ("<=", 0.0),
}
START = 1_790_000_100.0
FAULTS = {
    "healthy": Fault(name="healthy"),
    "errors": Fault(name="errors", errors=0.03),
    "slow": Fault(name="slow", slower=1.8),
    "restarts": Fault(name="restarts", restarts=True),
    "silent": Fault(name="silent", silent=True),
}
_NAMESPACES = {
    "healthy": "north",
    "errors": "south",
    "slow": "east",
    "silent": "west",
    "restarts": "centre",
}
_EVERY_S = 60.0
_PATIENT = GateSettings(bound_s=600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One rollout: what was bound, and the outcomes and codes of its polls."""

    world: str
    fault: str
    finding: Finding
    outcomes: tuple[str, ...]
    code: str
    text: str
    wrong: str

    @property
    def path(self) -> str:
        """The outcomes as letters."""
        return "".join({"pass": "p", "fail": "F", "inconclusive": "."}[o] for o in self.outcomes)


def openmetrics(scenes: Sequence[Scene]) -> Iterator[str]:
    """All series as text, family by family."""
    families: dict[str, list[str]] = {}
    seen: set[frozenset[tuple[str, str]]] = set()
    for scene in scenes:
        for one in scene.series:
            key = frozenset(one.labels.items())
            if key in seen:  # what a node says of itself is the same in every namespace
                continue
            seen.add(key)
            own = ",".join(f'{k}="{_escaped(v)}"' for k, v in one.labels.items() if k != "__name__")
            lines = families.setdefault(one.labels["__name__"], [])
            lines += [
                f"{one.labels['__name__']}{{{own}}} {value:.10g} {at:.3f}\n"
                for at, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
            ]
    for lines in families.values():
        yield from lines
    yield "# EOF\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def judge(name: str, world: World, every_s: float, server: str) -> list[Judged]:
    """All rollouts of a world on a fresh Prometheus."""
    scenes = [
        play(world, FAULTS[fault], _NAMESPACES[fault], START, seed=at)
        for at, fault in enumerate(world.faults)
    ]
    sets = [[scene] for scene in scenes] if world.alone else [scenes]
    return [one for held in sets for one in _judged(name, held, every_s, server)]


def _judged(name: str, scenes: Sequence[Scene], every_s: float, server: str) -> list[Judged]:
    """Rollouts that one Prometheus holds."""
    with tempfile.TemporaryDirectory() as folder:
        make_blocks("".join(openmetrics(scenes)), Path(folder) / "data")
        with running_prometheus(server, Path(folder)) as running:
            source = open_source(SourceSettings(url=running.url))
            return [_rollout(name, scene, source, every_s) for scene in scenes]


def _rollout(name: str, scene: Scene, source: Source, every_s: float) -> Judged:
    now = [START]
    gate = Gate(
        source=source,
        catalog=source,
        stores=memory_stores(),
        clock=lambda: now[0],
        discover=Discovery(load_packs(), source),
        session_factory=Session,
        settings=_PATIENT,
    )
    given: list[Verdict] = []
    at = every_s
    while at <= LENGTH_S and not (given and given[-1].outcome is Outcome.FAIL):
        now[0] = START + at
        given.append(gate.judge(_request(scene, at + every_s > LENGTH_S)))
        at += every_s
    last = given[-1]
    plan = gate.stores.attempts.get(last.attempt).plan or _plan(scene, source)
    return Judged(
        world=name,
        fault=scene.fault.name,
        finding=held_against(scene, source, plan),
        outcomes=tuple(one.outcome.value for one in given),
        code=last.reason.code,
        text=last.reason.text,
        wrong=_wrong(scene, given),
    )


def _plan(scene: Scene, source: Source) -> Plan:
    """What an attempt waits for whose canary was not seen, so that it has no plan of its own."""
    return Discovery(load_packs(), source)(
        source, _request(scene, False), start=START, end=START + 600, timeout_s=60
    )


def _request(scene: Scene, is_last: bool) -> VerdictRequest:
    return VerdictRequest(
        service="checkout",
        namespace=scene.namespace,
        canary=scene.world.canary.replace("shop", scene.namespace),
        started_at=datetime.fromtimestamp(START, UTC),
        stage=Stage.FINAL if is_last else Stage.STEP,
    )


# Codes that a faulty rollout may be failed with.
_CODES = {
    "errors": {"error_rate_up"},
    "slow": {"latency_up", "tail95_up"},
    "restarts": {"restarts_up"},
}


def _wrong(scene: Scene, given: Sequence[Verdict]) -> str:
    """What is wrong with the verdicts of a rollout, empty for nothing."""
    name, code = scene.fault.name, given[-1].reason.code
    outcomes = {one.outcome for one in given}
    if name == "healthy":
        return _wrong_in_health(scene.world.lacking, given)
    if name == "silent":
        return "" if outcomes == {Outcome.INCONCLUSIVE} else f"nothing was shown, yet {code}"
    found = Outcome.FAIL in outcomes and code in _CODES[name]
    return "" if found else f"{name} not found: {code}"


def _wrong_in_health(lacking: str, given: Sequence[Verdict]) -> str:
    """A healthy rollout ends in a pass; where it cannot, the reason is the one that is told."""
    last = given[-1]
    if any(one.outcome is Outcome.FAIL for one in given):
        return f"a healthy canary failed: {last.reason.code}"
    if lacking:
        is_told = last.reason.code == lacking and last.outcome is Outcome.INCONCLUSIVE
        return "" if is_told else f"{last.reason.code} in place of {lacking}"
    return "" if last.outcome is Outcome.PASS else f"no pass in health: {last.reason.code}"


def figures_of(judged: Sequence[Judged], missing: Sequence[str]) -> Mapping[str, float]:
    """The figures of the bench by name."""
    expected = sum(len(one.finding.expected) for one in judged)
    bound = sum(len(one.finding.bound) for one in judged)
    return {
        "bound_share": bound / expected if expected else float("nan"),
        "wrong_bound": float(sum(len(one.finding.wrong) for one in judged)),
        "wrong_verdicts": float(sum(bool(one.wrong) for one in judged)),
        "worlds_missing": float(len(missing)),
        "worlds": float(len({one.world for one in judged})),
        "rollouts": float(len(judged)),
        "signals_expected": float(expected),
    }


def show(judged: Sequence[Judged]) -> None:
    """A line for each rollout, and what is wrong with it."""
    for one in judged:
        told = f"{len(one.finding.bound)}/{len(one.finding.expected)} bound"
        print(f"{one.world:<28} {one.fault:<9} {told:<11} {one.path:<26} {one.code}", flush=True)
        lost = sorted(one.finding.expected - one.finding.bound)
        for line in (*(f"not bound: {name}" for name in lost), *one.finding.wrong, one.wrong):
            if line:
                print(f"    {line}", flush=True)
        if one.wrong:
            print(f"    {one.text}", flush=True)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="poll every three minutes")
    parser.add_argument("--only", help="worlds whose names begin so")
    parser.add_argument("--server", default="prometheus2", help="or prometheus3")
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    if find_server(told.server) is None or find_server("promtool") is None:
        print("conventions needs Prometheus and promtool: run `make servers`")
        return 1
    every_s = 180.0 if told.quick else _EVERY_S
    begun, judged = time.monotonic(), []
    for name, world in worlds().items():
        if told.only is None or name.startswith(told.only):
            found = judge(name, world, every_s, told.server)
            show(found)
            judged += found
    missing = without_a_world(shipped_packs())
    if missing:
        print("packs without a world:", ", ".join(missing))
    figures = figures_of(judged, missing)
    print({name: round(value, 4) for name, value in figures.items()})
    setup = {
        "server": told.server,
        "every_s": every_s,
        "seconds": round(time.monotonic() - begun, 1),
    }
    return concluded(figures, {}, ASKED, setup, told.json)


if __name__ == "__main__":
    sys.exit(main())
