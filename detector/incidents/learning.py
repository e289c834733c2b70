"""How often changes of each kind break something, re-fitted by what people said of incidents.

The chance of a kind has a Beta distribution. Before anything is said its mean is the default, which
counts as if it came of two bad changes: a guess that may well be wrong by a factor of two. Each
change that is known adds one observation (A. Gelman and others, Bayesian Data Analysis, 3rd
edition, 2013, section 2.4). People speak of some incidents only. Those are taken for a sample of
all, so that changes after which nothing was said count as good by the share of occasions on which
somebody spoke: without a word nothing moves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from detector.changes.change import Change, ChangeKind
from detector.incidents.labels import Label, Labels, Tally, Truth
from detector.incidents.suspects import Ground, Suspect, Suspects, SuspectSettings, chance
from models.binomial import plausible

__all__ = ["Kind", "Relearned", "Score", "fitted", "relearned", "reranked", "score_of"]

Priors = Mapping[ChangeKind, float]
_SEEN = 2.0
_LEAST, _MOST = 1e-4, 0.5
# What a ranking that rules the truth out loses, in natural logarithms.
_WORST = -math.log(1e-6)
_FEW = 10
# Better by chance alone in one of forty histories.
_ERRORS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of change: its chance as it is set, in force and re-fitted, with 90 % bounds."""

    kind: ChangeKind
    default: float
    before: float
    after: float
    low: float
    high: float
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Past incidents ranked: of `guilty` that came of a change how many had it first, or in three.

    Of `alone` that came of none how many were `unblamed`. `loss` is the mean of the negative
    natural logarithm of the probability that the truth had.
    """

    guilty: int
    first: int
    top3: int
    alone: int
    unblamed: int
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Relearned:
    """What would change, and past incidents under both; each ranked by what was said of others.

    `gain` is how much less is lost for each incident, give or take `error`. `is_better`: beyond
    chance. `spoken` of `occasions`: see `Labels`.
    """

    kinds: tuple[Kind, ...]
    before: Score
    after: Score
    gain: float
    error: float
    occasions: int
    spoken: int

    @property
    def labelled(self) -> int:
        """How many incidents were ranked."""
        return self.before.guilty + self.before.alone

    @property
    def is_enough(self) -> bool:
        """Whether so many were that anything can be said."""
        return self.labelled >= _FEW

    @property
    def is_better(self) -> bool:
        """Beyond chance, and without naming fewer of the guilty or blaming more often."""
        is_clear = self.gain > _ERRORS * self.error
        is_no_worse = self.after.first + self.after.unblamed >= self.before.first + (
            self.before.unblamed
        )
        return self.is_enough and is_clear and is_no_worse

    @property
    def priors(self) -> dict[ChangeKind, float]:
        """What would be set: the kinds of which anything was seen."""
        seen = [one for one in self.kinds if self.spoken and one.tally.bad + one.tally.good]
        return {one.kind: round(one.after, 5) for one in seen}


def fitted(defaults: Priors, labels: Labels) -> dict[ChangeKind, float]:
    """The posterior mean of each kind; the defaults themselves where nobody said anything."""
    return {kind: _mean(*_shape(default, kind, labels)) for kind, default in defaults.items()}


def relearned(labels: Labels, defaults: Priors, before: Priors) -> Relearned:
    """Re-fit round the defaults, and hold it against what is in force, one cause left out."""
    ranked = [label for label in labels.incidents if label.truth is not Truth.NO_INCIDENT]
    afters = [fitted(defaults, _without(labels, label)) for label in ranked]
    old = [reranked(label.incident.suspects, before) for label in ranked]
    new = [
        reranked(label.incident.suspects, after)
        for label, after in zip(ranked, afters, strict=True)
    ]
    gains = [
        _loss(label, one) - _loss(label, other)
        for label, one, other in zip(ranked, old, new, strict=True)
    ]
    return Relearned(
        kinds=tuple(_kind(kind, defaults, before, labels) for kind in defaults),
        before=score_of(ranked, old),
        after=score_of(ranked, new),
        gain=fmean(gains) if gains else 0.0,
        error=stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else 0.0,
        occasions=labels.occasions,
        spoken=labels.spoken,
    )


def reranked(suspects: Suspects, bad: Priors) -> Suspects:
    """The same suspects, had the kinds these chances: all else that was weighed stays."""
    settings = SuspectSettings(bad=bad)
    weights = [one.probability * math.exp(_moved(one, settings)) for one in suspects.suspects]
    # Suspects below those that are kept with an incident stay as likely as they were beside none.
    rest = max(0.0, 1.0 - suspects.none - sum(one.probability for one in suspects.suspects))
    total = suspects.none + rest + sum(weights)
    found = [
        replace(one, probability=weight / total)
        for one, weight in zip(suspects.suspects, weights, strict=True)
    ]
    found.sort(key=lambda one: (-one.probability, -one.change.started_at, one.change.id))
    return Suspects(suspects=tuple(found), none=suspects.none / total)


def score_of(labels: Sequence[Label], ranked: Sequence[Suspects]) -> Score:
    """How well these rankings name what was said."""
    both = list(zip(labels, ranked, strict=True))
    places = [_place(one, label.guilty) for label, one in both if label.guilty is not None]
    alone = [one for label, one in both if label.truth is Truth.NO_CHANGE]
    losses = [_loss(label, one) for label, one in both]
    return Score(
        guilty=len(places),
        first=sum(place == 1 for place in places),
        top3=sum(place is not None and place <= 3 for place in places),
        alone=len(alone),
        unblamed=sum(not _is_blamed(one) for one in alone),
        loss=fmean(losses) if losses else 0.0,
    )


def _kind(kind: ChangeKind, defaults: Priors, before: Priors, labels: Labels) -> Kind:
    alpha, beta = _shape(defaults[kind], kind, labels)
    low, high = plausible(alpha, beta, 0.9)
    return Kind(
        kind=kind,
        default=defaults[kind],
        before=before[kind],
        after=_mean(alpha, beta),
        low=low,
        high=high,
        tally=labels.tallies.get(kind, Tally()),
    )


def _shape(default: float, kind: ChangeKind, labels: Labels) -> tuple[float, float]:
    tally = labels.tallies.get(kind, Tally())
    share = labels.spoken / labels.occasions if labels.occasions else 0.0
    return _SEEN + tally.bad, _SEEN * (1.0 - default) / default + share * tally.good


def _mean(alpha: float, beta: float) -> float:
    return min(_MOST, max(_LEAST, alpha / (alpha + beta)))


def _without(labels: Labels, label: Label) -> Labels:
    """As if nobody had said anything of the incidents that have this one's cause."""
    guilty = label.guilty
    if guilty is None:
        return replace(labels, spoken=labels.spoken - 1, occasions=labels.occasions - 1)
    same = sum(one.guilty is not None and one.guilty.id == guilty.id for one in labels.incidents)
    tally = labels.tallies[guilty.kind]
    less = {**labels.tallies, guilty.kind: replace(tally, bad=tally.bad - 1)}
    spoken, occasions = labels.spoken - same, labels.occasions - same
    return replace(labels, tallies=less, spoken=spoken, occasions=occasions)


def _moved(suspect: Suspect, settings: SuspectSettings) -> float:
    """How much more it would weigh than it did."""
    was = next((one.weight for one in suspect.reasons if one.ground is Ground.KIND), None)
    return 0.0 if was is None else chance(suspect.change, settings) - was


def _place(ranked: Suspects, guilty: Change) -> int | None:
    """Of the guilty one; first only where it is likelier than none, as people see it."""
    for place, one in enumerate(ranked.suspects):
        if one.change.id == guilty.id:
            return place + 1 if place or one.probability > ranked.none else None
    return None


def _is_blamed(ranked: Suspects) -> bool:
    return bool(ranked.suspects) and ranked.suspects[0].probability > ranked.none


def _loss(label: Label, ranked: Suspects) -> float:
    found = (one.probability for one in ranked.suspects if label.guilty is not None
             and one.change.id == label.guilty.id)  # fmt: skip
    probability = ranked.none if label.guilty is None else next(found, 0.0)
    return min(_WORST, -math.log(probability)) if probability > 0.0 else _WORST
