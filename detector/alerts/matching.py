"""Whether an incident has the labels that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from detector.alerts.brief import IncidentBrief
from detector.selector import matches
from detector.series import Matcher, MatchOp

__all__ = ["labels_of", "suits"]

_AFFIRMED = {MatchOp.NOT_EQUAL: MatchOp.EQUAL, MatchOp.NOT_MATCHES: MatchOp.MATCHES}


def labels_of(brief: IncidentBrief) -> dict[str, str]:
    """What routes look at; its severity is the one that it has now."""
    return {**dict(brief.labels), "severity": brief.severity.value}


def suits(
    matchers: Iterable[Matcher], labels: Mapping[str, str], services: tuple[str, ...]
) -> bool:
    """Whether all matchers hold; `service` is each of the services, and its own label.

    `service="a"` holds where any of them is a, `service!="a"` where none is.
    """
    return all(_holds(matcher, labels, services) for matcher in matchers)


def _holds(matcher: Matcher, labels: Mapping[str, str], services: tuple[str, ...]) -> bool:
    if matcher.label != "service" or not services:
        return matches(matcher, labels)
    affirmed = _AFFIRMED.get(matcher.op)
    asked = Matcher(matcher.label, affirmed or matcher.op, matcher.value)
    found = any(matches(asked, {"service": one}) for one in services)
    return found is (affirmed is None)
