"""`serinus aa` on a real Prometheus, and what it leaves beside the next verdict."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.cli.served import serinus
from tests.pipelines.flows.releases import Release, Week, openmetrics_of, pods_of
from tests.servers import make_blocks, require_server, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]

LENGTH_S = 5 * 3600.0


@pytest.fixture(scope="module")
def week() -> Week:
    """Five hours that ended just now, and a release in them."""
    releases = (Release(at=LENGTH_S - 1500.0),)
    return Week(length_s=LENGTH_S, releases=releases, rate=10.0, begin=time.time() - LENGTH_S - 40)


@pytest.fixture(scope="module")
def source(week: Week, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the Prometheus."""
    require_server("prometheus2")
    folder = tmp_path_factory.mktemp("prometheus")
    make_blocks(openmetrics_of(week), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url


def test_a_check_is_stored_and_stands_beside_the_next_verdict(
    source: str, week: Week, tmp_path: Path
) -> None:
    """One sentence, and a field that machines read."""
    data = ("--data", str(tmp_path / "data"), "--prometheus", source)
    checked = serinus(
        *("aa", "--service", "checkout", "--namespace", "shop", "--placebos", "3"),
        *("--days", "0.2", "--format", "json", *data),
    )
    assert checked.exit_code == 0, checked.output
    (made,) = json.loads(checked.stdout)
    assert (made["placebos"], made["failed"], made["enough"]) == (3, 0, False)
    canary = next(pod.name for pod in pods_of(week) if pod.born > 0).rsplit("-", 1)[0]
    asked = serinus(
        *("check", "--service", "checkout", "--namespace", "shop"),
        *("--canary", f'{{pod=~"{canary}-.+"}}', "--format", "json", *data),
    )
    body = json.loads(asked.stdout)
    assert body["aa"]["placebos"] == 3
    assert body["aa"]["raised"] == 1.0
    assert any("of 3 placebos on this service's own pods" in note for note in body["notes"])


def test_a_dry_run_stores_nothing(source: str, tmp_path: Path) -> None:
    """A look needs no store."""
    result = serinus(
        *("aa", "--service", "checkout", "--namespace", "shop", "--placebos", "1"),
        *("--days", "0.2", "--dry-run", "--prometheus", source, "--data", str(tmp_path / "data")),
    )
    assert result.exit_code == 0, result.output
    assert "1 placebos" in result.output
    assert not (tmp_path / "data").exists()


def test_a_service_that_is_not_there_is_told(source: str, tmp_path: Path) -> None:
    """With what there is instead; and without any name, what to name."""
    words = ("--prometheus", source, "--data", str(tmp_path / "data"), "--dry-run")
    wrong, none = serinus("aa", "--service", "chekout", *words), serinus("aa", *words)
    assert (wrong.exit_code, none.exit_code) == (2, 2)
    assert "checkout" in wrong.output
    assert "name a service" in none.output
