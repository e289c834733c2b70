"""Who is told of which incidents, when and how often, as the configuration says it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from api.follow_settings import ZoneName
from api.section import Count, Section
from detector.alerts.brief import Gravity
from detector.alerts.settings import (
    AlertRules,
    Budget,
    Escalation,
    Hours,
    Inhibition,
    Maintenance,
    Quiet,
    Route,
    Step,
)
from detector.errors import ConfigError, InputError
from detector.explain.weekly import WeeklyAt, weekly_at
from detector.selector import parse_selector
from detector.series import Matcher
from models.baseline.calendar import Calendar, instant_of
from pipelines.zones import calendar_of

__all__ = ["AlertsSection", "DigestSection"]

_TIME = r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"

Word = Literal["low", "medium", "high"]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_DAYS: tuple[Day, ...] = get_args(Day)
Time = Annotated[str, Field(pattern=_TIME)]


def _selector(text: str) -> str:
    _matchers(text)
    return text


def _matchers(text: str) -> tuple[Matcher, ...]:
    try:
        return parse_selector(text, field="match")
    except InputError as error:
        raise ValueError(str(error)) from error


Match = Annotated[str, AfterValidator(_selector)]


class HoursSection(Section):
    """From one time of day to another on some weekdays; past midnight where `end` is earlier."""

    start: Time
    end: Time
    days: tuple[Day, ...] = _DAYS

    def native(self, calendar: Calendar) -> Hours:
        """By the clock of a zone."""
        days = tuple(sorted({_DAYS.index(day) for day in self.days}))
        return Hours(start=_minute(self.start), end=_minute(self.end), days=days, calendar=calendar)


class MaintenanceSection(Section):
    """What matches is held from `start` to `end` or, by the zone's clock, in `hours`, or both."""

    match: Match = ""
    start: datetime | None = None
    end: datetime | None = None
    hours: HoursSection | None = None
    zone: ZoneName = ""
    reason: str = ""

    def native(self, name: str) -> Maintenance:
        """The same in the words of who decides."""
        calendar = calendar_of(self.zone)
        where = f"alerts.maintenance.{name}"
        return Maintenance(
            name=name,
            matchers=_matchers(self.match),
            start=_instant(self.start, self.zone, calendar, f"{where}.start"),
            end=_instant(self.end, self.zone, calendar, f"{where}.end"),
            hours=None if self.hours is None else self.hours.native(calendar),
            reason=self.reason,
        )


class QuietSection(Section):
    """Hours, by the zone's clock, in which only what is so grave is told; `none` for nothing."""

    hours: Annotated[tuple[HoursSection, ...], Field(min_length=1)]
    zone: ZoneName = ""
    severity: Literal["low", "medium", "high", "none"] = "high"

    def native(self) -> Quiet:
        """The same in the words of who decides."""
        calendar = calendar_of(self.zone)
        return Quiet(
            hours=tuple(one.native(calendar) for one in self.hours),
            severity=None if self.severity == "none" else Gravity(self.severity),
        )


class InhibitSection(Section):
    """While one that matches `source` is open, those that match `target` are held."""

    source: Match
    target: Match = ""
    equal: tuple[str, ...] = ()

    def native(self) -> Inhibition:
        """The same in the words of who decides."""
        source, target = _matchers(self.source), _matchers(self.target)
        return Inhibition(source=source, target=target, equal=self.equal)


class StepSection(Section):
    """Who is told so many minutes after the first was."""

    after_minutes: Annotated[float, Field(gt=0, le=10_080)]
    to: str

    def native(self) -> Step:
        """The same in the words of who decides."""
        return Step(after_s=60 * self.after_minutes, receiver=self.to)


class EscalationSection(Section):
    """Who is told next when nobody acknowledges."""

    steps: Annotated[tuple[StepSection, ...], Field(min_length=1)]
    severity: Word = "low"

    def native(self) -> Escalation:
        """The same in the words of who decides."""
        steps = tuple(step.native() for step in self.steps)
        return Escalation(steps=steps, severity=Gravity(self.severity))


class RouteSection(Section):
    """A node of the tree; what is left out is as at its parent."""

    to: str | None = None
    match: Match = ""
    severity: Word = "low"
    carry_on: bool = Field(default=False, alias="continue")
    team: str | None = None
    quiet: str | None = None
    escalation: str | None = None
    routes: tuple[RouteSection, ...] = ()

    def native(self) -> Route:
        """The same in the words of who decides."""
        return Route(
            receiver=self.to,
            matchers=_matchers(self.match),
            severity=Gravity(self.severity),
            carry_on=self.carry_on,
            team=self.team,
            quiet=self.quiet,
            escalation=self.escalation,
            routes=tuple(child.native() for child in self.routes),
        )


class DigestSection(Section):
    """When each team reads its week, by the zone's clock; `never` sends none."""

    at: str = "monday 09:00"
    zone: ZoneName = ""

    @field_validator("at")
    @classmethod
    def is_moment(cls, text: str) -> str:
        """One of a week."""
        weekly_at(text)
        return text

    @property
    def moment(self) -> WeeklyAt | None:
        """The same in the words of who sends it; None for never."""
        return weekly_at(self.at, calendar_of(self.zone))


class AlertsSection(Section):
    """Who is told of which incidents; `budgets` are incidents a week by team."""

    route: RouteSection | None = None
    maintenance: dict[str, MaintenanceSection] = Field(default_factory=dict)
    quiet: dict[str, QuietSection] = Field(default_factory=dict)
    inhibit: tuple[InhibitSection, ...] = ()
    escalations: dict[str, EscalationSection] = Field(default_factory=dict)
    budgets: dict[str, Count] = Field(default_factory=dict)
    digest: DigestSection = DigestSection()

    @model_validator(mode="after")
    def is_sound(self) -> AlertsSection:
        """What it names is there."""
        try:
            self.native()
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return self

    def native(self) -> AlertRules:
        """The same in the words of who decides; `ConfigError` names what is wrong."""
        return AlertRules(
            route=None if self.route is None else self.route.native(),
            maintenance=tuple(one.native(name) for name, one in self.maintenance.items()),
            quiet={name: one.native() for name, one in self.quiet.items()},
            inhibit=tuple(one.native() for one in self.inhibit),
            escalations={name: one.native() for name, one in self.escalations.items()},
            budgets={team: Budget(a_week=count) for team, count in self.budgets.items()},
        )


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return 60 * int(hour) + int(minute)


def _instant(told: datetime | None, zone: str, calendar: Calendar, where: str) -> int | None:
    """In unix ms; a time without a zone is one of the clock on the wall."""
    if told is None:
        return None
    if told.tzinfo is not None:
        return round(1000 * told.timestamp())
    if not zone:
        raise ConfigError(f"{where}: needs a time zone, as in 2026-11-29T02:00:00Z, or set zone")
    return instant_of(round(1000 * told.replace(tzinfo=UTC).timestamp()), calendar)
