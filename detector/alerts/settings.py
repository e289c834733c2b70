"""How people want to be told of incidents: routes, windows, escalations and budgets, checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from detector.alerts.brief import Gravity
from detector.errors import ConfigError, InputError
from detector.patterns import compiled
from detector.series import Matcher, MatchOp
from models.baseline.calendar import Calendar

__all__ = [
    "AlertRules",
    "Budget",
    "Escalation",
    "Hours",
    "Inhibition",
    "Maintenance",
    "Quiet",
    "Route",
    "Step",
]

_DAY_MINUTES = 1440
_MOST, _DEEPEST = 1000, 16
_REGULAR = frozenset({MatchOp.MATCHES, MatchOp.NOT_MATCHES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """From one minute of the day to another on some weekdays (0 is Monday), by a wall's clock.

    Where `end` is not after `start` it is on the next day. The day is that of the start.
    """

    start: int
    end: int
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    calendar: Calendar = field(default_factory=Calendar)

    def __post_init__(self) -> None:
        _require(0 <= self.start < _DAY_MINUTES, "start", "a time of day, such as 22:00")
        _require(0 <= self.end <= _DAY_MINUTES, "end", "a time of day, such as 07:00")
        _require(bool(self.days), "days", "name one weekday at least")
        _require(set(self.days) <= set(range(7)), "days", "weekdays are monday to sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """What matches is held in [start, end) unix ms and, with `hours`, in these only."""

    name: str
    matchers: tuple[Matcher, ...] = ()
    start: int | None = None
    end: int | None = None
    hours: Hours | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        _check_matchers(self.matchers, f"maintenance.{self.name}.match")
        bounded = self.hours is not None or (self.start is not None and self.end is not None)
        where = f"maintenance.{self.name}"
        _require(bounded, where, "it needs start and end, or hours: one that never ends hides all")
        ordered = self.start is None or self.end is None or self.start < self.end
        _require(ordered, f"{where}.end", "it ends before it starts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """In these hours only what is at least so grave is told; nothing where `severity` is None."""

    hours: tuple[Hours, ...]
    severity: Gravity | None = Gravity.HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """While an incident that matches `source` is open, those that match `target` are held.

    Only where all `equal` labels are the same in both; one that neither has is the same.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require(
            bool(self.source), "inhibit.source", "without a matcher everything holds everything"
        )
        _check_matchers(self.source, "inhibit.source")
        _check_matchers(self.target, "inhibit.target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who is told so many seconds after the first was, if nobody acknowledged."""

    after_s: float
    receiver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Steps, each later than the one before, for what is at least so grave."""

    steps: tuple[Step, ...]
    severity: Gravity = Gravity.LOW

    def __post_init__(self) -> None:
        times = [step.after_s for step in self.steps]
        _require(0 < len(times) <= _DEEPEST, "escalations.steps", f"1 to {_DEEPEST} of them")
        rising = times[0] > 0 and times == sorted(set(times))
        _require(rising, "escalations.steps.after_s", "above 0, and each more than the one before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most so many incidents are told to a team in any seven days."""

    a_week: int

    def __post_init__(self) -> None:
        _require(1 <= self.a_week <= _MOST, "budgets.a_week", f"1 to {_MOST}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the tree: what matches goes to its first child that takes it, or to `receiver`.

    `receiver`, `team`, `quiet` and `escalation` are those of the parent where they are None; an
    empty word takes them back. `carry_on`: siblings after it are asked too.
    """

    receiver: str | None = None
    matchers: tuple[Matcher, ...] = ()
    severity: Gravity = Gravity.LOW
    carry_on: bool = False
    team: str | None = None
    quiet: str | None = None
    escalation: str | None = None
    routes: tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        _check_matchers(self.matchers, "route.match")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRules:
    """All of it for one tenant; `ConfigError` names what is not there or wrong.

    `quiet`, `escalations` are by name, `budgets` by team. Without a `route` nobody is told.
    `learned`: from which severity on a rule tells a receiver, by both, where a person applied that.
    """

    route: Route | None = None
    maintenance: tuple[Maintenance, ...] = ()
    quiet: Mapping[str, Quiet] = field(default_factory=dict)
    inhibit: tuple[Inhibition, ...] = ()
    escalations: Mapping[str, Escalation] = field(default_factory=dict)
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    learned: Mapping[tuple[str, str], Gravity] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.route is None:
            return
        _require(bool(self.route.receiver), "route.receiver", "the first route needs a receiver")
        plain = not self.route.matchers and self.route.severity is Gravity.LOW
        _require(plain, "route.match", "the first route takes everything")
        for node in _nodes(self.route):
            _known(node.quiet, self.quiet, "route.quiet")
            _known(node.escalation, self.escalations, "route.escalation")

    @property
    def receivers(self) -> frozenset[str]:
        """Everyone who may be told."""
        routed = () if self.route is None else _nodes(self.route)
        steps = [step.receiver for one in self.escalations.values() for step in one.steps]
        return frozenset([*(node.receiver for node in routed if node.receiver), *steps])

    def check_receivers(self, known: Collection[str]) -> None:
        """`ConfigError` for a receiver that is not among those that there are."""
        for name in sorted(self.receivers):
            _known(name, known, "receiver")


def _nodes(route: Route) -> Iterator[Route]:
    rest, count = [(route, 0)], 0
    while rest:
        node, depth = rest.pop()
        count += 1
        _require(depth <= _DEEPEST and count <= _MOST, "route.routes", "too many, or too deep")
        rest.extend((child, depth + 1) for child in node.routes)
        yield node


def _known(name: str | None, known: Collection[str], where: str) -> None:
    there = ", ".join(sorted(known)) or "none"
    _require(not name or name in known, where, f"there is no {name!r}; there are: {there}")


def _check_matchers(matchers: tuple[Matcher, ...], where: str) -> None:
    for matcher in matchers:
        if matcher.op in _REGULAR:
            try:
                compiled(matcher.value)
            except InputError as error:
                raise ConfigError(f"alerts.{where}: {error}") from error


def _require(holds: bool, where: str, words: str) -> None:
    if not holds:
        raise ConfigError(f"alerts.{where}: {words}")
