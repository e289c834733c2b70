"""The process that tells people is killed while it does: is anybody not told, or told twice?

    python bench/correlate/outbox.py [--quick] [--json FILE] [--seed N] [--incidents N]

Ten thousand incidents, each with what happens to it one after another, go through the outbox in a
file to a webhook and to Slack as an app (`tests/pipelines/notify/slack_server.py`, which refuses
what its documents do not allow). Three calls in ten fail: refused, put off by 429, or hung up on.
Twenty times, at random moments, the process is ended with kill -9 and started again.

`lost` counts incidents of which a receiver never heard, `ends_lost` ends of incidents that it did
not hear of; `duplicate_rate` is the share of what it took that it had taken before; `out_of_order`
what came after a later one of its thread. Beside it, on the same incidents with as many deaths, a
process that claims a hundred at once and settles them when all were tried.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.correlate.outbox_sinks import FAILING, Sinks, Took, sinks  # noqa: E402
from bench.correlate.outbox_teller import clock_of  # noqa: E402
from bench.ending import concluded  # noqa: E402
from detector.gate.telling import DeliveryState, Notice, Post  # noqa: E402
from detector.ports import Outbox  # noqa: E402
from pipelines.stores.sqlite import Database  # noqa: E402
from tests.pipelines.notify.briefs import told  # noqa: E402

NAMES = ("hook", "chat")
PEER, BATCH = "claims of 100", 100
SPEED = 480.0
_CHUNK, _AHEAD, _LONGEST_S = 25, 250, 3600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many incidents, and how often the process dies."""

    incidents: int
    kills: int


WHOLE, QUICK = Plan(10_000, 20), Plan(450, 1)


def story(number: int, draw: random.Random) -> list[tuple[float, int, str]]:
    """When which happening of an incident is told: it grows, ends, and may begin again."""
    whys = ["opened", *["grew"] * draw.randrange(3), "resolved"]
    if draw.random() < 0.1:
        whys += ["reopened", "resolved"]
    at, found = float(number), []
    for nth, why in enumerate(whys):
        found.append((at, nth, why))
        at += draw.uniform(1.0, 60.0)
    return found


def happenings(incidents: int, seed: int) -> list[tuple[str, int, str]]:
    """Those of all incidents in the order in which they are told: thread, nth and why."""
    draw = random.Random(seed)
    every = [
        (at, f"inc_{number:06}", nth, why)
        for number in range(incidents)
        for at, nth, why in story(number, draw)
    ]
    return [(thread, nth, why) for _, thread, nth, why in sorted(every)]


def notice(thread: str, nth: int, why: str, *, at: float) -> Notice:
    """It is told at `at`; its line in the chat begins with its number as a time."""
    return replace(told(nth, why, thread=thread, told_at=1000 * nth), at=at)


@dataclass(slots=True)
class Trial:
    """One run: who feeds the outbox, who tells, and who kills."""

    plan: Plan
    both: Sinks
    file: Path
    outbox: Outbox
    batch: int
    began: float
    draw: random.Random
    alive: subprocess.Popen[bytes] | None = None
    kills: int = 0
    fed: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """The process that tells."""
        script = Path(__file__).with_name("outbox_teller.py")
        facts = (self.file, self.both.url, self.began, SPEED, self.batch)
        command = [sys.executable, str(script), *map(str, facts)]
        self.alive = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """As by kill -9."""
        if self.alive is not None:
            self.alive.kill()
            self.alive.wait(30)

    def feed(self, every: Sequence[tuple[str, int, str]]) -> None:
        """As they happen: not much faster than they are told."""
        clock, pause = clock_of(self.began, SPEED), threading.Event()
        for first in range(0, len(every), _CHUNK):
            some = every[first : first + _CHUNK]
            self.outbox.put([Post(notice=notice(*one, at=clock()), to=NAMES) for one in some])
            while self._due() > _AHEAD:
                pause.wait(0.02)
        self.fed.set()

    def taken(self) -> int:
        """How much both took."""
        return sum(took.total for took in self.both.took.values())

    def disturb(self, expected: int) -> None:
        """Kill it at random moments, spread over all that is to be told."""
        ends = time.monotonic() + _LONGEST_S
        for number in range(1, self.plan.kills + 1):
            while self.taken() < expected * number / (self.plan.kills + 1):
                if time.monotonic() > ends or (self.fed.is_set() and not self._due()):
                    return
                time.sleep(0.02)
            time.sleep(self.draw.uniform(0.0, 0.1))
            self.kill()
            self.kills += 1
            self.start()

    def finish(self) -> None:
        """Wait until nothing is due any more."""
        ends = time.monotonic() + _LONGEST_S
        while not self.fed.is_set() or self._due():
            if time.monotonic() > ends:
                raise RuntimeError("the outbox was not emptied")
            time.sleep(0.1)

    def _due(self) -> int:
        return sum(n for (_, state), n in self.outbox.tally().items() if state is DeliveryState.DUE)


def run(plan: Plan, batch: int, seed: int) -> Mapping[str, float]:
    """One trial, counted."""
    every, began = happenings(plan.incidents, seed), time.time()
    with sinks(seed) as both, tempfile.TemporaryDirectory(prefix="serinus-outbox-") as folder:
        file = Path(folder) / "serinus.db"
        database = Database(file)
        trial = Trial(plan, both, file, database.stores().outbox, batch, began, random.Random(seed))
        trial.start()
        feeder = threading.Thread(target=trial.feed, args=(every,), daemon=True)
        feeder.start()
        try:
            trial.disturb(expected=round(1.6 * plan.incidents * len(NAMES)))
            trial.finish()
        finally:
            trial.kill()
        tally = trial.outbox.tally()
        database.close()
        dropped = sum(n for (_, s), n in tally.items() if s is DeliveryState.DROPPED)
        return {
            **figures(every, both.took),
            "kills": trial.kills,
            "failed_calls": both.failed / both.calls,
            "unlike_documents": len(both.unlike),
            "updates_not_told": dropped,
            "taken": trial.taken(),
            "took_s": round(time.time() - began, 1),
        }


def figures(every: Sequence[tuple[str, int, str]], took: Mapping[str, Took]) -> dict[str, float]:
    """What receivers took, held against what happened."""
    threads = {thread for thread, _, _ in every}
    ends = {(thread, nth) for thread, nth, why in every if why == "resolved"}
    heard = [
        {(thread, nth) for thread, nths in one.threads.items() for nth in nths}
        for one in took.values()
    ]
    total = sum(one.total for one in took.values())
    return {
        "lost": sum(len(threads - one.threads.keys()) for one in took.values()),
        "ends_lost": sum(len(ends - one) for one in heard),
        "duplicate_rate": sum(one.duplicates for one in took.values()) / max(1, total),
        "out_of_order": sum(one.out_of_order for one in took.values()),
    }


def _print(rows: Mapping[str, Mapping[str, float]]) -> None:
    print(f"{'':18}" + "".join(f"{name:>16}" for name in rows))
    for figure in rows["serinus"]:
        print(f"{figure:18}" + "".join(f"{one[figure]:>16.6g}" for one in rows.values()))


def main() -> int:
    """Run both, print a table, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--incidents", type=int)
    asked = parser.parse_args()
    plan = QUICK if asked.quick else WHOLE
    if asked.incidents:
        plan = Plan(asked.incidents, plan.kills)
    found = run(plan, 1, asked.seed)
    peers = {PEER: run(plan, BATCH, asked.seed)}
    _print({"serinus": found, **peers})
    bounds = {
        "lost": ("<=", 0.0),
        "ends_lost": ("<=", 0.0),
        "duplicate_rate": ("<=", 0.001),
        "out_of_order": ("<=", 0.0),
        "unlike_documents": ("<=", 0.0),
        "kills": (">=", float(plan.kills)),
    }
    setup = {
        "incidents": plan.incidents,
        "receivers": len(NAMES),
        "failing": FAILING,
        "seed": asked.seed,
        "quick": asked.quick,
    }
    return concluded(found, peers, bounds, setup, asked.json)


if __name__ == "__main__":
    sys.exit(main())
