"""The watch of a cluster, over HTTP, by the official client."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector.changes.change import Change, ChangeEvent, ChangeKind, ChangePhase
from detector.changes.record import ChangeFilter
from detector.errors import ConfigError, StoreError
from pipelines.changes.kubernetes.resources import resources_of
from pipelines.changes.kubernetes.settings import OBJECTS, KubernetesSettings
from pipelines.flows.kubernetes_changes import KubernetesWatch
from pipelines.stores.memory_changes import MemoryChanges
from tests.pipelines.changes.kubernetes.serving import TOKEN, ApiServer, serving
from tests.pipelines.changes.kubernetes.shown import (
    START,
    Raw,
    note,
    replica_set,
    rolled,
    thing,
)

RECORDED = Path(__file__).parents[1] / "changes/kubernetes/recorded"
DEPLOYMENTS, SETS = "/apis/apps/v1/deployments", "/apis/apps/v1/replicasets"
MAPS, SECRETS = "/api/v1/configmaps", "/api/v1/secrets"
NOW = START.timestamp()


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """An API server without objects."""
    with serving() as one:
        yield one


@contextmanager
def watching(
    api: ApiServer, folder: Path, log: MemoryChanges, *, at: float = NOW, **more: object
) -> Iterator[KubernetesWatch]:
    """A watch that has begun, and listed all that it may."""
    token = str(more.pop("token", TOKEN))
    base: dict[str, object] = {"kubeconfig": api.kubeconfig(folder, token), "cluster": "eu-1"}
    settings = KubernetesSettings(**{**base, **more})  # type: ignore[arg-type]
    watch = KubernetesWatch(settings, log, redact=str, clock=lambda: at, again_s=0.01)
    watch.start()
    try:
        yield watch
    finally:
        watch.close()


def eventually(is_so: Callable[[], object]) -> None:
    """Wait until it is so."""
    end, pause = time.monotonic() + 10, threading.Event()
    while not is_so():
        assert time.monotonic() < end
        pause.wait(0.01)


def told(log: MemoryChanges) -> Sequence[Change]:
    """All changes, oldest first."""
    return log.list(ChangeFilter(tenant="default", limit=500)).changes[::-1]


def titles(log: MemoryChanges) -> list[str]:
    """What they are called."""
    return sorted(one.title for one in told(log))


def begin(api: ApiServer) -> None:
    """A deployment that has long been there."""
    api.show(DEPLOYMENTS, rolled(1))
    api.show(SETS, replica_set(1, -9_000))


def roll(api: ApiServer) -> None:
    """A rollout, done."""
    api.show(SETS, replica_set(2, 1))
    api.show(DEPLOYMENTS, rolled(2, updated=4))


def test_what_is_there_is_no_change_and_what_becomes_of_it_is(
    api: ApiServer, tmp_path: Path
) -> None:
    """The watch goes on from the list."""
    begin(api)
    log = MemoryChanges()
    with watching(api, tmp_path, log) as watch:
        eventually(lambda: api.watching(DEPLOYMENTS) and api.watching(SETS))
        assert titles(log) == []
        roll(api)
        eventually(lambda: told(log) and told(log)[0].phase is ChangePhase.SUCCEEDED)
        assert watch.ailing == ""
    (change,) = told(log)
    assert (change.title, change.place.cluster) == ("deployment cart: revision 2, v2", "eu-1")


def test_a_watch_that_is_lost_is_listed_again_and_tells_once(
    api: ApiServer, tmp_path: Path
) -> None:
    """What happened meanwhile is told, what was told before is not told again."""
    begin(api)
    log = MemoryChanges()
    with watching(api, tmp_path, log, objects=("workloads",)) as watch:
        eventually(lambda: api.watching(DEPLOYMENTS))
        api.show(MAPS, thing("other"))
        api.compact()
        roll(api)
        eventually(lambda: len(told(log)) == 1)
        api.show(MAPS, thing("other"))
        api.compact()
        eventually(lambda: all(feed.meters.listed >= 2 for feed in watch.feeds))
        kept = watch.watched.kept
    assert kept <= 2
    assert titles(log) == ["deployment cart: revision 2, v2"]


def test_a_watch_that_breaks_goes_on_where_it_was(api: ApiServer, tmp_path: Path) -> None:
    """Without another list of thousands of objects."""
    begin(api)
    log = MemoryChanges()
    with watching(api, tmp_path, log, objects=("workloads",)) as watch:
        eventually(lambda: api.watching(DEPLOYMENTS))
        api.cut()
        roll(api)
        eventually(lambda: len(told(log)) == 1)
        assert {feed.meters.listed for feed in watch.feeds} == {1}


def test_what_went_while_nobody_looked_is_a_removal(api: ApiServer, tmp_path: Path) -> None:
    """It is missing in the next list."""
    begin(api)
    log = MemoryChanges()
    with watching(api, tmp_path, log, objects=("workloads",)):
        eventually(lambda: api.watching(DEPLOYMENTS))
        api.objects[DEPLOYMENTS].clear()
        api.version += 1
        api.compact()
        eventually(lambda: titles(log) == ["deployment cart was removed"])


def test_a_restart_tells_what_happened_meanwhile_and_nothing_twice(
    api: ApiServer, tmp_path: Path
) -> None:
    """Nothing but the change log outlives a process."""
    begin(api)
    roll(api)
    log = MemoryChanges()
    for _ in range(2):
        with watching(api, tmp_path, log) as watch:
            eventually(lambda: all(f.meters.listed for f in watch.feeds))
    (change,) = told(log)
    assert [one.phase for one in change.events] == [ChangePhase.STARTED, ChangePhase.SUCCEEDED]


def test_content_of_secrets_is_never_asked_for(api: ApiServer, tmp_path: Path) -> None:
    """Metadata alone, or nothing; that one was written is told all the same."""
    held = {"type": "Opaque", "data": {"password": "aHVudGVyMg=="}}
    api.show(SECRETS, {**thing("db", managedFields=[note(2, "f:data/f:password")]), **held})
    log = MemoryChanges()
    with watching(api, tmp_path, log, objects=OBJECTS):
        eventually(lambda: titles(log) == ["secret db was changed"])
    asked = [one for one in api.asked if one.path == SECRETS]
    assert asked
    assert all("PartialObjectMetadata" in one.accept for one in asked)
    assert all("application/json," not in one.accept for one in asked)


def test_a_list_comes_in_pages(api: ApiServer, tmp_path: Path) -> None:
    """Thousands of objects are not one answer."""
    api.page = 3
    for number in range(10):
        api.show(MAPS, thing(f"m{number}", managedFields=[note(number, "f:data")]))
    log = MemoryChanges()
    with watching(api, tmp_path, log, objects=("config-maps",)):
        eventually(lambda: len(told(log)) == 10)
    assert [one.query.get("continue") for one in api.asked[:4]] == [None, "3", "6", "9"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (403, "refused with 403: it needs the rights to list and watch deployments"),
        (500, "answered with 500"),
    ],
)
def test_a_refusal_is_blindness_with_its_reason(
    api: ApiServer, tmp_path: Path, code: int, words: str
) -> None:
    """One resource that may not be seen does not blind the others."""
    api.refused["/deployments"] = code
    api.show(MAPS, thing("pool", managedFields=[note(2, "f:data")]))
    log = MemoryChanges()
    with watching(api, tmp_path, log) as watch:
        eventually(lambda: words in watch.ailing and titles(log))
        api.refused.clear()
        eventually(lambda: watch.ailing == "")


def test_a_token_that_is_refused_is_named_in_no_message(api: ApiServer, tmp_path: Path) -> None:
    """It is a secret, even a wrong one."""
    settings = {"objects": ("nodes",), "token": "stolen-token"}
    with watching(api, tmp_path, MemoryChanges(), at=NOW, **settings) as watch:
        eventually(lambda: "refused with 401" in watch.ailing)
        assert "stolen-token" not in watch.ailing


def test_a_server_that_is_away_is_blindness(tmp_path: Path) -> None:
    """Until it is back."""
    with serving() as api:
        pass
    with watching(api, tmp_path, MemoryChanges(), objects=("nodes",)) as watch:
        eventually(lambda: "cannot be reached" in watch.ailing)


@pytest.mark.parametrize(
    "line",
    [b"{not json\n", b'{"type": "MODIFIED"}\n', b"[1]\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n"],
    ids=["broken", "no object", "list", "no text", "deep"],
)
def test_an_event_that_cannot_be_read_loses_the_watch_and_not_the_news(
    api: ApiServer, tmp_path: Path, line: bytes
) -> None:
    """All is listed again."""
    api.broken.append(line)
    begin(api)
    log = MemoryChanges()
    with watching(api, tmp_path, log, objects=("workloads",)):
        eventually(lambda: not api.broken)
        roll(api)
        eventually(lambda: len(told(log)) == 1)


def test_an_object_of_an_odd_form_is_counted_and_left_out(api: ApiServer, tmp_path: Path) -> None:
    """The others are heard."""
    odd = thing("odd")
    odd["metadata"]["labels"] = ["no", "labels"]
    api.show(MAPS, odd)
    api.show(MAPS, thing("pool", managedFields=[note(2, "f:data")]))
    log = MemoryChanges()
    with watching(api, tmp_path, log, objects=("config-maps",)) as watch:
        eventually(lambda: titles(log))
        assert [feed.meters.unread for feed in watch.feeds] == [1]


class Ailing(MemoryChanges):
    """A store that is away for the first calls."""

    failures = 2

    def add(self, tenant: str, events: Sequence[ChangeEvent]) -> tuple[Change, ...]:
        """Fails at first."""
        if self.failures:
            self.failures -= 1
            raise StoreError("the store is away")
        return super().add(tenant, events)


def test_what_cannot_be_kept_is_told_later(api: ApiServer, tmp_path: Path) -> None:
    """The database was away for a moment."""
    begin(api)
    log = Ailing()
    with watching(api, tmp_path, log, objects=("workloads",)):
        eventually(lambda: api.watching(DEPLOYMENTS) and api.watching(SETS))
        roll(api)
        eventually(lambda: titles(log) == ["deployment cart: revision 2, v2"])
        api.hide(DEPLOYMENTS, "uid-cart")
        eventually(lambda: len(titles(log)) == 2)


def test_a_config_map_that_a_program_writes_is_soon_passed_over(
    api: ApiServer, tmp_path: Path
) -> None:
    """Some keep their state in one, and would fill the change log."""
    log = MemoryChanges()
    with watching(api, tmp_path, log, objects=("config-maps",)) as watch:
        eventually(lambda: api.watching(MAPS))
        for second in range(30):
            api.show(MAPS, thing("state", managedFields=[note(second / 6, "f:data")]))
        eventually(lambda: watch.feeds[0].meters.events == 30)
        assert watch.watched.restless
    assert len(told(log)) == 4


def test_it_ends_at_once(api: ApiServer, tmp_path: Path) -> None:
    """A stop does not wait for a watch of a minute."""
    with watching(api, tmp_path, MemoryChanges()):
        eventually(lambda: api.watching(DEPLOYMENTS))
        began = time.monotonic()
    assert time.monotonic() - began < 3


def test_namespaces_are_asked_one_by_one(api: ApiServer, tmp_path: Path) -> None:
    """As rights of a namespace allow; nodes are in none."""
    kubeconfig = api.kubeconfig(tmp_path)
    settings = KubernetesSettings(
        kubeconfig=kubeconfig, namespaces=("a", "b"), objects=("config-maps", "nodes")
    )
    paths = [resource.path(namespace) for resource, namespace in resources_of(settings)]
    assert paths == [
        "/api/v1/namespaces/a/configmaps",
        "/api/v1/namespaces/b/configmaps",
        "/api/v1/nodes",
    ]


def test_without_the_client_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "kubernetes.client", None)
    with pytest.raises(ConfigError, match=r"pip install 'serinus\[kubernetes\]'"):
        KubernetesWatch(KubernetesSettings(kubeconfig=str(tmp_path)), MemoryChanges(), redact=str)


@pytest.mark.parametrize(
    "text", [None, "", "[]", "clusters: ["], ids=["none", "empty", "list", "cut"]
)
def test_a_kubeconfig_that_is_none_is_refused(text: str | None, tmp_path: Path) -> None:
    """At the start, by its name."""
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"changes\.kubernetes: .*kubeconfig"):
        KubernetesWatch(KubernetesSettings(kubeconfig=str(path)), MemoryChanges(), redact=str)


def test_outside_of_a_cluster_a_kubeconfig_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no service account."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigError, match="service account"):
        KubernetesWatch(KubernetesSettings(), MemoryChanges(), redact=str)


def recorded() -> dict[str, list[Raw]]:
    """The lists and events of a day, by the path of their list, as a real server sent them."""
    found: dict[str, list[Raw]] = {}
    for resource, _ in resources_of(KubernetesSettings(objects=OBJECTS)):
        text = (RECORDED / f"{resource.objects}-{resource.name}.jsonl").read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        for one in [*lines[0]["items"], *(line["object"] for line in lines[1:])]:
            if resource.objects == "helm":
                one["type"] = "helm.sh/release.v1"
        found.setdefault(resource.path(""), []).extend(lines)
    return found


def test_a_day_recorded_from_kubernetes_itself_is_told(api: ApiServer, tmp_path: Path) -> None:
    """What its own API server and controllers showed (tests/apiserver/record.py)."""
    days = recorded()
    for path, lines in days.items():
        for line in lines:
            for one in line.get("items", ()):
                api.show(path, one)
    made = json.loads((RECORDED / "nodes-nodes.jsonl").read_text().splitlines()[0])["items"][0]
    began = _seconds(made["metadata"]["creationTimestamp"]) + 2
    log = MemoryChanges()
    with watching(api, tmp_path, log, at=began, objects=OBJECTS, lookback_s=0) as watch:
        eventually(lambda: all(feed.meters.listed for feed in watch.feeds))
        eventually(lambda: all(api.watching(path) for path in days))
        for path, line in sorted(_told(days), key=_version):
            heard = sum(feed.meters.events for feed in watch.feeds) + 1
            api.replay(path, line)
            eventually(lambda: sum(f.meters.events for f in watch.feeds) == heard)  # noqa: B023
    _check({one.title: one for one in told(log)})


def _seconds(word: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(word).timestamp()


def _told(days: dict[str, list[Raw]]) -> list[tuple[str, Raw]]:
    """Its events, with their paths."""
    lines = ((path, line) for path, lines in days.items() for line in lines)
    return [(path, line) for path, line in lines if line.get("type") not in {None, "BOOKMARK"}]


def _version(event: tuple[str, Raw]) -> int:
    return int(event[1]["object"]["metadata"]["resourceVersion"])


def _check(found: dict[str, Change]) -> None:
    assert {title: (one.kind, one.phase) for title, one in found.items()} == {
        "deployment cart: revision 2, v2": (ChangeKind.DEPLOYMENT, ChangePhase.SUCCEEDED),
        "deployment cart: revision 3, back to v1": (ChangeKind.ROLLBACK, ChangePhase.SUCCEEDED),
        "deployment cart: revision 4, v3": (ChangeKind.DEPLOYMENT, ChangePhase.FAILED),
        "deployment cart was scaled from 2 to 3": (ChangeKind.SCALING, ChangePhase.SUCCEEDED),
        "deployment cart was removed": (ChangeKind.REMOVAL, ChangePhase.SUCCEEDED),
        "stateful set ledger: revision 2, v2": (ChangeKind.DEPLOYMENT, ChangePhase.SUCCEEDED),
        "config map cart was changed": (ChangeKind.CONFIG, ChangePhase.SUCCEEDED),
        "secret cart-db was changed": (ChangeKind.CONFIG, ChangePhase.SUCCEEDED),
        "autoscaler cart of cart: 2 to 9 pods": (ChangeKind.SCALING, ChangePhase.SUCCEEDED),
        "node node-1 takes pods again": (ChangeKind.NODE, ChangePhase.SUCCEEDED),
        "release shop of Helm: revision 2": (ChangeKind.DEPLOYMENT, ChangePhase.SUCCEEDED),
    }
