"""A stream that takes lines, on a folder, as one process after the other opens it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.logs.kept import KeptTemplate, TemplateFilter
from detector.logs.lines import Level, LogLines, Origin
from detector.logs.redaction import redacted
from detector.logs.settings import LogSettings
from detector.series import Query
from detector.signals.packs import shipped_packs
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from pipelines.flows.logs import LogFlow, LogLimits
from pipelines.flows.logs_pace import LIFE, Pace
from pipelines.flows.logs_taking import Taking
from pipelines.flows.stream import Stream
from pipelines.flows.stream_part import StreamPart
from pipelines.sources.own import LINES, OwnSource
from pipelines.stores.own import SqlOwn
from pipelines.stores.spool import Spool
from pipelines.stores.sqlite import Database
from pipelines.stores.templates import SqlTemplates

__all__ = ["CANARY", "T0", "Clock", "Life", "lines", "opened"]

T0 = 1_790_000_000_000 - 1_790_000_000_000 % 3_600_000
CANARY = Origin(service="checkout", namespace="shop", pod="checkout-2-a", version="v2")
OWNERS = Owners(shipped_packs())
Said = tuple[Level, str]


@dataclass(slots=True)
class Clock:
    """A hand-moved clock."""

    now: float = T0 / 1000

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now


def lines(
    said: Sequence[Said], *, at: float = T0 / 1000, origins: tuple[Origin, ...] = (CANARY,)
) -> LogLines:
    """Lines that were written at a time, by the origins in turn."""
    bodies = [text.encode(errors="surrogateescape") for _, text in said]
    return LogLines(
        at=np.full(len(said), round(1000 * at), np.int64),
        level=np.array([level for level, _ in said], np.uint8),
        origin=(np.arange(len(said)) % len(origins)).astype(np.int32),
        trace=np.zeros((len(said), 16), np.uint8),
        text=np.frombuffer(b"".join(bodies), np.uint8),
        ends=np.cumsum([len(body) for body in bodies]).astype(np.int64),
        origins=origins,
    )


@dataclass(frozen=True, slots=True)
class PlainPattern:
    """A template."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class PlainMined:
    """Numbers of lines."""

    number: NDArray[np.int32]
    merged: tuple[tuple[int, int], ...] = ()
    forgotten: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))


class PlainMiner:
    """A miner for which lines are alike that differ in digits only; it forgets all at the end."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def add(self, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> PlainMined:
        """Numbers in the order in which templates come."""
        begins = [0, *ends.tolist()]
        found = [text[a:b].tobytes().decode(errors="replace") for a, b in pairwise(begins)]
        masked = [re.sub(r"\d+", "<num>", one) for one in found]
        numbers = [self._numbers.setdefault(one, len(self._numbers)) for one in masked]
        return PlainMined(np.array(numbers, np.int32))

    def template(self, number: int) -> PlainPattern:
        """By its number."""
        text = list(self._numbers)[number]
        return PlainPattern("lt_" + sha256(text.encode()).hexdigest()[:16], text)

    def to_bare_arrays(self) -> dict[str, NDArray[np.uint8]]:
        """Nothing."""
        return {}


@dataclass(slots=True, kw_only=True)
class Life:
    """One process on the folder."""

    database: Database
    stream: Stream
    taking: Taking
    flow: LogFlow
    clock: Clock = field(default_factory=Clock)

    def templates(self) -> Sequence[KeptTemplate]:
        """All that are kept, of the tenant `default`."""
        return SqlTemplates(self.database).list(TemplateFilter(tenant="default")).templates

    def counts(self) -> Counter[str]:
        """Lines by the text of their template."""
        found: Counter[str] = Counter()
        for one in self.templates():
            found[one.text] += one.count
        return found

    def stands(self, **labels: str) -> float:
        """The sum of what our counters of lines with these labels stand at now."""
        source = OwnSource(lambda: SqlOwn(self.database))
        (answer,) = source.read([Query(LINES)], self.clock.now - 120, self.clock.now)
        return sum(
            float(one.values[-1])
            for one in answer.series
            if all(one.labels.get(name, "") == value for name, value in labels.items())
        )

    def settle(self) -> None:
        """All that was taken is judged and written, and the step that was open is over."""
        self.clock.now += 15
        self.taking.tick()
        assert self.stream.drain(60)
        self.stream.part.logs.settle(now=True)

    def close(self) -> None:
        """An orderly end."""
        self.stream.close()
        self.database.close()


def opened(
    folder: Path,
    clock: Clock | None = None,
    *,
    limits: LogLimits | None = None,
    room: int = 100_000,
    rates: int = 1_000,
    logs: LogSettings | None = None,
    pace: Pace = LIFE,
) -> Life:
    """A process begins."""
    clock = clock or Clock()
    database = Database(folder / "stream.db")
    part = StreamPart(
        database,
        "local",
        owners=OWNERS,
        settings=StreamSettings(alarms_a_week=0.1),
        logs=logs,
        pace=pace,
    )
    stream = Stream(part, Spool(folder / "spool"), room=room)
    taking = Taking(
        stream,
        database,
        "local",
        counters=1_000,
        rates=rates,
        clock=clock,
        step_ms=pace.step_ms,
    )
    flow = LogFlow(
        taking,
        lambda _: PlainMiner(),
        known=lambda tenant: SqlTemplates(database).known("local", tenant),
        redact=redacted,
        limits=limits,
    )
    return Life(database=database, stream=stream, taking=taking, flow=flow, clock=clock)
