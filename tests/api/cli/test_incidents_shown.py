"""`serinus incidents` against a server, as a person on call calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.app import create_app
from api.cli.incident_command import SeverityName
from api.settings import Settings
from detector.stream.anomaly import Severity
from pipelines.stores.sqlite import Database
from tests.api.cli.served import serinus, serving
from tests.api.doors import quiet_logs
from tests.api.ui.test_incident_pages import Site, deployed
from tests.pipelines.flows.happening import Wire, anomaly
from tests.pipelines.flows.scripted import World

SINCE = ("--since", "2026-09-21T00:00:00Z")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A database where nothing happened yet."""
    database = Database(tmp_path / "stream.db")
    site = Site(database)
    site.at(-200)
    yield site
    database.close()


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    """A server on it."""
    quiet_logs()
    app = create_app(World().gate, Settings(), clock=lambda: site.now)
    app.state.context = replace(app.state.context, correlating=site.correlating)
    with serving(app) as address:
        yield address


def outage(site: Site) -> None:
    """A deployment of db after which its callers are odd; mail was odd before."""
    wire = Wire(site.database)
    wire.tell(anomaly("mail", -190), anomaly("mail", -190, until=-180))
    site.at(-170)
    site.stores.changes.add("default", [deployed("db", -3)])
    wire.tell(anomaly("db", severity=Severity.HIGH), anomaly("cart", 1))
    site.at(2)


def test_it_says_what_to_do_without_a_browser(site: Site, url: str) -> None:
    """Who is on call by ssh sees who, since when, what it comes of, why, and the command."""
    outage(site)
    shown = serinus("incidents", "--server", url, *SINCE)
    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert shown.exit_code == 0
    assert lines[0] == "2026-09-21 14:13 UTC  high    open  db and cart"
    assert "Likely the deployment of db to v2 at 14:10 UTC" in shown.stdout
    assert "the first anomaly began 3 min after it; it changed db itself" in shown.stdout
    assert "kubectl argo rollouts undo db --namespace shop" in lines
    assert any(line.startswith("/incidents/inc_") for line in lines)
    assert "2026-09-21 11:03 UTC  medium  over  mail" in lines


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--open",), 1),
        (("--service", "mail"), 1),
        (("--severity", "high"), 1),
        (("--limit", "1"), 1),
        ((), 2),
    ],
)
def test_it_is_filtered_as_people_ask(
    site: Site, url: str, words: tuple[str, ...], count: int
) -> None:
    """By state, service, severity and how many."""
    outage(site)
    shown = serinus("incidents", "--server", url, "--format", "json", *SINCE, *words)
    assert len(json.loads(shown.stdout)["incidents"]) == count


def test_a_quiet_night_is_a_line(site: Site, url: str) -> None:
    """And no error."""
    shown = serinus("incidents", "--server", url, *SINCE)
    assert (shown.exit_code, shown.stdout) == (0, "No incidents in that time.\n")


def test_there_is_more_than_a_page(site: Site, url: str) -> None:
    """It is said, and how to see it."""
    outage(site)
    shown = serinus("incidents", "--server", url, "--limit", "1", *SINCE)
    assert "There are more: --limit above 1 shows them." in shown.stdout


def test_severities_are_those_that_there_are() -> None:
    """The command line lists them itself, so that it starts fast."""
    assert [one.value for one in SeverityName] == [one.value for one in Severity]


def test_a_server_that_has_none_says_why() -> None:
    """As of wrong usage: asked again it says the same."""
    quiet_logs()
    with serving(create_app(World().gate, Settings())) as address:
        shown = serinus("incidents", "--server", address)
    assert shown.exit_code == 2
    assert "runs without a stream" in shown.stderr
