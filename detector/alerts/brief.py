"""An incident as people are told of it: words, links and times, nothing to look up any more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["BriefState", "Cause", "Gravity", "IncidentBrief", "Sign"]


class BriefState(StrEnum):
    """Whether an incident lasts, is over, or went into another one."""

    OPEN = "open"
    RESOLVED = "resolved"
    MERGED = "merged"


class Gravity(StrEnum):
    """The gravest of its signs."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Gravity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What shows it at a service, since unix milliseconds; `ended` is None while it lasts."""

    anomaly: str
    service: str
    text: str
    since: int
    ended: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A change that may have caused it, with the probability that it did, and why.

    `advice` is what to do where it was it: a command, or a sentence.
    """

    change: str
    kind: str
    title: str
    service: str
    version: str
    at: int
    probability: float
    reasons: tuple[str, ...] = ()
    link: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentBrief:
    """As it is when something is told of it; times are unix milliseconds.

    `why` is what happened to it (`opened`, `grew`, `suspect`, `merged`, `split`, `resolved`,
    `reopened`, `due` where only time passed, or `said`, with the words in `note` and their kind in
    `said`), `nth` how many times something was told of it before. `services` are those that show
    it, the first one first; `signs` the first of `count`; `causes` the likeliest first, with `none`
    the probability that it was no change. `into` is the incident that took it up. One that
    `is_back` had been over for long when its first sign came again. `labels` are what routes look
    at: `service`, `namespace`, `cluster`, `severity`, `kind`, and `slo` where a budget burns.
    """

    id: str
    tenant: str
    state: BriefState
    severity: Gravity
    why: str
    nth: int
    title: str
    began: int
    told_at: int
    ended: int | None
    services: tuple[str, ...]
    signs: tuple[Sign, ...]
    count: int
    causes: tuple[Cause, ...]
    none: float
    into: str | None = None
    is_back: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    note: str = ""
    said: str = ""
