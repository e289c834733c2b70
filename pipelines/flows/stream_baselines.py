"""The stream of this process as what the gate asks of the past of services."""

from __future__ import annotations

from collections.abc import Callable

from detector.errors import SerinusError
from detector.gate.course import Streamed, untold
from detector.signals.plan import Plan
from pipelines.flows.stream import Stream

__all__ = ["StreamBaselines"]


class StreamBaselines:
    """`Baselines`; `stream` gives the stream, or a `StoreError` that says why there is none yet."""

    def __init__(self, stream: Callable[[], Stream]) -> None:
        self._stream = stream

    def told(self, tenant: str, plan: Plan, *, until: float) -> Streamed:
        """What it knows; what goes wrong is a reason, and the gate looks for itself."""
        try:
            return self._stream().told(tenant, plan, until=until)
        except SerinusError as error:
            return untold(plan, str(error))
        except Exception as error:  # noqa: BLE001 - nothing in a stream may stop a verdict
            return untold(plan, f"an error of serinus itself: {error!r}")
