"""What a policy says of error budgets."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from api.bodies.loose import Flag, Number, Strict, Word, finite
from detector.slo.policy import BudgetPolicy

__all__ = ["BudgetPolicyBody"]


class BudgetPolicyBody(Strict):
    """What follows where little is left of an error budget; what is absent keeps its default."""

    slo: Word = Field(
        None, description="The objective that is looked at; absent: all of the service."
    )
    tighten_below: Annotated[Number, AfterValidator(finite(ge=0, le=1))] = Field(
        None, description="Share of the budget below which limits are tightened.", examples=[0.2]
    )
    tighten: Annotated[Number, AfterValidator(finite(ge=0.1, le=1))] = Field(
        None, description="By what all limits are multiplied then.", examples=[0.5]
    )
    hold_unknown: Flag = Field(
        None, description="Whether nothing passes while a budget is not known."
    )

    def native(self) -> BudgetPolicy:
        """The same, with the defaults for what is absent."""
        return BudgetPolicy(**self.model_dump(exclude_none=True))
