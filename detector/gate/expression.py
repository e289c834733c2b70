"""Expressions over signals: which of them, in which combination, fail a rollout or let it pass."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

__all__ = ["Expression", "all_of", "any_of", "signal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A signal's name, or parts of which any or all have to hold; exactly one of the three."""

    name: str | None = None
    any_of: tuple[Expression, ...] = ()
    all_of: tuple[Expression, ...] = ()

    def holds(self, true: AbstractSet[str]) -> bool:
        """Whether it holds where the signals in `true` do; more signals never make it false."""
        if self.name is not None:
            return self.name in true
        if self.any_of:
            return any(part.holds(true) for part in self.any_of)
        return all(part.holds(true) for part in self.all_of)

    @property
    def names(self) -> frozenset[str]:
        """The signals that it speaks of."""
        own = frozenset() if self.name is None else frozenset({self.name})
        return own.union(*(part.names for part in (*self.any_of, *self.all_of)))

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        word, parts = (" or ", self.any_of) if self.any_of else (" and ", self.all_of)
        told = word.join(str(part) for part in parts)
        return told if len(parts) == 1 else f"({told})"


def signal(name: str) -> Expression:
    """One signal alone."""
    return Expression(name=name)


def any_of(*parts: Expression) -> Expression:
    """At least one part."""
    return Expression(any_of=parts)


def all_of(*parts: Expression) -> Expression:
    """Every part."""
    return Expression(all_of=parts)
