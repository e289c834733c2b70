"""What people and machines do to a shop in a cluster, step by step, with real controllers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kubernetes.client

from detector.changes.change import ChangePhase
from tests.apiserver.running import eventually

__all__ = ["Shop", "day"]

_NS = "shop"
Raw = dict[str, Any]


def _pods(app: str, version: str) -> Raw:
    image = f"registry.example/shop/{app}:{version}"
    containers = [{"name": app, "image": image}]
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": containers}}


def _workload(app: str, replicas: int, **more: object) -> Raw:
    selector = {"matchLabels": {"app": app}}
    spec = {"replicas": replicas, "selector": selector, "template": _pods(app, "v1"), **more}
    return {"metadata": {"name": app}, "spec": spec}


class Shop:
    """A deployment `cart`, a stateful set `ledger`, and what belongs to them."""

    def __init__(self, admin: kubernetes.client.ApiClient) -> None:
        self.apps: Any = kubernetes.client.AppsV1Api(admin)
        self.core: Any = kubernetes.client.CoreV1Api(admin)
        self.scaling: Any = kubernetes.client.AutoscalingV2Api(admin)

    def build(self) -> None:
        """All of it, in its first version, until it serves."""
        self.core.create_namespace({"metadata": {"name": _NS}})
        self.apps.create_namespaced_deployment(_NS, _workload("cart", 2, progressDeadlineSeconds=3))
        self.apps.create_namespaced_stateful_set(_NS, _workload("ledger", 1, serviceName="ledger"))
        config = {"metadata": {"name": "cart", "labels": {"app": "cart"}}, "data": {"pool": "10"}}
        self.core.create_namespaced_config_map(_NS, config)
        self.core.create_namespaced_secret(
            _NS, {"metadata": {"name": "cart-db"}, "stringData": {"password": "hunter2"}}
        )
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"}
        self.scaling.create_namespaced_horizontal_pod_autoscaler(
            _NS,
            {
                "metadata": {"name": "cart"},
                "spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 4},
            },
        )
        self.core.create_node({"metadata": {"name": "node-1"}})
        self.release(1, "deployed")
        self.serve("cart", "v1", 2)
        self.serve("ledger", "v1", 1)

    def release(self, number: int, status: str) -> None:
        """A revision of a release as Helm keeps it."""
        labels = {"owner": "helm", "name": "shop", "version": str(number), "status": status}
        name = f"sh.helm.release.v1.shop.v{number}"
        body = {"metadata": {"name": name, "labels": labels}}
        try:
            self.core.patch_namespaced_secret(name, _NS, body)
        except kubernetes.client.ApiException:
            made = {**body, "type": "helm.sh/release.v1", "stringData": {"release": "H4sIsecret"}}
            self.core.create_namespaced_secret(_NS, made)

    def roll(self, version: str) -> None:
        """Another image for the cart."""
        body = {"spec": {"template": _pods("cart", version)}}
        self.apps.patch_namespaced_deployment("cart", _NS, body)

    def roll_ledger(self, version: str) -> None:
        """Another image for the ledger."""
        body = {"spec": {"template": _pods("ledger", version)}}
        self.apps.patch_namespaced_stateful_set("ledger", _NS, body)

    def serve(self, app: str, version: str, replicas: int) -> None:
        """Be the kubelet: pods run, until so many of this version do and the workload says so."""
        eventually(lambda: self._is_serving(app, version, replicas), f"{app} {version}")

    def _is_serving(self, app: str, version: str, replicas: int) -> bool:
        pods = self.core.list_namespaced_pod(_NS, label_selector=f"app={app}").items
        for pod in pods:
            if not pod.status.conditions or pod.status.phase != "Running":
                self._run(pod.metadata.name)
        right = [pod for pod in pods if pod.spec.containers[0].image.endswith(f":{version}")]
        return len(right) == len(pods) == replicas and self._is_done(app)

    def _run(self, name: str) -> None:
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        status = {"phase": "Running", "conditions": [ready]}
        try:
            self.core.patch_namespaced_pod_status(name, _NS, {"status": status})
        except kubernetes.client.ApiException as error:
            if error.status not in {404, 409}:
                raise

    def _is_done(self, app: str) -> bool:
        if app == "cart":
            conditions = self.apps.read_namespaced_deployment(app, _NS).status.conditions or ()
            return any(one.reason == "NewReplicaSetAvailable" for one in conditions)
        status = self.apps.read_namespaced_stateful_set(app, _NS).status
        return bool(status.current_revision == status.update_revision and status.ready_replicas)

    def is_stuck(self) -> bool:
        """Whether the rollout of the cart was given up."""
        conditions = self.apps.read_namespaced_deployment("cart", _NS).status.conditions or ()
        return any(one.reason == "ProgressDeadlineExceeded" for one in conditions)

    def configure(self) -> None:
        """Other content for a ConfigMap and a Secret."""
        self.core.patch_namespaced_config_map("cart", _NS, {"data": {"pool": "40"}})
        secret = {"stringData": {"password": "correct horse"}}
        self.core.patch_namespaced_secret("cart-db", _NS, secret)

    def scale(self, replicas: int) -> None:
        """By the subresource, as `kubectl scale` and autoscalers do, and other limits for these."""
        body = {"spec": {"replicas": replicas}}
        self.apps.patch_namespaced_deployment_scale("cart", _NS, body)
        limits = {"spec": {"maxReplicas": 9}}
        self.scaling.patch_namespaced_horizontal_pod_autoscaler("cart", _NS, limits)

    def cordon(self) -> None:
        """The node takes no more pods."""
        self.core.patch_node("node-1", {"spec": {"unschedulable": True}})

    def uncordon(self) -> None:
        """It does again."""
        self.core.patch_node("node-1", {"spec": {"unschedulable": None}})

    def close(self) -> None:
        """No more cart."""
        self.apps.delete_namespaced_deployment("cart", _NS)


def day(shop: Shop) -> Iterator[tuple[str, ChangePhase]]:
    """All that happens in one, and after each step the title and phase of what is to be told."""
    done, begun = ChangePhase.SUCCEEDED, ChangePhase.STARTED
    yield from _rollouts(shop)
    shop.configure()
    yield "config map cart was changed", done
    yield "secret cart-db was changed", done
    shop.release(2, "pending-upgrade")
    yield "release shop of Helm: revision 2", begun
    shop.release(2, "deployed")
    shop.release(1, "superseded")
    yield "release shop of Helm: revision 2", done
    shop.scale(3)
    yield "deployment cart was scaled from 2 to 3", done
    yield "autoscaler cart of cart: 2 to 9 pods", done
    shop.cordon()
    yield "node node-1 takes no more pods", begun
    shop.uncordon()
    yield "node node-1 takes pods again", done
    shop.roll("v3")
    eventually(shop.is_stuck, "a deadline")
    yield "deployment cart: revision 4, v3", ChangePhase.FAILED
    shop.close()
    yield "deployment cart was removed", done


def _rollouts(shop: Shop) -> Iterator[tuple[str, ChangePhase]]:
    done = ChangePhase.SUCCEEDED
    shop.roll("v2")
    yield "deployment cart: revision 2, v2", ChangePhase.STARTED
    shop.serve("cart", "v2", 2)
    yield "deployment cart: revision 2, v2", done
    shop.roll("v1")
    shop.serve("cart", "v1", 2)
    yield "deployment cart: revision 3, back to v1", done
    shop.roll_ledger("v2")
    shop.serve("ledger", "v2", 1)
    yield "stateful set ledger: revision 2, v2", done
