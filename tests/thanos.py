"""A Thanos for the tests: a sidecar beside each Prometheus, and a querier over them."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import (
    RunningPrometheus,
    free_port,
    make_blocks,
    require_server,
    running_prometheus,
    running_server,
)

__all__ = ["Replica", "running_thanos"]

REPLICA_LABEL = "prometheus_replica"
SEEN_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One Prometheus of a pair: what it holds as OpenMetrics, and its name."""

    name: str
    history: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningThanos:
    """A querier, and what it asks: stop a sidecar with `sidecars[0].close()`."""

    url: str
    sidecars: Sequence[ExitStack]


@contextmanager
def running_thanos(
    folder: Path, replicas: Sequence[Replica], *, strict: bool = False
) -> Iterator[RunningThanos]:
    """Start all of it on free ports, until the querier sees every sidecar; stop it at the end.

    `strict` names the sidecars with `--endpoint-strict`. The label `prometheus_replica` tells
    replicas apart. A missing binary skips the test as `require_server` says.
    """
    require_server("thanos")
    with ExitStack() as whole:
        sidecars, stores = [], []
        for replica in replicas:
            sidecars.append(whole.enter_context(ExitStack()))
            prometheus = whole.enter_context(_holding(folder / replica.name, replica))
            stores.append(sidecars[-1].enter_context(_sidecar(folder / replica.name, prometheus)))
        querier = whole.enter_context(_querier(folder, stores, strict))
        _until_seen(querier.url, len(stores))
        yield RunningThanos(url=querier.url, sidecars=tuple(sidecars))


@contextmanager
def _holding(folder: Path, replica: Replica) -> Iterator[RunningPrometheus]:
    make_blocks(replica.history, folder / "data")
    config = f"global:\n  external_labels:\n    {REPLICA_LABEL}: {replica.name!r}\n"
    with running_prometheus("prometheus3", folder, config=config) as server:
        yield server


@contextmanager
def _sidecar(folder: Path, prometheus: RunningPrometheus) -> Iterator[str]:
    store = f"127.0.0.1:{free_port()}"

    def command(port: int) -> list[str]:
        return [
            str(require_server("thanos")),
            "sidecar",
            f"--prometheus.url={prometheus.url}",
            f"--tsdb.path={prometheus.data}",
            f"--grpc-address={store}",
            f"--http-address=127.0.0.1:{port}",
        ]

    with running_server(command, folder, "sidecar.log", "/-/ready"):
        yield store


@contextmanager
def _querier(folder: Path, stores: Sequence[str], strict: bool) -> Iterator[RunningPrometheus]:
    def command(port: int) -> list[str]:
        return [
            str(require_server("thanos")),
            "query",
            f"--http-address=127.0.0.1:{port}",
            f"--grpc-address=127.0.0.1:{free_port()}",
            f"--query.replica-label={REPLICA_LABEL}",
            *(f"--endpoint{'-strict' * strict}={store}" for store in stores),
        ]

    with running_server(command, folder, "querier.log", "/-/ready") as server:
        yield server


def _until_seen(url: str, stores: int) -> None:
    give_up = time.monotonic() + SEEN_WITHIN_S
    while not _sees(url, stores):
        if time.monotonic() > give_up:
            raise RuntimeError(f"{url} does not see its {stores} stores")
        time.sleep(0.1)


def _sees(url: str, stores: int) -> bool:
    with urllib.request.urlopen(f"{url}/api/v1/stores", timeout=5) as reply:
        seen = json.load(reply)["data"].get("sidecar") or []
    return len(seen) == stores and not any(store["lastError"] for store in seen)
