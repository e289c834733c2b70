"""Why a change is suspected, and what an incident is, in sentences."""

from __future__ import annotations

from detector.changes.change import Change, ChangeKind
from detector.incidents.calls import Relation
from detector.incidents.incident import Incident, IncidentState
from detector.incidents.record import Said, SaidKind
from detector.incidents.suspects import Ground, Reason, Suspect
from detector.stream.words import clock_text

__all__ = [
    "cause_words",
    "change_words",
    "reason_words",
    "said_words",
    "summary_words",
    "title_words",
]

_NAMED = 3
_MINUTES_A_DAY, _MINUTES_AN_HOUR = 1440.0, 60.0
_KINDS = {
    ChangeKind.DEPLOYMENT: "deployment",
    ChangeKind.ROLLBACK: "rollback",
    ChangeKind.REMOVAL: "removal",
    ChangeKind.CONFIG: "change of configuration",
    ChangeKind.FLAG: "change of a flag",
    ChangeKind.INFRASTRUCTURE: "change of infrastructure",
    ChangeKind.SCALING: "scaling",
    ChangeKind.NODE: "change of a node",
    ChangeKind.MERGE: "merge",
    ChangeKind.OTHER: "change",
}

_SAID = {
    SaidKind.ACKNOWLEDGED: "is at it",
    SaidKind.SNOOZED: "wants to hear no more",
    SaidKind.NO_INCIDENT: "says it was no incident",
    SaidKind.CAUSED_BY: "says what it was",
    SaidKind.NO_CHANGE: "says it was none of these changes",
}


def title_words(incident: Incident) -> str:
    """Who shows it: the first services by name."""
    names = [name or "a service without a name" for name in incident.services]
    more = len(names) - _NAMED
    if more > 0:
        return f"{', '.join(names[:_NAMED])} and {more} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def summary_words(incident: Incident) -> str:
    """Since when, whether it was so before, how much of it there is, and whether it lasts."""
    many = f"{incident.count} anomalies" if incident.count != 1 else "1 anomaly"
    services = len(incident.services)
    where = f"{services} services" if services != 1 else "1 service"
    again = ", not for the first time" if incident.is_back else ""
    return f"{many} in {where} since {clock_text(incident.began)}{again}; {_state(incident)}."


def cause_words(incident: Incident) -> str:
    """What it likely comes of."""
    found = incident.suspects
    if not found.suspects:
        return "No change is known that could have caused it."
    first = found.suspects[0]
    if first.probability <= found.none:
        return f"Likely no change ({_percent(found.none)}); next to that the {_named(first)}."
    return f"Likely the {_named(first)}."


def change_words(change: Change) -> str:
    """A change by its kind, service and version.

    It says what it is called where nothing else names it.
    """
    kind = _KINDS[change.kind]
    of = f" of {change.place.service}" if change.place.service else ""
    version = f" to {change.version}" if change.version else ""
    named = f"{kind}{of}{version}"
    return named if of or version or not change.title else f"{kind} “{change.title}”"


def said_words(said: Said) -> str:
    """Who said what of an incident, and why."""
    who = said.person or "somebody"
    change = "" if said.change is None else f": {said.change}"
    until = "" if said.until is None else f" until {clock_text(said.until)}"
    note = f" (“{said.note}”)" if said.note else ""
    return f"{who} {_SAID[said.kind]}{change}{until}{note}"


def reason_words(reason: Reason, change: Change) -> str:
    """One ground for or against a change."""
    match reason.ground:
        case Ground.TIMING:
            return _timing(reason.minutes)
        case Ground.PLACE:
            return _place(reason, change.place.service)
        case Ground.VERSIONS:
            return _versions(reason, change)
        case _:
            return f"how often a {_KINDS[change.kind]} breaks something"


def _named(suspect: Suspect) -> str:
    change = suspect.change
    at = clock_text(change.started_at)
    return f"{change_words(change)} at {at} ({_percent(suspect.probability)})"


def _state(incident: Incident) -> str:
    match incident.state:
        case IncidentState.RESOLVED if incident.resolved_at is not None:
            return f"over since {clock_text(incident.resolved_at)}"
        case IncidentState.MERGED:
            return f"now a part of {incident.into}"
    return "it lasts"


def _timing(minutes: float) -> str:
    if minutes < 0:
        return f"it was told {_span(-minutes)} after the first anomaly began"
    return f"the first anomaly began {_span(minutes)} after it"


def _place(reason: Reason, service: str) -> str:
    if not service:
        return "it names no service, and may touch any"
    calls = f"{reason.steps} calls away" if reason.steps > 1 else "directly"
    match reason.relation:
        case Relation.SAME:
            return f"it changed {service} itself"
        case Relation.CALLEE:
            return f"it changed {service}, which {reason.service} calls {calls}"
        case Relation.CALLER:
            return f"it changed {service}, which calls {reason.service} {calls}"
        case Relation.SIBLING:
            return f"it changed {service}, which has a caller in common with {reason.service}"
    return f"no call is known between {service} and who shows it"


def _versions(reason: Reason, change: Change) -> str:
    if reason.words and reason.weight < 0:
        return f"odd is {', '.join(reason.words[:_NAMED])}, which does not have it"
    if reason.words:
        return f"{', '.join(reason.words[:_NAMED])} is odd, too, which does not have it"
    return f"only {change.version} is odd"


def _span(minutes: float) -> str:
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    if minutes < 2 * _MINUTES_AN_HOUR:
        return f"{minutes:.0f} min"
    if minutes < 2 * _MINUTES_A_DAY:
        return f"{minutes / _MINUTES_AN_HOUR:.0f} h"
    return f"{minutes / _MINUTES_A_DAY:.0f} days"


def _percent(share: float) -> str:
    """Never sure, and never nothing.

    >>> _percent(0.9999), _percent(0.42), _percent(1e-6)
    ('more than 99 %', '42 %', 'less than 1 %')
    """
    if share > 0.99:
        return "more than 99 %"
    return "less than 1 %" if share < 0.01 else f"{100 * share:.0f} %"
