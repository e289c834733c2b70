"""Which service an incident came from: a posterior over all, and over *nothing is wrong*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.correlate.evidence import Kind, Scene
from detector.correlate.finding import Finding
from detector.correlate.likelihood import explained
from detector.correlate.settings import Settings
from detector.correlate.weighing import Weighed, weighed
from detector.correlate.words import reasons

__all__ = ["Ranking", "Suspect", "ranked", "ranked_by"]

Array = NDArray[np.float64]
_ANY = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A service, the probability that it is the cause, and why, in words.

    `kind` is what its fault shows by, `findings` are all of its own, the oddest first.
    """

    service: str
    probability: float
    kind: Kind
    findings: tuple[Finding, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Suspects, the likeliest first; `nothing`: probability that nothing is wrong at all."""

    suspects: tuple[Suspect, ...]
    nothing: float

    @property
    def stands_out(self) -> bool:
        """Whether a cause is likelier than none."""
        return self.nothing < 0.5


def ranked(scene: Scene, settings: Settings = _ANY) -> Ranking:
    """The posterior over causes, given one fault at most; nothing stands out of an empty scene.

    It depends on neither the order nor the names nor the units of anything: services that are as
    likely as each other stand in the order of their names.
    """
    return ranked_by(scene, weighed(scene), settings)


def ranked_by(scene: Scene, found: Weighed, settings: Settings) -> Ranking:
    """As `ranked`, of a scene that was weighed before."""
    kinds = [kind for kind in Kind if kind in found.piles and kind is not Kind.TRAFFIC]
    if not kinds:
        return Ranking(suspects=(), nothing=1.0)
    judged = [explained(kind, scene, found, settings) for kind in kinds]
    somewhere = sum(anywhere for _, anywhere in judged)
    table = np.array([each + somewhere - anywhere for each, anywhere in judged])
    chances = _posterior(table, settings)
    showing = {name: kinds[int(np.argmax(table[:, at]))] for name, at in found.services.items()}
    return Ranking(suspects=_suspects(scene, found, showing, chances), nothing=float(chances[-1]))


def _posterior(table: Array, settings: Settings) -> Array:
    """Probabilities of each service, and last that there is no cause."""
    each = np.logaddexp.reduce(table, axis=0) + np.log(settings.incident / table.shape[1])
    weights = np.append(each, np.log1p(-settings.incident))
    return np.asarray(np.exp(weights - np.logaddexp.reduce(weights)))


def _suspects(
    scene: Scene, found: Weighed, showing: Mapping[str, Kind], chances: Array
) -> tuple[Suspect, ...]:
    suspects = [
        Suspect(
            service=service,
            probability=float(chances[place]),
            kind=showing[service],
            findings=found.findings(service),
            reasons=reasons(service, showing[service], scene, found),
        )
        for service, place in found.services.items()
    ]
    return tuple(sorted(suspects, key=lambda one: (-one.probability, one.service)))
