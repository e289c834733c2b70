"""`serinus pack test` of capacity packs as people call it, on a real Prometheus."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from detector.capacity.packs import shipped_capacity
from tests.api.cli.served import serinus
from tests.pipelines.capacity.world import exposed, openmetrics
from tests.servers import make_blocks, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

HOURS = 30
EVERYTHING = ("kubernetes_workloads", "kubernetes_cluster", "node_exporter", "services")
OURS = """\
name: pools
title: Pools of our shop
published: https://wiki.example.com/pools
service: [app, application, service, job]
parts:
  by: by (cluster, namespace, service, app, application, job, pool)
resources:
  - name: pool
    kind: connections
    unit: connections
    title: "{pool}"
    needs: [hikaricp_connections_active, hikaricp_connections_max]
    usage: max ${by} (hikaricp_connections_active)
    limit: min ${by} (hikaricp_connections_max > 0)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Thirty hours of all exporters, up to now."""
    folder = tmp_path_factory.mktemp("capacity")
    start = int(time.time()) // 7200 * 7200 - 3600 * HOURS
    text = openmetrics(exposed(*EVERYTHING), start=start, hours=HOURS + 2, scrape_s=240)
    make_blocks(text, folder / "data")
    with running_prometheus("prometheus3", folder) as running:
        yield running.url


def tried(folder: Path, text: str, *words: str) -> tuple[int, str, str]:
    """Exit code, what is printed, and what is complained of."""
    file = folder / "ours.yaml"
    file.write_text(text, encoding="utf-8")
    result = serinus("pack", "test", str(file), *words)
    return result.exit_code, result.stdout, result.stderr


def test_a_good_pack_is_0_and_shows_what_is_bound(source: str, tmp_path: Path) -> None:
    """A person sees amounts, data, and that exhaustion would be told."""
    code, out, _ = tried(tmp_path, OURS, "--prometheus", source)
    assert code == 0
    assert "pools (Pools of our shop) is a capacity pack." in out
    assert "  hikaricp_connections_max     there" in out
    assert "found      HikariPool-1 of orders" in out
    assert "of the last 336 hours" in out
    assert "now      10 connections" in out
    assert "usage at its limit is told as exhausted: 1 of 1" in out
    assert out.rstrip().endswith("capacity.packs.")


def test_a_limit_by_other_labels_is_1_and_says_which(source: str, tmp_path: Path) -> None:
    """A pack whose disks would look endless does not go out."""
    text = OURS.replace("limit: min ${by}", "limit: min by (pool, pod, instance)")
    code, out, _ = tried(tmp_path, text, "--prometheus", source)
    assert code == 1
    assert "limit      not bound: has labels that usage has not: " in out
    assert "told as exhausted: none" in out


def test_a_query_that_prometheus_refuses_is_1_with_its_words(source: str, tmp_path: Path) -> None:
    """Brackets match, and it is no PromQL all the same."""
    text = OURS.replace("min ${by} (hika", "minimum ${by} (hika")
    code, out, _ = tried(tmp_path, text, "--prometheus", source)
    assert code == 1
    assert "parse error" in out


def test_no_metric_of_it_is_3(source: str, tmp_path: Path) -> None:
    """Nothing was shown either way."""
    code, out, _ = tried(tmp_path, OURS.replace("hikaricp_", "bonecp_"), "--prometheus", source)
    assert code == 3
    assert "not there (resources[0].needs); nearest: hikaricp_connections" in out


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("limit: min ${by} (hikaricp_connections_max > 0)", "hour: max", "none has a limit"),
        ("unit: connections", "units: connections", "contains unknown field `units`"),
        ("needs: [", "need: [", "unknown field `need`"),
        ("kind: connections", "kind: sockets", "resources[0].kind"),
        ("${by} (hikaricp_connections_active)", "${bi} (x)", "there is no part 'bi'"),
    ],
)
def test_what_can_never_tell_or_is_no_pack_is_2(
    before: str, after: str, told: str, source: str, tmp_path: Path
) -> None:
    """Refused by name; a file of capacity is not told what a pack of the gate has to have."""
    code, out, err = tried(tmp_path, OURS.replace(before, after), "--prometheus", source)
    assert (code, out) == (2, "")
    assert told in err


def test_a_limit_by_the_configuration_makes_it_tell(source: str, tmp_path: Path) -> None:
    """What nobody exports, a person sets."""
    config = tmp_path / "serinus.yaml"
    config.write_text(f"source: {{url: '{source}'}}\ncapacity: {{limits: {{pools.pool: 12}}}}\n")
    text = OURS.replace("    limit: min ${by} (hikaricp_connections_max > 0)\n", "")
    code, out, err = tried(tmp_path, text, "--config", str(config))
    assert (code, err) == (0, "")
    assert "now      12 connections" in out


def test_a_prometheus_that_is_away_is_4(tmp_path: Path) -> None:
    """A pipeline asks again later."""
    code, _, err = tried(tmp_path, OURS, "--prometheus", "http://127.0.0.1:1")
    assert code == 4
    assert "cannot connect" in err


def test_a_service_is_no_word_for_it(source: str, tmp_path: Path) -> None:
    """A flag that would be ignored is refused."""
    code, _, err = tried(tmp_path, OURS, "--prometheus", source, "--service", "orders")
    assert code == 2
    assert "--service: a capacity pack binds resources of all services" in err


def test_programs_read_the_same(source: str, tmp_path: Path) -> None:
    """In CI nobody reads text."""
    code, out, _ = tried(tmp_path, OURS, "--prometheus", source, "--format", "json")
    body = json.loads(out)
    assert (code, body["code"], body["pack"]) == (0, 0, "pools")
    (one,) = body["resources"]
    assert (one["bound"], one["unit"], one["told"], one["untold"]) == (True, "connections", 1, [])
    assert 28 <= one["hours_known"] <= HOURS + 2
    limit = next(part for part in one["parts"] if part["name"] == "limit")
    assert (limit["bound"], limit["low"], limit["high"], limit["why"]) == (1, 10.0, 10.0, "")
    assert [metric["there"] for metric in body["metrics"]] == [True, True]


@pytest.mark.parametrize("pack", [one.name for one in shipped_capacity()])
def test_shipped_packs_tell_of_exhaustion(pack: str, source: str, tmp_path: Path) -> None:
    """What we ship is held to what we ask of others, on series of the exporters' names."""
    text = (files("detector.capacity.packs") / f"{pack}.yaml").read_text("utf-8")
    _, out, err = tried(tmp_path, text, "--prometheus", source, "--format", "json")
    body = json.loads(out)
    assert err == ""
    assert body["pack"] == pack
    assert all(one["told"] >= 1 and one["untold"] == [] for one in body["resources"]), body
