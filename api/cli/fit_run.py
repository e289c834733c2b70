"""`serinus fit`: models of services fitted, tried against those in use, shown and stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from api.cli.fleet_run import kept_in, with_bar
from api.cli.serving import settings_of
from api.fitted_models import fitted_store
from api.settings import Settings
from detector.errors import InputError
from detector.fitted.model import FittedModel
from detector.fitted.promotion import Shown
from detector.gate.request import VerdictRequest
from models.anomaly.multivariate.model import Kind, Recipe
from pipelines.flows.backtest_jobs import Opening
from pipelines.flows.fit import Fitting
from pipelines.flows.fit_fleet import (
    FitWork,
    Unfitted,
    fit_services,
    fit_task,
    stored,
    unfitted,
)
from pipelines.flows.spread import Places

__all__ = ["Fit", "fit", "shown_as_json"]

_PLAIN_WIDTH = 140
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What is wanted, as it was typed."""

    services: tuple[str, ...]
    namespace: str | None
    cluster: str | None
    days: float
    step_s: float
    forest: bool
    components: bool
    seed: int
    dry_run: bool
    jobs: int
    dask: str | None
    resume: Path | None
    as_json: bool

    @property
    def fitting(self) -> Fitting:
        """How models are fitted."""
        kinds = list(Recipe().kinds)
        kinds += [Kind.PROJECTION] * self.components + [Kind.FOREST] * self.forest
        recipe = Recipe(kinds=tuple(kinds), seed=self.seed)
        return Fitting(days=self.days, step_s=self.step_s, seed=self.seed, recipe=recipe)


def fit(
    wanted: Fit,
    *,
    config: Path | None,
    prometheus: str | None,
    flags: Mapping[str, object | None],
) -> int:
    """Fit each service; 0 where one was fitted at least, 4 where none could be."""
    settings = settings_of(config, prometheus, flags)
    opening = Opening(settings.source.native(), settings.packs)
    places = Places(jobs=wanted.jobs, dask=wanted.dask)
    made: list[FittedModel | Unfitted] = []
    with (
        kept_in(wanted.resume, _DAY_S) as (kept, now),
        fitted_store(settings, make=not wanted.dry_run) as store,
    ):
        task = fit_task(
            _requests(wanted, settings),
            lambda scope: None if store is None else store.current(scope, until=now),
            FitWork(opening=opening, fitting=wanted.fitting, now=now),
            opening.said,
        )

        def keep(model: FittedModel) -> None:
            known = model if wanted.dry_run or store is None else stored(store, model)
            # Shown in the end are words, not arrays.
            made.append(replace(known, artefacts=()))

        with with_bar("services", len(task.scopes)) as advance:
            for told in fit_services(task, places, kept, keep):
                advance(told.done, "services")
        made += unfitted(task, kept)
    _show(sorted(made, key=lambda one: one.scope.service), as_json=wanted.as_json)
    return 0 if any(isinstance(one, FittedModel) for one in made) else 4


def shown_as_json(one: FittedModel | Unfitted) -> dict[str, Any]:
    """What became of a service, for programs."""
    told: dict[str, Any] = {"service": one.scope.service, "namespace": one.scope.namespace}
    if isinstance(one, Unfitted):
        return told | {"version": None, "promoted": False, "why": "failed", "text": one.why}
    tried = one.promotion
    return told | {
        "version": one.version or None,
        "promoted": tried.is_promoted,
        "why": tried.why.value,
        "text": tried.text,
        "metrics": list(one.metrics),
        "since": one.since,
        "until": one.until,
        "step_s": one.step_s,
        "trial_rows": tried.rows,
        "predecessor": tried.predecessor,
        "shown": _numbers(tried.model),
        "predecessor_shown": _numbers(tried.before),
    }


def _numbers(shown: Shown | None) -> dict[str, float] | None:
    return None if shown is None else {"found": shown.found, "false_share": shown.false_share}


def _requests(wanted: Fit, settings: Settings) -> list[VerdictRequest]:
    """The services that were named, else all that the source shows."""
    names = wanted.services or _seen(settings)
    if not names:
        raise InputError("the source shows no service: name one", field="service")
    return [
        VerdictRequest(service=name, canary="", namespace=wanted.namespace, cluster=wanted.cluster)
        for name in names
    ]


def _seen(settings: Settings) -> tuple[str, ...]:
    from api.compose import open_services, source_of

    services, names = open_services(settings, source_of(settings)), list[str]()
    after: str | None = None
    while True:
        page = services.listed(after=after)
        names += [one.service for one in page.services]
        after = page.next
        if after is None:
            return tuple(names)


def _show(made: list[FittedModel | Unfitted], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([shown_as_json(one) for one in made], indent=2))
        return
    plain = Console()
    console = plain if plain.is_terminal else Console(width=_PLAIN_WIDTH)
    table = Table("service", "version", "metrics", "used", "why", box=None, pad_edge=False)
    for one in made:
        if isinstance(one, Unfitted):
            table.add_row(one.scope.service, "–", "–", "no", one.why)
            continue
        used = "yes" if one.promotion.is_promoted else "no"
        version = str(one.version or "not stored")
        table.add_row(one.scope.service, version, str(len(one.metrics)), used, one.promotion.text)
    console.print(table)
