"""Discovery that asks nobody: for tests and benches of what comes after it."""

from __future__ import annotations

from dataclasses import dataclass

from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog
from detector.selector import parse_selector
from detector.series import Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family, Plan

__all__ = ["FixedDiscovery"]

STABLE = Matcher("track", MatchOp.EQUAL, "stable")


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedDiscovery:
    """`Discover` that binds the same signals to every service; `control` tells its stable pods.

    Series carry the service's name in the label `service`; a control that is asked for is not
    looked at.
    """

    requests: Family
    signals: tuple[BoundSignal, ...]
    start_time: Family | None = None
    control: Matcher = STABLE

    def __call__(
        self,
        catalog: MetricCatalog,
        request: VerdictRequest,
        *,
        start: float,
        end: float,
        timeout_s: float,
    ) -> Plan:
        """The plan; `InputError` where the canary's selector does not parse."""
        del catalog, start, end, timeout_s
        service = Matcher("service", MatchOp.EQUAL, request.service)
        return Plan(
            service=request.service,
            canary=(service, *parse_selector(request.canary, field="canary")),
            control=((service, self.control),),
            requests=self.requests,
            signals=self.signals,
            start_time=self.start_time,
        )
