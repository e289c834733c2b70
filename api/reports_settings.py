"""Which reports are made again and again, and who is told, as the configuration says it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from api.bodies.decision import seconds_of
from api.follow_settings import ZoneName
from api.section import Section
from detector.capacity.whatif import parse
from detector.errors import InputError
from detector.reports.moments import moment_at
from models.baseline.calendar import Calendar
from pipelines.capacity.keeping import NAME
from pipelines.reports.keeping import BY_HAND
from pipelines.reports.making import Order
from pipelines.reports.scheduled import Schedule
from pipelines.zones import calendar_of

__all__ = ["ReportSection", "ReportsSection"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
# Reports of these names are made by others.
_TAKEN = frozenset({NAME, BY_HAND})


class ReportSection(Section):
    """One report: when it is due, what it is about, and which notifiers are told.

    Of all where neither `services` nor `team` is given; to all who want reports where `to` is not.
    """

    at: str
    services: tuple[str, ...] = ()
    team: str = ""
    horizon: str = "90d"
    what_if: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    to: tuple[str, ...] = ()

    @model_validator(mode="after")
    def makes_sense(self) -> ReportSection:
        """Its moment, horizon and what-ifs can be understood."""
        moment_at(self.at)
        try:
            self.order()
            for text in self.what_if:
                parse(text, now=0)
        except InputError as error:
            raise ValueError(f"{error.field}: {error}") from error
        return self

    def order(self) -> Order:
        """What it is about."""
        return Order(
            horizon_s=round(seconds_of(self.horizon)),
            services=self.services,
            team=self.team,
            what_if=self.what_if,
        )

    def native(self, name: str, calendar: Calendar) -> Schedule:
        """The same in the words of who makes it."""
        return Schedule(
            name=name, moment=moment_at(self.at, calendar), order=self.order(), to=self.to
        )


class ReportsSection(Section):
    """Reports of capacity: by which clock, and which are made by a schedule.

    `zone` is that of the stream if not given; `browser` prints PDF, Chromium if not given.
    """

    zone: ZoneName = ""
    browser: str | None = None
    scheduled: dict[str, ReportSection] = Field(default_factory=dict)

    @field_validator("scheduled")
    @classmethod
    def has_names(cls, scheduled: dict[str, ReportSection]) -> dict[str, ReportSection]:
        """A name is a part of ids that people type."""
        for name in scheduled:
            if _NAME.fullmatch(name) is None or name in _TAKEN:
                raise ValueError(
                    f"{name!r} is no name: small letters, digits and -, 40 at most, and none of"
                    f" {', '.join(sorted(_TAKEN))}"
                )
        return scheduled

    def native(self, zone: str) -> tuple[Schedule, ...]:
        """Each schedule, by its own zone or that of the stream."""
        calendar = calendar_of(self.zone or zone)
        return tuple(one.native(name, calendar) for name, one in self.scheduled.items())
