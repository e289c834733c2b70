"""What exists instead: the nearest names for a person who asked for something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from detector.discovery.asked import Asked
from detector.discovery.looking import NAME, Look, service_matcher
from detector.discovery.matching import Labels, first_label, fits, values_of
from detector.selector import format_query
from detector.series import Matcher, Query
from detector.signals.packs import Pack

__all__ = ["instead", "nearest", "unknown_arm", "unknown_service"]

_SHOWN = 5
_TOO_LONG = 80
_LOOKED_AT = 500
# Labels that name services in nearly every source, whatever pack its metrics are of.
_SERVICE_LABELS = ("service", "app", "job", "service_name", "destination_canonical_service")


def nearest(text: str, names: Iterable[str]) -> list[str]:
    """At most five names, the most alike first; long ones are cut."""
    looked = sorted(set(names))[:_LOOKED_AT]
    alike = sorted(looked, key=lambda name: -SequenceMatcher(None, text, name[:200]).ratio())
    return [name if len(name) <= _TOO_LONG else f"{name[:_TOO_LONG]}..." for name in alike[:_SHOWN]]


def instead(asked: Sequence[Matcher], series: Sequence[Labels]) -> str:
    """What the labels of a selector that finds nothing hold, where the selector was just told."""
    return f"Nearest: {_labels(asked, series)}."


def unknown_arm(arm: str, service: str, asked: Sequence[Matcher], series: Sequence[Labels]) -> str:
    """The same for a selector that nobody has told yet."""
    spelled = format_query(Query(arm, tuple(asked))).removeprefix(arm)
    return f"Nearest to the {arm} {spelled} of {service}: {_labels(asked, series)}."


def _labels(asked: Sequence[Matcher], series: Sequence[Labels]) -> str:
    return "; ".join(_label(matcher, series) for matcher in asked)


def _label(matcher: Matcher, series: Sequence[Labels]) -> str:
    values = values_of(matcher.label, series)
    if values:
        near = ", ".join(nearest(matcher.value, values))
        return f"{matcher.label} {near}"
    carried = {label for labels in series for label in labels} - {NAME}
    near = ", ".join(nearest(matcher.label, carried)) or "no label at all"
    return f"no series carries the label {matcher.label}; they have {near}"


def unknown_service(
    look: Look,
    packs: Sequence[Pack],
    names: frozenset[str],
    asked: Asked,
    found: Mapping[str, Sequence[Labels]],
) -> str:
    """Why nothing of a service is there: another scope, another name, or no known metric."""
    elsewhere = _elsewhere(packs, asked, found)
    if elsewhere:
        return elsewhere
    metrics = [r.metric for pack in packs for r in pack.requests if r.metric in names]
    if not metrics:
        known = ", ".join(pack.name for pack in packs if pack.requests)
        return (
            f"None of the source's {len(names)} metrics counts requests as a pack knows them"
            f" ({known}); add a pack for yours."
        )
    queries = [Query(metric) for metric in dict.fromkeys(metrics)]
    others = {value for label in _SERVICE_LABELS for value in look.values(label, queries)}
    if not others:
        return "No series of a request metric names any service at that time."
    near = ", ".join(nearest(asked.service, others))
    return f"No request metric names a service {asked.service}; nearest: {near}."


def _elsewhere(
    packs: Sequence[Pack], asked: Asked, found: Mapping[str, Sequence[Labels]]
) -> str | None:
    """The scopes that the service is in, where it is not in the asked one."""
    for pack in packs:
        series = [
            s
            for requests in pack.requests
            for s in found.get(requests.metric, ())
            if any(
                fits((service_matcher(label, asked.service, pack, asked.namespace),), s)
                for label in pack.services
            )
        ]
        scopes = (
            ("namespace", pack.namespaces, asked.namespace),
            ("cluster", pack.clusters, asked.cluster),
        )
        for what, labels, value in scopes:
            label = first_label(labels, series)
            there = values_of(label, series) if label else frozenset()
            if value is not None and there and value not in there:
                near = ", ".join(nearest(value, there))
                return f"{asked.service} is not in the {what} {value}; it is in {near}."
    return None
