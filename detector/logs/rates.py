"""Which templates of a service have a series of their own: the commonest, and errors."""

from __future__ import annotations

from dataclasses import dataclass, field

from detector.logs.lines import Level
from detector.logs.services import Place

__all__ = ["Chosen", "KeptChosen", "RateLimits"]

_HOUR_MS = 3_600_000
# Templates of a service that are counted before they are common, for each that may have a series.
_CANDIDATES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """So many series of a service, and so many of its errors beside them.

    A template has one once it came `least` times within some hours, an error at once.
    """

    common: int = 200
    grave: int = 100
    least: int = 20


Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptChosen:
    """All that `Chosen` holds, in its order: who goes on from it chooses the same templates."""

    hour: int = 0
    held: tuple[tuple[Place, bool, Counts], ...] = ()
    counted: tuple[tuple[Place, Counts], ...] = ()


@dataclass(slots=True)
class Chosen:
    """The templates of each service that have a series, and how often others came so far.

    Counts are halved every hour in which something came, and who has none left gives its series up:
    what does not come for some hours has been judged as silent until then. So a service in which
    every line is a template of its own, each with an id in it, has few series or none.
    """

    limits: RateLimits = field(default_factory=RateLimits)
    hour: int = 0
    _held: dict[tuple[Place, bool], dict[str, int]] = field(default_factory=dict)
    _counted: dict[Place, dict[str, int]] = field(default_factory=dict)

    def has(self, place: Place, template: str, level: int, count: int, at: int) -> bool:
        """Count lines at a time (unix ms); whether the template has a series of its own."""
        self._tick(at)
        is_grave = level >= Level.ERROR
        held = self._held.setdefault((place, is_grave), {})
        if template in held:
            held[template] += count
            return True
        came = count if is_grave else self._came(place, template, count)
        most = self.limits.grave if is_grave else self.limits.common
        if len(held) >= most or (came < self.limits.least and not is_grave):
            return False
        held[template] = max(came, self.limits.least)
        self._counted.get(place, {}).pop(template, None)
        return True

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def kept(self) -> KeptChosen:
        """All that is held now."""
        return KeptChosen(
            hour=self.hour,
            held=tuple((*key, tuple(one.items())) for key, one in self._held.items()),
            counted=tuple((place, tuple(one.items())) for place, one in self._counted.items()),
        )

    def resume(self, kept: KeptChosen) -> None:
        """Go on from what was held."""
        self.hour = kept.hour
        self._held = {(place, is_grave): dict(one) for place, is_grave, one in kept.held}
        self._counted = {place: dict(one) for place, one in kept.counted}

    def _came(self, place: Place, template: str, count: int) -> int:
        """How often one without a series came; where there are too many the rare are left out."""
        counted = self._counted.setdefault(place, {})
        if template not in counted and len(counted) >= _CANDIDATES * self.limits.common:
            self._counted[place] = counted = _halved(counted)
            while len(counted) >= _CANDIDATES * self.limits.common:
                del counted[next(iter(counted))]
        counted[template] = counted.get(template, 0) + count
        return counted[template]

    def _tick(self, at: int) -> None:
        """A clock that goes back or far ahead is one more hour, not many."""
        if at // _HOUR_MS <= self.hour:
            return
        if self.hour:
            self._held = {key: kept for key, one in self._held.items() if (kept := _halved(one))}
            self._counted = {
                key: kept for key, one in self._counted.items() if (kept := _halved(one))
            }
        self.hour = at // _HOUR_MS


def _halved(counts: dict[str, int]) -> dict[str, int]:
    return {name: count // 2 for name, count in counts.items() if count > 1}
