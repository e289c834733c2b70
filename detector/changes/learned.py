"""What was learned and applied: versions that are only ever added, so that each can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detector.changes.change import ChangeKind
from detector.errors import InputError

__all__ = ["Learned", "applied", "in_force", "undone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Chances of kinds in force since unix seconds; a person applied it, or undid another.

    `before` is the version that is in force again once this is undone, 0 for none.
    """

    version: int
    bad: Mapping[ChangeKind, float]
    person: str
    reason: str
    at: float
    before: int
    undoes: int | None = None


def in_force(versions: Sequence[Learned]) -> Learned | None:
    """The newest of them, the oldest first; None where nothing was ever applied."""
    return versions[-1] if versions else None


def applied(
    versions: Sequence[Learned],
    bad: Mapping[ChangeKind, float],
    *,
    person: str,
    reason: str,
    at: float,
) -> Learned:
    """The next version, with these chances."""
    last = in_force(versions)
    version = 0 if last is None else last.version
    return Learned(
        version=version + 1, bad=dict(bad), person=person, reason=reason, at=at, before=version
    )


def undone(versions: Sequence[Learned], *, person: str, reason: str, at: float) -> Learned:
    """The next version, as it was before the one in force; `InputError` where none is."""
    last = in_force(versions)
    if last is None or not last.bad:
        raise InputError("nothing learned is in force: there is nothing to undo", field="undo")
    old = next((one for one in versions if one.version == last.before), None)
    return Learned(
        version=last.version + 1,
        bad={} if old is None else old.bad,
        person=person,
        reason=reason,
        at=at,
        before=0 if old is None else old.before,
        undoes=last.version,
    )
