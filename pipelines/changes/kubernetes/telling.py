"""What all events of one cluster have in common: from where, when, and of which service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from pipelines.changes.kubernetes.objects import Meta
from pipelines.changes.texts import Payload, first_text

__all__ = ["Telling", "service_of", "version_of"]

_NAMES = ("app.kubernetes.io/name", "app")
_VERSION = "app.kubernetes.io/version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Makes events of a cluster. What was before `since`, unix milliseconds, is not told."""

    cluster: str
    since: int

    @property
    def source(self) -> str:
        """What the change log knows the cluster by."""
        return f"/kubernetes/{self.cluster}" if self.cluster else "/kubernetes"

    def event(  # noqa: PLR0913 - an event has that many words
        self,
        meta: Meta,
        id: str,
        *,
        at: int,
        kind: ChangeKind,
        title: str,
        phase: ChangePhase = ChangePhase.SUCCEEDED,
        subject: str = "",
        service: str = "",
        version: str = "",
        artifact: str = "",
        actor: str = "",
    ) -> tuple[ChangeEvent, ...]:
        """The event, or nothing where it was too long ago; a subject is its id if not given."""
        if at < self.since:
            return ()
        told = ChangeEvent(
            source=self.source,
            id=id,
            subject=subject or id,
            at=at,
            kind=kind,
            phase=phase,
            place=Place(
                service=service,
                namespace=meta.namespace,
                cluster=self.cluster,
            ),
            version=version,
            artifact=artifact,
            title=title,
            actor=actor,
        )
        return (told,)


def service_of(*labels: Mapping[str, str] | None, otherwise: str = "") -> str:
    """The service by the first labels that name one.

    >>> service_of(None, {"app": "cart"}, otherwise="cart-v2")
    'cart'
    """
    said = (some[name] for some in labels if some for name in _NAMES if some.get(name))
    return next(said, otherwise)


def version_of(labels: Mapping[str, str] | None, images: tuple[str, ...]) -> str:
    """As the label says, else the tag or digest of the first image.

    >>> version_of({}, ("registry:5000/shop/cart:2.1", "proxy:3"))
    '2.1'
    """
    if labels and labels.get(_VERSION):
        return labels[_VERSION]
    image = Payload(body={"image": images[0]} if images else {}, headers={}, names={})
    return first_text(("{image|tag}",), image)
