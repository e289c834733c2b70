"""A company's rollouts at once: each polled every 15 s over HTTP, data arriving all the while.

    python bench/gate/polling.py [--quick] [--rollouts N ...] [--postgres] [--json FILE]

A real Prometheus scrapes every pod of every rollout; one `serinus serve` answers; a third process
polls, each rollout at a phase of its own, drawn by chance. A poll's time runs from when it was
due, so that what waits for a late one is late, too. The peer is Prometheus itself, polled at the
same rhythm for the two error rates that a query-based judge would compare: no history, no bounds,
nothing kept.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import httpx2  # noqa: E402
import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.fleet import Fleet  # noqa: E402
from bench.gate.stand import Meter, Stand, standing  # noqa: E402
from tests.servers import find_server  # noqa: E402

EVERY_S = 15.0
# The bars, by how many rollouts are open; other numbers have that of the next larger one.
P99_MS = {300: 250.0, 1000: 500.0}
# Growth in the measured time: a rollout may learn, but nothing may pile up.
GROWTH_KB = 50.0
LOOKS = 20
# An attempt's windows fill in its first ten minutes: what it holds after them it holds for good.
_SETTLE_S = 660.0
CONNECTIONS = 400

Ask = Callable[[httpx2.AsyncClient, int], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of the stages: first questions spread over `ramp`, `settle` not counted."""

    ramp: float
    settle: float
    measure: float


@dataclass(slots=True)
class Polls:
    """Seconds of each poll, and what was told."""

    seconds: list[float] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    def at(self, quantile: float) -> float:
        """Milliseconds."""
        return 1000 * float(np.quantile(self.seconds, quantile))

    @property
    def failed(self) -> int:
        """Polls that were not answered by a verdict."""
        return sum(n for word, n in self.told.items() if word.isdigit() or word[:1].isupper())


@dataclass(slots=True)
class Poller:
    """Asks about rollouts, each at its own phase; keeps what is told while `kept` is there."""

    ask: Ask
    rollouts: int
    kept: Polls | None = None

    async def run(self, times: Times, notice: Callable[[], None]) -> Polls:
        """All stages; `notice` is called now and then in the measured one."""
        limits = httpx2.Limits(
            max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=60
        )
        async with httpx2.AsyncClient(limits=limits, timeout=30) as client:
            begin = time.monotonic()
            tasks = [
                asyncio.create_task(self._follow(client, n, begin + first))
                for n, first in enumerate(firsts(self.rollouts, times.ramp))
            ]
            await asyncio.sleep(times.ramp + times.settle)
            kept = self.kept = Polls()
            for _ in range(LOOKS):
                notice()
                await asyncio.sleep(times.measure / LOOKS)
            notice()
            self.kept = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return kept

    async def _follow(self, client: httpx2.AsyncClient, rollout: int, due: float) -> None:
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            try:
                word = await self.ask(client, rollout)
            except httpx2.TransportError as error:
                word = type(error).__name__
            if self.kept is not None:
                self.kept.seconds.append(time.monotonic() - due)
                self.kept.told[word] += 1
            due += EVERY_S


def firsts(rollouts: int, ramp: float) -> list[float]:
    """Seconds until the first question of each: one after the other, at phases that are nobody's.

    At equal distances from each other many would have the same phase, and be due at one instant
    for ever: 20 of 1000 that begin 0.3 s apart.
    """
    phases = np.random.default_rng(1).uniform(0, EVERY_S, rollouts)
    turns = np.arange(rollouts) * (ramp // EVERY_S * EVERY_S / rollouts) // EVERY_S
    return [float(first) for first in turns * EVERY_S + phases]


def verdicts(fleet: Fleet, url: str) -> Ask:
    """Ask serinus, as a controller does; the word is the reason of its answer."""

    async def ask(client: httpx2.AsyncClient, rollout: int) -> str:
        answer = await client.post(f"{url}/v1/verdicts?view=brief", json=fleet.question(rollout))
        if answer.status_code != 200:
            return str(answer.status_code)
        return str(answer.json()["reason"]["code"])

    return ask


def rates(fleet: Fleet, url: str) -> Ask:
    """Ask Prometheus for both arms' error rates, as a judge of queries does."""

    async def ask(client: httpx2.AsyncClient, rollout: int) -> str:
        question = fleet.question(rollout)
        for arm in ("canary", "control"):
            inside = str(question[arm])[1:-1]
            of = f'http_requests_total{{service="{question["service"]}",{inside}}}[5m]'
            bad = of.replace("}[", ',code=~"5.."}[')
            query = f"sum(rate({bad})) / sum(rate({of}))"
            answer = await client.post(f"{url}/api/v1/query", data={"query": query})
            if answer.status_code != 200:
                return str(answer.status_code)
        return "told"

    return ask


def measured(stand: Stand, times: Times, *, is_last: bool) -> tuple[dict[str, float], Polls | None]:
    """The figures of one fleet, and the peer's polls where they are wanted."""
    meter = Meter(stand.ours, stand.source)
    fleet = stand.fleet
    poller = Poller(verdicts(fleet, stand.url), fleet.rollouts)
    polls = asyncio.run(poller.run(times, meter.look))
    peer = None
    if is_last:
        beside = Times(ramp=0.0, settle=0.0, measure=EVERY_S)
        peer = asyncio.run(
            Poller(rates(fleet, stand.prometheus), fleet.rollouts).run(beside, lambda: None)
        )
    print(f"{fleet.rollouts} rollouts told:", dict(polls.told.most_common()))
    return figures_of(polls, meter, fleet.rollouts), peer


def figures_of(polls: Polls, meter: Meter, rollouts: int) -> dict[str, float]:
    """What is told of one fleet."""
    took = meter.seconds
    return {
        "rollouts": float(rollouts),
        "polls": float(len(polls.seconds)),
        "p99_ms": polls.at(0.99),
        "median_ms": polls.at(0.5),
        "failed": float(polls.failed),
        "rss_mb": meter.rss_mb,
        "rss_growth_mb": meter.rss_growth_mb,
        "cpu_ms": 1000 * meter.cpu / max(len(polls.seconds), 1),
        "cores": meter.cpu / took,
        "source_cores": meter.source_cpu / took,
    }


def bar(rollouts: int) -> float:
    """Milliseconds that are asked of so many."""
    return next((ms for most, ms in P99_MS.items() if rollouts <= most), max(P99_MS.values()))


def gathered(
    found: Sequence[dict[str, float]], *, is_quick: bool
) -> tuple[dict[str, float], dict[str, tuple[str, float]]]:
    """Figures and bars: those of the largest fleet by their plain names, others by their size."""
    figures: dict[str, float] = {}
    asked: dict[str, tuple[str, float]] = {}
    for one in found:
        size = int(one["rollouts"])
        tail = "" if one is found[-1] else f"_{size}"
        figures |= {f"{name}{tail}": value for name, value in one.items()}
        asked[f"p99_ms{tail}"] = ("<=", bar(size))
        asked[f"failed{tail}"] = ("<=", 0.0)
        if not is_quick:
            # In the first minute memory is what was just learned, not what piles up.
            asked[f"rss_growth_mb{tail}"] = ("<=", size * GROWTH_KB / 1024)
    return figures, asked


def report(found: Sequence[dict[str, float]], peer: Polls) -> None:
    """Print the table."""
    print(f"{'':18}" + "".join(f"{one['rollouts']:>12.0f}" for one in found) + f"{'peer':>12}")
    others = {"p99_ms": peer.at(0.99), "median_ms": peer.at(0.5), "failed": float(peer.failed)}
    for name in found[0]:
        cells = "".join(f"{one[name]:>12.2f}" for one in found)
        print(f"{name:18}{cells}" + (f"{others[name]:>12.2f}" if name in others else ""))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; 1 where a figure falls short."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="40 rollouts, under a minute")
    parser.add_argument("--rollouts", type=int, nargs="+", help="fleets; default 300 1000")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each fleet; default 10")
    parser.add_argument("--postgres", action="store_true", help="its store, not a file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    chosen = parser.parse_args(argv)
    if find_server("prometheus3") is None:
        print("Prometheus 3 is not installed here: run `make servers`", file=sys.stderr)
        return 1
    sizes = chosen.rollouts or ([40] if chosen.quick else [300, 1000])
    begun, found, peer = time.monotonic(), [], None
    for size in sizes:
        times = _times(size, chosen.minutes, is_quick=chosen.quick)
        scrape_s = 2.0 if chosen.quick else 15.0
        with standing(size, scrape_s, postgres=chosen.postgres) as stand:
            one, peer = measured(stand, times, is_last=size == sizes[-1])
        found.append(one)
    assert peer is not None
    figures, asked = gathered(found, is_quick=chosen.quick)
    report(found, peer)
    setup = {
        "fleets": sizes,
        "pods": [Fleet(rollouts=1).canary, Fleet(rollouts=1).stable],
        "rollouts_of_a_service": Fleet(rollouts=1).per_service,
        "every_s": EVERY_S,
        "store": "postgresql" if chosen.postgres else "sqlite",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "seconds": round(time.monotonic() - begun, 1),
    }
    others = {"two error rates, PromQL": {"p99_ms": peer.at(0.99), "median_ms": peer.at(0.5)}}
    return concluded(figures, others, asked, setup, chosen.json)


def _times(size: int, minutes: float, *, is_quick: bool) -> Times:
    """A first question costs some ten polls, so that the first are spread over longer."""
    if is_quick:
        return Times(ramp=EVERY_S, settle=0.0, measure=EVERY_S)
    return Times(ramp=max(60.0, size * 0.3), settle=_SETTLE_S, measure=60 * minutes)


if __name__ == "__main__":
    sys.exit(main())
