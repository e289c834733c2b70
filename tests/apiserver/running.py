"""A cluster of Kubernetes without machines: etcd, the API server, and controllers of workloads."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes.client
import kubernetes.config
import urllib3
import yaml

from tests.servers import ROOT, free_port, require_server, running_server

__all__ = ["Cluster", "eventually", "running_cluster"]

_ADMIN = "admin-token"
_PATIENCE_S = 60.0


def eventually(is_so: Callable[[], object], what: str) -> None:
    """Wait until it is so."""
    end, pause = time.monotonic() + _PATIENCE_S, threading.Event()
    while not is_so():
        assert time.monotonic() < end, f"waited in vain: {what}"
        pause.wait(0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Who may do anything in it, and a kubeconfig of serinus with the rights that we ship."""

    admin: kubernetes.client.ApiClient
    kubeconfig: Path


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start it, with the service account and rights of `deploy/kubernetes`."""
    etcd, binary, peers = require_server("etcd"), require_server("apiserver"), free_port()
    key = folder / "accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    tokens = folder / "tokens.csv"
    tokens.write_text(f'{_ADMIN},admin,1,"system:masters"\n', encoding="utf-8")

    def store(port: int) -> list[str]:
        here = f"http://127.0.0.1:{port}"
        data = ["--data-dir", str(folder / "etcd"), "--listen-client-urls", here]
        peer = ["--listen-peer-urls", f"http://127.0.0.1:{peers}"]
        return [str(etcd), *data, "--advertise-client-urls", here, *peer]

    with running_server(store, folder, "etcd.log", "/health") as kept:

        def serve(port: int) -> list[str]:
            return [
                str(binary),
                f"--etcd-servers={kept.url}",
                f"--secure-port={port}",
                "--bind-address=127.0.0.1",
                f"--cert-dir={folder / 'certs'}",
                f"--token-auth-file={tokens}",
                "--authorization-mode=RBAC",
                "--service-account-issuer=https://serinus.test",
                f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}",
                "--service-cluster-ip-range=10.0.0.0/24",
                "--disable-admission-plugins=ServiceAccount",
                # Otherwise it goes on for a minute after it is told to end.
                "--shutdown-delay-duration=0s",
            ]

        with running_server(serve, folder, "apiserver.log", None) as server:
            yield from _inside(folder, binary, f"https://127.0.0.1:{server.port}")


def _inside(folder: Path, binary: Path, url: str) -> Iterator[Cluster]:
    config = _kubeconfig(folder, "admin", url, _ADMIN)
    eventually((folder / "certs/apiserver.crt").exists, "a certificate")
    admin = kubernetes.config.new_client_from_config(str(config), persist_config=False)
    eventually(lambda: _is_ready(admin), "an API server that is ready")
    token = _account(admin)
    with (folder / "controllers.log").open("wb") as log:
        controllers = subprocess.Popen(
            [str(binary), "controllers", str(config)], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield Cluster(admin=admin, kubeconfig=_kubeconfig(folder, "serinus", url, token))
    finally:
        controllers.kill()
        controllers.wait(20)
        admin.close()


def _is_ready(admin: kubernetes.client.ApiClient) -> bool:
    try:
        kubernetes.client.CoreV1Api(admin).list_namespace(_request_timeout=2)
        version = kubernetes.client.RbacAuthorizationV1Api(admin)
        return bool(version.list_cluster_role(_request_timeout=2).items)
    except (kubernetes.client.ApiException, urllib3.exceptions.HTTPError, OSError):
        return False


def _kubeconfig(folder: Path, name: str, url: str, token: str) -> Path:
    authority = str(folder / "certs/apiserver.crt")
    cluster = {"server": url, "certificate-authority": authority}
    context = {"cluster": "test", "user": name}
    path = folder / f"{name}.kubeconfig"
    tree = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": "test", "context": context}],
        "current-context": "test",
    }
    # What is JSON is YAML, too.
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


def _account(admin: kubernetes.client.ApiClient) -> str:
    """A token of serinus' account, with the rights that we ship and no others."""
    core: Any = kubernetes.client.CoreV1Api(admin)
    rights: Any = kubernetes.client.RbacAuthorizationV1Api(admin)
    core.create_namespace({"metadata": {"name": "serinus"}})
    for name in ("watch.yaml", "watch-secrets.yaml"):
        text = (ROOT / "deploy/kubernetes" / name).read_text(encoding="utf-8")
        for one in yaml.safe_load_all(text):
            match one["kind"]:
                case "ServiceAccount":
                    core.create_namespaced_service_account("serinus", one)
                case "ClusterRole":
                    rights.create_cluster_role(one)
                case _:
                    rights.create_cluster_role_binding(one)
    asked = core.create_namespaced_service_account_token("serinus", "serinus", {"spec": {}})
    return str(asked.status.token)
