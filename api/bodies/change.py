"""Changes as JSON; the classes document it."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, Field

from api.bodies.answer import Answer
from api.bodies.loose import Moment, Strict, Word, needed
from detector.changes.change import Change, ChangeEvent, ChangeKind, ChangePhase, Place
from detector.changes.record import ChangePage

__all__ = ["ChangeAnswer", "ChangeBody", "ChangesAnswer", "TakenAnswer", "change_body",
           "changes_body"]  # fmt: skip

_ATTRIBUTES_MAX = 20
_BY_HAND = "/serinus/by-hand"
Needed = Annotated[Word, AfterValidator(needed)]


class ChangeBody(Strict):
    """A change that a person or a script tells of."""

    title: Needed = Field(description="What was done.", examples=["connection pool 10 to 40"])
    service: Word = Field(None, description="What it touches; empty: it may touch anything.")
    kind: ChangeKind = Field(ChangeKind.DEPLOYMENT, description="What kind of change it is.")
    phase: ChangePhase = Field(ChangePhase.SUCCEEDED, description="How far it is.")
    at: Moment = Field(None, description="When; now if not given.")
    id: Word = Field(None, description="Told again under the same id, it is told once.")
    change: Word = Field(None, description="The same word for its start and its end; else `id`.")
    version: Word = Field(None, description="What runs after it.", examples=["v42"])
    namespace: Word = None
    cluster: Word = None
    environment: Word = None
    actor: Word = Field(None, description="Who did it.")
    link: Word = Field(None, description="Where more is told, http:// or https://.")
    attributes: dict[str, str] = Field(default_factory=dict, max_length=_ATTRIBUTES_MAX)

    def event(self, now: float) -> ChangeEvent:
        """The event; without an id one made of all that is said, the time included."""
        at = round(1000 * now) if self.at is None else round(1000 * self.at.timestamp())
        said = msgspec.json.encode([at, self.model_dump(mode="json")])
        id = self.id or sha256(said).hexdigest()[:32]
        return ChangeEvent(
            source=_BY_HAND,
            id=f"{id}/{self.phase}" if self.id else id,
            subject=self.change or id,
            at=at,
            kind=self.kind,
            phase=self.phase,
            place=Place(
                service=self.service or "",
                namespace=self.namespace or "",
                cluster=self.cluster or "",
                environment=self.environment or "",
            ),
            version=self.version or "",
            title=self.title or "",
            actor=self.actor or "",
            link=self.link or "",
            attributes=tuple(sorted(self.attributes.items())),
        )


class ChangeAnswer(Answer):
    """One change."""

    id: str = Field(description="The same for ever.", examples=["chg_0a1b2c3d4e5f6071"])
    kind: ChangeKind = Field(description="What kind of change it is.")
    phase: ChangePhase = Field(description="How far it was when it was last told of.")
    title: str = Field(description="What was done, in the words of who told it.")
    service: str | None = Field(description="What it touches; null: it may touch anything.")
    namespace: str | None
    cluster: str | None
    environment: str | None
    version: str | None = Field(description="What runs after it.")
    artifact: str | None = Field(description="The image or package.")
    actor: str | None = Field(description="Who did it.")
    link: str | None = Field(description="Where more is told.")
    started_at: str = Field(description="When it began.")
    ended_at: str | None = Field(description="When it ended; null where nobody told an end.")
    told_at: str = Field(description="When it was last told of.")
    source: str = Field(description="Who told it.", examples=["/github/shop/checkout"])
    subject: str = Field(description="What it is called there.")
    inferred: bool = Field(description="Nobody told it: the data showed it.")
    attributes: dict[str, str]


class ChangesAnswer(Answer):
    """A page of changes."""

    changes: list[ChangeAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class TakenAnswer(Answer):
    """What was read out of a payload."""

    events: int = Field(description="Events that it told; 0: it is no news of a change.")
    changed: list[str] = Field(
        description="Ids of changes that became others by it; none where it was told before."
    )


def change_body(change: Change) -> dict[str, Any]:
    """A change as it is answered."""
    place = change.place
    ended = None if change.ended_at is None else _moment(change.ended_at)
    return {
        "id": change.id,
        "kind": change.kind.value,
        "phase": change.phase.value,
        "title": change.title,
        "service": place.service or None,
        "namespace": place.namespace or None,
        "cluster": place.cluster or None,
        "environment": place.environment or None,
        "version": change.version or None,
        "artifact": change.artifact or None,
        "actor": change.actor or None,
        "link": change.link or None,
        "started_at": _moment(change.started_at),
        "ended_at": ended,
        "told_at": _moment(change.told_at),
        "source": change.source,
        "subject": change.subject,
        "inferred": change.is_inferred,
        "attributes": dict(change.attributes),
    }


def changes_body(page: ChangePage) -> dict[str, Any]:
    """A page as it is answered."""
    return {"changes": [change_body(change) for change in page.changes], "next": page.next}


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
