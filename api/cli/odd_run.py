"""`serinus odd`: odd stretches of a service by its model, with the metrics to blame."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.cli.serving import settings_of
from api.fitted_models import fitted_store
from api.settings import Settings
from detector.errors import NotFoundError
from detector.fitted.model import FittedModel
from detector.fitted.odd import Odd
from detector.gate.request import VerdictRequest
from pipelines.flows.backtest_jobs import Opening
from pipelines.flows.fit import scope_of
from pipelines.flows.fit_score import odd_of

__all__ = ["Look", "odd"]

_PLAIN_WIDTH = 140
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is wanted, as it was typed."""

    service: str
    namespace: str | None
    cluster: str | None
    hours: float
    below: float
    as_json: bool


def odd(
    wanted: Look,
    *,
    config: Path | None,
    prometheus: str | None,
    flags: Mapping[str, object | None],
) -> int:
    """Show them; 0 whatever was found."""
    settings, now = settings_of(config, prometheus, flags), time.time()
    request = VerdictRequest(
        service=wanted.service, canary="", namespace=wanted.namespace, cluster=wanted.cluster
    )
    model = _model(request, settings, now)
    past = Opening(settings.source.native(), settings.packs)()
    since = now - wanted.hours * _HOUR_S
    found = odd_of(request, model, past, since=since, until=now, below=wanted.below)
    _show(found, wanted, model)
    return 0


def _model(request: VerdictRequest, settings: Settings, now: float) -> FittedModel:
    with fitted_store(settings, make=False) as store:
        model = None if store is None else store.current(scope_of(request), until=now)
    if model is None:
        name, space = request.service, request.namespace
        where = f" in {space}" if space else " (without --namespace)"
        more = f" --namespace {space}" if space else ""
        raise NotFoundError(
            f"no model of {name}{where} is kept here: fit one with"
            f" `serinus fit --service {name}{more}`"
        )
    return model


def _show(found: tuple[Odd, ...], wanted: Look, model: FittedModel) -> None:
    if wanted.as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
        return
    plain = Console()
    console = plain if plain.is_terminal else Console(width=_PLAIN_WIDTH)
    if not found:
        console.print(
            f"Nothing odd of {wanted.service} in the last {wanted.hours:g} hours,"
            f" by version {model.version} of its model."
        )
        return
    table = Table("from", "to", "chance", "because of", box=None, pad_edge=False)
    for one in found:
        blamed = ", ".join(f"{part.metric} {100 * part.share:.0f} %" for part in one.blamed)
        table.add_row(_at(one.start), _at(one.end), f"{one.p_value:.1g}", blamed)
    console.print(table)


def _at(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}Z"
