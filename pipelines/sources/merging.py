"""Many selectors as few: what differs by metric or by the values of labels is asked for at once.

A merged selector may select more than its parts do together; whose a series is, is told from its
labels by the parts themselves, so that each gets what it would have got alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from operator import and_

from detector.selector import format_query, matches
from detector.series import Matcher, MatchOp, Query

__all__ = ["Merged", "merged"]

_NAME = "__name__"
_POSITIVE = (MatchOp.EQUAL, MatchOp.MATCHES)
# Sources bound the length of a query; Mimir's bound is 16 kB by default.
_LONGEST = 8_000
# Flags at the head of an expression would hold for all that follow it.
_FLAGS = "(?"


@dataclass(frozen=True, slots=True)
class Merged:
    """Queries that one `selector` answers; `labels` are those whose values tell them apart."""

    queries: tuple[Query, ...]
    selector: str
    labels: tuple[str, ...]

    def shared_out(self, series: Iterable[Mapping[str, str]]) -> list[list[int]]:
        """For each query the places of its series."""
        found: list[list[int]] = [[] for _ in self.queries]
        names = (_NAME, *self.labels)
        looks = [self._owners_by(name) for name in names]
        known: dict[tuple[str, ...], list[list[int]]] = {}
        for place, labels in enumerate(series):
            key = tuple([labels.get(name, "") for name in names])
            owners = known.get(key)
            if owners is None:
                owned = reduce(and_, [look(value) for look, value in zip(looks, key, strict=True)])
                owners = known[key] = [found[number] for number in _numbers(owned)]
            for owner in owners:
                owner.append(place)
        return found

    def _owners_by(self, label: str) -> Callable[[str], int]:
        """Gives the queries that a value of a label suits, as bits; each value is tried once."""
        equal: dict[str, int] = {}
        patterns: dict[str, int] = {}
        for number, query in enumerate(self.queries):
            matcher = _matcher_of(query, label)
            kind = equal if matcher.op is MatchOp.EQUAL else patterns
            kind[matcher.value] = kind.get(matcher.value, 0) | 1 << number

        @cache
        def owners(value: str) -> int:
            bits = equal.get(value, 0)
            for pattern, wanted in patterns.items():
                if _fits(pattern, value):
                    bits |= wanted
            return bits

        return owners


def _matcher_of(query: Query, label: str) -> Matcher:
    if label == _NAME:
        return Matcher(_NAME, MatchOp.EQUAL, query.metric)
    return next(m for m in query.matchers if m.label == label and m.op in _POSITIVE)


def _numbers(bits: int) -> list[int]:
    """Which bits are set."""
    return [number for number in range(bits.bit_length()) if bits >> number & 1]


# The pods of a fleet under way, and what each is asked by.
@lru_cache(maxsize=1 << 16)
def _fits(pattern: str, value: str) -> bool:
    return matches(Matcher("", MatchOp.MATCHES, pattern), {"": value})


def merged(queries: Iterable[Query]) -> list[Merged]:
    """The queries, each once, in as few selectors as their shapes and the length allow."""
    groups: dict[object, list[Query]] = {}
    for query in dict.fromkeys(queries):
        groups.setdefault(_shape(query), []).append(query)
    return [one for group in groups.values() for one in _fitting(group)]


def _shape(query: Query) -> object:
    """What has to be the same in queries that are merged: their labels, and what they exclude."""
    names = [matcher.label for matcher in query.matchers]
    if len(set(names)) < len(names) or not query.metric:
        return query
    return frozenset(
        (m.label, "" if m.op in _POSITIVE else f"{m.op}{m.value}") for m in query.matchers
    )


def _fitting(group: Sequence[Query]) -> list[Merged]:
    """One selector, or as many as keep each short."""
    one = _one(group)
    if len(group) == 1 or len(one.selector) <= _LONGEST:
        return [one]
    half = len(group) // 2
    return [*_fitting(group[:half]), *_fitting(group[half:])]


def _one(group: Sequence[Query]) -> Merged:
    first = group[0]
    labels = tuple(m.label for m in first.matchers if m.op in _POSITIVE)
    if len(group) == 1:
        return Merged((first,), format_query(first), labels)
    by_label = {
        label: _either([m for query in group for m in query.matchers if m.label == label])
        for label in labels
    }
    rest = [m for m in first.matchers if m.op not in _POSITIVE]
    metrics = [query.metric for query in group]
    together = (*by_label.values(), *rest)
    if len(set(metrics)) == 1:
        return Merged(tuple(group), format_query(Query(metrics[0], together)), labels)
    names = _either([Matcher(_NAME, MatchOp.EQUAL, metric) for metric in metrics])
    return Merged(tuple(group), _braced((names, *together)), labels)


def _braced(matchers: Sequence[Matcher]) -> str:
    """A selector whose metric is a matcher."""
    return format_query(Query("_", tuple(matchers))).removeprefix("_")


def _either(matchers: Sequence[Matcher]) -> Matcher:
    """One matcher that fits whatever any of them does."""
    distinct = list(dict.fromkeys(matchers))
    if len(distinct) == 1:
        return distinct[0]
    # As plain words where they are: sources look those up instead of trying every value.
    texts = sorted({text for matcher in distinct for text in _texts(matcher)})
    return Matcher(distinct[0].label, MatchOp.MATCHES, "|".join(texts))


def _texts(matcher: Matcher) -> list[str]:
    if matcher.op is MatchOp.EQUAL:
        return [re.escape(matcher.value)]
    if _FLAGS in matcher.value:
        return [f"(?:{matcher.value})"]
    # The same names in many lists of pods are told once.
    return matcher.value.split("|") if not set(matcher.value) & set("()[]\\") else [matcher.value]
