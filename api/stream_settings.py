"""What is said of the stream in the configuration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from api.section import Count, Seconds, Section
from detector.errors import InputError

if TYPE_CHECKING:
    from detector.stream.suppression import Window
    from pipelines.ingest.selectors import Selector

__all__ = ["PullSection", "StreamSection", "WindowSection"]


class WindowSection(Section):
    """A span in which excursions are expected; with `every_s` it comes back."""

    name: str
    start: datetime
    end: datetime
    every_s: Annotated[int, Field(ge=0)] = 0
    service: str = "*"
    namespace: str = "*"
    metric: str = "*"
    reason: str = ""

    @model_validator(mode="after")
    def is_one(self) -> WindowSection:
        """Its times have a zone, and it does not end before it starts."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("start and end need a time zone, for example 2026-11-29T02:00:00Z")
        self.native()
        return self

    def native(self) -> Window:
        """The same in the words of the operator."""
        from detector.stream.suppression import Window

        return Window(
            name=self.name,
            start=round(1000 * self.start.timestamp()),
            end=round(1000 * self.end.timestamp()),
            every_s=self.every_s,
            service=self.service,
            namespace=self.namespace,
            metric=self.metric,
            reason=self.reason,
        )


class PullSection(Section):
    """Metrics that are read from the metric source, for those who cannot push them."""

    selectors: tuple[str, ...] = ()
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "default"
    interval_s: Seconds = 30.0
    timeout_s: Seconds = 20.0
    settle_s: Seconds = 15.0
    first_s: Annotated[float, Field(ge=0)] = 3_600.0

    @model_validator(mode="after")
    def selects(self) -> PullSection:
        """Each of its selectors is one."""
        self.native()
        return self

    def native(self) -> tuple[Selector, ...]:
        """The selectors in the words of the door."""
        from pipelines.ingest.selectors import selector_of

        try:
            return tuple(selector_of(text) for text in self.selectors)
        except InputError as error:
            raise ValueError(str(error)) from error


class StreamSection(Section):
    """The stream: whether metrics are taken, and how many false alarms are accepted."""

    enabled: bool = True
    alarms_a_week: Annotated[float, Field(gt=0)] = 1.0
    room: Count = 2_000_000
    checkpoint_s: Seconds = 60.0
    survive_power_cuts: bool = False
    windows: tuple[WindowSection, ...] = ()
    pull: PullSection = PullSection()
