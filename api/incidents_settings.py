"""How changes are weighed as the cause of incidents, in the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.section import Section
from detector.changes.change import ChangeKind

__all__ = ["IncidentsSection"]


class IncidentsSection(Section):
    """`bad`: the chance that a change of a kind breaks something, where it is not the default."""

    bad: dict[ChangeKind, Annotated[float, Field(ge=0.0001, le=0.5)]] = Field(default_factory=dict)
