"""A change: whatever may have broken production, folded from the events that told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

__all__ = [
    "Change",
    "ChangeEvent",
    "ChangeKind",
    "ChangePhase",
    "Place",
    "change_id",
    "change_of",
    "with_event",
]

_DIGITS = 16
_EVENTS_KEPT = 64


class ChangeKind(StrEnum):
    """What was done."""

    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"
    REMOVAL = "removal"
    CONFIG = "config"
    FLAG = "flag"
    INFRASTRUCTURE = "infrastructure"
    SCALING = "scaling"
    NODE = "node"
    MERGE = "merge"
    OTHER = "other"


class ChangePhase(StrEnum):
    """How far it is. Nobody may ever tell that it ended."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_end(self) -> bool:
        """Whether nothing comes after it, but for the same change begun again."""
        return self is not ChangePhase.STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a change touches; empty words for unknown ones, which is then no limit."""

    service: str = ""
    namespace: str = ""
    cluster: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvent:
    """One thing that one sender told. `source` and `id` together name it for good.

    `subject` is the change that it tells of, unique within its source. `at` is unix milliseconds,
    by the sender's clock unless that was absurd. `is_inferred`: nobody told, the data showed it.
    """

    source: str
    id: str
    subject: str
    at: int
    kind: ChangeKind
    phase: ChangePhase
    place: Place = field(default_factory=Place)
    version: str = ""
    artifact: str = ""
    title: str = ""
    actor: str = ""
    link: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    is_inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the events of one subject say together; times are unix milliseconds.

    `ended_at` is None while nobody has told an end. `events`, the oldest first, are its start and
    the latest others, 64 at most.
    """

    id: str
    source: str
    subject: str
    kind: ChangeKind
    phase: ChangePhase
    started_at: int
    ended_at: int | None
    told_at: int
    place: Place
    version: str
    artifact: str
    title: str
    actor: str
    link: str
    attributes: tuple[tuple[str, str], ...]
    is_inferred: bool
    events: tuple[ChangeEvent, ...]


def change_id(source: str, subject: str) -> str:
    """The id of the change that a source calls by this subject, the same for ever.

    >>> change_id("/argo", "checkout/7") == change_id("/argo", "checkout/7")
    True
    """
    return "chg_" + sha256(f"{len(source)} {source} {subject}".encode()).hexdigest()[:_DIGITS]


def change_of(events: Iterable[ChangeEvent]) -> Change:
    """The change that these events of one source and subject tell of, in whatever order they came.

    What a later event leaves out an earlier one says. A change that begins again after its end
    lasts from its latest start. `ValueError` where there is no event.
    """
    told = _in_order(events)
    if not told:
        raise ValueError("a change needs an event")
    last, since = told[-1], _latest_run(told)
    ends = [event.at for event in since if event.phase.is_end]
    return Change(
        id=change_id(last.source, last.subject),
        source=last.source,
        subject=last.subject,
        kind=_kind(told),
        phase=last.phase,
        started_at=since[0].at,
        ended_at=ends[-1] if ends else None,
        told_at=last.at,
        place=_place(told),
        version=_last_word([event.version for event in told]),
        artifact=_last_word([event.artifact for event in told]),
        title=_last_word([event.title for event in told]),
        actor=_last_word([event.actor for event in told]),
        link=_last_word([event.link for event in told]),
        attributes=_attributes(told),
        is_inferred=all(event.is_inferred for event in told),
        events=_kept(told, since[0]),
    )


def with_event(change: Change | None, event: ChangeEvent) -> Change | None:
    """The change with one event more; None where it was told before."""
    if change is None:
        return change_of((event,))
    if any(known.id == event.id for known in change.events):
        return None
    return change_of((*change.events, event))


def _in_order(events: Iterable[ChangeEvent]) -> list[ChangeEvent]:
    """By time, an end after what else happened in its millisecond; each id once, as first seen."""
    ordered = sorted(events, key=lambda event: (event.at, event.phase.is_end, event.id))
    return list({event.id: event for event in reversed(ordered)}.values())[::-1]


def _latest_run(told: Sequence[ChangeEvent]) -> Sequence[ChangeEvent]:
    """From the latest start that came after an end, or all."""
    for place in range(len(told) - 1, 0, -1):
        if not told[place].phase.is_end and told[place - 1].phase.is_end:
            return told[place:]
    return told


def _kept(told: Sequence[ChangeEvent], start: ChangeEvent) -> tuple[ChangeEvent, ...]:
    """The start of the latest run, and the latest of the others."""
    rest = [event for event in told if event is not start][-(_EVENTS_KEPT - 1) :]
    return tuple(_in_order((start, *rest)))


def _kind(told: Sequence[ChangeEvent]) -> ChangeKind:
    """The last that is more than `other`; once a rollback, always one."""
    kinds = [event.kind for event in told if event.kind is not ChangeKind.OTHER]
    if ChangeKind.ROLLBACK in kinds:
        return ChangeKind.ROLLBACK
    return kinds[-1] if kinds else ChangeKind.OTHER


def _place(told: Sequence[ChangeEvent]) -> Place:
    return Place(
        service=_last_word([event.place.service for event in told]),
        namespace=_last_word([event.place.namespace for event in told]),
        cluster=_last_word([event.place.cluster for event in told]),
        environment=_last_word([event.place.environment for event in told]),
    )


def _last_word(words: Sequence[str]) -> str:
    return next((word for word in reversed(words) if word), "")


def _attributes(told: Sequence[ChangeEvent]) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted({name: value for event in told for name, value in event.attributes}.items())
    )
