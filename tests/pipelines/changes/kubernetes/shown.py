"""Objects as an API server shows them, with the notes of who wrote what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from pipelines.changes.kubernetes.objects import Thing
from pipelines.changes.kubernetes.telling import Telling

__all__ = ["START", "TELLING", "Raw", "at", "ms", "note", "read", "replica_set", "rolled", "thing"]

Raw = dict[str, Any]
T = TypeVar("T", bound=Thing)
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def at(minutes: float) -> str:
    """A moment after the start, as Kubernetes writes it."""
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ms(minutes: float) -> int:
    """The same in unix milliseconds."""
    return round(1000 * (START + timedelta(minutes=minutes)).timestamp())


TELLING = Telling(cluster="eu-1", since=ms(-60))


def note(minutes: float, path: str, manager: str = "kubectl", subresource: str = "") -> Raw:
    """Who wrote a field, and when."""
    fields: Raw = {}
    for name in reversed(path.split("/")):
        fields = {name: fields}
    written = {"manager": manager, "time": at(minutes), "fieldsV1": fields, "operation": "Update"}
    return {**written, "subresource": subresource} if subresource else written


def thing(name: str, created: float = -10_000, **more: Any) -> Raw:  # noqa: ANN401 - what JSON has
    """An object; what is no part of its metadata is left as it is."""
    parts: Raw = {
        key: more.pop(key) for key in ("spec", "status", "data", "revision") if key in more
    }
    meta = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "creationTimestamp": at(created),
    }
    return {"metadata": {**meta, "generation": 1, **more}, **parts}


def template(version: str) -> Raw:
    """What pods of a version are made by."""
    image = f"registry:5000/shop/cart:{version}"
    labels = {"app": "cart"}
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": image}]}}


def rolled(
    number: int = 1,
    *,
    reason: str = "NewReplicaSetAvailable",
    updated: float = -9_000,
    is_seen: bool = True,
    generation: int = 0,
    replicas: int = 3,
    **more: Any,  # noqa: ANN401 - what JSON has
) -> Raw:
    """A deployment at a revision, and how far it says it is, since when."""
    progress = {"type": "Progressing", "status": "True", "reason": reason}
    generation = generation or number
    condition = {**progress, "lastUpdateTime": at(updated), "lastTransitionTime": at(-9_999)}
    return thing(
        "cart",
        generation=generation,
        annotations={"deployment.kubernetes.io/revision": str(number)},
        spec={"replicas": replicas, "template": template(f"v{number}")},
        status={
            "observedGeneration": generation if is_seen else generation - 1,
            "conditions": [condition],
        },
        **more,
    )


def replica_set(number: int, created: float, version: str = "", history: str = "") -> Raw:
    """The revision of it."""
    notes = {"deployment.kubernetes.io/revision": str(number)}
    if history:
        notes["deployment.kubernetes.io/revision-history"] = history
    owner = {"kind": "Deployment", "name": "cart", "uid": "uid-cart", "controller": True}
    return thing(
        f"cart-{version or number}",
        created=created,
        annotations=notes,
        ownerReferences=[owner],
        spec={"template": template(version or f"v{number}")},
    )


def read(raw: Raw, form: type[T]) -> T:
    """As it is read from the wire."""
    return msgspec.json.decode(msgspec.json.encode(raw), type=form)
