"""Many metrics of a machine, labelled: how well odd rows stand out, and which metrics are blamed.

    python bench/stream/labelled.py [--quick] [--json FILE] [--dir DIR] [--choose]

A model of each machine is fitted on its train rows with one setting for all, and scores the test
rows from what was before them only. Scores are counted by row, never point-adjusted: average
precision, VUS-PR (`vus.py`), and at one threshold fixed beforehand the share of windows found and
the false alarms a day. DIR holds `asd/` and `smd/`; without it, the machines beside the checkout.
`--choose` picks, for each machine, the best of several settings on all others: what a choice made
without a machine is worth on it. Machines are few; peers that take minutes are left out of --quick.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import process_time

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.stream.labelled_peers import FAST, SLOW  # noqa: E402
from bench.stream.machines import STEP_S, Machine, machines_in  # noqa: E402
from bench.stream.vus import vus_pr, windows  # noqa: E402
from models.anomaly.multivariate.model import (  # noqa: E402
    Kind,
    Multivariate,
    Recipe,
    begin,
    fit,
    score,
    shares,
)

Floats = NDArray[np.float64]
DEFAULT = ROOT.parent / "shared" / "data" / "multimetric"
# Rows that would be called odd with nothing wrong, going by the levels of the train rows.
P_ALARMS = (1e-3, 1e-4)
_DAY_S = 86_400.0
ASKED: dict[str, tuple[str, float]] = {"asd_ap": (">=", 0.32), "smd_ap": (">=", 0.60)}
_VIEWS = {
    "only_deviation": (Kind.DEVIATION,),
    "only_covariance": (Kind.COVARIANCE,),
    "only_projection": (Kind.PROJECTION,),
    "only_forest": (Kind.FOREST,),
    "all_four": tuple(Kind),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one machine showed; `figures` by name, without the set."""

    machine: Machine
    figures: Mapping[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a figure falls short."""
    args = arguments(argv)
    machines = list(machines_in(args.dir))
    if not machines:
        print(f"no machines in {args.dir}: name a folder with asd/ and smd/ by --dir")
        return 2
    measured = [Measured(machine=one, figures=judged(one, Recipe())) for one in machines]
    print_machines(measured)
    figures = means(measured)
    if args.choose:
        figures |= chosen(machines)
    peers = {name: peer(machines, scorer) for name, scorer in scorers(args.quick).items()}
    print_figures(figures, peers)
    asked = {name: bound for name, bound in ASKED.items() if name in figures}
    setup = {"machines": [one.name for one in machines], "p_alarms": P_ALARMS}
    return concluded(figures, peers, asked, setup, args.json)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="without the peers that take minutes")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--dir", type=Path, default=DEFAULT, help="machines in the same layout")
    parser.add_argument("--choose", action="store_true", help="leave one machine out and choose")
    return parser.parse_args(argv)


def judged(machine: Machine, recipe: Recipe) -> dict[str, float]:
    """Fit on the train rows, score the test rows, count."""
    began = process_time()
    model = fit(machine.train, 0, machine.step_s, recipe)
    first = len(machine.train)
    scored, _ = score(model, machine.test, first, begin(model))
    seconds = process_time() - began
    return {
        **accuracy(machine, scored.level),
        **{
            f"{name}_at_{chance:.0e}": value
            for chance in P_ALARMS
            for name, value in alarms(machine, scored.p_value < chance).items()
        },
        "blame": blame(machine, model),
        "cpu_s": seconds,
    }


def accuracy(machine: Machine, scores: Floats) -> dict[str, float]:
    """By row, and by row with buffers."""
    from sklearn.metrics import average_precision_score

    return {
        "ap": float(average_precision_score(machine.label, scores)),
        "vus_pr": vus_pr(machine.label, scores),
    }


def alarms(machine: Machine, alarm: NDArray[np.bool_]) -> dict[str, float]:
    """Windows with an alarm, and runs of alarm rows a day that touch no window."""
    runs, odd = windows(alarm.astype(int)), machine.label
    false = sum(not odd[first : last + 1].any() for first, last in runs)
    found = np.mean([alarm[first : last + 1].any() for first, last in windows(odd)])
    days = len(odd) * machine.step_s / _DAY_S
    return {"found": float(found), "false_a_day": false / days}


def blame(machine: Machine, model: Multivariate) -> float:
    """The share of a window's blamed metrics among as many that we name, mean over windows."""
    if not machine.blames:
        return float("nan")
    parts = shares(model, machine.test, len(machine.train), begin(model))
    return float(
        np.mean([_named(parts, one.first, one.last, one.metrics) for one in machine.blames])
    )


def _named(parts: Floats, first: int, last: int, metrics: frozenset[int]) -> float:
    order = np.argsort(-parts[first : last + 1].mean(axis=0), kind="stable")
    return len(metrics & set(order[: len(metrics)].tolist())) / len(metrics)


def means(measured: Sequence[Measured]) -> dict[str, float]:
    """Each figure, a mean over the machines of a set."""
    figures: dict[str, float] = {}
    for name in STEP_S:
        of = [one.figures for one in measured if one.machine.set == name]
        if of:
            figures |= {f"{name}_{key}": float(np.mean([one[key] for one in of])) for key in of[0]}
    return figures


def scorers(quick: bool) -> dict[str, Callable[[Machine], Floats]]:
    """Peers, and each view of the model by itself."""
    views = {name: _view(Recipe(kinds=kinds)) for name, kinds in _VIEWS.items()}
    return {**FAST, **({} if quick else SLOW), **views}


def _view(recipe: Recipe) -> Callable[[Machine], Floats]:
    def scorer(machine: Machine) -> Floats:
        model = fit(machine.train, 0, machine.step_s, recipe)
        return score(model, machine.test, len(machine.train), begin(model))[0].level

    return scorer


def peer(machines: Sequence[Machine], scorer: Callable[[Machine], Floats]) -> dict[str, float]:
    """A peer's accuracy, a mean over the machines of a set."""
    return means([Measured(machine=one, figures=accuracy(one, scorer(one))) for one in machines])


def chosen(machines: Sequence[Machine]) -> dict[str, float]:
    """Average precision on each machine by the setting that is best on all others."""
    from sklearn.metrics import average_precision_score

    settings = list(_settings())
    table = np.array([
        [average_precision_score(one.label, _view(recipe)(one)) for recipe in settings]
        for one in machines
    ])  # fmt: skip
    blind = []
    for left_out, machine in enumerate(machines):
        others = [number for number in range(len(machines)) if number != left_out]
        best = int(np.argmax(_merit(machines, table, others)))
        blind.append(Measured(machine=machine, figures={"ap_chosen_blind": table[left_out, best]}))
    spread = [
        Measured(machine=one, figures={"ap_worst_setting": row.min(), "ap_best_setting": row.max()})
        for one, row in zip(machines, table, strict=True)
    ]
    return {**means(blind), **means(spread)}


def _merit(machines: Sequence[Machine], table: Floats, of: Sequence[int]) -> Floats:
    """Of each setting: what a set's machines got on the mean, against what is asked, over sets."""
    parts = []
    for name in STEP_S:
        rows = [number for number in of if machines[number].set == name]
        if rows:
            parts.append(table[rows].mean(axis=0) / ASKED[f"{name}_ap"][1])
    merit: Floats = np.mean(parts, axis=0)
    return merit


def _settings() -> Sequence[Recipe]:
    kinds = [
        (Kind.DEVIATION, Kind.COVARIANCE),
        (Kind.DEVIATION, Kind.COVARIANCE, Kind.PROJECTION),
        tuple(Kind),
        (Kind.COVARIANCE,),
    ]
    lags = [(0,), (0, 1), (0, 1, 2, 4)]
    paces = [(0.0, 600.0, 1800.0), (600.0,), (0.0, 600.0, 3600.0)]
    shrinkages = [0.1, 0.25, 0.5]
    return [
        Recipe(kinds=some, lags=back, half_lives_s=pace, shrinkage=shrinkage)
        for some, back, pace, shrinkage in product(kinds, lags, paces, shrinkages)
    ]


def print_machines(measured: Sequence[Measured]) -> None:
    """A line for each machine."""
    names = list(measured[0].figures)
    print(f"{'machine':<18}" + "".join(f"{name:>18}" for name in names))
    for one in measured:
        cells = "".join(f"{value:>18.3f}" for value in one.figures.values())
        print(f"{one.machine.set}/{one.machine.name:<14}{cells}")
    print()


def print_figures(figures: Mapping[str, float], peers: Mapping[str, Mapping[str, float]]) -> None:
    """Ours and theirs; then what only ours has."""
    shown = [f"{name}_{key}" for name in STEP_S for key in ("ap", "vus_pr")]
    shown = [name for name in shown if name in figures]
    print(f"{'':<26}" + "".join(f"{name:>13}" for name in shown))
    for who, values in {"serinus": figures, **peers}.items():
        print(f"{who:<26}" + "".join(f"{values[name]:>13.3f}" for name in shown))
    print()
    for name, value in figures.items():
        bound = "asked {} {:g}".format(*ASKED[name]) if name in ASKED else ""
        print(f"{name:<26}{value:>10.3f}  {bound}")


if __name__ == "__main__":
    sys.exit(main())
