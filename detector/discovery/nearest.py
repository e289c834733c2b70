"""What exists instead: the nearest names for a person who asked for something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from detector.discovery.matching import Labels, values_of
from detector.series import Matcher

__all__ = ["nearest", "without_match"]

_SHOWN = 5
_TOO_LONG = 80
_LOOKED_AT = 500


def nearest(text: str, names: Iterable[str]) -> list[str]:
    """At most five names, the most alike first; long ones are cut."""
    looked = sorted(set(names))[:_LOOKED_AT]
    alike = sorted(looked, key=lambda name: -SequenceMatcher(None, text, name[:200]).ratio())
    return [name if len(name) <= _TOO_LONG else f"{name[:_TOO_LONG]}..." for name in alike[:_SHOWN]]


def without_match(asked: Sequence[Matcher], series: Sequence[Labels]) -> str:
    """Why a selector finds nothing among some series: what its labels hold instead."""
    return "; ".join(_label(matcher, series) for matcher in asked) or "the service has no series"


def _label(matcher: Matcher, series: Sequence[Labels]) -> str:
    values = values_of(matcher.label, series)
    if values:
        near = ", ".join(nearest(matcher.value, values))
        return f"nearest values of {matcher.label}: {near}"
    carried = sorted({label for labels in series for label in labels if label != "__name__"})
    near = ", ".join(nearest(matcher.label, carried)) or "none"
    return f"no series carries the label {matcher.label}; nearest labels: {near}"
