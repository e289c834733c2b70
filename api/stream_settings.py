"""What is said of the stream in the configuration."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from api.pull_settings import PullSection
from api.section import Count, Seconds, Section
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.stream.suppression import Window
    from models.baseline.calendar import Calendar

__all__ = ["StreamSection", "WindowSection"]


class WindowSection(Section):
    """A span in which excursions are expected; with `every_s` it comes back, by the zone's clock.

    With a `zone` its times are those of the clock on the wall there, unless they say otherwise.
    """

    name: str
    start: datetime
    end: datetime
    every_s: Annotated[int, Field(ge=0)] = 0
    zone: str = ""
    service: str = "*"
    namespace: str = "*"
    metric: str = "*"
    reason: str = ""

    @model_validator(mode="after")
    def is_one(self) -> WindowSection:
        """Its times have a zone, and it does not end before it starts."""
        if not self.zone and (self.start.tzinfo is None or self.end.tzinfo is None):
            raise ValueError(
                "start and end need a time zone, for example 2026-11-29T02:00:00Z,"
                " or the window a zone, for example Europe/Berlin"
            )
        try:
            self.native()
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return self

    def native(self) -> Window:
        """The same in the words of the operator."""
        from detector.stream.suppression import Window
        from pipelines.zones import calendar_of

        calendar = calendar_of(self.zone)
        return Window(
            name=self.name,
            start=_instant(self.start, calendar),
            end=_instant(self.end, calendar),
            every_s=self.every_s,
            calendar=calendar,
            service=self.service,
            namespace=self.namespace,
            metric=self.metric,
            reason=self.reason,
        )


def _instant(told: datetime, calendar: Calendar) -> int:
    """In unix ms; a time without a zone is one of the clock on the wall."""
    from models.baseline.calendar import instant_of

    if told.tzinfo is not None:
        return round(1000 * told.timestamp())
    return instant_of(round(1000 * told.replace(tzinfo=UTC).timestamp()), calendar)


class StreamSection(Section):
    """The stream: whether metrics are taken, how many false alarms are accepted, who lives where.

    A series that brings nothing for `forget_s`, at least a day, is forgotten. `zone` names the
    clock that people live by; the public holidays of `country`, such as DE or DE-BY, and the days
    in `holidays` go like a Sunday there.
    """

    enabled: bool = True
    alarms_a_week: Annotated[float, Field(gt=0)] = 1.0
    room: Count = 2_000_000
    checkpoint_s: Seconds = 60.0
    keep_days: Annotated[float, Field(gt=0)] = 180.0
    survive_power_cuts: bool = False
    forget_s: Annotated[float, Field(ge=86_400)] = 604_800.0
    zone: str = ""
    country: str = ""
    holidays: tuple[date, ...] = ()
    windows: tuple[WindowSection, ...] = ()
    pull: PullSection = PullSection()

    @model_validator(mode="after")
    def has_a_clock(self) -> StreamSection:
        """Its zone and its country are known."""
        if not (self.zone or self.country):
            return self
        try:
            self.calendar()
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return self

    def calendar(self) -> Calendar:
        """The same in the words of the models."""
        from pipelines.zones import calendar_of

        return calendar_of(self.zone, (*self.holidays, *self._public()))

    def _public(self) -> tuple[date, ...]:
        if not self.country:
            return ()
        # Its package is loaded for who names a country.
        from pipelines.countries import days_off

        return days_off(self.country)
