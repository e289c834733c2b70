"""The demo shop as a cluster keeps it: versions, their pods, restarts of what dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from api.demo.children import Child, ChildError, Children, python
from api.demo.faults import Fault, behaviour
from api.demo.pod import OUT_OF_MEMORY, PodConfig

__all__ = ["NAMESPACE", "ROLLOUT", "Pod", "Shop", "Version", "state_metrics"]

ROLLOUT = "checkout"
NAMESPACE = "shop"
# Letters that Kubernetes draws names from: no vowels, so no words.
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
BACK_OFF_S = 0.5


class Hello(msgspec.Struct, frozen=True):
    """What a pod says once it listens."""

    port: int


@dataclass(kw_only=True, eq=False)
class Pod:
    """One pod; `port` stays over restarts, `ready` says whether it serves now."""

    name: str
    index: int
    created: float
    uid: str = ""
    port: int = 0
    ready: bool = False
    restarts: int = 0
    last_code: int | None = None
    child: Child | None = None
    keeper: asyncio.Task[None] | None = None


@dataclass(kw_only=True, eq=False)
class Version:
    """One revision of the shop with its pods, what Kubernetes calls a ReplicaSet."""

    name: str
    hash: str
    fault: Fault = Fault.NONE
    pods: list[Pod] = field(default_factory=list)

    @property
    def selector(self) -> str:
        """What picks its pods in Prometheus."""
        return f'{{pod=~"{ROLLOUT}-{self.hash}-.+"}}'

    @property
    def ready(self) -> tuple[Pod, ...]:
        """The pods that serve."""
        return tuple(pod for pod in self.pods if pod.ready)

    @property
    def restarts(self) -> int:
        """Restarts of all its pods."""
        return sum(pod.restarts for pod in self.pods)


class Shop:
    """Starts, scales and keeps alive the pods of all versions; `changed` is told of each change."""

    def __init__(
        self,
        children: Children,
        folder: Path,
        *,
        changed: Callable[[], None] = lambda: None,
        seed: int | None = None,
        memory_limit: int = 24_000_000,
        traces: int = 0,
    ) -> None:
        self.children = children
        self.folder = folder
        self.changed = changed
        self.memory_limit = memory_limit
        self.traces = traces
        self.versions: list[Version] = []
        self._draw = random.Random(seed)

    def version(self, name: str) -> Version:
        """A new revision, without pods as yet."""
        version = Version(name=name, hash=self._letters(8))
        self.versions.append(version)
        return version

    async def scale(self, version: Version, pods: int) -> None:
        """Have that many pods, the youngest go first; returns when those that stay are ready."""
        leaving, version.pods = version.pods[pods:], version.pods[:pods]
        new = [self._pod(version, index) for index in range(len(version.pods), pods)]
        version.pods += new
        self.changed()
        await asyncio.gather(*(self._stop(pod) for pod in leaving))
        await asyncio.gather(*(self._begin(version, pod) for pod in new))

    async def remove(self, version: Version) -> None:
        """End all its pods and forget it."""
        await self.scale(version, 0)
        self.versions.remove(version)
        self.changed()

    async def close(self) -> None:
        """Restart nothing any more; the pods themselves are ended by their `Children`."""
        keepers = [pod.keeper for v in self.versions for pod in v.pods if pod.keeper]
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)

    async def inject(self, version: Version, fault: Fault) -> None:
        """Make a version bad, its pods to come as well."""
        version.fault = fault
        for pod in version.pods:
            await self._instruct(version, pod)

    def _pod(self, version: Version, index: int) -> Pod:
        name = f"{ROLLOUT}-{version.hash}-{self._letters(5)}"
        uid = self._letters(8)
        return Pod(name=name, index=index, created=time.time(), uid=uid)

    async def _begin(self, version: Version, pod: Pod) -> None:
        """Start a pod; once it serves, keep it alive."""
        await self._start(version, pod)
        pod.keeper = asyncio.create_task(self._keep(version, pod), name=pod.name)

    async def _start(self, version: Version, pod: Pod) -> None:
        config = PodConfig(
            name=pod.name,
            version=version.name,
            parent=os.getpid(),
            log=str(self._log_of(pod)),
            namespace=NAMESPACE,
            port=pod.port,
            traces=self.traces,
            memory_limit=self.memory_limit,
        )
        command = python("api.demo.pod", msgspec.json.encode(config).decode())
        pod.child = await self.children.start(pod.name, command)
        try:
            pod.port = (await pod.child.hear(Hello)).port
        except ChildError:
            await pod.child.stop()
            raise
        await self._instruct(version, pod)
        pod.ready = True
        self.changed()

    def _log_of(self, pod: Pod) -> Path:
        """Where a kubelet keeps what the container writes in this life of it."""
        of = f"{NAMESPACE}_{pod.name}_{pod.uid}"
        return self.folder / "pods" / of / ROLLOUT / f"{pod.restarts}.log"

    async def _keep(self, version: Version, pod: Pod) -> None:
        """Restart the pod each time it ends, until cancelled."""
        while pod.child is not None:
            pod.last_code = await self.children.forget(pod.child)
            pod.ready = False
            pod.restarts += 1
            self.changed()
            await asyncio.sleep(BACK_OFF_S)
            with contextlib.suppress(ChildError):
                await self._start(version, pod)

    async def _instruct(self, version: Version, pod: Pod) -> None:
        if pod.child is not None:
            await pod.child.tell(behaviour(version.fault, pod.name, index=pod.index))

    async def _stop(self, pod: Pod) -> None:
        pod.ready = False
        if pod.keeper is not None:
            pod.keeper.cancel()
            await asyncio.wait([pod.keeper])
        if pod.child is not None:
            await self.children.stop(pod.child)

    def _letters(self, count: int) -> str:
        return "".join(self._draw.choices(LETTERS, k=count))


def state_metrics(versions: Sequence[Version]) -> str:
    """What kube-state-metrics would say of the pods: owners, starts, restarts and their reasons."""
    lines: list[str] = []
    for version in versions:
        owner = f"{ROLLOUT}-{version.hash}"
        of = _labels(namespace=NAMESPACE, replicaset=owner, owner_kind="Rollout")
        lines.append(f"kube_replicaset_owner{{{of},{_labels(owner_name=ROLLOUT)}}} 1")
        for pod in version.pods:
            lines += _pod_state(pod, owner)
    return "\n".join([*sorted(lines), ""])


def _pod_state(pod: Pod, owner: str) -> list[str]:
    at = _labels(namespace=NAMESPACE, pod=pod.name)
    container = f"{at},{_labels(container=ROLLOUT)}"
    killed = int(pod.last_code == OUT_OF_MEMORY)
    reason = _labels(reason="OOMKilled")
    return [
        f"kube_pod_created{{{at}}} {pod.created:.3f}",
        f"kube_pod_owner{{{at},{_labels(owner_kind='ReplicaSet', owner_name=owner)}}} 1",
        f"kube_pod_status_ready{{{at},{_labels(condition='true')}}} {int(pod.ready)}",
        f"kube_pod_container_status_restarts_total{{{container}}} {pod.restarts}",
        f"kube_pod_container_status_last_terminated_reason{{{container},{reason}}} {killed}",
    ]


def _labels(**labels: str) -> str:
    return ",".join(f'{name}="{value}"' for name, value in labels.items())
