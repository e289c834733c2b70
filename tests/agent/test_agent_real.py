"""A real Grafana Agent follows a file and pushes its lines to our door of Loki's kind."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector.logs.lines import Level
from tests.api.cli.process import served
from tests.api.test_logs_real import receiving_logs
from tests.api.test_push_real import until
from tests.servers import require_server

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.e2e]

LABELS = {"app": "checkout", "namespace": "shop", "pod": "checkout-5c4b8d-a"}


@contextmanager
def running_agent(folder: Path, url: str) -> Iterator[Path]:
    """An agent that follows a file, which it yields; it is stopped at the end."""
    followed = folder / "checkout.log"
    followed.touch()
    config = folder / "agent.json"
    # What is JSON is YAML, too.
    config.write_text(json.dumps(_config(folder, followed, url)), encoding="utf-8")
    with (folder / "agent.log").open("wb") as log:
        agent = subprocess.Popen([str(require_server("agent")), str(config)], stderr=log)
        try:
            yield followed
        finally:
            agent.terminate()
            agent.wait(timeout=30)


def _config(folder: Path, followed: Path, url: str) -> dict[str, object]:
    client = {"url": f"{url}/loki/api/v1/push", "batchwait": "100ms"}
    target = {"targets": ["localhost"], "labels": {**LABELS, "__path__": str(followed)}}
    fields = {"json": {"expressions": {"level": "severity"}}}
    scrape = {
        "job_name": "files",
        "static_configs": [target],
        "pipeline_stages": [fields, {"labels": {"level": None}}],
    }
    one = {
        "name": "default",
        "clients": [{**client, "backoff_config": {"min_period": "100ms", "max_period": "1s"}}],
        "positions": {"filename": str(folder / "positions.yaml")},
        "scrape_configs": [scrape],
        "target_config": {"sync_period": "1s"},
    }
    return {"configs": [one]}


def said(severity: str, message: str) -> str:
    """A line of the file."""
    return json.dumps({"severity": severity, "message": message}) + "\n"


def test_what_it_follows_arrives_with_whose_it_is(tmp_path: Path) -> None:
    """Level, service, pod and namespace are found in its labels, once for each line."""
    with receiving_logs() as (url, sink), running_agent(tmp_path, url) as followed:
        with followed.open("a", encoding="utf-8") as file:
            file.writelines([said("info", "order 7 placed"), said("error", "no route to bank")])
        until(lambda: len(sink.lines()) >= 2, "two lines")
    first, second = sink.lines()
    assert (first.message, first.level) == (b"order 7 placed", Level.INFO)
    assert (second.message, second.level) == (b"no route to bank", Level.ERROR)
    assert (second.origin.service, second.origin.namespace) == ("checkout", "shop")
    assert second.origin.pod == "checkout-5c4b8d-a"


def test_what_was_refused_for_a_while_comes_again(tmp_path: Path) -> None:
    """A full queue of ours makes it wait, and loses nothing."""
    with receiving_logs() as (url, sink), running_agent(tmp_path, url) as followed:
        sink.is_full = True
        followed.write_text(said("info", "order 8 placed"), encoding="utf-8")
        until(lambda: sink.refusals >= 2, "two refusals")
        sink.is_full = False
        until(sink.lines, "the line")
    assert sink.messages() == ["order 8 placed"]


def test_a_server_counts_what_it_sent(tmp_path: Path) -> None:
    """From the file of a program to the templates that a person looks at."""
    config = tmp_path / "serinus.yaml"
    config.write_text("source: {kind: memory}\n", encoding="utf-8")
    with (
        served("--config", str(config), "--data", str(tmp_path / "data")) as server,
        running_agent(tmp_path, server.url) as followed,
    ):
        with followed.open("a", encoding="utf-8") as file:
            file.writelines(said("error", f"charge {n} failed: no route") for n in range(30))
        until(lambda: templates(server.url) == [("error", 30)], "thirty lines")


def templates(url: str) -> list[tuple[str, int]]:
    """Level and count of each of the service's; none while the stream is not open."""
    try:
        with urllib.request.urlopen(f"{url}/v1/templates?service=checkout", timeout=30) as answer:
            shown = json.loads(answer.read())["templates"]
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return []
    return [(one["level"], one["count"]) for one in shown]
