"""`serinus slo status` and `rules`: budgets as a table, rules as YAML."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.cli.guard import Code
from api.cli.serving import settings_of
from detector.slo.burn import Burning
from detector.slo.objective import Counted, Objective
from detector.slo.standing import LONGEST_S, Standing, standing_of
from detector.slo.window import span_of
from pipelines.flows.discovery import Discovery
from pipelines.packs import load_packs
from pipelines.slo.binding import BoundCounters
from pipelines.slo.counting import counts_in
from pipelines.slo.openslo import load_objectives
from pipelines.slo.rules import rules_of
from pipelines.sources.open import Source, open_source

__all__ = ["rules", "status"]

_PLAIN_WIDTH, _BAR = 140, 12
_TIMEOUT_S = 60.0
_WARN, _DAY_S = 0.2, 86_400.0
_COLOURS = {
    Burning.UNKNOWN: "yellow",
    Burning.QUIET: "green",
    Burning.TICKET: "yellow",
    Burning.PAGE: "bold red",
}


def rules(file: Path) -> int:
    """Print them; 0."""
    print(rules_of(_read(file)), end="")
    return Code.PASS


def status(file: Path, *, config: Path | None, prometheus: str | None, as_json: bool) -> int:
    """Show all objectives of a file; 1 where a budget is gone or burns, 3 where one is unknown."""
    objectives, now = _read(file), time.time()
    settings = settings_of(config, prometheus, {})
    packs = load_packs(settings.packs)
    source = open_source(settings.source.native(), packs)
    counters = BoundCounters(Discovery(packs, source), source)
    found = [_standing(one, source, counters(one, now, _TIMEOUT_S), now) for one in objectives]
    if as_json:
        print(json.dumps([_body(one) for one in found], indent=2))
    else:
        plain = Console()
        console = plain if plain.is_terminal else Console(width=_PLAIN_WIDTH)
        console.print(_table(found))
    return _code(found)


def _read(file: Path) -> tuple[Objective, ...]:
    return load_objectives([file])


def _standing(one: Objective, source: Source, counted: Counted, now: float) -> Standing:
    begin, end = span_of(one.window, now)
    first = min(begin, now - LONGEST_S)
    counts = counts_in(source, counted, first, min(end, now), timeout_s=_TIMEOUT_S)
    return standing_of(one, counts, begin)


def _code(found: list[Standing]) -> int:
    if any(one.budget.left is not None and one.budget.left <= 0 for one in found):
        return Code.FAIL
    if any(one.burning in (Burning.PAGE, Burning.TICKET) for one in found):
        return Code.FAIL
    unknown = any(one.budget.left is None or one.burning is Burning.UNKNOWN for one in found)
    return Code.INCONCLUSIVE if unknown else Code.PASS


def _body(one: Standing) -> dict[str, object]:
    gone = None if one.gone is None else {
        name: None if math.isinf(value) else value for name, value in asdict(one.gone).items()
    }  # fmt: skip
    return {
        "name": one.objective.name,
        "service": one.objective.service,
        "target": one.objective.target,
        "window": one.objective.window.text,
        "budget": asdict(one.budget),
        "burn": {f"{pace.pair.long_s:.0f}s": pace.long for pace in one.paces},
        "state": one.burning.value,
        "gone_in": gone,
    }


def _table(found: list[Standing]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("objective", "target", "window"):
        table.add_column(name, no_wrap=True)
    for name in ("bad", "of"):
        table.add_column(name, justify="right")
    table.add_column("budget left", no_wrap=True)
    for name in ("1h", "6h", "3d"):
        table.add_column(f"burn {name}", justify="right")
    table.add_column("state")
    table.add_column("runs out", no_wrap=True)
    for one in found:
        table.add_row(*_row(one))
    return table


def _row(one: Standing) -> list[str]:
    budget, colour = one.budget, _COLOURS[one.burning]
    state = str(budget.flaw).replace("_", " ") if budget.flaw else one.burning.value
    return [
        one.objective.name,
        f"{100 * one.objective.target:.6g} %",
        one.objective.window.text,
        f"{budget.bad:,.0f}",
        f"{budget.total:,.0f}",
        _bar(budget.left),
        *("–" if pace.long is None else f"{pace.long:.2g}×" for pace in one.paces),
        f"[{colour}]{state}[/]",
        _runs_out(one),
    ]


def _bar(left: float | None) -> str:
    if left is None:
        return f"[dim]{'·' * _BAR}[/]  unknown"
    full = round(min(max(left, 0.0), 1.0) * _BAR)
    colour = "green" if left >= _WARN else "yellow" if left > 0 else "red"
    return f"[{colour}]{'█' * full}[/][dim]{'░' * (_BAR - full)}[/] {100 * left:4.0f} %"


def _runs_out(one: Standing) -> str:
    gone = one.gone
    if one.budget.left is None or gone is None:
        return "unknown"
    if one.budget.left <= 0:
        return "is gone"
    if math.isinf(gone.middle_s):
        return "not at this rate"
    return f"in {_span(gone.middle_s)} ({_span(gone.low_s)} – {_span(gone.high_s)})"


def _span(seconds: float) -> str:
    if math.isinf(seconds):
        return "never"
    return f"{seconds / _DAY_S:.1f}d" if seconds >= 2 * _DAY_S else f"{seconds / 3600:.0f}h"
