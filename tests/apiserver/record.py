"""Records a day of a shop as Kubernetes' own API server shows it, for tests that have none.

python -m tests.apiserver.record tests/pipelines/changes/kubernetes/recorded
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

import msgspec

from pipelines.changes.kubernetes.client import Api
from pipelines.changes.kubernetes.resources import Resource, resources_of
from pipelines.changes.kubernetes.settings import OBJECTS, KubernetesSettings
from tests.apiserver.running import running_cluster
from tests.apiserver.story import Shop, day

_BARE = "application/json;as={};g=meta.k8s.io;v=v1"


def _listed(api: Api, resource: Resource) -> bytes:
    accept = _BARE.format("PartialObjectMetadataList") if resource.is_bare else "application/json"
    query = dict(resource.selectors)
    return api.get(resource.path(""), query, accept=accept, patience_s=9).body()


def _watched(api: Api, resource: Resource, version: str) -> list[bytes]:
    accept = _BARE.format("PartialObjectMetadata") if resource.is_bare else "application/json"
    query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": "2"}
    query |= {"allowWatchBookmarks": "true", **dict(resource.selectors)}
    return list(api.get(resource.path(""), query, accept=accept, patience_s=9).lines())


def record(folder: Path) -> None:
    """A file for each resource: its first list on one line, then its events."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        running_cluster(Path(scratch)) as cluster,
    ):
        settings = KubernetesSettings(kubeconfig=str(cluster.kubeconfig), objects=OBJECTS)
        api, shop = Api(settings), Shop(cluster.admin)
        shop.build()
        # Times of Kubernetes are whole seconds: what was before must be told apart.
        threading.Event().wait(3)
        resources = [resource for resource, _ in resources_of(settings)]
        lists = [_listed(api, resource) for resource in resources]
        for title, _phase in day(shop):
            print(title)
        for resource, listed in zip(resources, lists, strict=True):
            version = msgspec.json.decode(listed)["metadata"]["resourceVersion"]
            lines = [listed.strip(), *_watched(api, resource, version)]
            name = f"{resource.objects}-{resource.name}.jsonl"
            (folder / name).write_bytes(b"\n".join([*lines, b""]))
        api.close()


if __name__ == "__main__":
    record(Path(sys.argv[1]))
