"""Which services a metric source knows: by the labels that name them, within a budget of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from detector.discovery.looking import Look, naming_labels
from detector.discovery.matching import equal
from detector.discovery.spelling import unspelled
from detector.discovery.workloads import hash_of, prefix_of
from detector.errors import SourceError
from detector.series import Matcher, Query
from detector.signals.packs import Pack

__all__ = ["Census", "CensusBudget", "Sighting", "Skipped", "census", "plain_name"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusBudget:
    """How much is asked and kept: calls to the catalogue, and services by one label."""

    calls: int = 120
    services: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A service by the metric that counts its requests and the label that names it."""

    service: str
    pack: str
    metric: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What was not looked at, and why, in words for people."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Services by name, what was skipped, and how many metrics the source has."""

    sightings: tuple[Sighting, ...]
    skipped: tuple[Skipped, ...]
    metrics: int

    @property
    def services(self) -> tuple[str, ...]:
        """Names, each once, in order of the alphabet."""
        return tuple(sorted({one.service for one in self.sightings}))


@dataclass(slots=True)
class _Asker:
    """The catalogue with a count of what was asked; a call that fails is noted and passed over."""

    look: Look
    budget: CensusBudget
    calls: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    def values(self, label: str, query: Query) -> Sequence[str] | None:
        """Values of a label lately; None where that was not told."""
        if self.calls >= self.budget.calls:
            self._skip(query.metric, f"the budget of {self.budget.calls} calls is used up")
            return None
        self.calls += 1
        return self._told(query.metric, lambda: self.look.values_now(label, [query]))

    def _told(self, what: str, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except SourceError as error:
            self._skip(what, str(error))
            return None

    def _skip(self, what: str, why: str) -> None:
        if not any(one.what == what for one in self.skipped):
            self.skipped.append(Skipped(what=what, why=why))


def census(
    look: Look, packs: Sequence[Pack], *, names: frozenset[str], budget: CensusBudget | None = None
) -> Census:
    """The services that have requests as a pack knows them, among the metrics `names`.

    Only values of labels are asked for, never series, so that the answer is as long as the list
    of services however many series there are. A metric whose labels cannot be told within the
    time or the budget is named in `skipped`.
    """
    asker = _Asker(look, budget or CensusBudget())
    found: dict[tuple[str, str, str], Sighting] = {}
    for pack in packs:
        for metric in dict.fromkeys(told.metric for told in pack.requests):
            if metric in names:
                for one in _sightings(asker, pack, metric):
                    found.setdefault((one.service, one.metric, one.pack), one)
    kept = sorted(found.values(), key=lambda one: one.service)
    return Census(sightings=tuple(kept), skipped=tuple(asker.skipped), metrics=len(names))


def _sightings(asker: _Asker, pack: Pack, metric: str) -> Iterator[Sighting]:
    """By the first label that a series carries; the rest of the labels is for those without it."""
    without: tuple[Matcher, ...] = ()
    for label in naming_labels(pack, metric):
        values = asker.values(label, Query(metric, without))
        if values is None:
            return
        named = [value for value in values if value]
        for value in named[: asker.budget.services]:
            yield Sighting(
                service=plain_name(pack, label, value), pack=pack.name, metric=metric, label=label
            )
        more = len(named) - asker.budget.services
        if more > 0:
            asker.skipped.append(
                Skipped(what=f"{metric} by {label}", why=f"{more:,} more values than are listed")
            )
        without = (*without, equal(label, ""))
        if named and not asker.values("__name__", Query(metric, without)):
            return


def plain_name(pack: Pack, label: str, value: str) -> str:
    """The service's own name, out of a job with its namespace, a proxy's spelling, or a pod."""
    if label in pack.spelled:
        return unspelled(pack.spelled[label], value)
    if label in pack.pods and hash_of(value):
        return prefix_of(value).removesuffix(f"-{hash_of(value)}-")
    return value.rpartition("/")[2] if label == "job" else value
