"""The stream of this process as what the gate asks of the past of services."""

from __future__ import annotations

from collections.abc import Callable

from detector.errors import SerinusError
from detector.gate.course import Streamed, untold
from detector.ports import Baselines
from detector.signals.plan import Plan
from pipelines.flows.stream import Stream

__all__ = ["JoinedBaselines", "StreamBaselines"]


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


class JoinedBaselines:
    """`Baselines` of two streams: what the first tells, or where it tells nothing the second."""

    def __init__(self, first: Baselines, second: Callable[[], Baselines | None]) -> None:
        self._first, self._second = first, second

    def told(self, tenant: str, plan: Plan, *, until: float) -> Streamed:
        """By one of them as a whole: two halves of a service are no service."""
        own = self._first.told(tenant, plan, until=until)
        second = None if own.signals else self._second()
        if second is None:
            return own
        others = second.told(tenant, plan, until=until)
        if others.signals:
            return others
        names = own.why.keys() | others.why.keys()
        why = {name: _both(own.why.get(name), others.why.get(name)) for name in sorted(names)}
        return Streamed(why=why)


def _both(own: str | None, others: str | None) -> str:
    return "; ".join(one for one in (own, others) if one)
