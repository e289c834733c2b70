"""What a month of people's words is worth: the simulated fleet ranked before and after learning.

    python bench/correlate/learn.py [--quick] [--json FILE] [--seed N] [--services N] [--days N]

The fleet of `fleet.py`, its incidents labelled by what truly caused them: of every second fault
people say which change it was, or that it was none. All kinds of changes break equally often there,
one in twenty, which is not what the defaults think of flags and of infrastructure. Each incident is
ranked with the defaults, and with what is learned of what was said of the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.correlate.fleet import Outcome, Watch, changes_told, outcomes  # noqa: E402
from bench.correlate.fleet_world import drawn  # noqa: E402
from bench.ending import concluded  # noqa: E402
from detector.changes.change import Change, ChangeKind  # noqa: E402
from detector.incidents.labels import labels_of  # noqa: E402
from detector.incidents.learning import Relearned, Score, relearned  # noqa: E402
from detector.incidents.learning_words import advice_words, kind_words, score_words  # noqa: E402
from detector.incidents.record import KeptIncident, Said, SaidKind  # noqa: E402
from detector.incidents.suspects import SuspectSettings  # noqa: E402


def spoken_of(every: Sequence[Outcome], changes: Sequence[Change]) -> list[KeptIncident]:
    """The first incident of each fault; of every second one people say what it was."""
    by_number = {one.subject: one for one in changes}
    kept = []
    for number, one in enumerate(outcome for outcome in every if outcome.incidents):
        incident = one.incidents[0].last
        guilty = by_number.get(str(one.fault.change))
        kind = SaidKind.NO_CHANGE if guilty is None else SaidKind.CAUSED_BY
        change = None if guilty is None else guilty.id
        word = Said(at=incident.began, kind=kind, person="truth", change=change)
        kept.append(KeptIncident(incident=incident, said=(word,) if number % 2 else ()))
    return kept


def figures_of(found: Relearned) -> dict[str, float]:
    """What is known, and both rankings."""
    flag = next(one for one in found.kinds if one.kind is ChangeKind.FLAG)
    return {
        "words": float(found.labelled),
        "flag_after": flag.after,
        "gain": found.gain,
        "gain_error": found.error,
        "recommended": float(found.is_better),
        **_scored(found.after),
    }


def _scored(score: Score) -> dict[str, float]:
    return {
        "guilty_first": score.first / max(1, score.guilty),
        "guilty_top3": score.top3 / max(1, score.guilty),
        "unblamed": score.unblamed / max(1, score.alone),
        "loss": score.loss,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; nothing is asked of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="60 services, 5 days")
    parser.add_argument("--json", type=Path, help="write figures, peers and setup here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--services", type=int, help="how many, 200 if not told")
    parser.add_argument("--days", type=int, help="how many, 28 if not told")
    args = parser.parse_args(argv)
    services = args.services or (60 if args.quick else 200)
    days = args.days or (5 if args.quick else 28)
    fleet = drawn(args.seed, services=services, days=days)
    watch = Watch(fleet, 400.0)
    watch.run()
    every, _ = outcomes(fleet, list(watch.told.values()))
    changes = list({one.id: one for one in changes_told(fleet.changes)}.values())
    defaults = SuspectSettings().bad
    found = relearned(labels_of(spoken_of(every, changes), changes), defaults, defaults)
    for kind in found.kinds:
        if kind.tally.bad + kind.tally.good:
            print(kind_words(kind))
    print(f"before: {score_words(found.before)}\nafter:  {score_words(found.after)}")
    print(advice_words(found))
    setup = {"services": services, "days": days, "seed": args.seed}
    peers = {"defaults": _scored(found.before)}
    return concluded(figures_of(found), peers, {}, setup, args.json)


if __name__ == "__main__":
    raise SystemExit(main())
