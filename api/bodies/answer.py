"""The answers as they are documented; a test holds them against what is really sent."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "EXAMPLE_VERDICT",
    "ModeAnswer",
    "ModesAnswer",
    "OverrideAnswer",
    "PoliciesAnswer",
    "PolicyAnswer",
    "ReadyAnswer",
    "RolloutAnswer",
    "SavedAnswer",
    "VerdictAnswer",
    "VerdictsAnswer",
]

OutcomeWord = Literal["pass", "fail", "inconclusive"]
StageWord = Literal["step", "final"]
ModeWord = Literal["shadow", "advise", "pause", "enforce"]


class Answer(BaseModel):
    """Every key is always sent; what is unknown is null."""

    model_config = ConfigDict(extra="forbid")


class ReasonAnswer(Answer):
    """Why."""

    code: str = Field(description="A word of the closed list.", examples=["error_rate_up"])
    text: str = Field(
        description="One sentence for a person.",
        examples=["Errors of checkout 6d9f7c: 2.1 % against 0.4 %; tolerated +0.1, since 14:07."],
    )


class EffectAnswer(Answer):
    """How much worse the canary is."""

    kind: str = Field(description="`difference` of a ratio, or `ratio` (times).")
    value: float | None = Field(description="Best estimate.")
    low: float | None = Field(description="Lower bound of the 90 % interval.")
    high: float | None = Field(description="Upper bound of the 90 % interval.")
    tolerate: float | None = Field(description="Up to here it is no harm.")
    limit: float | None = Field(description="A pass needs the bound of harm below this.")


class SamplesAnswer(Answer):
    """What was counted."""

    canary: float | None = Field(description="Requests of the canary.", examples=[1234])
    control: float | None = Field(description="Requests of the control.", examples=[9123])


class LogTemplateAnswer(Answer):
    """A kind of log line that stands out on the canary."""

    id: str = Field(description="Its id; `others` are rare kinds together.", examples=["lt_0a"])
    text: str = Field(description="What such lines say, `<...>` where they differ; may be empty.")
    sample: str = Field(description="First lines of one of them, redacted; may be empty.")
    new: bool = Field(description="Whether none was written in the history before the attempt.")
    lines: SamplesAnswer = Field(description="Lines on each side since `since`.")
    requests: SamplesAnswer = Field(description="Requests on each side since then.")
    scope: str = Field(description="`arm`, or the pod that is worse.", examples=["arm"])
    since: str = Field(description="Since when it is counted here.")
    evidence: float | None = Field(description="E-value against no harm.", examples=[4200])
    needed: float | None = Field(description="E-value that makes a fail.", examples=[19400])


class SignalAnswer(Answer):
    """One signal."""

    name: str = Field(description="The signal.", examples=["error_rate"])
    outcome: OutcomeWord = Field(description="What this signal says.")
    required: bool = Field(description="Whether a pass needs it.")
    judged: bool = Field(description="Whether it can fail a rollout; else it is shown only.")
    unit: str = Field(description="Unit of `canary` and `control`.", examples=["ratio"])
    canary: float | None = Field(description="Value of the canary.", examples=[0.021])
    control: float | None = Field(description="Value of the control.", examples=[0.004])
    effect: EffectAnswer | None = Field(description="How much worse the canary is.")
    evidence: float | None = Field(description="E-value against no harm.", examples=[4200])
    needed: float | None = Field(description="E-value that makes a fail.", examples=[667])
    samples: SamplesAnswer = Field(description="What was counted on each side.")
    scope: str = Field(description="`arm`, or the pod that is worse.", examples=["arm"])
    since: str | None = Field(description="Since when it is worse.")
    reason: ReasonAnswer = Field(description="Why this signal says so.")
    details: dict[str, float | str | None] = Field(description="Numbers of the method.")
    templates: list[LogTemplateAnswer] = Field(
        description="Of `log_templates` the kinds of lines that stand out, the most telling first."
    )


class NeedsAnswer(Answer):
    """What a pass still lacks; null where more of it cannot help."""

    requests: int | None = Field(description="Canary requests.", examples=[188])
    seconds: int | None = Field(description="Seconds of exposure.", examples=[540])
    canary_pods: int | None = Field(description="Pods of the canary.")


class AaAnswer(Answer):
    """What the gate says of this service's own pods when nothing was changed."""

    at: str = Field(description="When it was checked.")
    placebos: int = Field(description="Groups of pods that were called a canary.")
    failed: int = Field(description="How many of them would have been rolled back.")
    reached: int = Field(description="How many ever had the evidence that a fail needs.")
    raised: float = Field(description="What `needed` is multiplied by here; 1 or more.")


class SpentAnswer(Answer):
    """One error budget, as it was known."""

    name: str = Field(description="The objective.")
    left: float | None = Field(
        description="Share that is left, below 0 where it is overspent; null: not known."
    )
    bad: float | None = Field(description="Bad events of its window.")
    allowed: float | None = Field(description="How many may be bad.")
    total: float | None = Field(description="All events.")
    unknown: str | None = Field(description="Why it is not known; null: it is.")


class BudgetAnswer(Answer):
    """What was known of the service's error budgets."""

    limits: float = Field(
        description="By what the attempt's limits are multiplied, by the budgets as it began."
    )
    objectives: list[SpentAnswer] = Field(description="As they stand now.")


class LinksAnswer(Answer):
    """Where to look."""

    self: str = Field(description="This verdict.")
    ui: str = Field(description="The rollout's page.")


EXAMPLE_VERDICT: dict[str, Any] = {
    "id": "019a0b1c2d3e4f5061728394a5b6",
    "outcome": "fail",
    "answer": "fail",
    "final": True,
    "stage": "step",
    "reason": {
        "code": "error_rate_up",
        "text": "Errors of checkout 6d9f7c: 2.1 % against 0.4 % (+1.7 points, 95 % between 0.9 "
        "and 2.6); tolerated +0.1, since 14:07.",
    },
    "as_of": "2026-11-23T14:12:00Z",
    "started_at": "2026-11-23T14:00:00Z",
    "exposure_since": "2026-11-23T14:01:00Z",
    "attempt": "019a0b1c2d3e0123456789abcdef",
    "service": "checkout",
    "rollout": "checkout",
    "revision": "v2.3.1",
    "policy": "default@sha256:2f6d9e1c5b7a8034",
    "engine": "1.0.0",
    "mode": "enforce",
    "needs": {"requests": 0, "seconds": 0, "canary_pods": None},
    "waiting": None,
    "notes": [],
    "budget": None,
    "aa": None,
    "links": {
        "self": "/v1/verdicts/019a0b1c2d3e4f5061728394a5b6",
        "ui": "/rollouts/019a0b1c2d3e0123456789abcdef",
    },
}


class VerdictAnswer(Answer):
    """A verdict. Controllers act on `answer`; `outcome` is the judgement itself."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_VERDICT]})

    id: str = Field(description="Names this answer.")
    outcome: OutcomeWord = Field(description="The judgement.")
    answer: OutcomeWord = Field(description="What to act on, by the policy's mode.")
    final: bool = Field(description="Whether asking again changes nothing any more.")
    stage: StageWord = Field(description="What was asked.")
    reason: ReasonAnswer = Field(description="Why.")
    as_of: str = Field(description="The moment that was judged.")
    started_at: str | None = Field(description="Begin of the canary.")
    exposure_since: str | None = Field(description="Since when the canary serves requests.")
    attempt: str = Field(description="Names this try of this rollout.")
    service: str = Field(description="The service.")
    rollout: str | None = Field(description="The rollout.")
    revision: str | None = Field(description="What is rolled out.")
    policy: str = Field(description="Name and digest of the policy that judged.")
    engine: str = Field(description="Version of the method that judged.")
    mode: ModeWord = Field(description="The mode in force.")
    signals: list[SignalAnswer] | None = Field(
        None, description="Evidence per signal; left out by `view=brief`."
    )
    needs: NeedsAnswer = Field(description="What a pass still lacks.")
    waiting: str | None = Field(description="What is waited for, in words.")
    notes: list[str] = Field(description="What a person should know beside.")
    budget: BudgetAnswer | None = Field(
        description="The service's error budgets; null: the policy does not look at them."
    )
    aa: AaAnswer | None = Field(
        description="The service's self-check as it stood when the attempt began; null: none yet."
    )
    links: LinksAnswer = Field(description="Where to look.")


class VerdictsAnswer(Answer):
    """A page of verdicts, newest first."""

    verdicts: list[VerdictAnswer] = Field(description="Without their signals.")
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class OverrideAnswer(Answer):
    """A person's decision."""

    attempt: str = Field(description="The attempt it is about.")
    outcome: OutcomeWord = Field(description="What was decided.")
    person: str = Field(description="Who decided.")
    reason: str = Field(description="Why.")
    at: str = Field(description="Since when it stands.")
    until: str = Field(description="Until when.")


class ModeAnswer(Answer):
    """A break-glass mode."""

    service: str | None = Field(description="The service; null is all.")
    mode: ModeWord | None = Field(description="The mode; null ends what stood.")
    person: str = Field(description="Who set it.")
    reason: str = Field(description="Why.")
    at: str = Field(description="Since when.")
    until: str = Field(description="Until when.")


class ModesAnswer(Answer):
    """The break-glass modes in force."""

    modes: list[ModeAnswer] = Field(description="That of all services first.")


class RolloutAnswer(Answer):
    """One attempt of a rollout, with what was decided when."""

    attempt: str = Field(description="Names this try.")
    service: str = Field(description="The service.")
    namespace: str | None = Field(description="Its namespace.")
    cluster: str | None = Field(description="Its cluster.")
    rollout: str | None = Field(description="The rollout.")
    revision: str | None = Field(description="What is rolled out.")
    canary: str = Field(description="The canary's selector.")
    policy: str = Field(description="Name and digest of its policy.")
    started_at: str | None = Field(description="Begin of the canary.")
    asked_at: str = Field(description="First question.")
    last_asked: str = Field(description="Newest question.")
    weights: list[dict[str, float | str]] = Field(
        description="Weights in per cent, since when, and `from` whom: `request` or `controller`,"
        " whose own gauge was read."
    )
    overrides: list[OverrideAnswer] = Field(description="What people decided, oldest first.")
    latest: VerdictAnswer | None = Field(description="The newest verdict, with its signals.")
    timeline: list[VerdictAnswer] = Field(description="Verdicts, newest first, without signals.")
    next: str | None = Field(description="`cursor` of the next page of the timeline.")


class PolicyAnswer(Answer):
    """One policy."""

    policy: dict[str, Any] = Field(description="Every key of the policy.")
    version: int = Field(description="Counts saved changes; 0 comes from the configuration.")
    at: str | None = Field(description="When this version was saved.")
    person: str = Field(description="Who saved it.")


class PoliciesAnswer(Answer):
    """All policies, by name."""

    policies: list[PolicyAnswer] = Field(description="The newest version of each.")
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class SavedAnswer(Answer):
    """A saved policy."""

    name: str = Field(description="Its name.")
    version: int = Field(description="Its version now.")
    digest: str = Field(description="What verdicts will name it by.")


class ReadyAnswer(Answer):
    """Whether answers are right."""

    ready: bool = Field(description="Whether to send requests here.")
    store: str = Field(description="The state of our own store, in words.")
    source: str = Field(description="The state of the metric source, in words.")
    stream: str | None = Field(
        description="The state of the stream, in words; null without one. Readiness needs none."
    )
    pull: str | None = Field(
        description="How far metrics were pulled, in words; null where none are. As little needed."
    )
    loki: str | None = Field(
        description="How far lines of a Loki were pulled; null where none are. As little needed."
    )
