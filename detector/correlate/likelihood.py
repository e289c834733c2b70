"""How well a fault at each service explains what is odd, and what is not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logit

from detector.correlate.evidence import Kind, Scene
from detector.correlate.settings import Settings
from detector.correlate.travel import fits
from detector.correlate.weighing import Pile, Weighed
from models.ranking.spreading import reach

__all__ = ["explained"]

Array = NDArray[np.float64]

# No measurement is trusted beyond these log odds: some way to be odd has not been thought of.
_TRUSTED = 12.0
# What is odd for hidden reasons is a little less odd than what is broken.
_FADED = 0.9


def explained(kind: Kind, scene: Scene, found: Weighed, settings: Settings) -> tuple[Array, float]:
    """Log odds (n,) of a fault at each service, and of one somewhere, against none.

    By what is seen of one kind of measurement alone, averaged over how much of what is odd has
    reasons that nobody knows of.
    """
    odds = _odds(found.services, found.piles[kind])
    agreed = fits(kind, found.services, found.piles[kind], scene)
    known = np.array([name in found.piles[kind] for name in found.services])
    each, anywhere = [], []
    for hidden in settings.hidden:
        seen, total = _likelihood(agreed, odds, hidden, settings)
        if scene.complaint is not None:
            place = found.services[scene.complaint.service]
            seen = seen + np.log(_heard(agreed, odds, place, hidden))
            seen += np.log(settings.aside) if scene.complaint.kind is not kind else 0.0
        each.append(np.where(known, seen + total, -np.inf))
        anywhere.append(total)
    count = np.log(len(settings.hidden))
    return (
        np.logaddexp.reduce(np.array(each), axis=0) - count,
        float(np.logaddexp.reduce(anywhere) - count),
    )


def _odds(services: Mapping[str, int], piles: Mapping[str, Pile]) -> Array:
    odds = np.zeros(len(services))
    for service, pile in piles.items():
        odds[services[service]] = min(pile.odds, _TRUSTED)
    return odds


def _heard(agreed: Array, odds: Array, place: int, hidden: float) -> Array:
    """How much likelier a complaint at `place` is given a fault at each service, 1 on average."""
    is_odd = expit(odds + logit(hidden))
    heard: Array = 1.0 - (1.0 - reach(agreed * is_odd)[place]) * (1.0 - hidden)
    return np.asarray(heard / heard.mean())


def _likelihood(
    agreed: Array, odds: Array, hidden: float, settings: Settings
) -> tuple[Array, float]:
    """Log likelihood of a fault at each service against one somewhere; and of that against none.

    A service is odd because it is the cause, or because a callee is (with `passed` times how well
    amounts agree), or for what is not known of (`hidden`): a noisy-or network (Pearl,
    *Probabilistic Reasoning in Intelligent Systems*, 1988, 4.3), in which each service is
    conditioned on what is seen of its callees. So circles of calls do no harm, and an oddity that
    went a long way counts once.
    """
    is_odd = expit(odds + logit(hidden))
    spared = np.log1p(-settings.passed * agreed * is_odd)
    alone = np.log1p(-hidden) + spared.sum(axis=1)
    usual = _mixed(-np.expm1(alone), _FADED * odds)
    sure = -np.expm1(alone[:, None] - spared + np.log1p(-settings.passed * agreed))
    gained = _mixed(sure, _FADED * odds[:, None]) - usual[:, None]
    callers = np.where(agreed > 0.0, gained, 0.0).sum(axis=0)
    cause = odds + log_expit(odds + logit(hidden))
    total = float((usual - _mixed(np.float64(settings.stray), odds)).sum())
    return cause - usual + callers, total


def _mixed(chance: Array | np.float64, odds: Array) -> Array:
    """Log of odds that count by a probability only: log(1 - p + p * exp(odds))."""
    share = np.clip(chance, 1e-12, 1.0 - 1e-12)
    return np.logaddexp(np.log1p(-share), np.log(share) + odds)
