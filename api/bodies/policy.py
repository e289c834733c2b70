"""Policies as JSON or YAML."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from api.bodies.budget import BudgetPolicyBody
from api.bodies.capacity_rule import CapacityRuleBody, capacity_rule_body
from api.bodies.expression import ExpressionBody, expression_body
from api.bodies.loose import Flag, Number, Strict, Word, finite
from api.bodies.scan import ScanRuleBody, scan_rule_body
from detector.gate.policy import Mode, Policy, RollbackRule, SignalPolicy
from detector.gate.reason import SIGNAL_NAMES

__all__ = ["PolicyBody", "SignalPolicyBody", "policy_body"]

Share = Annotated[Number, AfterValidator(finite(gt=0, lt=1))]
# Upper bounds keep arithmetic finite; nobody tolerates a hundredfold increase.
Increase = Annotated[Number, AfterValidator(finite(ge=0, le=100))]
Limit = Annotated[Number, AfterValidator(finite(ge=0.001, le=100))]
Points = Annotated[Number, AfterValidator(finite(ge=0, le=1))]
LimitPoints = Annotated[Number, AfterValidator(finite(ge=0.000_001, le=1))]
Weight = Annotated[Number, AfterValidator(finite(ge=0.000_001, le=1000))]
Span = Annotated[Number, AfterValidator(finite(gt=0, le=30 * 86_400))]


class SignalPolicyBody(Strict):
    """What a policy changes of one signal; what is absent keeps the pack's value."""

    tolerate: Increase = Field(
        None, description="Relative increase that is no harm: 0.05 is 5 %.", examples=[0.05]
    )
    limit: Limit = Field(
        None, description="Relative increase that a pass has to rule out.", examples=[0.2]
    )
    tolerate_points: Points = Field(
        None, description="Absolute increase of a ratio that is no harm: 0.001 is 0.1 points."
    )
    limit_points: LimitPoints = Field(
        None, description="Absolute increase of a ratio that a pass has to rule out."
    )
    weight: Weight = Field(
        None,
        description="The signal's share of the false-alarm budget; `judged: false` is for none.",
    )
    required: Flag = Field(None, description="Whether a pass needs this signal.")
    judged: Flag = Field(None, description="Whether it can fail a rollout, or only advises.")

    @model_validator(mode="after")
    def ordered(self) -> SignalPolicyBody:
        """What is tolerated lies within the limit."""
        pairs = ((self.tolerate, self.limit), (self.tolerate_points, self.limit_points))
        for low, high in pairs:
            if low is not None and high is not None and low > high:
                raise ValueError("tolerate must not be above limit")
        return self


class PolicyBody(Strict):
    """How strictly rollouts are judged, and what the answer may do."""

    name: Word = Field(None, description="The policy's name.", examples=["default"])
    mode: Annotated[Mode | None, Field()] = Field(
        None,
        description="`shadow` and `advise` always answer pass, `pause` never answers fail, "
        "`enforce` answers as judged.",
    )
    alpha: Annotated[Number, AfterValidator(finite(gt=0, le=0.5))] = Field(
        None, description="Chance that a healthy rollout ever fails.", examples=[0.005]
    )
    slo: Share = Field(None, description="Share of good requests promised.", examples=[0.999])
    promises_slo: Flag = Field(
        None,
        description="Whether a first deployment is judged by the `slo`; absent: where it is given.",
    )
    latency_slo_s: Annotated[Number, AfterValidator(finite(gt=0, le=3600))] = Field(
        None,
        description="Seconds within which 95 % of the requests are promised; with `slo` it judges "
        "a first deployment.",
        examples=[0.3],
    )
    pass_level: Annotated[Number, AfterValidator(finite(ge=0.5, lt=1))] = Field(
        None, description="Confidence of the bound that a pass needs.", examples=[0.95]
    )
    min_step_s: Span = Field(None, description="Shortest exposure before a pass, in seconds.")
    min_total_s: Span = Field(
        None, description="Shortest exposure before a pass at stage `final`, in seconds."
    )
    history_s: Span = Field(None, description="How much of the past is learned from, in seconds.")
    time_scale: Annotated[Number, AfterValidator(finite(ge=0.001, le=1))] = Field(
        None, description="For demos: 1/15 makes one second count as fifteen."
    )
    rollback: Annotated[RollbackRule | None, Field()] = Field(
        None, description="Whether a return to a known stable revision passes at once."
    )
    allow_control_exhausted: Flag = Field(
        None, description="Whether a pass is given when the control has gone."
    )
    allow_cross_cluster: Flag = Field(None, description="Whether the control may span clusters.")
    fail_when: ExpressionBody | None = Field(
        None,
        description="Which signals, in which combination, fail a rollout; absent: any that is "
        "judged. A signal that is not named cannot fail it.",
        examples=[{"any_of": ["error_rate", {"all_of": ["latency", "tail95"]}]}],
    )
    pass_needs: ExpressionBody | None = Field(
        None,
        description="Which signals, in which combination, a pass has to clear; absent: all that "
        "are required.",
        examples=[{"all_of": ["error_rate", {"any_of": ["latency", "tail95"]}]}],
    )
    budget: BudgetPolicyBody | None = Field(
        None,
        description="What follows where little is left of the service's error budgets; absent: "
        "they are not looked at.",
        examples=[{"tighten_below": 0.2, "tighten": 0.5}],
    )
    scans: ScanRuleBody | None = Field(
        None,
        description="What scanners may have found in a revision that passes; absent: they are not "
        "looked at.",
        examples=[{"limits": {"critical": 0, "high": 5}, "require": True}],
    )
    capacity: CapacityRuleBody | None = Field(
        None,
        description="Within what time no resource of the service may run out for a final pass; "
        "absent: capacity is not looked at.",
        examples=[{"within_s": 604800, "kinds": ["cpu", "memory"]}],
    )
    signals: dict[str, SignalPolicyBody] | None = Field(
        None, description="Changes of single signals, by name."
    )

    @model_validator(mode="after")
    def known_signals(self) -> PolicyBody:
        """A signal that does not exist is a typing error, not a wish."""
        unknown = sorted(set(self.signals or ()) - set(SIGNAL_NAMES))
        if unknown:
            raise ValueError(f"no signal is called {unknown[0]!r}; there are {list(SIGNAL_NAMES)}")
        return self

    @model_validator(mode="after")
    def consistent(self) -> PolicyBody:
        """What is only shown neither fails a rollout nor is waited for."""
        shown = {n for n, wish in (self.signals or {}).items() if wish.judged is False}
        for word, told in (("fail_when", self.fail_when), ("pass_needs", self.pass_needs)):
            wrong = sorted(shown.intersection(told.names() if told else ()))
            if wrong:
                raise ValueError(
                    f"{word} names {wrong[0]!r}, of which signals says judged: false; leave out one"
                )
        return self

    def native(self, *, name: str | None = None) -> Policy:
        """The policy, with the defaults for what is absent; without a name it is `inline`."""
        own = {
            "signals", "name", "promises_slo", "fail_when", "pass_needs",
            "budget", "scans", "capacity",
        }  # fmt: skip
        given = self.model_dump(exclude_none=True, exclude=own)
        promises = self.slo is not None if self.promises_slo is None else self.promises_slo
        signals = {
            signal: SignalPolicy(**changes.model_dump(exclude_none=True))
            for signal, changes in (self.signals or {}).items()
        }
        return Policy(
            **given,
            promises_slo=promises,
            fail_when=None if self.fail_when is None else self.fail_when.native(),
            pass_needs=None if self.pass_needs is None else self.pass_needs.native(),
            budget=None if self.budget is None else self.budget.native(),
            scans=None if self.scans is None else self.scans.native(),
            capacity=None if self.capacity is None else self.capacity.native(),
            signals=signals,
            name=name or self.name or "inline",
        )


def policy_body(policy: Policy) -> dict[str, Any]:
    """A policy with every key, as JSON."""
    body = asdict(policy)
    body["mode"] = policy.mode.value
    body["rollback"] = policy.rollback.value
    body["fail_when"] = expression_body(policy.fail_when)
    body["pass_needs"] = expression_body(policy.pass_needs)
    body["scans"] = scan_rule_body(policy.scans)
    body["capacity"] = capacity_rule_body(policy.capacity)
    body["signals"] = {name: asdict(signal) for name, signal in policy.signals.items()}
    # What the gate sets when an attempt begins.
    del body["needs"]
    if policy.budget is not None:
        del body["budget"]["limits"]
    return {**body, "digest": policy.digest}
