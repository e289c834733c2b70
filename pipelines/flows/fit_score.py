"""What was odd of a service lately, by the model in use."""

from __future__ import annotations

import numpy as np

from detector.errors import InputError
from detector.fitted.model import FittedModel, arrays_of
from detector.fitted.odd import Odd, stretches
from detector.fitted.panel import Panel
from detector.gate.request import VerdictRequest
from models.anomaly.multivariate.arrays import from_arrays
from models.anomaly.multivariate.model import begin, score, shares
from pipelines.flows.backtest import Past
from pipelines.flows.fit_read import read_panel

__all__ = ["odd_of", "odd_rows"]

# Rows before the ones that are asked for, so that what is smoothed has settled.
_WARM_S = 7200.0


def odd_of(
    request: VerdictRequest,
    model: FittedModel,
    past: Past,
    *,
    since: float,
    until: float,
    below: float,
) -> tuple[Odd, ...]:
    """Odd stretches between two moments (unix seconds), oldest first; `below` is a p-value."""
    panel = read_panel(request, past, since=since - _WARM_S, until=until, step_s=model.step_s)
    return tuple(one for one in odd_rows(model, panel, below=below) if one.end > since)


def odd_rows(model: FittedModel, panel: Panel, *, below: float) -> tuple[Odd, ...]:
    """Odd stretches of a panel; a metric of the model that is not in it is missing.

    `InputError` where none is there, or the steps differ.
    """
    if panel.step_s != model.step_s or not set(panel.metrics) & set(model.metrics):
        raise InputError(
            f"the model of {model.scope.service} knows {', '.join(model.metrics)} each"
            f" {model.step_s:g} s; there is {', '.join(panel.metrics) or 'none of them'}:"
            " fit it anew with `serinus fit`",
            field="service",
        )
    x = np.full((len(panel.x), len(model.metrics)), np.nan)
    for at, name in enumerate(model.metrics):
        if name in panel.metrics:
            x[:, at] = panel.x[:, panel.metrics.index(name)]
    fitted = from_arrays(arrays_of(model.artefacts))
    scored, _ = score(fitted, x, panel.first, begin(fitted))
    p_value = np.where(scored.present > 0, scored.p_value, 1.0)
    parts = shares(fitted, x, panel.first, begin(fitted))
    times = (panel.first + np.arange(len(x), dtype=np.float64)) * panel.step_s
    return stretches(times, p_value, parts, model.metrics, below=below)
