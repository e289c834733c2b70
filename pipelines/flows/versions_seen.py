"""Which versions of each service a metric source shows now, as discovery tells them apart."""

from __future__ import annotations

from collections.abc import Iterator

from detector.changes.change import Place
from detector.changes.inferred import Seen
from detector.discovery.splits import SplitKind
from detector.discovery.survey import Glance
from pipelines.flows.services import Services

__all__ = ["versions_seen"]

_PAGE, _PAGES = 200, 25
# A track or a workload stays the same from version to version.
_KINDS = frozenset({SplitKind.HASH, SplitKind.NAME, SplitKind.VERSION})


def versions_seen(services: Services) -> tuple[Seen, ...]:
    """One look at every service with a label of versions; `SourceError`."""
    return tuple(_all(services))


def _all(services: Services) -> Iterator[Seen]:
    after: str | None = None
    for _ in range(_PAGES):
        at = round(1000 * services.clock())
        page = services.listed(after=after, limit=_PAGE)
        for glance in page.services:
            yield from _seen(glance, at)
        after = page.next
        if after is None:
            return


def _seen(glance: Glance, at: int) -> Iterator[Seen]:
    split = glance.split
    if split is None or split.kind not in _KINDS:
        return
    namespace = glance.namespaces[0] if len(glance.namespaces) == 1 else ""
    yield Seen(
        place=Place(service=glance.service, namespace=namespace),
        label=split.label,
        versions={value: len(pods) for value, pods in split.values.items()},
        at=at,
    )
