"""Changes as they are kept and looked for."""

from __future__ import annotations

from dataclasses import dataclass

from detector.changes.change import Change, ChangeKind

__all__ = ["ChangeFilter", "ChangePage", "is_wanted", "last_word"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """Which changes: those that lasted at some time in [since, until), newest start first.

    Times are unix milliseconds; one that nobody ended counts at its latest word. A change that
    names no service may touch any, and is found under each where `or_anywhere`. `after` is the
    `next` of the page before.
    """

    tenant: str
    service: str | None = None
    or_anywhere: bool = False
    kind: ChangeKind | None = None
    since: int | None = None
    until: int | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """Changes of one page; `next` is None on the last."""

    changes: tuple[Change, ...]
    next: str | None


def is_wanted(change: Change, wanted: ChangeFilter) -> bool:
    """Whether a change is among those, pages and tenants apart."""
    places = {wanted.service, ""} if wanted.or_anywhere else {wanted.service}
    return (
        (wanted.service is None or change.place.service in places)
        and (wanted.kind is None or change.kind is wanted.kind)
        and (wanted.since is None or last_word(change) >= wanted.since)
        and (wanted.until is None or change.started_at < wanted.until)
    )


def last_word(change: Change) -> int:
    """When a change ended, or was last told of."""
    return change.told_at if change.ended_at is None else change.ended_at
