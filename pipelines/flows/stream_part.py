"""One part of the stream in life: the operators of its tenants, and what is to be written."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from detector.fitted.model import FittedModel
from detector.gate.course import Streamed
from detector.logs.settings import LogSettings
from detector.signals.plan import Plan
from detector.stream.anomaly import Happened
from detector.stream.columns import Columns, SeriesInfo
from detector.stream.counting import Counting
from detector.stream.feedback import Feedback, Tuning
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from detector.stream.suppression import Window
from pipelines.flows.logs_judged import judged, named, traced
from pipelines.flows.logs_pace import LIFE, Pace
from pipelines.flows.logs_part import LogsPart
from pipelines.flows.logs_record import Counted
from pipelines.flows.stream_operators import Operators
from pipelines.stores.anomalies import add_anomaly, add_tuning
from pipelines.stores.checkpoints import Checkpoints, TenantHeld
from pipelines.stores.connections import Connections
from pipelines.stores.events import SqlEvents, Told, add_event, numbers_of

__all__ = ["Arrived", "Modelled", "Outcome", "Said", "Samples", "StreamPart", "read", "spelled"]


class Samples(msgspec.Struct, frozen=True, tag="samples"):
    """A batch with the series that come with it for the first time, as it is spooled.

    `ids` are those of the new ones, as int32; older records have none, and mean the next ones.
    `read_to`: with it all is here that a source has up to then, in unix milliseconds.
    """

    tenant: str
    series: bytes
    at: bytes
    value: bytes
    new: tuple[SeriesInfo, ...] = ()
    ids: bytes = b""
    read_to: int | None = None

    def columns(self) -> Columns:
        """The batch."""
        return Columns(
            series=np.frombuffer(self.series, np.int32),
            at=np.frombuffer(self.at, np.int64),
            value=np.frombuffer(self.value, np.float64),
        )


class Said(msgspec.Struct, frozen=True, tag="said"):
    """What a person said of an anomaly."""

    tenant: str
    feedback: Feedback
    is_of_lines: bool = False


class Modelled(msgspec.Struct, frozen=True, tag="modelled"):
    """From here on a service is judged by this model, as well."""

    tenant: str
    model: FittedModel


Arrived = Samples | Said | Counted | Modelled
Arrays = Mapping[str, NDArray[Any]]
_READ_TO = "pull.read_to"
_BESIDE = "beside."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one of those that arrived, up to which all is applied."""

    tenant: str
    position: int
    happened: tuple[Happened, ...]
    tunings: tuple[Tuning, ...]
    is_of_lines: bool = False


class StreamPart:
    """The operators of one part; for one thread.

    What happened is written as it happens, and what is held at checkpoints: after a death the same
    is told again from the last checkpoint on, and kept once.
    """

    def __init__(
        self,
        database: Connections,
        part: str,
        *,
        owners: Owners,
        settings: StreamSettings,
        windows: Sequence[Window] = (),
        counting: Counting | None = None,
        logs: LogSettings | None = None,
        pace: Pace = LIFE,
    ) -> None:
        self._db, self._part = database, part
        self._operators = Operators(
            owners=owners, settings=settings, windows=windows, counting=counting
        )
        self._checkpoints = Checkpoints(database, part)
        self.position = -1
        # Of the events of the outcome that was kept last, in order.
        self.numbers: list[int] = []
        self.read_to: dict[str, int] = {}
        self._owed: Outcome | None = None
        self.logs = LogsPart(
            database, part, self._checkpoints.check, settings=logs, windows=windows, pace=pace
        )
        # What others want to be in checkpoints, by tenant: None for what was there before.
        self.beside: Callable[[str], Arrays | None] = lambda _: None
        self._beside: dict[str, Arrays] = {}
        # Whether what arrives was named by the operators' own names, not by those of another life.
        self.are_named = False

    @property
    def operators(self) -> Operators:
        """What it moves."""
        return self._operators

    def take(self) -> int:
        """Become the owner of the part; the position of its checkpoint, -1 for none."""
        held = self._checkpoints.take()
        self.position = held.position
        self._operators.restore(held.tenants)
        self.read_to = {
            tenant: int(one.arrays[_READ_TO][0])
            for tenant, one in held.tenants.items()
            if _READ_TO in one.arrays
        }
        arrays = {tenant: one.arrays for tenant, one in held.tenants.items()}
        self.logs.restore(arrays)
        self._beside = {tenant: _under(_BESIDE, one) for tenant, one in arrays.items()}
        return held.position

    def held_beside(self, tenant: str) -> Arrays | None:
        """What others had put into the last checkpoint."""
        return self._beside.get(tenant) or None

    def apply(self, position: int, arrived: Arrived) -> Outcome:
        """Take the next of what arrived: this moves the state, once. `keep` its outcome then."""
        self.keep()
        tunings: tuple[Tuning, ...] = ()
        if isinstance(arrived, Samples):
            ids = np.frombuffer(arrived.ids, np.int32).tolist() if arrived.ids else None
            self._operators.introduce(arrived.tenant, arrived.new, ids, are_named=self.are_named)
            happened = self._operators.samples(arrived.tenant, arrived.columns())
            if arrived.read_to is not None:
                self.read_to[arrived.tenant] = arrived.read_to
        elif isinstance(arrived, Counted):
            happened = judged(
                self._operators, self.logs, position, arrived, are_named=self.are_named
            )
        elif isinstance(arrived, Modelled):
            happened = self._use(arrived.model)
        elif arrived.is_of_lines:
            happened, tunings = self.logs.said(arrived.tenant, arrived.feedback)
        else:
            happened, tunings = self._operators.said(arrived.tenant, arrived.feedback)
        if not isinstance(arrived, Counted):
            happened = traced(self._operators, self.logs, arrived.tenant, happened)
        self._owed = Outcome(
            tenant=arrived.tenant,
            position=position,
            happened=happened,
            tunings=tunings,
            is_of_lines=isinstance(arrived, Said) and arrived.is_of_lines,
        )
        return self._owed

    def _use(self, model: FittedModel) -> tuple[Happened, ...]:
        """A model that is not whole is passed over: what is judged needs none."""
        try:
            self._operators.use(model)
        except ValueError as error:
            log = structlog.get_logger("serinus.stream")
            named = {"service": model.scope.service, "version": model.version}
            log.warning("a model is not used live", **named, why=str(error))
        return ()

    def keep(self) -> None:
        """Write what is owed: the outcome of what was applied last.

        After a `StoreError` it may be tried again, also where the database did write it.
        """
        if self._owed is not None:
            self._write(self._owed)
            self.position, self._owed = self._owed.position, None
        self.logs.settle()

    def told_up_to(self) -> int:
        """The highest position of which an event is kept, -1 without any."""
        return SqlEvents(self._db).position(self._part)

    def checkpoint(self) -> None:
        """Write all that is held, and the position that it stands for; may be tried again."""
        self.keep()
        self.logs.settle(now=True)
        tenants = {name: self._marked(name, one) for name, one in self._operators.held().items()}
        with self._db.write(durable=True) as transaction:
            sums = self._checkpoints.write(transaction, self.position, tenants)
        self._checkpoints.wrote(sums, tenants)
        self._operators.renew()

    def told(self, tenant: str, plan: Plan, *, until: float) -> Streamed:
        """What is known of a plan's service up to a time (unix seconds)."""
        return self._operators.told(tenant, plan, until=until)

    def open(self) -> int:
        """How many anomalies last."""
        return self._operators.open()

    def _marked(self, tenant: str, held: TenantHeld) -> TenantHeld:
        """With what stands beside the operators' state, for what that has taken."""
        arrays = {**held.arrays, **self.logs.arrays(tenant), **self._told_beside(tenant)}
        if tenant in self.read_to:
            # How far a source was read.
            arrays[_READ_TO] = np.array([self.read_to[tenant]], np.int64)
        return replace(held, arrays=arrays)

    def _told_beside(self, tenant: str) -> Arrays:
        told = self.beside(tenant)
        if told is None:
            told = self._beside.get(tenant, {})
        else:
            self._beside.pop(tenant, None)
        return {_BESIDE + name: array for name, array in told.items()}

    def _write(self, owed: Outcome) -> None:
        self.numbers = []
        if not owed.happened and not owed.tunings:
            return
        with self._db.write() as transaction:
            for nth, one in enumerate(owed.happened):
                series = named(self._operators, self.logs, one)
                add_anomaly(transaction, self._part, one.at, one.anomaly, series)
                told = _told(owed.position, nth, one, series)
                add_event(transaction, self._part, told, time.time(), is_sent=True)
            # Of a template, what was said is in the state of the detectors.
            for tuning in () if owed.is_of_lines else owed.tunings:
                add_tuning(transaction, self._part, owed.tenant, tuning)
            self.numbers = numbers_of(transaction, self._part, owed.position)


def _told(position: int, nth: int, happened: Happened, series: dict[int, SeriesInfo]) -> Told:
    """An event as those who follow hear it: of its series the worst one, the anomaly has all."""
    worst = happened.anomaly.peak
    short = replace(happened.anomaly, contributions=(worst,))
    return Told(
        position=position,
        nth=nth,
        happened=replace(happened, anomaly=short),
        series={worst.series: series[worst.series]},
    )


def spelled(arrived: Arrived) -> bytes:
    """As it is spooled."""
    return _ENCODER.encode(arrived)


def read(body: bytes) -> Arrived:
    """What was spooled."""
    found: Arrived = _DECODER.decode(body)
    return found


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


_ENCODER: msgspec.msgpack.Encoder = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Arrived)
