"""Which symptoms still hang together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from detector.incidents.symptom import Symptom

__all__ = ["parted"]


def parted(
    symptoms: Sequence[Symptom], is_linked: Callable[[Symptom, Symptom], bool]
) -> list[tuple[Symptom, ...]]:
    """Connected parts, each in the order given, the part of the first symptom first."""
    left, parts = list(symptoms), []
    while left:
        part, wave = [left[0]], [left.pop(0)]
        while wave:
            one = wave.pop()
            joined = [other for other in left if is_linked(one, other) or is_linked(other, one)]
            left = [other for other in left if other not in joined]
            part += joined
            wave += joined
        parts.append(tuple(one for one in symptoms if one in part))
    return parts
