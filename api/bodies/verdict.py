"""The question to the gate, and its answer, as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag

from api.bodies.loose import Moment, Number, Strict, Text, Word, finite, needed, printable
from api.bodies.policy import PolicyBody
from detector.errors import InputError
from detector.gate.request import Stage, VerdictRequest

__all__ = ["EXAMPLE_REQUEST", "VerdictBody"]

EXAMPLE_REQUEST: dict[str, Any] = {
    "service": "checkout",
    "namespace": "shop",
    "rollout": "checkout",
    "revision": "v2.3.1",
    "canary": '{pod=~"checkout-6d9f7c-.+"}',
    "control": '{pod=~"checkout-5c4b8d-.+"}',
    "weight": 20,
    "stage": "step",
}


PolicyName = Annotated[str, StringConstraints(max_length=128), AfterValidator(printable)]


def _step_if_absent(value: object) -> object:
    return "step" if value is None or (isinstance(value, str) and not value.strip()) else value


def _default_if_absent(value: object) -> object:
    return "default" if value is None or (isinstance(value, str) and not value.strip()) else value


class VerdictBody(Strict):
    """One question: is this canary safe to go on? Only `service` and `canary` are needed."""

    service: Annotated[Word, AfterValidator(needed)] = Field(
        description="The service that is rolled out.", examples=["checkout"]
    )
    canary: Annotated[Text, AfterValidator(needed)] = Field(
        description="PromQL label selector of the canary; braces are optional.",
        examples=['{pod=~"checkout-6d9f7c-.+"}'],
    )
    control: Text = Field(
        None,
        description="Selector of what it is compared with; absent: the same service without it.",
        examples=['{pod=~"checkout-5c4b8d-.+"}'],
    )
    namespace: Word = Field(None, description="Kubernetes namespace.", examples=["shop"])
    cluster: Word = Field(None, description="Cluster, where a source holds several.")
    clusters: Annotated[list[Annotated[Word, AfterValidator(needed)]] | None, Field()] = Field(
        None,
        description="In place of `cluster`: the same rollout in each of them, an attempt each; the "
        "worst answer counts, and each has its part of the policy's `alpha`.",
        min_length=1,
        max_length=16,
        examples=[["eu-1", "us-1"]],
    )
    rollout: Word = Field(None, description="Name of the rollout.", examples=["checkout"])
    revision: Word = Field(None, description="What is rolled out.", examples=["v2.3.1"])
    attempt: Word = Field(None, description="Your name of this try; another one begins anew.")
    started_at: Moment = Field(
        None, description="Begin of the canary; absent: its first sample, stored once."
    )
    deadline: Moment = Field(
        None, description="When undecided becomes final; must be after the start."
    )
    as_of: Moment = Field(
        None,
        description="The answer that was due then; writes nothing; at most 60 s ahead.",
    )
    weight: Annotated[Number, AfterValidator(finite(ge=0, le=100))] = Field(
        None,
        description="The canary's share of the traffic, per cent; absent: from Flagger's own gauge,"
        " else seen in the traffic.",
        examples=[20],
    )
    stage: Annotated[Stage, BeforeValidator(_step_if_absent)] = Field(
        Stage.STEP,
        description="`step`: may it go on?  `final`: may it become the new stable?",
    )
    policy: Annotated[
        Annotated[PolicyName, Tag("name")] | Annotated[PolicyBody, Tag("inline")],
        Discriminator(lambda given: "name" if isinstance(given, str) else "inline"),
        BeforeValidator(_default_if_absent),
    ] = Field(
        "default",
        description="A policy's name, or a policy itself.",
        examples=["default"],
    )

    def request(self) -> VerdictRequest:
        """The question in the gate's words; `InputError` for a deadline before the start."""
        self._check_deadline()
        assert self.service is not None
        assert self.canary is not None
        policy = self.policy if isinstance(self.policy, str) else self.policy.native()
        return VerdictRequest(
            service=self.service,
            canary=self.canary,
            control=self.control,
            namespace=self.namespace,
            cluster=self.cluster,
            rollout=self.rollout,
            revision=self.revision,
            attempt=self.attempt,
            started_at=self.started_at,
            deadline=self.deadline,
            as_of=self.as_of,
            weight=self.weight,
            stage=self.stage,
            policy=policy,
            clusters=self._each_cluster(),
        )

    def _each_cluster(self) -> tuple[str, ...]:
        """The clusters, each once; `InputError` beside a single one."""
        if self.clusters and self.cluster is not None:
            text = "say either cluster or clusters: one attempt belongs to one cluster"
            raise InputError(text, field="clusters", semantic=True)
        return tuple(dict.fromkeys(name for name in self.clusters or () if name is not None))

    def _check_deadline(self) -> None:
        if self.deadline is None or self.started_at is None:
            return
        if self.deadline - self.started_at <= timedelta(0):
            text = "deadline is not after started_at"
            raise InputError(text, field="deadline", semantic=True)
