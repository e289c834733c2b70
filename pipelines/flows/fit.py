"""Models of services fitted on their past, each tried against the one in use before it is used."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from detector.errors import InputError
from detector.fitted.model import FittedModel, arrays_of, artefacts_of
from detector.fitted.panel import Panel
from detector.fitted.promotion import P_ODD, Promotion, Shown, Why, promotion
from detector.gate.aa import Scope
from detector.gate.attempt import identity_of
from detector.gate.request import VerdictRequest
from models.anomaly.multivariate.arrays import from_arrays, to_arrays
from models.anomaly.multivariate.contest import Faulty, showing, with_faults
from models.anomaly.multivariate.model import Multivariate, Recipe, begin, calibrated, fit, score
from pipelines.flows.backtest import Past
from pipelines.flows.fit_read import read_panel

__all__ = ["Fitting", "Order", "fit_panel", "fit_service", "scope_of"]

DAY_S = 86_400.0
_LEAST_ROWS = 300
_LEAST_TRIAL = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """How models are fitted: on `days` of rows each `step_s`, of which the newest are the trial.

    `seed` draws the faults of the trial: the same seed on the same rows is the same answer.
    """

    days: float = 14.0
    step_s: float = 300.0
    trial: float = 0.15
    faults: int = 40
    longest_s: float = 5400.0
    seed: int = 1
    recipe: Recipe = field(default_factory=Recipe)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A service to fit, and its model in use."""

    request: VerdictRequest
    current: FittedModel | None


def fit_service(order: Order, past: Past, fitting: Fitting, *, now: float) -> FittedModel:
    """The new model of one service; `InputError` where there is too little to learn from."""
    since = now - fitting.days * DAY_S
    panel = read_panel(order.request, past, since=since, until=now, step_s=fitting.step_s)
    return fit_panel(panel, scope_of(order.request), order.current, fitting, at=now)


def fit_panel(
    panel: Panel, scope: Scope, current: FittedModel | None, fitting: Fitting, *, at: float
) -> FittedModel:
    """Learn from the older rows, and be tried on the newest against the model in use.

    What is used is what was tried: the newest rows set its p-values, and are learned next time.
    `InputError` where no metric is there, or rows are too few.
    """
    seen = int(np.isfinite(panel.x).any(axis=1).sum())
    if not panel.metrics or seen < _LEAST_ROWS:
        raise InputError(
            f"{scope.service} has {seen} rows of {len(panel.metrics)} metrics at steps of"
            f" {panel.step_s:g} s; {_LEAST_ROWS} rows are needed to learn from:"
            " look further back or take shorter steps",
            field="service",
        )
    cut = len(panel.x) - max(int(fitting.trial * len(panel.x)), _LEAST_TRIAL)
    model = fit(panel.x[:cut], panel.first, panel.step_s, fitting.recipe)
    tried = _tried(model, panel, cut, current, fitting)
    arrays = to_arrays(_by_all_rows(model, panel))
    return FittedModel(
        scope=scope,
        at=at,
        since=panel.first * panel.step_s,
        until=(panel.first + cut - 1) * panel.step_s,
        step_s=panel.step_s,
        metrics=panel.metrics,
        artefacts=artefacts_of(arrays),
        promotion=tried,
        columns=panel.columns,
    )


def scope_of(request: VerdictRequest) -> Scope:
    """Whose model it is."""
    return identity_of(replace(request, canary='a="b"')).scope


def _tried(
    model: Multivariate, panel: Panel, cut: int, current: FittedModel | None, fitting: Fitting
) -> Promotion:
    x, first = panel.x[cut:], panel.first + cut
    faulty = with_faults(
        x,
        count=min(fitting.faults, len(x) // 10),
        longest=max(round(fitting.longest_s / panel.step_s), 3),
        rng=np.random.default_rng(fitting.seed),
    )
    shown = _shown(model, panel, cut, faulty)
    if current is None:
        return promotion(shown, rows=len(x))
    if _what(current) != _what(panel):
        return Promotion(
            why=Why.METRICS_CHANGED, rows=len(x), model=shown, predecessor=current.version
        )
    if current.until >= first * panel.step_s:
        return Promotion(why=Why.ALREADY_LEARNED, rows=len(x), predecessor=current.version)
    before = _shown(from_arrays(arrays_of(current.artefacts)), panel, cut, faulty)
    return promotion(shown, rows=len(x), predecessor=current.version, before=before)


def _what(of: FittedModel | Panel) -> tuple[object, ...]:
    """Which metrics, of which series, how often: models of other ones cannot be compared."""
    return of.metrics, of.step_s, of.columns


def _shown(model: Multivariate, panel: Panel, cut: int, faulty: Faulty) -> Shown:
    done = showing(model, panel.x[cut:], faulty, panel.first + cut, P_ODD)
    return Shown(found=done.found, false_share=done.false_share)


def _by_all_rows(model: Multivariate, panel: Panel) -> Multivariate:
    """With p-values by all rows, those it did not learn among them."""
    scored, _ = score(model, panel.x, panel.first, begin(model))
    return calibrated(model, scored.level)
