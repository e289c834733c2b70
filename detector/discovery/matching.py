"""Matchers over label sets: made from values, turned round, and put to many series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from detector.selector import matches
from detector.series import Matcher, MatchOp

__all__ = [
    "Labels",
    "any_of",
    "equal",
    "first_label",
    "fits",
    "literal",
    "merged",
    "negated",
    "rules",
    "values_of",
]

Labels = Mapping[str, str]

_SPECIAL = frozenset(r"\.+*?()|[]{}^$")
_NEGATED = {
    MatchOp.EQUAL: MatchOp.NOT_EQUAL,
    MatchOp.NOT_EQUAL: MatchOp.EQUAL,
    MatchOp.MATCHES: MatchOp.NOT_MATCHES,
    MatchOp.NOT_MATCHES: MatchOp.MATCHES,
}


def literal(text: str) -> str:
    r"""RE2 text that matches exactly `text`.

    >>> literal("a.b|c")
    'a\\.b\\|c'
    """
    return "".join("\\" + char if char in _SPECIAL else char for char in text)


def equal(label: str, value: str) -> Matcher:
    """The matcher of one value."""
    return Matcher(label, MatchOp.EQUAL, value)


def any_of(label: str, values: Iterable[str]) -> Matcher:
    """The matcher of some values, in order of the alphabet."""
    told = sorted(set(values))
    if len(told) == 1:
        return equal(label, told[0])
    return Matcher(label, MatchOp.MATCHES, "|".join(literal(value) for value in told))


def rules(where: Mapping[str, str], without: Mapping[str, str]) -> tuple[Matcher, ...]:
    """Matchers of a pack's `where` and `without`."""
    wanted = [Matcher(label, MatchOp.MATCHES, pattern) for label, pattern in where.items()]
    refused = [Matcher(label, MatchOp.NOT_MATCHES, pattern) for label, pattern in without.items()]
    return (*wanted, *refused)


def fits(matchers: Sequence[Matcher], labels: Labels) -> bool:
    """Whether a label set satisfies all matchers."""
    return all(matches(matcher, labels) for matcher in matchers)


def negated(matchers: Sequence[Matcher]) -> Iterator[tuple[Matcher, ...]]:
    """What does not satisfy all of them, as alternatives that have nothing in common."""
    for at, matcher in enumerate(matchers):
        yield (*matchers[:at], Matcher(matcher.label, _NEGATED[matcher.op], matcher.value))


def merged(*groups: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """All matchers, each once, in order."""
    return tuple(dict.fromkeys(matcher for group in groups for matcher in group))


def first_label(names: Sequence[str], series: Sequence[Labels]) -> str | None:
    """The first label that all series carry, else the first that any does."""
    for enough in (all, any):
        for name in names:
            if series and enough(labels.get(name) for labels in series):
                return name
    return None


def values_of(label: str, series: Iterable[Labels]) -> frozenset[str]:
    """The values of a label, the absent one left out."""
    return frozenset(labels[label] for labels in series if labels.get(label))
