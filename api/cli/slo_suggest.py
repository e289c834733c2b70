"""`serinus slo suggest`: an objective that the past of a service could have kept, as a file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from api.cli.guard import Code
from api.cli.serving import settings_of
from detector.errors import InputError
from detector.slo.counts import Counts, Flaw
from detector.slo.objective import Objective, OfSignal
from detector.slo.suggest import Reach, Suggestion, suggested
from detector.slo.window import Rolling
from pipelines.flows.discovery import Discovery
from pipelines.packs import load_packs
from pipelines.slo.binding import BoundCounters
from pipelines.slo.counting import counts_in
from pipelines.sources.open import open_source

__all__ = ["suggest"]

_DAY_S, _TIMEOUT_S = 86_400.0, 60.0
_ERRORS, _LATENCY = "error_rate", "latency"


def suggest(
    service: str,
    *,
    namespace: str,
    below: float | None,
    days: int,
    config: Path | None,
    prometheus: str | None,
    as_json: bool,
) -> int:
    """Print it with what the past says of each target; 3 where none can be suggested.

    Of a latency, how many requests took `below` seconds at most.
    """
    signal = _ERRORS if below is None else _LATENCY
    indicator = OfSignal(signal=signal, namespace=namespace, below=below)
    found = suggested(_counts(service, indicator, days, config, prometheus))
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        print("\n".join(_lines(service, indicator, found)))
    return Code.PASS if found.best else Code.INCONCLUSIVE


def _counts(
    service: str, indicator: OfSignal, days: int, config: Path | None, prometheus: str | None
) -> Counts:
    settings, now = settings_of(config, prometheus, {}), time.time()
    packs = load_packs(settings.packs)
    source = open_source(settings.source.native(), packs)
    past = Rolling(seconds=days * _DAY_S, text=f"{days}d")
    asked = Objective(
        name=service,
        service=service,
        target=0.0,
        window=past,
        indicator=indicator,
    )
    counted = BoundCounters(Discovery(packs, source), source)(asked, now, _TIMEOUT_S)
    counts = counts_in(source, counted, now - past.seconds, now, timeout_s=_TIMEOUT_S)
    if isinstance(counts, Flaw):
        words = str(counts).replace("_", " ")
        raise InputError(f"{service} cannot be counted: {words}", field="service")
    return counts


def _lines(service: str, indicator: OfSignal, found: Suggestion) -> Iterator[str]:
    """A file for `slo status`: what is no objective in it is a comment."""
    good = 1.0 - found.bad / found.total if found.total else 0.0
    yield (
        f"# {service}: {found.total:,.0f} requests in {found.days:.1f} days,"
        f" {100 * good:.5g} % of them {_good(indicator)}."
    )
    if found.reaches:
        yield "#"
        yield "#    target   weeks that kept it   failures a week   pages   tickets"
        yield from (_row(one, is_best=one == found.best) for one in found.reaches)
        yield "#"
    if found.best is None:
        yield f"# No objective can be suggested: {found.why}."
        return
    yield "# The strictest that nineteen weeks in twenty kept; what users need may be less."
    yield f"service: {json.dumps(service)}"
    if indicator.namespace:
        yield f"namespace: {json.dumps(indicator.namespace)}"
    yield _promise(indicator, f"{100 * found.best.target:.8g}")
    yield "window: 28d"


def _good(indicator: OfSignal) -> str:
    return "good" if indicator.below is None else f"within {indicator.below:g} s"


def _promise(indicator: OfSignal, percent: str) -> str:
    if indicator.below is None:
        return f"availability: {percent}"
    return f"latency: {{below: {indicator.below:g}, objective: {percent}}}"


def _row(one: Reach, *, is_best: bool) -> str:
    return (
        f"# {'>' if is_best else ' '} {100 * one.target:7.6g} %   {one.kept:18.0%}"
        f"   {one.allowed:15,.1f}   {one.pages:5}   {one.tickets:7}"
    )
