"""Does the template miner group lines as people did? GA and FGA on labelled sets of loghub.

    python bench/logs/grouping.py [--quick] [--json FILE] [--dir FOLDER]

Every set is read in the order of its file, once, with the settings of a product: the same for all
systems, and no expression of any of them. Lines count under the number that they have after the
last one, as counts in a store would after all merges. `FOLDER` holds `X/X_2k.log_structured.csv`
of each system X, and where there are, `..._corrected.csv`. The sets may be had from
<https://github.com/logpai/loghub> (Zhu et al., "Loghub", ISSRE 2023) and are not ours to ship;
where they are absent nothing is measured. `ga_drain3` is drain3 with its default settings in this
run, and `published_drain` what its authors reached with settings for each system (README of
<https://github.com/logpai/logparser>).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.ending import concluded  # noqa: E402
from bench.logs.labelled import DEFAULT, Labelled, Scores, columns, scores, sets  # noqa: E402
from models.templates.miner import Miner  # noqa: E402

ASKED = {"ga_mean": (">=", 0.93), "fga_mean": (">=", 0.85)}
PUBLISHED_DRAIN = {
    "HDFS": 0.9975,
    "Apache": 1.0,
    "OpenSSH": 0.7875,
    "Zookeeper": 0.9665,
    "Hadoop": 0.9475,
    "Linux": 0.69,
    "HealthApp": 0.78,
    "Proxifier": 0.5265,
}


def mined(messages: Sequence[str]) -> list[int]:
    """The number of each line after the last one."""
    return [int(number) for number in Miner().add(*columns(messages)).number]


def drained(messages: Sequence[str]) -> list[int]:
    """The cluster that drain3 puts each line into, with its default settings."""
    from drain3 import TemplateMiner
    from drain3.template_miner_config import TemplateMinerConfig

    drain = TemplateMiner(config=TemplateMinerConfig())
    return [int(drain.add_log_message(message)["cluster_id"]) for message in messages]


def told(labelled: Labelled) -> tuple[Scores, Scores, Scores]:
    """Ours by original and by corrected labels, and drain3's by the original ones."""
    ours = mined(labelled.messages)
    row = (
        scores(labelled.labels, ours),
        scores(labelled.corrected, ours),
        scores(labelled.labels, drained(labelled.messages)),
    )
    first, better, drain = row
    print(
        f"{labelled.system:<12} {first.ga:7.4f} {first.fga:7.4f} {first.groups:7d}"
        f" {first.labels:7d} {better.ga:9.4f} {better.fga:7.4f} {drain.ga:9.4f} {drain.fga:7.4f}"
    )
    return row


def mean(every: Sequence[Scores], name: str) -> float:
    """Over systems, each weighing the same."""
    return statistics.fmean(getattr(one, name) for one in every)


def main(argv: Sequence[str] | None = None) -> int:
    """Score every set, print, write; 1 where the mean is below what was asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the same: it takes seconds")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--dir", type=Path, default=DEFAULT, help="folder of the labelled sets")
    args = parser.parse_args(argv)
    every = list(sets(args.dir))
    if not every:
        print(f"skipped: no labelled sets in {args.dir}; --dir names another folder")
        return 0
    print("system            GA     FGA  groups  labels corrected     FGA    drain3     FGA")
    rows = [told(labelled) for labelled in every]
    ours, better, drain = (list(column) for column in zip(*rows, strict=True))
    figures = {
        "ga_mean": mean(ours, "ga"),
        "fga_mean": mean(ours, "fga"),
        "ga_corrected_mean": mean(better, "ga"),
        "fga_corrected_mean": mean(better, "fga"),
        "ga_drain3": mean(drain, "ga"),
        "fga_drain3": mean(drain, "fga"),
    }
    known = [PUBLISHED_DRAIN[one.system] for one in every if one.system in PUBLISHED_DRAIN]
    peers = {"drain3": {"ga_mean": figures["ga_drain3"], "fga_mean": figures["fga_drain3"]}}
    if len(known) == len(every):
        peers["published_drain"] = {"ga_mean": statistics.fmean(known)}
    print(" ".join(f"{name}={value:.4f}" for name, value in figures.items()))
    print({name: {k: round(v, 4) for k, v in row.items()} for name, row in peers.items()})
    setup = {"systems": [one.system for one in every], "lines": sum(len(o.labels) for o in every)}
    return concluded(figures, peers, ASKED, setup, args.json)


if __name__ == "__main__":
    raise SystemExit(main())
