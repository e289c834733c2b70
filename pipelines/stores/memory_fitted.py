"""Fitted models, kept in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from detector.fitted.model import FittedModel
from detector.gate.aa import Scope

__all__ = ["MemoryFitted"]


@dataclass(slots=True)
class MemoryFitted:
    """`FittedStore`."""

    rows: list[FittedModel] = field(default_factory=list)

    def save(self, model: FittedModel) -> FittedModel:
        """Keep it under the next version."""
        last = max((one.version for one in self.rows if one.scope == model.scope), default=0)
        kept = replace(model, version=last + 1)
        self.rows.append(kept)
        return kept

    def current(self, scope: Scope, *, until: float) -> FittedModel | None:
        """The newest that was promoted by then."""
        known = self.versions(scope, limit=len(self.rows))
        return next((one for one in known if one.promotion.is_promoted and one.at <= until), None)

    def in_use(self, known: Mapping[Scope, int]) -> Iterator[FittedModel]:
        """The newest that was promoted of each service, but for those that are known."""
        for scope in dict.fromkeys(one.scope for one in self.rows):
            found = self.current(scope, until=float("inf"))
            if found is not None and known.get(scope) != found.version:
                yield found

    def versions(self, scope: Scope, *, limit: int) -> Sequence[FittedModel]:
        """Newest first."""
        mine = [one for one in self.rows if one.scope == scope]
        return tuple(sorted(mine, key=lambda one: -one.version)[:limit])
