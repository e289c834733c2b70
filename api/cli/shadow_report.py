"""The look back on shadow mode for people, and as JSON."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from api.cli.doors import desk
from api.cli.moments import span_of
from detector.backtest.shadow import Said, ShadowReport, Watched, said
from detector.gate.render import utc_text
from models.proportion import exact_interval
from pipelines.flows.shadow import look_back

__all__ = ["print_shadow", "report", "shadow_json"]

_PLAIN_WIDTH = 120
_WORTH_A_LOOK = (Said.WRONGLY_BLOCKED, Said.MISSED, Said.BLOCKED, Said.RIGHTLY_BLOCKED)


def report(lasting: str, *, service: str | None, as_json: bool, data: Path | None) -> int:
    """Print the report of a data directory."""
    span, now = span_of(lasting, "last"), time.time()
    with desk(data) as gate:
        made = look_back(gate.stores, since=now - span, until=now, service=service)
    if as_json:
        print(json.dumps(shadow_json(made), indent=2))
        return 0
    plain = Console()
    print_shadow(plain if plain.is_terminal else Console(width=_PLAIN_WIDTH), made)
    return 0


def shadow_json(made: ShadowReport) -> dict[str, Any]:
    """Counts and every attempt; times are UTC."""
    right, known = made.right
    return {
        "since": _utc(made.since),
        "until": _utc(made.until),
        "counts": {kind.value: count for kind, count in made.counts.items()},
        "right": {"hits": right, "of": known, "interval": list(exact_interval(right, known))},
        "attempts": [_attempt(one) for one in made.watched],
    }


def _attempt(one: Watched) -> dict[str, Any]:
    return {
        "attempt": one.attempt,
        "service": one.service,
        "revision": one.revision,
        "at": _utc(one.at),
        "would_have": said(one).value,
        "reason": one.reason,
        "truth": None if one.truth is None else one.truth.value,
        "by": one.by,
    }


def print_shadow(out: Console, made: ShadowReport) -> None:
    """Counts first, then the attempts that are worth a look."""
    days = (made.until - made.since) / 86_400
    if not made.watched:
        out.print(f"no rollout was asked about in shadow or advise mode in the last {days:g} days")
        return
    counts = made.counts
    blocked = sum(
        counts[kind] for kind in (Said.RIGHTLY_BLOCKED, Said.WRONGLY_BLOCKED, Said.BLOCKED)
    )
    out.print(
        f"{len(made.watched)} rollouts in the last {days:g} days: would have blocked {blocked},"
        f" would have missed {counts[Said.MISSED]}; {_right(made)}",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False)
    for head in ("when", "service", "revision", "would have", "because", "what became of it"):
        table.add_column(head)
    for one in made.watched:
        if said(one) in _WORTH_A_LOOK:
            table.add_row(*_row(one))
    if table.row_count:
        out.print(table)
    rest = (f"{kind.value} {count}" for kind, count in counts.items() if count)
    out.print(", ".join(rest), highlight=False)


def _right(made: ShadowReport) -> str:
    right, known = made.right
    if not known:
        return "whether it was right is not known of any yet"
    low = exact_interval(right, known)[0]
    return f"was right in {right} of {known} whose end is known (at least {100 * low:.0f} %, 95 %)"


def _row(one: Watched) -> tuple[str, ...]:
    at = datetime.fromtimestamp(one.at, UTC).strftime("%m-%d %H:%M")
    became = one.by if one.truth is None else f"{one.truth.value}: {one.by}"
    return at, one.service, one.revision or "–", said(one).value, one.reason, became


def _utc(at: float) -> str | None:
    return utc_text(datetime.fromtimestamp(round(at, 3), UTC))
