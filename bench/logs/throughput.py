"""How much of logs and traces one core takes: lines to templates, records through doors, spans.

    python bench/logs/throughput.py [--quick] [--json FILE] [--dir FOLDER]

`lines_core_s`: from raw bytes to counts by template, over the lines of loghub's systems (`--dir`,
as in `grouping.py`) with parameters that are made anew in every round; `drain3_ratio` is how many
times as fast as drain3 that is, on lines of the same rounds. `rss_mb`: the largest resident memory
of a process that is given 200,000 templates and may keep 100,000, `explosion_templates` in the end;
`explosion_lines_core_s` is how fast that was. `otlp_records_core_s`: see `otlp.py`;
`spans_core_s`: see `spans.py`. All are per second of CPU.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.ending import concluded  # noqa: E402
from bench.logs import lines, otlp, spans  # noqa: E402
from bench.logs.labelled import DEFAULT  # noqa: E402


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when something is slower or larger than asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--dir", type=Path, default=DEFAULT, help="folder of the labelled sets")
    args = parser.parse_args(argv)
    figures, drain = lines.line_figures(args.dir, quick=args.quick)
    if not figures:
        print(f"lines are skipped: no labelled sets in {args.dir}; --dir names another folder")
    records = otlp.otlp_figures(rounds=7 if args.quick else 41)
    every = {**figures, **records, "spans_core_s": spans.spans_core_s(quick=args.quick)}
    for name, value in every.items():
        print(f"{name:<28} {value:14,.1f}")
    peers = {"drain3": dict(drain), "protobuf_library": otlp.peer_figures(rounds=3)}
    for name, row in peers.items():
        print(name, " ".join(f"{key}={value:,.0f}" for key, value in row.items()))
    asked = {**(lines.ASKED if figures else {}), **otlp.ASKED, "spans_core_s": (">=", 50_000.0)}
    return concluded(every, peers, asked, {"quick": args.quick}, args.json)


if __name__ == "__main__":
    raise SystemExit(main())
