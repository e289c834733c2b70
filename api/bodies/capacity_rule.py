"""What a policy asks of capacity, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from api.bodies.loose import Flag, Number, Strict, finite
from detector.capacity.resource import Kind
from detector.capacity.rule import CapacityRule

__all__ = ["CapacityRuleBody", "capacity_rule_body"]

_DAY_S = 86_400
Span = Annotated[Number, AfterValidator(finite(gt=0, le=366 * _DAY_S))]


class CapacityRuleBody(Strict):
    """Within what time no resource of the service may run out; what is absent keeps its default."""

    within_s: Span = Field(
        None, description="Seconds from now, by the P50; 7 days if not given.", examples=[604800]
    )
    kinds: tuple[Kind, ...] | None = Field(
        None, description="Of resources; cpu and memory if not given.", min_length=1
    )
    hold_unknown: Flag = Field(
        None, description="Whether nothing passes finally while capacity is not assessed."
    )
    max_age_s: Span = Field(
        None, description="How old an assessment may be, in seconds; 2 days if not given."
    )

    def native(self) -> CapacityRule:
        """The rule, with the defaults for what is absent."""
        return CapacityRule(**self.model_dump(exclude_none=True))


def capacity_rule_body(rule: CapacityRule | None) -> dict[str, Any] | None:
    """A rule with every key."""
    if rule is None:
        return None
    return {**asdict(rule), "kinds": [kind.value for kind in rule.kinds]}
