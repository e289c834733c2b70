"""The real Prometheus of the demo: found, configured, scraping what the shop exposes."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.demo.children import ChildError, Children
from api.demo.prometheus import CONFIG, VARIABLES, find_prometheus, start_prometheus
from api.demo.shop import Shop
from api.demo.targets import target_groups, write_targets
from api.demo.traffic import Arm, Customers, Split
from detector.errors import ConfigError
from detector.selector import parse_selector
from detector.series import Query
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings
from tests.api.demo.stand import on_stage
from tests.servers import require_server


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder that is all of PATH."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def binary(folder: Path, name: str, text: str = "#!/bin/sh\n") -> Path:
    file = folder / name
    file.write_text(text)
    file.chmod(0o755)
    return file


def test_without_one_the_way_out_is_named(nowhere: Path) -> None:
    """The person learns both remedies: a binary, or the demo without it."""
    del nowhere
    with pytest.raises(ConfigError, match=r"SERINUS_PROMETHEUS2.*leave out --prometheus"):
        find_prometheus()


def test_one_on_the_path_will_do(nowhere: Path) -> None:
    """Debian's package needs no variable."""
    found = binary(nowhere, "prometheus")
    assert find_prometheus() == found


def test_the_named_one_comes_first(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `make servers` installed is taken before what the system has."""
    binary(nowhere, "prometheus")
    monkeypatch.setenv(VARIABLES[0], str(binary(nowhere, "prometheus3")))
    assert find_prometheus() == nowhere / "prometheus3"


def test_a_name_that_leads_nowhere_is_passed_over(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable from another machine does not hide what is here."""
    found = binary(nowhere, "prometheus")
    monkeypatch.setenv(VARIABLES[0], "/nowhere/prometheus3")
    assert find_prometheus() == found


def test_one_that_does_not_start_says_why(nowhere: Path) -> None:
    """Its own words reach the person."""
    binary(nowhere, "prometheus", "#!/bin/sh\necho no disk left >&2\nexit 2\n")

    async def act(children: Children) -> None:
        await start_prometheus(children, nowhere / "targets.json")

    with pytest.raises(ChildError, match=r"(?s)Prometheus is not ready.*no disk left"):
        on_stage(nowhere, act)


@pytest.mark.real
def test_its_configuration_is_valid(tmp_path: Path) -> None:
    """By promtool's judgement."""
    write_targets(tmp_path / "targets.json", [])
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(targets=tmp_path / "targets.json"))
    checked = subprocess.run(
        [require_server("promtool"), "check", "config", config],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.real
@pytest.mark.parametrize("name", ["prometheus2", "prometheus3"])
def test_a_real_one_scrapes_the_shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Every series that the gate judges by arrives, with the pod's labels."""
    monkeypatch.setenv(VARIABLES[0], str(require_server(name)))

    async def act(children: Children) -> Sequence[dict[str, str]]:
        shop, targets = Shop(children, tmp_path, seed=4), tmp_path / "targets.json"
        version = shop.version("v1")
        await shop.scale(version, 1)
        write_targets(targets, list(target_groups(shop.versions, state_port=1)))
        customers = Customers(seed=1)
        ports = tuple(pod.port for pod in version.pods)
        customers.split = Split(arms=(Arm(version="v1", weight=1, ports=ports),))
        sending = asyncio.create_task(customers.send(50.0))
        _, url = await start_prometheus(children, targets)
        try:
            return await asyncio.to_thread(scraped, url, version.selector)
        finally:
            sending.cancel()
            customers.close()
            await shop.close()

    labels = on_stage(tmp_path, act)
    assert {series["code"] for series in labels} >= {"200"}
    assert {series["job"] for series in labels} == {"checkout"}
    assert {series["namespace"] for series in labels} == {"shop"}


def scraped(url: str, selector: str) -> Sequence[dict[str, str]]:
    """Labels of the request series, once there are some."""
    source = PrometheusSource(SourceSettings(url=url))
    query = Query(metric="http_requests_total", matchers=parse_selector(selector))
    give_up = time.monotonic() + 30.0
    while time.monotonic() < give_up:
        now = time.time()
        [answer] = source.read([query], now - 30.0, now, timeout_s=5.0)
        if answer.series:
            return [dict(series.labels) for series in answer.series]
    pytest.fail("nothing was scraped")
