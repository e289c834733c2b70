"""An incident whose cause is known: what a ranker sees, and the answer."""

from __future__ import annotations

from dataclasses import dataclass

from detector.correlate.evidence import Scene

__all__ = ["Case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scene and which service was tampered with; nobody in a normal period."""

    name: str
    group: str
    scene: Scene
    guilty: str | None
