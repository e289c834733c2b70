"""What is scraped: a file in the form that Prometheus discovers targets from, for both scrapers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from api.demo.shop import NAMESPACE, ROLLOUT, Version
from pipelines.sources.scrape import Target

__all__ = ["TargetGroup", "read_targets", "target_groups", "write_targets"]


class TargetGroup(msgspec.Struct, frozen=True):
    """Some `host:port` and the labels on all their series."""

    targets: tuple[str, ...]
    labels: dict[str, str]


def target_groups(versions: Sequence[Version], *, state_port: int) -> Iterator[TargetGroup]:
    """Every pod that has a port, and the cluster's own account of its pods."""
    yield TargetGroup((f"127.0.0.1:{state_port}",), {"job": "kube-state-metrics"})
    for version in versions:
        for pod in version.pods:
            if pod.port:
                yield TargetGroup(
                    (f"127.0.0.1:{pod.port}",),
                    {
                        "job": ROLLOUT,
                        "service": ROLLOUT,
                        "namespace": NAMESPACE,
                        "pod": pod.name,
                        "version": version.name,
                    },
                )


def write_targets(path: Path, groups: Sequence[TargetGroup]) -> None:
    """Replace the file in one go, so that nobody reads half of it."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(groups))
    draft.replace(path)


def read_targets(path: Path) -> tuple[Target, ...]:
    """The same for the embedded scraper; `msgspec.DecodeError` when it is not such a file."""
    groups = msgspec.json.decode(path.read_bytes(), type=tuple[TargetGroup, ...])
    return tuple(
        Target(url=f"http://{address}/metrics", labels=group.labels)
        for group in groups
        for address in group.targets
    )
