"""Whether a newly fitted model takes the place of the one in use, and why, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["MARGIN", "P_ODD", "TOLERATED", "Promotion", "Shown", "Why", "promotion"]

# Models are tried at this chance of calling a usual row odd.
P_ODD = 1e-3
# More than this share of usual rows called odd is too much: twenty times what was asked for.
TOLERATED = 20 * P_ODD
# Found by chance, on a few dozen faults: a smaller difference is none.
MARGIN = 0.02


class Why(StrEnum):
    """Why a model is used, or is not."""

    FIRST = "first"
    METRICS_CHANGED = "metrics_changed"
    FINDS_MORE = "finds_more"
    FEWER_FALSE = "fewer_false"
    TOO_MANY_FALSE = "too_many_false"
    FINDS_LESS = "finds_less"
    NO_BETTER = "no_better"
    ALREADY_LEARNED = "already_learned"


_PROMOTED = frozenset({Why.FIRST, Why.METRICS_CHANGED, Why.FINDS_MORE, Why.FEWER_FALSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a model did on the rows of the trial.

    `found`: average precision on faults put into them; `false_share` of the rows as they were, in
    which nothing is known to be wrong, were called odd.
    """

    found: float
    false_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """The trial of a model against its predecessor, on `rows` newest rows that neither learned.

    `predecessor` is a version, None where there was none that could be compared.
    """

    why: Why
    rows: int
    model: Shown | None = None
    predecessor: int | None = None
    before: Shown | None = None

    @property
    def is_promoted(self) -> bool:
        """Whether the model is used from now on."""
        return self.why in _PROMOTED

    @property
    def text(self) -> str:
        """The reason for people."""
        return f"{_SAID[self.why]}{self._compared()}."

    def _compared(self) -> str:
        if self.model is None:
            return ""
        told = f"found {self.model.found:.2f}, false {100 * self.model.false_share:.2g} %"
        if self.before is None:
            return f": {told}, on {self.rows} rows"
        old = f"{self.before.found:.2f} and {100 * self.before.false_share:.2g} %"
        return f": {told}, against {old} of version {self.predecessor}, on {self.rows} rows"


_SAID = {
    Why.FIRST: "The first model of this service",
    Why.METRICS_CHANGED: "The service has other metrics than the model in use",
    Why.FINDS_MORE: "It finds more of the faults put into the newest rows",
    Why.FEWER_FALSE: "It calls fewer of the newest rows odd",
    Why.TOO_MANY_FALSE: "Not used: it calls too many of the newest rows odd",
    Why.FINDS_LESS: "Not used: it finds less of the faults put into the newest rows",
    Why.NO_BETTER: "Not used: it is no better than the model in use",
    Why.ALREADY_LEARNED: "Not used: the model in use learned some of the newest rows",
}


def promotion(
    model: Shown, *, rows: int, predecessor: int | None = None, before: Shown | None = None
) -> Promotion:
    """Decide by what both showed on the same rows; without `before` it is the first.

    A first model is used whatever it shows: there is nothing better, and its p-values are set by
    these rows. After that a model that calls too many rows odd is used only in place of one that
    is as bad; one that finds more, or as much with fewer false ones, is used.
    """
    why = Why.FIRST if before is None else _compared(model, before)
    return Promotion(why=why, rows=rows, model=model, predecessor=predecessor, before=before)


def _compared(model: Shown, before: Shown) -> Why:
    too_many, was_too_many = (one.false_share > TOLERATED for one in (model, before))
    gain = _finite(model.found) - _finite(before.found)
    if too_many and not was_too_many:
        return Why.TOO_MANY_FALSE
    if was_too_many and model.false_share < before.false_share and gain >= -5 * MARGIN:
        return Why.FEWER_FALSE
    if gain <= -MARGIN:
        return Why.FINDS_LESS
    return Why.FINDS_MORE if gain >= MARGIN else Why.NO_BETTER


def _finite(found: float) -> float:
    return 0.0 if math.isnan(found) else found
