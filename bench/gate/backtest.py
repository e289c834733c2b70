"""Polls of a past rollout per second of one core.

    python bench/gate/backtest.py [--quick] [--json FILE]

The shop of `verdict.py`: eight signals (errors, latency, two tails, restarts, errors of a
dependency, CPU and memory), 5 canary and 10 stable pods, 330 series, two hours of history and 30
minutes of the rollout, with three steps of weight; asked every 30 s by the flow behind
`serinus backtest`. Counted is all CPU of the thread: reading from the embedded source, learning
the history, every poll. Beside it, on the same samples in turn: the gate asked poll by poll, each
poll cutting its own bins. A figure is the best of the repeats: other work on the machine can only
add to it; the medians stand in the setup.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, thread_time

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.shop import ORIGIN, SIGNALS, Shop, bind, fill  # noqa: E402
from detector.backtest.course import Course, PastRollout  # noqa: E402
from detector.gate.attempt import Weight  # noqa: E402
from detector.gate.policy import Policy  # noqa: E402
from detector.gate.request import VerdictRequest  # noqa: E402
from detector.gate.session import Session  # noqa: E402
from detector.gate.verdict import Outcome, Verdict  # noqa: E402
from pipelines.flows.backtest import Past, play  # noqa: E402
from pipelines.flows.gate import Gate, GateSettings  # noqa: E402
from pipelines.stores.memory import memory_stores  # noqa: E402

ASKED: dict[str, tuple[str, float]] = {"polls_per_core_s": (">=", 150.0)}
EVERY_S, LENGTH_S = 30.0, 1800.0
_STEPS = ((0.0, 10.0), (420.0, 20.0), (840.0, 33.0))


def rollout() -> PastRollout:
    """The shop's rollout, as a list would tell it."""
    end = ORIGIN + LENGTH_S
    return PastRollout(
        request=VerdictRequest(
            service="shop",
            canary='{version="v2"}',
            started_at=datetime.fromtimestamp(ORIGIN, UTC),
            deadline=datetime.fromtimestamp(end, UTC),
        ),
        start=ORIGIN,
        end=end,
        weights=tuple(Weight(at=ORIGIN + at, weight=weight) for at, weight in _STEPS),
    )


def played(past: Past, every_s: float) -> tuple[Course, float]:
    """The course, and polls per second of CPU."""
    begun = thread_time()
    course = play(rollout(), past, policy=Policy(), every_s=every_s)
    rate = len(course.polls) / (thread_time() - begun)
    _check(course)
    return course, rate


def _check(course: Course) -> None:
    """A rate counts only if the work was done: all signals judged, a healthy shop passing."""
    last = course.last
    judged = {bound.signal.name for bound in SIGNALS if bound.signal.judged} - {"tail99"}
    if last is None or last.outcome is not Outcome.PASS or not judged <= set(last.evidence):
        raise SystemExit(f"not judged as it should be: {last}")


def lived(past: Past, course: Course) -> float:
    """Polls per second of CPU of a gate that is asked while the rollout goes on."""
    now = [ORIGIN]
    gate = Gate(
        source=past.source,
        catalog=past.catalog,
        stores=memory_stores(),
        clock=lambda: now[0],
        discover=past.discover,
        session_factory=Session,
        settings=GateSettings(bound_s=600.0),
    )
    begun = thread_time()
    verdicts = list(_asked(gate, now, course))
    rate = len(verdicts) / (thread_time() - begun)
    said = [(poll.outcome, poll.reason) for poll in course.polls]
    if [(verdict.outcome, verdict.reason) for verdict in verdicts] != said:
        raise SystemExit("the backtest says something else than the gate did")
    return rate


def _asked(gate: Gate, now: list[float], course: Course) -> Iterator[Verdict]:
    from dataclasses import replace

    of = course.rollout
    for poll in course.polls:
        now[0] = poll.at
        weight = [one.weight for one in of.weights if one.at <= poll.at][-1]
        yield gate.judge(replace(of.request, weight=weight))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; 1 where the figure falls short."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args(argv)
    begun, repeats = monotonic(), 3 if args.quick else 9
    source = fill(Shop(length_s=LENGTH_S))
    past = Past(source=source, catalog=source, discover=bind)
    runs = [played(past, EVERY_S) for _ in range(repeats)]
    rates, course = [rate for _, rate in runs], runs[0][0]
    fine = [played(past, EVERY_S / 2)[1] for _ in range(repeats)]
    peers = [lived(past, course) for _ in range(repeats)]
    figures = {"polls_per_core_s": max(rates), "polls_per_core_s_at_15_s": max(fine)}
    beside = {"poll_by_poll": {"polls_per_core_s": max(peers)}}
    for name, found in (
        (f"polls each {EVERY_S:g} s", rates),
        (f"polls each {EVERY_S / 2:g} s", fine),
        ("the gate, poll by poll", peers),
    ):
        print(f"{name}: {max(found):.0f} per core-second (median {np.median(found):.0f})")
    setup = {
        "repeats": repeats,
        "median": float(np.median(rates)),
        "median_poll_by_poll": float(np.median(peers)),
        "polls": len(course.polls),
        "signals": len(SIGNALS),
        "python": platform.python_version(),
        "seconds": round(monotonic() - begun, 1),
    }
    return concluded(figures, beside, ASKED, setup, args.json)


if __name__ == "__main__":
    sys.exit(main())
