"""A self-check for people, and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from detector.gate.aa import ENOUGH, AaResult, AaSignal
from detector.gate.aa_words import share_words
from detector.gate.promotion import ADVISORY
from detector.gate.render import utc_text

__all__ = ["aa_json", "print_aa"]

_KINDS = {
    "old": "pods that had long been stable, at random times",
    "born": "pods that were added, from their birth",
    "past": "releases that stayed, from their first pod",
}


def aa_json(made: AaResult) -> dict[str, Any]:
    """All of it; times are UTC, quantiles log of evidence over needed."""
    body: dict[str, Any] = asdict(made)
    for name in ("at", "since", "until"):
        body[name] = utc_text(datetime.fromtimestamp(round(body[name], 3), UTC))
    for kind in body["kinds"]:
        kind["kind"] = kind["kind"].value
    for signal in body["signals"]:
        signal["quantile"] = _finite(signal["quantile"])
        signal["certified"] = _certified(made, signal["name"])
    return {
        **body,
        "placebos": made.placebos,
        "failed": made.failed,
        "reached": made.reached,
        "enough": made.is_enough,
    }


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def print_aa(out: Console, made: AaResult, *, stored: bool) -> None:
    """What was judged, what came of it, and what follows."""
    scope = made.scope
    name = f"{scope.namespace}/{scope.service}" if scope.namespace else scope.service
    out.print(f"{name}: {share_words(made.failed, made.placebos)} of {made.placebos} placebos")
    out.print(_kinds(made))
    out.print(_signals(made))
    out.print(_consequence(made), highlight=False)
    if stored:
        out.print("stored: it stands beside each verdict of attempts that begin from now on")
    out.print()


def _kinds(made: AaResult) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("placebos")
    for head in ("judged", "reached", "failed"):
        table.add_column(head, justify="right")
    for kind in made.kinds:
        counts = (kind.placebos, kind.reached, kind.failed)
        table.add_row(_KINDS[kind.kind.value], *map(str, counts))
    return table


def _signals(made: AaResult) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("signal")
    for head in ("placebos", "reached", "a tenth", "nearest"):
        table.add_column(head, justify="right")
    table.add_column("")
    for signal in made.signals:
        counts = (signal.all.placebos, signal.all.reached, signal.all.near)
        table.add_row(signal.name, *map(str, counts), _nearest(signal), _said(made, signal))
    return table


def _nearest(signal: AaSignal) -> str:
    """How much of what is needed only one of two hundred reaches."""
    share = math.exp(min(signal.quantile, 700.0))
    return f"{share:.2g} of needed"


def _said(made: AaResult, signal: AaSignal) -> str:
    if signal.name not in ADVISORY:
        return "judged" if signal.judged else "shown only"
    if signal.judged:
        return "judged, as the policy wishes"
    if _certified(made, signal.name):
        return "advisory until now: certified, and judged from now on"
    if ADVISORY[signal.name]:
        loads = f"{signal.light} lighter, {signal.heavy} heavier"
        return f"advisory: needs {ENOUGH} at unequal load over 14 days ({loads})"
    return f"advisory: needs {ENOUGH} placebos, none of which reach what is needed"


def _certified(made: AaResult, name: str) -> bool:
    return name in ADVISORY and made.certifies(name, at_unequal_load=ADVISORY[name])


def _consequence(made: AaResult) -> str:
    if not made.is_enough:
        return f"too few to say anything of 1 %: {ENOUGH} are needed, nothing is raised"
    if made.raised > 1:
        return f"more than 1 % reached what a fail needs: here it is {made.raised:.3g} times that"
    return "no more than 1 % reached what a fail needs: it stays as it is"
