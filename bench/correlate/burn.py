"""Do burn-rate alerts come when the budget is in danger, and only then?

    python bench/correlate/burn.py [--quick] [--json FILE]

A month of 200 services whose traffic is Poisson with a daily season, from 0.01 to 100 requests/s on
average, and whose objective is 99 or 99.9 %. Each fails a little all the time (a tenth to half of
what it may). Incidents begin at random: a share of requests fails, from one per cent to all, for
ten minutes to a day. An alert is right if it begins in an incident (or an hour after its end, as
long as windows remember); an incident is to be found if it is expected to take at least 5 % of the
budget of four weeks and three requests. The textbook's rule sees the same month.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.ending import concluded  # noqa: E402
from detector.series import FloatArray  # noqa: E402
from detector.slo.alerting import alerts, begins  # noqa: E402
from detector.slo.burn import OURS, TEXTBOOK, Burning, Course, Rule, burning  # noqa: E402

ASKED: dict[str, tuple[str, float]] = {}
_STEP_S, _DAYS = 60.0, 28
_BINS = int(_DAYS * 86_400 / _STEP_S)
_WORTH, _FEWEST, _AFTER = 0.05, 3.0, 60
_TICKET = list(Burning).index(Burning.TICKET)


@dataclass(frozen=True, slots=True)
class Incident:
    """Bins from `begin` to `end`, and whether it is to be found."""

    begin: int
    end: int
    counts: bool


@dataclass(frozen=True, slots=True)
class Month:
    """What one service showed."""

    bad: FloatArray
    total: FloatArray
    budget: float
    incidents: tuple[Incident, ...]


def month(rng: np.random.Generator) -> Month:
    """One service."""
    mean, budget = 10 ** rng.uniform(-2, 2), float(rng.choice([0.01, 0.001]))
    at = np.arange(_BINS) * _STEP_S / 86_400
    season = 1 + 0.8 * np.sin(2 * np.pi * (at + rng.uniform()))
    expected = mean * _STEP_S * season
    share = np.full(_BINS, budget * rng.uniform(0.1, 0.5))
    incidents = []
    for _ in range(rng.poisson(2.0)):
        begin, long = int(rng.integers(_BINS)), int(10 ** rng.uniform(1, np.log10(1440)))
        end, hurt = min(begin + long, _BINS), 10 ** rng.uniform(-2, 0)
        share[begin:end] = np.maximum(share[begin:end], hurt)
        lost = hurt * expected[begin:end].sum()
        counts = lost >= max(_WORTH * budget * expected.sum(), _FEWEST)
        incidents.append(Incident(begin, end, bool(counts)))
    total = rng.poisson(expected)
    bad = rng.binomial(total, share).astype(float)
    return Month(bad, total.astype(float), budget, tuple(incidents))


def judged(one: Month, rule: Rule) -> tuple[int, int, int, int]:
    """Alerts, right ones, incidents to be found, found ones."""
    seen = np.arange(1, _BINS + 1) * _STEP_S
    usual = np.cumsum(one.total) / seen
    levels = burning if rule is TEXTBOOK else alerts
    level = levels(
        Course(
            bad=one.bad,
            total=one.total,
            usual=usual,
            step_s=_STEP_S,
            budget=one.budget,
            rule=rule,
        )
    )
    fires, begun = level >= _TICKET, begins(level, Burning.TICKET)
    right = sum(any(i.begin <= b < i.end + _AFTER for i in one.incidents) for b in begun)
    wanted = [i for i in one.incidents if i.counts]
    found = sum(bool(fires[i.begin : i.end + _AFTER].any()) for i in wanted)
    return len(begun), right, len(wanted), found


def figures(months: Sequence[Month], rule: Rule) -> dict[str, float]:
    """Precision and recall of a rule, and how many alerts there were."""
    alerts, right, wanted, found = np.sum([judged(one, rule) for one in months], axis=0).tolist()
    return {
        "burn_precision": right / max(alerts, 1),
        "burn_recall": found / max(wanted, 1),
        "burn_alerts": float(alerts),
        "burn_incidents": float(wanted),
    }


def beside(seed: int, services: int) -> tuple[dict[str, float], dict[str, float]]:
    """Figures of ours and of the textbook's rule on the same months."""
    rng = np.random.default_rng(seed)
    months = [month(rng) for _ in range(services)]
    return figures(months, OURS), figures(months, TEXTBOOK)


def main(arguments: Sequence[str]) -> int:
    """Print both rules side by side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="40 services")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(arguments)
    began, many = time.perf_counter(), 40 if asked.quick else 200
    ours, textbook = beside(asked.seed, many)
    for name, value in ours.items():
        print(f"{name:16} serinus {value:8.3f}   textbook 14.4/6/1 {textbook[name]:8.3f}")
    setup = {"services": many, "seed": asked.seed, "seconds": time.perf_counter() - began}
    return concluded(ours, {"textbook": textbook}, ASKED, setup, asked.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
