"""Expressions over signals as JSON or YAML: a name, or `any_of` or `all_of` a list of such."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import Field, model_validator

from api.bodies.loose import Strict
from detector.gate.expression import Expression
from detector.gate.reason import SIGNAL_NAMES

__all__ = ["ExpressionBody", "expression_body"]

_DEEPEST = 4


class ExpressionBody(Strict):
    """A combination of signals; parts are names of signals or combinations themselves."""

    any_of: list[str | ExpressionBody] | None = Field(
        None,
        description="At least one of these.",
        min_length=1,
        max_length=16,
        examples=[["latency", "tail95"]],
    )
    all_of: list[str | ExpressionBody] | None = Field(
        None, description="All of these.", min_length=1, max_length=16
    )

    @model_validator(mode="after")
    def sensible(self) -> ExpressionBody:
        """Exactly one of the two words, known signals, and no deeper than people read."""
        if (self.any_of is None) == (self.all_of is None):
            raise ValueError("say either any_of or all_of, with the signals below it")
        for name in self.names():
            if name not in SIGNAL_NAMES:
                raise ValueError(_unknown(name))
        if self.depth() > _DEEPEST:
            raise ValueError(f"any_of and all_of lie within each other {_DEEPEST} deep at most")
        return self

    @property
    def parts(self) -> list[str | ExpressionBody]:
        """What it is made of."""
        return self.any_of or self.all_of or []

    def names(self) -> Iterator[str]:
        """Every signal that it speaks of."""
        for part in self.parts:
            yield from (part,) if isinstance(part, str) else part.names()

    def depth(self) -> int:
        """How many words lie within each other."""
        return 1 + max((p.depth() for p in self.parts if not isinstance(p, str)), default=0)

    def native(self) -> Expression:
        """The expression."""
        parts = tuple(
            Expression(name=part) if isinstance(part, str) else part.native() for part in self.parts
        )
        return Expression(any_of=parts) if self.any_of is not None else Expression(all_of=parts)


def _unknown(name: str) -> str:
    near = get_close_matches(name, SIGNAL_NAMES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"no signal is called {name!r}{hint} There are {list(SIGNAL_NAMES)}"


def expression_body(told: Expression | None) -> dict[str, Any] | str | None:
    """An expression as it is written."""
    if told is None or told.name is not None:
        return None if told is None else told.name
    word, parts = ("any_of", told.any_of) if told.any_of else ("all_of", told.all_of)
    return {word: [expression_body(part) for part in parts]}
