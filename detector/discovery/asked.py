"""What discovery is asked for: a service, its scope, and the selectors of both arms, parsed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detector.discovery.matching import literal
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.selector import parse_side
from detector.series import Matcher, MatchOp
from detector.signals.packs.schema import PODS, SERVICES

__all__ = ["Asked", "asked_of"]

_NAMING = frozenset({*PODS, *SERVICES, "destination_workload", "destination_app"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request with its selectors parsed; `control` None: to be found.

    `tells_weight`: the canary's weight is sent, so that no controller is asked for it.
    """

    service: str
    canary: tuple[Matcher, ...]
    control: tuple[Matcher, ...] | None
    namespace: str | None
    cluster: str | None
    across_clusters: bool
    time_scale: float
    tells_weight: bool = False

    def names_service(self, selector: Sequence[Matcher]) -> bool:
        """Whether a selector alone picks this service: a pod or workload that bears its name."""
        return any(
            _begins_with(matcher.value, self.service)
            for matcher in selector
            if matcher.op in {MatchOp.EQUAL, MatchOp.MATCHES} and matcher.label in _NAMING
        )

    def spellings(self, selector: tuple[Matcher, ...]) -> list[tuple[Matcher, ...]]:
        """The selector, and with every other label that may name the pods in place of `pod`."""
        if not any(matcher.label == "pod" for matcher in selector):
            return [selector]
        return [
            tuple(Matcher(name, m.op, m.value) if m.label == "pod" else m for m in selector)
            for name in PODS
        ]


def _begins_with(value: str, service: str) -> bool:
    """Whether a value or pattern begins with the service's name as a whole word."""
    for name in (service, literal(service)):
        if name and value.startswith(name) and not value[len(name) :][:1].isalnum():
            return True
    return False


def asked_of(request: VerdictRequest) -> Asked:
    """The parsed request; `InputError` names the selector that does not parse."""
    canary = parse_side(request.canary, field="canary")
    told = request.control
    control = None if told is None or not told.strip() else parse_side(told, field="control")
    policy = request.policy
    return Asked(
        service=request.service,
        canary=canary,
        control=control,
        namespace=request.namespace or None,
        cluster=request.cluster or None,
        across_clusters=isinstance(policy, Policy) and policy.allow_cross_cluster,
        time_scale=policy.time_scale if isinstance(policy, Policy) else 1.0,
        tells_weight=request.weight is not None,
    )
