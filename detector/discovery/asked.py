"""What discovery is asked for: a service, its scope, and the selectors of both arms, parsed."""

from __future__ import annotations

from dataclasses import dataclass

from detector.errors import InputError
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.selector import parse_selector
from detector.series import Matcher

__all__ = ["Asked", "asked_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request with its selectors parsed; `control` None: to be found."""

    service: str
    canary: tuple[Matcher, ...]
    control: tuple[Matcher, ...] | None
    canary_text: str
    control_text: str
    namespace: str | None
    cluster: str | None
    across_clusters: bool


def asked_of(request: VerdictRequest) -> Asked:
    """The parsed request; `InputError` names the selector that does not parse or makes no sense."""
    canary = parse_selector(request.canary, field="canary")
    told = request.control
    control = None if told is None or not told.strip() else parse_selector(told, field="control")
    if control is not None and set(control) == set(canary):
        raise InputError(
            "canary and control are the same selector; leave control out, or let it select the"
            " stable pods",
            field="control",
            semantic=True,
        )
    policy = request.policy
    return Asked(
        service=request.service,
        canary=canary,
        control=control,
        canary_text=request.canary.strip() or "{}",
        control_text=(told or "").strip(),
        namespace=request.namespace or None,
        cluster=request.cluster or None,
        across_clusters=isinstance(policy, Policy) and policy.allow_cross_cluster,
    )
