"""Is the service that was tampered with ranked first?

    python bench/correlate/rca.py [--quick] [--json FILE] [--dir DIR] [--hold-out] [--show]

Incidents with a known cause below DIR, in the layouts of PetShop (graph, metrics every five
minutes, `target.json`) and of Nezha (metrics, logs, traces, `faults.json`), are ranked with one
setting for all. Where a PetShop scenario has a normal period, windows of it are asked about too:
something standing out there is a false accusation. Of Nezha the half minute before an injection is
on neither side, and earlier injections are no part of the past. `--hold-out` chooses each belief of
the ranker on all other cases, and on the other data set, and tells what that reaches.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import beta

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.correlate import petshop, trainticket  # noqa: E402
from bench.correlate.cases import Case  # noqa: E402
from bench.correlate.peers import PEERS  # noqa: E402
from bench.ending import concluded  # noqa: E402
from detector.correlate.ranking import ranked_by  # noqa: E402
from detector.correlate.settings import Settings  # noqa: E402
from detector.correlate.weighing import weighed  # noqa: E402

DEFAULT = ROOT.parent / "shared" / "data" / "rca"
ASKED = {
    "petshop_latency_top1": (">=", 10 / 14),
    "petshop_latency_top3": (">=", 13 / 14),
    "petshop_availability_top1": (">=", 11 / 12),
    "petshop_availability_top3": (">=", 1.0),
    "petshop_latency_specificity": (">=", 0.90),
    "petshop_availability_specificity": (">=", 0.90),
    "nezha_top1": (">=", 25 / 28),
    "nezha_top3": (">=", 27 / 28),
}
# What the README of the data quotes: PetShop's graph traversal on low traffic, Nezha on two days.
PUBLISHED = {
    "petshop_latency_top1": 8 / 14,
    "petshop_latency_top3": 8 / 14,
    "petshop_availability_top1": 10 / 12,
    "petshop_availability_top3": 1.0,
    "petshop_latency_specificity": 1 / 6,
    "petshop_availability_specificity": 1.0,
    "nezha_top1": 0.867,
    "nezha_top3": 0.978,
}
# The others do not change the order of suspects, only whether one stands out.
GRID = tuple(
    Settings(passed=passed, hidden=hidden)
    for passed, hidden in itertools.product(
        (0.4, 0.6, 0.8), ((0.1, 0.02, 0.004), (0.2, 0.05), (0.1,), (0.02,))
    )
)
_OURS = "serinus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where the guilty one of a case stood, by ranker (1 is first), and whether one stood out."""

    group: str
    case: str
    places: Mapping[str, int]
    stands_out: bool
    by_setting: tuple[int, ...]


def main(arguments: Sequence[str]) -> int:
    """Rank all, print the table, write the file; 1 where something falls short."""
    options = _options(arguments)
    started = time.perf_counter()
    outcomes = [_outcome(group, case, options) for group, case in _cases(options)]
    figures = _figures([one for one in outcomes if one.places], _OURS)
    figures |= _specificity([one for one in outcomes if not one.places])
    peers = {name: _figures([one for one in outcomes if one.places], name) for name in PEERS}
    _table(figures, {**peers, "published": PUBLISHED})
    if options.hold_out:
        figures |= _hold_out([one for one in outcomes if one.places])
    asked = {} if options.quick else {name: ASKED[name] for name in ASKED if name in figures}
    setup = {"dir": str(options.dir.name), "quick": options.quick, "settings": str(Settings())}
    print(f"{len(outcomes)} scenes in {time.perf_counter() - started:.0f} s")
    return concluded(figures, {**peers, "published": PUBLISHED}, asked, setup, options.json)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dir", type=Path, default=DEFAULT)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="a third of the scenes")
    parser.add_argument("--hold-out", action="store_true", help="beliefs chosen on other cases")
    parser.add_argument("--show", action="store_true", help="the first suspect of every case")
    options = parser.parse_args(arguments)
    if not petshop.scenarios(options.dir) and not trainticket.days(options.dir):
        parser.error(f"no graph.csv and no faults.json below {options.dir}")
    return options


def _cases(options: argparse.Namespace) -> Iterator[tuple[str, Case]]:
    """Cases with the name that their figures begin with."""
    for folder in petshop.scenarios(options.dir):
        cases = list(petshop.cases(folder))
        for case in cases[:: 2 if options.quick else 1]:
            yield f"petshop_{case.group}", case
        if cases and cases[0].scene.complaint is not None:
            asker = cases[0].scene.complaint.service
            every = 60 if options.quick else 5
            for case in petshop.normal_cases(folder, every, asker):
                yield f"petshop_{case.group}", case
    for folder in trainticket.days(options.dir):
        for number, case in enumerate(trainticket.cases(folder)):
            if options.quick and number >= 8:
                break
            yield "nezha", case


def _outcome(group: str, case: Case, options: argparse.Namespace) -> Outcome:
    found = weighed(case.scene)
    ranking = ranked_by(case.scene, found, Settings())
    names = [suspect.service for suspect in ranking.suspects]
    if options.show:
        first = ranking.suspects[0]
        told = f"{first.service} {first.probability:.2f}: " + ", ".join(first.reasons)
        print(f"{case.name}\n    guilty {case.guilty}\n    {told if ranking.stands_out else '-'}")
    if case.guilty is None:
        return Outcome(
            group=group, case=case.name, places={}, stands_out=ranking.stands_out, by_setting=()
        )
    grid = GRID if options.hold_out else ()
    return Outcome(
        group=group,
        case=case.name,
        places={
            _OURS: _place(names, case.guilty),
            **{name: _place(rank(case.scene), case.guilty) for name, rank in PEERS.items()},
        },
        stands_out=ranking.stands_out,
        by_setting=tuple(
            _place([s.service for s in ranked_by(case.scene, found, one).suspects], case.guilty)
            for one in grid
        ),
    )


def _place(names: Sequence[str], guilty: str) -> int:
    return names.index(guilty) + 1 if guilty in names else len(names) + 1


def _figures(outcomes: Sequence[Outcome], ranker: str) -> dict[str, float]:
    """Of all and of every group: shares in the first one and three, mean of the first five."""
    groups: dict[str, list[int]] = defaultdict(list)
    for one in outcomes:
        for group in ("", one.group + "_"):
            groups[group].append(one.places[ranker])
    figures: dict[str, float] = {}
    for group, places in groups.items():
        for k in (1, 3):
            hits = sum(place <= k for place in places)
            figures |= _with_interval(f"{group}top{k}", hits, len(places))
        figures[f"{group}avg5"] = (
            sum(sum(place <= k for place in places) / len(places) for k in range(1, 6)) / 5
        )
    if ranker == _OURS:
        figures |= _with_interval(
            "sensitivity", sum(one.stands_out for one in outcomes), len(outcomes)
        )
    return figures


def _specificity(outcomes: Sequence[Outcome]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for group in sorted({one.group for one in outcomes}):
        quiet = [not one.stands_out for one in outcomes if one.group == group]
        figures |= _with_interval(f"{group}_specificity", sum(quiet), len(quiet))
    return figures


def _with_interval(name: str, hits: int, count: int) -> dict[str, float]:
    """A share with the exact 95 % interval of Clopper and Pearson."""
    low = float(beta.ppf(0.025, hits, count - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, count - hits)) if hits < count else 1.0
    return {name: hits / count, f"{name}_low": low, f"{name}_high": high, f"{name}_of": count}


def _hold_out(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Beliefs by the best of all other cases, and by the best on the other data."""
    figures: dict[str, float] = {}
    for group in sorted({one.group for one in outcomes}):
        mine = [one for one in outcomes if one.group == group]
        foreign = [one for one in outcomes if one.group.split("_")[0] != group.split("_")[0]]
        alone = [one.by_setting[_best([o for o in outcomes if o is not one])] for one in mine]
        _add(figures, f"{group}_left_out", alone)
        if foreign:
            _add(figures, f"{group}_transferred", [one.by_setting[_best(foreign)] for one in mine])
        every = [sum(one.by_setting[at] == 1 for one in mine) for at in range(len(GRID))]
        print(f"{group}: first in {min(every)} to {max(every)} of {len(mine)} over all beliefs")
    return figures


def _best(outcomes: Sequence[Outcome]) -> int:
    scores = [
        sum((one.by_setting[at] == 1) + (one.by_setting[at] <= 3) for one in outcomes)
        for at in range(len(GRID))
    ]
    return scores.index(max(scores))


def _add(figures: dict[str, float], name: str, places: Sequence[int]) -> None:
    for k in (1, 3):
        hits = sum(place <= k for place in places)
        figures |= _with_interval(f"{name}_top{k}", hits, len(places))
        print(f"{name}: in the first {k}: {hits} of {len(places)}")


def _table(figures: Mapping[str, float], peers: Mapping[str, Mapping[str, float]]) -> None:
    print(f"{'figure':<34}{'serinus':>8}  {'95 % interval':<14}", *(f"{p:>20}" for p in peers))
    for name, value in figures.items():
        if name.endswith(("_low", "_high", "_of")):
            continue
        known = f"{name}_low" in figures
        interval = f"{figures[f'{name}_low']:.2f} to {figures[f'{name}_high']:.2f}" if known else ""
        beside = [f"{peer[name]:>20.3f}" if name in peer else " " * 20 for peer in peers.values()]
        print(f"{name:<34}{value:>8.3f}  {interval:<14}", *beside)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
