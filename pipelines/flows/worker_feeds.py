"""Messages of logs and traces of one partition: read, and counted by the flows that a push has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from detector.errors import InputError
from detector.logs.lines import LogLines, joined
from detector.spans.columns import Spans
from pipelines.flows.logs import LogFlow, LogLimits
from pipelines.flows.logs_open import LogBounds, miner_of
from pipelines.flows.logs_record import Counted
from pipelines.flows.logs_taking import Taking
from pipelines.flows.spans import SpanFlow
from pipelines.flows.worker_door import tenant_of
from pipelines.flows.worker_known import Known, chosen_arrays, resume_chosen
from pipelines.flows.worker_part import Unit
from pipelines.ingest.bodies import unpacked
from pipelines.ingest.limits import Limits, Tenants
from pipelines.ingest.protocol import Packing
from pipelines.ingest.spans.decoded import SpanDoor
from pipelines.ingest.tally import Tally
from pipelines.topics.port import Message

if TYPE_CHECKING:
    from pipelines.ingest.logs.taken import Moment, TakenLines
    from pipelines.ingest.spans.otlp import Otlp

__all__ = ["Batch", "Feed", "LinesFeed", "SpansFeed"]

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is in a message: `size` lines or spans, the newest at a time (unix ms)."""

    tenant: str
    size: int
    newest: int | None
    held: LogLines | Spans


class Feed(Protocol):
    """Reads the messages of a partition, and counts what is in them; for one thread."""

    @property
    def unit(self) -> Unit:
        """What they are full of."""
        ...

    def restore(self, taking: Taking, tenants: Mapping[str, Arrays]) -> None:
        """Go on from what `arrays` gave, in place of what is."""
        ...

    def read(self, message: Message) -> Batch:
        """`InputError` where it cannot be read."""
        ...

    def put(self, batches: Sequence[Batch]) -> None:
        """Count what is in some messages, in their order."""
        ...

    def counted(self, counted: Counted) -> None:
        """That came of it."""
        ...

    def arrays(self, tenant: str) -> Arrays:
        """What a checkpoint is to hold of a tenant."""
        ...


class LineDecoder(Protocol):
    """A door of logs, of one tenant."""

    def decode(self, body: bytes, moment: Moment) -> TakenLines:
        """The lines of a message; `InputError` where it cannot be read."""
        ...


class LinesFeed:
    """`Feed` of a topic of logs. `door` is what its messages are counted under."""

    unit = Unit.LINES

    def __init__(
        self,
        opening: Callable[[], LineDecoder],
        packing: Packing,
        *,
        door: str,
        limits: Limits,
        tally: Tally,
        bounds: LogBounds,
    ) -> None:
        self._packing, self._door = packing, door
        self._limits, self._tally, self._bounds = limits, tally, bounds
        self._tenants: Tenants[LineDecoder] = Tenants(lambda _: opening(), limits.tenants)
        self._known: dict[str, Known] = {}
        self._flow: LogFlow | None = None

    @property
    def flow(self) -> LogFlow:
        """What counts its lines, once it is restored."""
        assert self._flow is not None
        return self._flow

    def restore(self, taking: Taking, tenants: Mapping[str, Arrays]) -> None:
        """See `Feed`."""
        from detector.logs.redaction import redacted

        bounds = self._bounds
        self._known = {name: Known.of_arrays(one) for name, one in tenants.items()}
        self._flow = LogFlow(
            taking,
            lambda arrays: miner_of(bounds.templates, arrays),
            known=lambda tenant: self._of(tenant).ids,
            redact=redacted,
            kept=lambda tenant: self._of(tenant).miner,
            limits=LogLimits(templates=bounds.templates, behind_s=bounds.behind_s),
        )
        for tenant, arrays in tenants.items():
            self._of(tenant).resume(self.flow.mined(tenant))
            resume_chosen(self.flow.chosen(tenant), arrays)

    def read(self, message: Message) -> Batch:
        """See `Feed`."""
        from pipelines.ingest.logs.taken import Moment

        tenant, body = _opened(message, self._packing, self._limits)
        moment = Moment(now=message.at, window=self._limits.window(message.at / 1000))
        taken = self._tenants.of(tenant).decode(body, moment)
        self._tally.took(tenant, self._door, taken)
        lines = taken.lines
        return Batch(
            tenant=tenant,
            size=len(lines),
            newest=int(lines.at.max()) if len(lines) else None,
            held=lines,
        )

    def put(self, batches: Sequence[Batch]) -> None:
        """See `Feed`: lines of one tenant are counted in one go."""
        lines: dict[str, list[LogLines]] = {}
        for batch in batches:
            assert isinstance(batch.held, LogLines)
            lines.setdefault(batch.tenant, []).append(batch.held)
        for tenant, parts in lines.items():
            self.flow.put(tenant, joined(parts))

    def counted(self, counted: Counted) -> None:
        """See `Feed`."""
        known = self._of(counted.tenant)
        if counted.lines is not None:
            known.came(counted.lines, counted.taken)
        keep_ms = round(86_400_000 * self._bounds.keep_days)
        gone = known.forgotten(counted.taken, keep_ms, self._bounds.templates)
        if gone:
            self.flow.mined(counted.tenant).known -= gone

    def arrays(self, tenant: str) -> Arrays:
        """See `Feed`."""
        miner = self.flow.arrays(tenant)
        if miner is None:
            return {}
        known = self._of(tenant).arrays(self.flow.mined(tenant), miner)
        return {**known, **chosen_arrays(self.flow.chosen(tenant))}

    def _of(self, tenant: str) -> Known:
        return self._known.setdefault(tenant, Known())


class SpansFeed:
    """`Feed` of a topic of traces."""

    unit = Unit.SPANS

    def __init__(self, door: SpanDoor, *, limits: Limits, tally: Tally) -> None:
        self._door, self._limits, self._tally = door, limits, tally
        self._tenants: Tenants[Otlp] = Tenants(_otlp, limits.tenants)
        self._flow: SpanFlow | None = None

    @property
    def flow(self) -> SpanFlow:
        """What counts its spans, once it is restored."""
        assert self._flow is not None
        return self._flow

    def restore(self, taking: Taking, tenants: Mapping[str, Arrays]) -> None:
        """See `Feed`."""
        self._flow = SpanFlow(taking)
        for tenant, arrays in tenants.items():
            resume_chosen(self.flow.chosen(tenant), arrays)

    def read(self, message: Message) -> Batch:
        """See `Feed`."""
        tenant, body = _opened(message, Packing.PLAIN, self._limits)
        if self._door is SpanDoor.OTLP_JSON:
            from pipelines.ingest.spans.otlp_json import protobuf_of

            body = protobuf_of(body)
        window = self._limits.window(message.at / 1000)
        decoded = self._tenants.of(tenant).decode(body, window, message.at)
        self._tally.took(tenant, self._door.value, decoded)
        spans = decoded.spans
        return Batch(
            tenant=tenant,
            size=len(spans),
            newest=int(spans.start.max()) // 1_000_000 if len(spans) else None,
            held=spans,
        )

    def put(self, batches: Sequence[Batch]) -> None:
        """See `Feed`."""
        for batch in batches:
            assert isinstance(batch.held, Spans)
            self.flow.put(batch.tenant, batch.held)

    def counted(self, counted: Counted) -> None:
        """See `Feed`: all of it is in the state of the part."""

    def arrays(self, tenant: str) -> Arrays:
        """See `Feed`."""
        return chosen_arrays(self.flow.chosen(tenant))


def _opened(message: Message, packing: Packing, limits: Limits) -> tuple[str, bytes]:
    """Tenant and body of a message."""
    tenant = tenant_of(message.headers)
    if message.value is None:
        raise InputError("the message has no value", field="body")
    return tenant, unpacked(packing, message.value, most=limits.unpacked_bytes)


def _otlp(_: str) -> Otlp:
    # Its compiler is loaded for who has spans.
    from pipelines.ingest.spans.otlp import Otlp

    return Otlp()
