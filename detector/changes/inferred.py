"""Deployments that nobody told of: a version of a service is seen that was not there before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place

__all__ = ["SOURCE", "Known", "Opened", "Seen", "Span", "inferred"]

SOURCE = "/serinus/inferred"
# Who deploys tells of it at once; what nobody told of by then is told by us.
_WAIT_MS = 180_000
# A version that misses a few scrapes is still there.
_GONE_MS = 300_000
# One that comes back after so long, while others were there, was rolled back to.
_LONG_MS = 1_800_000
_AT_ONCE, _KEPT = 20, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look at a service shows: by version its pods; `at` is unix milliseconds.

    `label` is what tells its versions apart. No versions: nothing was seen, which tells nothing.
    """

    place: Place
    label: str
    versions: Mapping[str, int]
    at: int


@dataclass(frozen=True, slots=True)
class Span:
    """When a version was first and last seen, unix milliseconds."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A version that came and of which no end was seen; `olds` are those it came beside."""

    version: str
    kind: ChangeKind
    at: int
    words: str
    olds: frozenset[str]
    is_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is remembered of a service; `refused` says why its label tells no versions."""

    label: str = ""
    at: int = 0
    spans: Mapping[str, Span] = field(default_factory=dict)
    opened: tuple[Opened, ...] = ()
    refused: str = ""


def inferred(known: Known, seen: Seen) -> tuple[Known, tuple[ChangeEvent, ...]]:
    """What is known after a look, and what is to be told of it by now.

    The first look at a service, or by another label, finds what was there already. A look that
    is not after the last one, by a clock that was set back, is passed over.
    """
    if not seen.versions or seen.at <= known.at:
        return known, ()
    if len(seen.versions) > _AT_ONCE:
        words = f"{seen.label} has {len(seen.versions):,} values at once: it tells no version"
        return Known(label=seen.label, at=seen.at, refused=words), ()
    if seen.label != known.label or known.refused:
        return Known(label=seen.label, at=seen.at, spans=_spans({}, seen)), ()
    opened = (*known.opened, *_coming(known, seen))
    after = Known(label=seen.label, at=seen.at, spans=_spans(known.spans, seen))
    return _told(after, opened, seen.place)


def _spans(spans: Mapping[str, Span], seen: Seen) -> Mapping[str, Span]:
    """With what is there now; of too many those that were seen last."""
    now = {name: Span(_since(spans.get(name), seen.at), seen.at) for name in sorted(seen.versions)}
    rest = [(name, span) for name, span in spans.items() if name not in now]
    rest.sort(key=lambda held: (-held[1].last, held[0]))
    return {**now, **dict(rest[: _KEPT - len(now)])}


def _since(span: Span | None, at: int) -> int:
    return at if span is None else span.first


def _coming(known: Known, seen: Seen) -> tuple[Opened, ...]:
    """Versions that were not there before, or not for long while others were."""
    waiting = {one.version for one in known.opened}
    kinds = {name: _kind(known, name) for name in sorted(seen.versions) if name not in waiting}
    came = {name: kind for name, kind in kinds.items() if kind is not None}
    olds = frozenset(n for n, s in known.spans.items() if known.at - s.last < _GONE_MS)
    return tuple(
        Opened(
            version=name,
            kind=kind,
            at=seen.at,
            words=_words(seen, name, kind, known.at),
            olds=olds - set(came),
        )
        for name, kind in came.items()
    )


def _kind(known: Known, version: str) -> ChangeKind | None:
    """None where it was there all the time, or was merely scaled to nothing with all others."""
    span = known.spans.get(version)
    if span is None:
        return ChangeKind.DEPLOYMENT
    others = (held.last for name, held in known.spans.items() if name != version)
    return ChangeKind.ROLLBACK if max(others, default=0) - span.last >= _LONG_MS else None


def _words(seen: Seen, version: str, kind: ChangeKind, before: int) -> str:
    """How sure it is: when it was seen, and on how many pods."""
    how = "first seen" if kind is ChangeKind.DEPLOYMENT else "seen again"
    pods, every = seen.versions[version], sum(seen.versions.values())
    where = f" on {pods} of {every} pods" if every else ""
    away = f"; not looked at since {_clock(before)}" if seen.at - before > _GONE_MS else ""
    what = f"{seen.label} {version} {how} at {_clock(seen.at)}"
    return f"nobody told of it; {what}{where}{away}"


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M} UTC"


def _told(
    known: Known, opened: tuple[Opened, ...], place: Place
) -> tuple[Known, tuple[ChangeEvent, ...]]:
    """Starts that waited long enough, then ends; an end is never told before its start."""
    events: list[ChangeEvent] = []
    left: list[Opened] = []
    for one in opened:
        if not one.is_told and known.at - one.at < _WAIT_MS:
            left.append(one)
            continue
        if not one.is_told:
            events.append(_event(known.label, one, place, ChangePhase.STARTED, one.at))
        end = _end(known, one)
        if end is None:
            left.append(replace(one, is_told=True))
        else:
            events.append(_event(known.label, one, place, *end))
    return replace(known, opened=tuple(left[-_KEPT:])), tuple(events)


def _end(known: Known, one: Opened) -> tuple[ChangePhase, int] | None:
    """It went away, or what was there before it did; None while both are there."""
    own = known.spans.get(one.version)
    if own is None or known.at - own.last >= _GONE_MS:
        return ChangePhase.FAILED, max(one.at, own.last if own else known.at)
    lasts = [known.spans[name].last for name in one.olds if name in known.spans]
    if any(known.at - last < _GONE_MS for last in lasts):
        return None
    return ChangePhase.SUCCEEDED, max(one.at, *lasts) if lasts else one.at


def _event(label: str, one: Opened, place: Place, phase: ChangePhase, at: int) -> ChangeEvent:
    subject = f"{place.cluster}/{place.namespace}/{place.service}/{one.version}/{one.at}"
    return ChangeEvent(
        source=SOURCE,
        id=f"{subject}/{phase.value}",
        subject=subject,
        at=at,
        kind=one.kind,
        phase=phase,
        place=place,
        version=one.version,
        title=f"{one.kind.value} of {place.service}: {one.words}",
        attributes=((label, one.version),),
        is_inferred=True,
    )
