"""Who is told of what: notices that answers call for, and the routes they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from detector.alerts.brief import BriefState, Gravity, IncidentBrief
from detector.alerts.digest import Digest
from detector.gate.attempt import Attempt
from detector.gate.cure import Cure, cure_of, is_waiting_vain
from detector.gate.policy import Mode
from detector.gate.reason import ReasonCode
from detector.gate.ruling import underlying
from detector.gate.scored import PolicyScore
from detector.gate.verdict import Outcome, Verdict

__all__ = [
    "OUTRUN",
    "Ailing",
    "DeliveryState",
    "Errand",
    "Notice",
    "NoticeKind",
    "Post",
    "Route",
    "Settled",
    "addressed",
    "call_of",
    "name_of",
    "silence_of",
]

# A controller that waits in vain so long will not be helped by the next poll.
_VAIN_S = 900.0
# Why an update of a thread was not told.
OUTRUN = "told by a later one"


class NoticeKind(StrEnum):
    """What a notice is about; `test` is sent by a person who tries a notifier."""

    FAIL = "fail"
    PAUSE = "pause"
    WEEKLY = "weekly"
    INCIDENT = "incident"
    BLIND = "blind"
    CAPACITY = "capacity"
    REPORT = "report"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailing:
    """A service all of whose rollouts ended undecided, and the one change that would cure it.

    `attempt` and `example`: the newest of them, and the sentence that it ended with.
    """

    service: str
    rollouts: int
    cure: Cure
    attempt: str
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell; the same `id` is the same thing, however often it is found.

    `at` is unix seconds. `verdict` is what it is about, `incident` the incident. A weekly one has
    the services that never get a verdict as `ailing` and what came of `policies`, or a team's
    `digest`. `service`: whose it is, where none of these says it. `report`: the id of the one that
    it tells of. Those of one `thread` are told in the order of their `nth`.
    """

    id: str
    kind: NoticeKind
    at: float
    tenant: str
    title: str
    text: str
    advice: str = ""
    verdict: Verdict | None = None
    ailing: tuple[Ailing, ...] = ()
    incident: IncidentBrief | None = None
    thread: str = ""
    nth: int = 0
    policies: tuple[PolicyScore, ...] = ()
    digest: Digest | None = None
    service: str = ""
    report: str = ""

    @property
    def is_lasting(self) -> bool:
        """Whether it is told even where a later one of its thread waits: it says how it ended."""
        return self.incident is not None and self.incident.state is not BriefState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A notice and the names of the notifiers that it is for."""

    notice: Notice
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One notice on its way to one notifier, for the `tries`-th time.

    `receipt` is what the receiver gave for the one before it of its thread, if it gave any.
    """

    notice: Notice
    to: str
    tries: int
    receipt: str = ""


class DeliveryState(StrEnum):
    """`due`: to be tried; `sent`: the receiver acknowledged; `dropped`: given up."""

    DUE = "due"
    SENT = "sent"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a try ended at `at`: the next may be made at `due_at`, `words` say what went wrong.

    `receipt` is what the receiver calls what it was told.
    """

    state: DeliveryState
    at: float
    due_at: float = 0.0
    words: str = ""
    receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which notices a notifier gets: kinds, and services by name with `*` and `?`.

    `severity` is how bad an incident is at least.
    """

    name: str
    kinds: frozenset[NoticeKind] = frozenset(NoticeKind)
    services: tuple[str, ...] = ("*",)
    severity: Gravity = Gravity.LOW

    def covers(self, service: str) -> bool:
        """Whether it is told of this service."""
        return any(fnmatchcase(service, pattern) for pattern in self.services)

    def wants(self, notice: Notice) -> bool:
        """Whether it is told of this notice; one for which a controller waits is a pause, too."""
        verdict = notice.verdict
        if notice.incident is not None:
            return notice.kind in self.kinds and self._concerns(notice.incident)
        if verdict is None:
            concerns = not notice.service or self.covers(notice.service)
            return notice.kind in self.kinds and concerns
        waits = notice.kind is NoticeKind.FAIL and verdict.mode is Mode.PAUSE
        wanted = notice.kind in self.kinds or (waits and NoticeKind.PAUSE in self.kinds)
        return wanted and self.covers(verdict.service)

    def _concerns(self, incident: IncidentBrief) -> bool:
        is_grave = incident.severity.rank >= self.severity.rank
        return is_grave and any(self.covers(service) for service in incident.services)


def addressed(notice: Notice | None, routes: Sequence[Route]) -> tuple[Post, ...]:
    """The notice with those who want it; nothing where nobody does."""
    if notice is None:
        return ()
    to = tuple(route.name for route in routes if route.wants(notice))
    return (Post(notice=notice, to=to),) if to else ()


def call_of(verdict: Verdict, attempt: Attempt) -> Notice | None:
    """What people have to hear of an answer; None for nothing.

    A fail is told in every mode but `shadow`; an undecided answer once the controller waits for
    a person: the deadline is past, or more time could not help. What a person decided is not
    told back.
    """
    if verdict.mode is Mode.SHADOW or verdict.reason.code == ReasonCode.OVERRIDDEN:
        return None
    if verdict.outcome is Outcome.FAIL:
        return _fail(verdict, attempt)
    waits = verdict.answer is Outcome.INCONCLUSIVE and (
        verdict.final or _is_stuck(verdict, attempt)
    )
    return _pause(verdict, attempt, "") if waits else None


def silence_of(verdict: Verdict, attempt: Attempt, *, now: float) -> Notice | None:
    """The notice of an attempt that was polled, left undecided, and is asked about no more."""
    if verdict.answer is not Outcome.INCONCLUSIVE or verdict.final:
        return None
    minutes = max(1, round((now - attempt.last_asked) / 60))
    return _pause(verdict, attempt, f"Nobody has asked for {minutes} minutes. ")


def name_of(verdict: Verdict) -> str:
    """How people call what a verdict is about."""
    name = verdict.service if verdict.rollout in {None, verdict.service} else verdict.rollout
    return f"{name} {verdict.revision}" if verdict.revision else str(name)


def _fail(verdict: Verdict, attempt: Attempt) -> Notice:
    title, advice = {
        Mode.ADVISE: ("is worse than the stable version", "Mode advise: nothing was stopped."),
        Mode.PAUSE: ("failed and waits", "Mode pause: nothing was rolled back; a person decides."),
    }.get(verdict.mode, ("failed", "The controller was told to roll it back."))
    return Notice(
        id=f"fail:{attempt.id}",
        kind=NoticeKind.FAIL,
        at=verdict.as_of.timestamp(),
        tenant=attempt.identity.tenant,
        title=f"{name_of(verdict)} {title}",
        text=verdict.reason.text,
        advice=advice,
        verdict=verdict,
    )


def _pause(verdict: Verdict, attempt: Attempt, why: str) -> Notice:
    cure = cure_of(verdict)
    return Notice(
        id=f"pause:{attempt.id}",
        kind=NoticeKind.PAUSE,
        at=verdict.as_of.timestamp(),
        tenant=attempt.identity.tenant,
        title=f"{name_of(verdict)} waits for a person",
        text=f"{why}{verdict.reason.text}",
        advice=f"It was not seen to be worse, nor known to be safe. {cure.text}",
        verdict=verdict,
    )


def _is_stuck(verdict: Verdict, attempt: Attempt) -> bool:
    """Whether the controller has waited for long for what time alone does not bring."""
    if not is_waiting_vain(underlying(verdict.reason), verdict.needs):
        return False
    waited = verdict.as_of.timestamp() - attempt.asked_at
    return waited >= _VAIN_S * attempt.policy.time_scale
