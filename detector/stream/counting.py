"""Which counters count the requests of a service: good ones, bad ones, and those within a bound.

A sum over pods that come and go cannot be had from baselines of pods, so what a gate compares is
added up over all of them before anything is learned of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from detector.discovery.matching import Labels, fits, rules
from detector.series import Matcher
from detector.signals.packs import Pack
from detector.signals.packs.schema import Durations, Requests
from detector.stream.anomaly import Subject
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.subject import Owners

__all__ = ["Cell", "Counting", "Part"]


class Part(StrEnum):
    """Which of a service's requests are in a cell.

    `APART`: failures that have a counter of their own, and are among the good ones too.
    """

    GOOD = "good"
    BAD = "bad"
    APART = "apart"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Cell:
    """A sum over the pods of a service, by the metric of its requests or durations.

    `pack`: by whose rules, since a proxy reports each request twice under one name. `edge`: the
    bound `le` of a `BELOW`, as it is written.
    """

    service: str
    namespace: str
    cluster: str
    pack: str
    metric: str
    part: Part
    edge: str = ""

    @property
    def group(self) -> tuple[str, str, str, str, str]:
        """What the cells of one metric of one service have in common."""
        return self.service, self.namespace, self.cluster, self.pack, self.metric


@dataclass(frozen=True, slots=True)
class _Code:
    """What a label's code looks like, and what a bad one does."""

    like: tuple[Matcher, ...]
    bad: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a metric is read: requests or durations of a pack, for its own requests metric."""

    told: Requests | Durations
    own: tuple[Matcher, ...]
    health: tuple[Matcher, ...]
    pack: str
    metric: str
    is_apart: bool = False
    codes: Mapping[str, _Code] = field(default_factory=dict)


class Counting:
    """Finds the cell of series by some packs; the first whose rules a series fits decides."""

    def __init__(self, packs: Sequence[Pack], owners: Owners) -> None:
        self._owners = owners
        # Of all that decides: what was counted by the same is counted in the same cells.
        self.mark = sha256(repr(tuple(packs)).encode()).digest()
        self._rules: dict[str, list[_Rule]] = {}
        for pack in packs:
            for metric, rule in _rules(pack):
                self._rules.setdefault(metric, []).append(rule)

    @property
    def metrics(self) -> Iterable[str]:
        """The names of all metrics of which a series may be counted."""
        return self._rules.keys()

    def cell(self, series: SeriesInfo) -> Cell | None:
        """The cell of a series; None for one that counts no requests of a service."""
        rules_of = self._rules.get(series.name)
        if rules_of is None or series.kind is SeriesKind.GAUGE:
            return None
        own = dict(series.labels)
        # What keeps OpenTelemetry's dots is found under both spellings.
        labels = {name.replace(".", "_"): value for name, value in own.items()} | own
        for rule in rules_of:
            if fits(rule.own, labels):
                return self._of(rule, series, labels)
        return None

    def _of(self, rule: _Rule, series: SeriesInfo, labels: Labels) -> Cell | None:
        if any(one.label in labels and fits((one,), labels) for one in rule.health):
            return None
        part, edge = _part(rule, labels)
        owner = self._owners.subject(series)
        if part is None or not owner.service:
            return None
        return Cell(*_where(owner), rule.pack, rule.metric, part, edge)


def _where(owner: Subject) -> tuple[str, str, str]:
    return owner.service, owner.namespace, owner.cluster


def _rules(pack: Pack) -> Iterator[tuple[str, _Rule]]:
    health = rules(pack.health, {})
    for requests in pack.requests:
        own = rules(requests.where, requests.without)
        codes = _codes(requests)
        yield (
            requests.metric,
            _Rule(requests, own, health, pack.name, requests.metric, codes=codes),
        )
        for metric in requests.errors.metrics:
            yield metric, _Rule(requests, (), health, pack.name, requests.metric, is_apart=True)
    for durations in pack.durations:
        own = rules(durations.where, durations.without)
        yield durations.metric, _Rule(durations, own, health, pack.name, durations.metric)


def _part(rule: _Rule, labels: Labels) -> tuple[Part | None, str]:
    if isinstance(rule.told, Durations):
        edge = labels.get("le", "")
        return (Part.BELOW, edge) if edge else (None, "")
    if rule.is_apart:
        return Part.APART, ""
    return (Part.BAD if _is_bad(rule.codes, labels) else Part.GOOD), ""


def _is_bad(codes: Mapping[str, _Code], labels: Mapping[str, str]) -> bool:
    """By the first label that is like a code, as discovery finds it over all of them."""
    for label, code in codes.items():
        if labels.get(label) and fits(code.like, labels):
            return fits(code.bad, labels)
    return False


def _codes(told: Requests) -> dict[str, _Code]:
    errors = told.errors
    return {
        label: _Code(rules({label: errors.like}, {}), rules({label: errors.match}, errors.without))
        for label in errors.labels
    }
