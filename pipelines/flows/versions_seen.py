"""Which versions of each service there are now, by a metric source and by spans."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from detector.changes.change import Place
from detector.changes.inferred import Seen
from detector.discovery.splits import SplitKind
from detector.discovery.survey import Glance
from detector.errors import SourceError, StoreError
from detector.spans.names import NodeKind
from detector.spans.topology import Graph
from pipelines.flows.services import Services

__all__ = ["VersionsSeen", "versions_called", "versions_seen"]

_PAGE, _PAGES = 200, 25
# A look is a query for each 25 services; to find out which there are takes far more.
_KEPT_S = 900.0
# A track or a workload stays the same from version to version.
_KINDS = frozenset({SplitKind.HASH, SplitKind.NAME, SplitKind.VERSION})
# As OpenTelemetry calls it; pods' hashes stand in where nobody tells a version.
_CALLED = "service.version"


class VersionsSeen:
    """What is seen of one tenant: by the metric source, where it has one, and by spans.

    `graph` is who calls whom; a `StoreError` of it is none. A service of which both tell is seen
    by its metrics, and not at all while these do not answer.
    """

    def __init__(self, services: Services | None, graph: Callable[[], Graph | None]) -> None:
        self._services, self._graph = services, graph
        self._has_answered = False

    def __call__(self) -> tuple[Seen, ...]:
        """One look; `SourceError`."""
        measured = self._measured()
        known = {one.place.service for one in measured}
        called = (one for one in self._called() if one.place.service not in known)
        return (*measured, *called)

    def _measured(self) -> tuple[Seen, ...]:
        if self._services is None:
            return ()
        try:
            found = versions_seen(self._services)
        except SourceError:
            if self._has_answered:
                raise
            return ()
        self._has_answered = True
        return found

    def _called(self) -> tuple[Seen, ...]:
        try:
            graph = self._graph()
        except StoreError:
            return ()
        return () if graph is None else versions_called(graph)


def versions_called(graph: Graph) -> tuple[Seen, ...]:
    """Versions that sent spans in the last minutes; how many pods have them is not known."""
    found: dict[Place, dict[str, int]] = {}
    for node in graph.nodes:
        if node.kind is NodeKind.SERVICE and node.version:
            place = Place(service=node.name, namespace=node.namespace, cluster=node.cluster)
            found.setdefault(place, {})[node.version] = 0
    return tuple(
        Seen(place=place, label=_CALLED, versions=versions, at=graph.until)
        for place, versions in found.items()
    )


def versions_seen(services: Services) -> tuple[Seen, ...]:
    """One look at every service with a label of versions; `SourceError`."""
    return tuple(_all(services))


def _all(services: Services) -> Iterator[Seen]:
    after: str | None = None
    for _ in range(_PAGES):
        at = round(1000 * services.clock())
        page = services.listed(after=after, limit=_PAGE, kept_s=_KEPT_S)
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
