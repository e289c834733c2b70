"""What people said of incidents and of verdicts, as labels of the changes before them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from detector.changes.change import Change, ChangeKind
from detector.gate.decision import Override
from detector.gate.verdict import Outcome
from detector.incidents.incident import Incident
from detector.incidents.record import KeptIncident, SaidKind

__all__ = ["Label", "Labels", "Tally", "Truth", "labels_of", "overridden"]

# A suspect that is less likely was not much of one.
_SUSPECTED = 0.05


class Truth(StrEnum):
    """What an incident was, as a person said last: it came of a change, of none, or was none."""

    CHANGE = "change"
    NO_CHANGE = "no_change"
    NO_INCIDENT = "no_incident"


_SAID = {
    SaidKind.CAUSED_BY: Truth.CHANGE,
    SaidKind.NO_CHANGE: Truth.NO_CHANGE,
    SaidKind.NO_INCIDENT: Truth.NO_INCIDENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """An incident of which a person said what it was; `guilty` with `Truth.CHANGE` alone."""

    incident: Incident
    truth: Truth
    guilty: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Changes of a kind: those that broke something, those that did not, and the others.

    `unsure` ones are suspects of incidents of which nobody said what they were.
    """

    bad: int = 0
    good: int = 0
    unsure: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """All of a span. `occasions` to speak there were: incidents with a suspect, and overrides.

    On `spoken` of them somebody did.
    """

    incidents: tuple[Label, ...]
    tallies: Mapping[ChangeKind, Tally]
    occasions: int
    spoken: int


def labels_of(
    incidents: Iterable[KeptIncident],
    changes: Iterable[Change],
    overridden: Mapping[str, bool] | None = None,
) -> Labels:
    """What is known of changes, in whatever order they come.

    `overridden`: whether a person called a change bad in place of a verdict, by its id. A word of
    an incident stands above that. A guilty change that nobody knows any more is no label.
    """
    every = {kept.incident.id: kept for kept in incidents}
    kept = [every[id] for id in sorted(every)]
    suspects = {
        one.change.id: one.change for each in kept for one in each.incident.suspects.suspects
    }
    known = {**suspects, **{change.id: change for change in changes}}
    called = overridden or {}
    found = {each.incident.id: label for each in kept if (label := _label(each, known))}
    guilty = {label.guilty.id for label in found.values() if label.guilty is not None}
    guilty |= {id for id, is_bad in called.items() if is_bad and id in known}
    silent = [each.incident for each in kept if each.incident.id not in found]
    unsure = {id for incident in silent for id in _suspected(incident)} - guilty - set(called)
    asked = sum(bool(_suspected(incident)) for incident in silent)
    spoken = len(found) + sum(id in known for id in called)
    return Labels(
        incidents=tuple(found.values()),
        tallies=_tallies(known, guilty, unsure),
        occasions=spoken + asked,
        spoken=spoken,
    )


def overridden(overrides: Iterable[Override]) -> bool | None:
    """Whether a person called a rollout bad, by the last word; None where nobody decided."""
    ordered = sorted(overrides, key=lambda one: one.at)
    decided = [one.outcome for one in ordered if one.outcome is not Outcome.INCONCLUSIVE]
    return decided[-1] is Outcome.FAIL if decided else None


def _label(kept: KeptIncident, known: Mapping[str, Change]) -> Label | None:
    """By the last word that says what it was."""
    words = sorted((one for one in kept.said if one.kind in _SAID), key=lambda one: one.at)
    if not words:
        return None
    truth = _SAID[words[-1].kind]
    if truth is not Truth.CHANGE:
        return Label(incident=kept.incident, truth=truth)
    guilty = known.get(words[-1].change or "")
    return None if guilty is None else Label(incident=kept.incident, truth=truth, guilty=guilty)


def _suspected(incident: Incident) -> list[str]:
    suspects = incident.suspects.suspects
    return [one.change.id for one in suspects if one.probability >= _SUSPECTED]


def _tallies(
    known: Mapping[str, Change], guilty: set[str], unsure: set[str]
) -> dict[ChangeKind, Tally]:
    many = Counter(
        (change.kind, "bad" if id in guilty else "unsure" if id in unsure else "good")
        for id, change in known.items()
    )
    return {
        kind: Tally(bad=many[kind, "bad"], good=many[kind, "good"], unsure=many[kind, "unsure"])
        for kind in ChangeKind
    }
