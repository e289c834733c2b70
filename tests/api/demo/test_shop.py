"""The shop as a cluster keeps it: real pods, restarted when they die, and what is told of them."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from api.demo.children import ChildError, Children
from api.demo.faults import Behaviour, Fault, behaviour
from api.demo.pod import OUT_OF_MEMORY
from api.demo.shop import LETTERS, ROLLOUT, Pod, Shop, Version, state_metrics
from detector.selector import matches, parse_selector
from pipelines.sources.exposition import parse_exposition, parse_series
from tests.api.demo.stand import answers, gone, in_shop, on_stage, until

pytestmark = pytest.mark.slow

NAME = re.compile(rf"{ROLLOUT}-[{LETTERS}]{{8}}-[{LETTERS}]{{5}}")


def told(versions: list[Version]) -> dict[str, list[tuple[Mapping[str, str], float]]]:
    """State metrics by name, read by the scraper's parser."""
    found: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for sample in parse_exposition(state_metrics(versions)):
        labels = parse_series(sample.series)
        found.setdefault(labels.pop("__name__"), []).append((labels, sample.value))
    return found


def written(folder: Path, pod: Pod) -> str:
    """All that a pod wrote, in each of its lives."""
    lives = sorted((folder / "pods").glob(f"shop_{pod.name}_*/{ROLLOUT}/*.log"))
    return "".join(one.read_text() for one in lives)


def pid(pod: Pod) -> int:
    assert pod.child is not None
    return pod.child.pid


async def visit(pod: Pod, times: int = 1) -> bytes:
    return await answers(pod.port, b"GET /cart HTTP/1.1\r\nHost: shop\r\n\r\n" * times)


def test_a_version_grows_and_shrinks(tmp_path: Path) -> None:
    """The eldest stay; those that leave have ended when it is done."""

    async def act(shop: Shop) -> tuple[list[Pod], list[Pod], list[int]]:
        version = shop.version("v1")
        await shop.scale(version, 3)
        three = list(version.pods)
        pids = [pid(pod) for pod in three]
        await shop.scale(version, 1)
        return three, list(version.pods), pids

    three, one, pids = in_shop(tmp_path, act)
    assert one == three[:1]
    assert len({pod.port for pod in three}) == 3
    assert [gone(p) for p in pids] == [True] * 3


def test_pods_are_named_as_kubernetes_names_them(tmp_path: Path) -> None:
    """The template's hash is in the name; that is how the gate tells revisions apart."""

    async def act(shop: Shop) -> tuple[Version, Version]:
        one, two = shop.version("v1"), shop.version("v2")
        await shop.scale(one, 2)
        return one, two

    one, two = in_shop(tmp_path, act)
    assert all(NAME.fullmatch(pod.name) for pod in one.pods)
    names = [{"pod": pod.name} for pod in one.pods]
    assert all(matches(m, name) for m in parse_selector(one.selector) for name in names)
    assert not any(matches(m, name) for m in parse_selector(two.selector) for name in names)


def test_a_killed_pod_is_restarted_on_its_port(tmp_path: Path) -> None:
    """As a container is: same name, same address, one more restart."""

    async def act(shop: Shop) -> tuple[Pod, int, bytes]:
        version = shop.version("v1")
        await shop.scale(version, 1)
        [pod] = version.pods
        port = pod.port
        os.kill(pid(pod), signal.SIGKILL)
        await until(lambda: pod.restarts == 1 and pod.ready)
        return pod, port, await visit(pod)

    pod, port, heard = in_shop(tmp_path, act)
    assert pod.port == port
    assert pod.last_code == -signal.SIGKILL
    assert heard.startswith(b"HTTP/1.1 ")


def test_a_leaking_pod_is_told_to_have_run_out_of_memory(tmp_path: Path) -> None:
    """Restarts and their reason are told as kube-state-metrics would."""

    async def act(shop: Shop) -> tuple[Pod, dict[str, list[tuple[Mapping[str, str], float]]]]:
        version = shop.version("v1")
        await shop.scale(version, 1)
        await shop.inject(version, Fault.LEAK)
        [pod] = version.pods
        while not pod.restarts:
            try:
                await visit(pod, 5)
            except OSError:
                continue
        return pod, told([version])

    pod, state = in_shop(tmp_path, act, memory=100_000)
    assert pod.last_code == OUT_OF_MEMORY
    [(labels, restarts)] = state["kube_pod_container_status_restarts_total"]
    assert (labels["pod"], labels["container"], restarts) == (pod.name, ROLLOUT, 1)
    [(labels, killed)] = state["kube_pod_container_status_last_terminated_reason"]
    assert (labels["reason"], killed) == ("OOMKilled", 1)
    log = written(tmp_path, pod)
    assert "out of memory" in log


def test_state_names_owners_from_pod_to_rollout(tmp_path: Path) -> None:
    """By these labels container metrics, which know pods only, find their workload."""

    async def act(shop: Shop) -> tuple[Version, dict[str, list[tuple[Mapping[str, str], float]]]]:
        version = shop.version("v1")
        await shop.scale(version, 2)
        return version, told(shop.versions)

    version, state = in_shop(tmp_path, act)
    owners = {labels["pod"]: labels["owner_name"] for labels, _ in state["kube_pod_owner"]}
    assert owners == {pod.name: f"{ROLLOUT}-{version.hash}" for pod in version.pods}
    [(labels, _)] = state["kube_replicaset_owner"]
    assert labels["replicaset"] == f"{ROLLOUT}-{version.hash}"
    assert labels["owner_name"] == ROLLOUT
    assert [value for _, value in state["kube_pod_status_ready"]] == [1, 1]


def test_an_empty_cluster_says_nothing() -> None:
    """Before the shop opens its page is empty, not broken."""
    assert told([]) == {}


def test_a_fault_reaches_pods_that_come_later(tmp_path: Path) -> None:
    """Scaling a bad version up does not dilute it."""

    async def act(shop: Shop) -> list[str]:
        version = shop.version("v2")
        await shop.inject(version, Fault.LATENCY)
        await shop.scale(version, 1)
        [pod] = version.pods
        await until(lambda: "now Behaviour" in written(tmp_path, pod))
        return re.findall(r"query=([\d.]+)", written(tmp_path, pod))

    [query] = in_shop(tmp_path, act)
    assert float(query) == behaviour(Fault.LATENCY, "pod", index=0).query > 0


def test_a_removed_version_is_forgotten(tmp_path: Path) -> None:
    """An aborted canary is scraped no more."""
    seen: list[int] = []

    async def act(shop: Shop) -> Shop:
        shop.changed = lambda: seen.append(sum(len(v.pods) for v in shop.versions))
        version = shop.version("v2")
        await shop.scale(version, 1)
        await shop.remove(version)
        return shop

    shop = in_shop(tmp_path, act)
    assert shop.versions == []
    assert seen[-1] == 0
    assert 1 in seen


def test_a_pod_that_cannot_start_is_one_clear_error(tmp_path: Path) -> None:
    """Not a group of tracebacks: the pod's name and the end of its log."""

    async def act(children: Children) -> None:
        (tmp_path / "file").write_text("logs cannot go below a file")
        shop = Shop(children, tmp_path / "file", seed=1)
        try:
            await shop.scale(shop.version("v1"), 2)
        finally:
            await shop.close()

    with pytest.raises(ChildError, match=rf"(?s){ROLLOUT}-\S+ ended with 1:\n.*NotADirectoryError"):
        on_stage(tmp_path, act)


def test_behaviours_travel_as_json() -> None:
    """What a pod reads is what the shop wrote."""
    there = Behaviour(latency=1.5, errors=0.1, leak_bytes=7)
    assert msgspec.json.decode(msgspec.json.encode(there), type=Behaviour) == there
